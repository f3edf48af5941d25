"""Snapshots that the console takes each day by itself, with pulls and cost."""

import sqlalchemy as sa
from alembic import op

revision = "014"
down_revision = "013"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Adds the columns, empty in what was recorded before, and the table."""
    op.add_column("snapshots", sa.Column("pulls", sa.BigInteger))
    for name in ("cost", "currency"):
        op.add_column("snapshots", sa.Column(name, sa.Text))
    op.create_table(
        "snapshot_reads",
        sa.Column("runs_as", sa.Text, primary_key=True),
        sa.Column("registry", sa.Text, primary_key=True),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("day", sa.Date),
        sa.Column("begun", sa.Date),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("lease_until", _TIME),
        sa.Column("tried", _TIME),
        sa.Column("error", sa.Text, nullable=False),
    )
