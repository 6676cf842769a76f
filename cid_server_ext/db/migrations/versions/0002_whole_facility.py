"""The catalog of a whole facility.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

from cid_server_ext.db import fulltext
from cid_server_ext.db.tables import Base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    from sqlalchemy import MetaData
    old = MetaData()
    old.reflect(connection)
    old.remove(old.tables["alembic_version"])
    old.drop_all(connection)
    Base.metadata.create_all(connection)
    fulltext.of(connection.dialect.name).create(connection)
