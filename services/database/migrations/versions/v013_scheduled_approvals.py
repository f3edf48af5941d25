"""Which scheduled runs a person requested, and which approvals delete all that was proposed."""

import sqlalchemy as sa
from alembic import op

revision = "013"
down_revision = "012"


def upgrade() -> None:
    """Adds the columns. What was approved before counts for nothing: what it left out is not known."""
    for name in ("requested", "approved_all"):
        op.add_column("scheduled_runs", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
