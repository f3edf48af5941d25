"""Retention policies, with every version of their text."""

import sqlalchemy as sa
from alembic import op

revision = "007"
down_revision = "006"


def upgrade() -> None:
    """Adds the tables."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "policies",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("deleted", time),
    )
    op.create_table(
        "policy_versions",
        sa.Column("policy", sa.Text, sa.ForeignKey("policies.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("saved", time, nullable=False),
    )
