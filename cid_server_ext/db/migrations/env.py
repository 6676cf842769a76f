"""How Alembic reaches the database: the URL comes from `db.session`, never from a file."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from cid_server_ext.db.compare import included
from cid_server_ext.db.session import connect
from cid_server_ext.db.tables import UTC, Base
from cid_server_ext.errors import Unavailable


def _render(kind: str, obj: Any, autogen: Any) -> str | Literal[False]:
    """Write our UTC type as the plain column it is."""
    if kind == "type" and isinstance(obj, UTC):
        return "sa.DateTime(timezone=True)"
    return False


def _execute(connection: Connection, statement: str) -> None:
    """Say something before the transaction begins."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(statement)


engine = connect(context.config.attributes["url"])
try:
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:  # else each row of a dropped table is looked for in all that refer to it
            _execute(connection, "PRAGMA foreign_keys=OFF")
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            render_item=_render,
            compare_type=True,
            # SQLite has it too, as `connect` begins transactions: all revisions or none
            transactional_ddl=True,
            include_object=included,
        )
        with context.begin_transaction():
            context.run_migrations()
            if sqlite and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
                named = ", ".join(sorted({f"{row[0]} to {row[2]}" for row in lost}))
                raise Unavailable(
                    f"nothing was migrated: {len(lost)} rows point to nothing ({named})"
                )
        connection.commit()
finally:
    engine.dispose()
