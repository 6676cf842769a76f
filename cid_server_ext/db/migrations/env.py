"""How Alembic reaches the database: the URL comes from `db.session`, never from a file."""

from typing import Any, Literal

from alembic import context

from cid_server_ext.db.compare import included
from cid_server_ext.db.session import connect
from cid_server_ext.db.tables import UTC, Base


def _render(kind: str, obj: Any, autogen: Any) -> str | Literal[False]:
    """Write our UTC type as the plain column it is."""
    if kind == "type" and isinstance(obj, UTC):
        return "sa.DateTime(timezone=True)"
    return False


engine = connect(context.config.attributes["url"])
try:
    with engine.connect() as connection:
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
        connection.commit()
finally:
    engine.dispose()
