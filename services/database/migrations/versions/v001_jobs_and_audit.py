"""Jobs, their items, and the log of who did what."""

import sqlalchemy as sa
from alembic import op

revision = "001"
down_revision = None


def upgrade() -> None:
    """Makes the tables in an empty database."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("login_server", sa.Text, nullable=False),
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("begun", time, nullable=False),
        sa.Column("runner", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("lease_until", time, nullable=False),
        sa.Column("stop_requested", sa.Boolean, nullable=False),
        sa.Column("ended", time),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("damaged_lines", sa.Integer, nullable=False),
    )
    op.create_index("jobs_of", "jobs", ["who", "begun"])
    op.create_table(
        "job_items",
        sa.Column("job", sa.Text, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("at", time),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.UniqueConstraint("previous", name="audit_is_one_chain"),
    )
