"""Schedules of retention policies, their runs, and what each run proposed and began."""

import sqlalchemy as sa
from alembic import op

revision = "010"
down_revision = "009"


def upgrade() -> None:
    """Adds the tables."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "schedules",
        sa.Column("policy", sa.Text, sa.ForeignKey("policies.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("runs_as", sa.Text, nullable=False),
        sa.Column("registries", sa.JSON, nullable=False),
        sa.Column("weekday", sa.Integer),
        sa.Column("hour", sa.Integer, nullable=False),
        sa.Column("proposals", sa.Integer, nullable=False),
        sa.Column("asks_clusters", sa.Boolean, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("due", time, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("saved", time, nullable=False),
    )
    op.create_table(
        "scheduled_runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("policy", sa.Text, sa.ForeignKey("policies.id", ondelete="CASCADE"), nullable=False),
        sa.Column("runs_as", sa.Text, nullable=False),
        sa.Column("registry", sa.Text, nullable=False),
        sa.Column("due", time, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("lease_until", time, nullable=False),
        sa.Column("version", sa.Integer),
        sa.Column("planned", time),
        sa.Column("figures", sa.JSON),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("jobs", sa.Integer, nullable=False),
        sa.Column("decided", time),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("decided_login", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.UniqueConstraint("policy", "due", "registry", name="scheduled_once"),
    )
    op.create_table(
        "scheduled_parts",
        sa.Column("run", sa.Text, sa.ForeignKey("scheduled_runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("repository", sa.Text, primary_key=True),
        sa.Column("freed", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.JSON, nullable=False),
    )
    op.create_table(
        "scheduled_jobs",
        sa.Column("run", sa.Text, sa.ForeignKey("scheduled_runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("repository", sa.Text, primary_key=True),
        sa.Column("job", sa.Text, nullable=False),
    )
