"""What all processes share of what was read: contents by their digest, and list prices."""

import sqlalchemy as sa
from alembic import op

revision = "004"
down_revision = "003"


def upgrade() -> None:
    """Adds the tables."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "contents",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("used", time, nullable=False),
    )
    op.create_index("contents_by_use", "contents", ["used", "size"])
    op.create_table(
        "list_prices",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("currency", sa.Text, primary_key=True),
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("read", time, nullable=False),
        sa.Column("rows", sa.Text, nullable=False),
    )
