"""Why a request was declined."""

import sqlalchemy as sa
from alembic import op

revision = "006"
down_revision = "005"


def upgrade() -> None:
    """Adds the column."""
    op.add_column("requests", sa.Column("reason", sa.Text, nullable=False, server_default=""))
