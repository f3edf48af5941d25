"""What clusters answered when they were asked which images run in them."""

import sqlalchemy as sa
from alembic import op

revision = "008"
down_revision = "007"


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "cluster_answers",
        sa.Column("azure", sa.Text, primary_key=True),
        sa.Column("cluster", sa.Text, primary_key=True),
        sa.Column("error_of", sa.Text, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("images", sa.LargeBinary, nullable=False),
    )
