"""What people ask others to do, and changes of which not all was done."""

import sqlalchemy as sa
from alembic import op

revision = "003"
down_revision = "002"


def upgrade() -> None:
    """Adds the table and the column."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "requests",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("asked", time, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("assignment", sa.Text, nullable=False),
        sa.Column("condition", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("query", sa.JSON, nullable=False),
        sa.Column("closed", time),
        sa.Column("closed_by", sa.Text),
        sa.Column("outcome", sa.Text, nullable=False),
    )
    op.create_index("requests_for", "requests", ["scope", "assignment"])
    op.add_column("jobs", sa.Column("incomplete", sa.Boolean, nullable=False, server_default=sa.false()))
