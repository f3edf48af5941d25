"""Which monthly cost reports were delivered."""

import sqlalchemy as sa
from alembic import op

revision = "016"
down_revision = "015"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "cost_reports",
        sa.Column("runs_as", sa.Text, primary_key=True),
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("month", sa.Date, primary_key=True),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("leases", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("lease_until", _TIME),
        sa.Column("tried", _TIME),
        sa.Column("again", _TIME),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("versions", sa.JSON, nullable=False),
        sa.Column("done", _TIME),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("lacks", sa.Text, nullable=False),
    )
