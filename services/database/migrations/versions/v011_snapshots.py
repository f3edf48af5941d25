"""What registries and their repositories stored, day by day."""

import sqlalchemy as sa
from alembic import op

revision = "011"
down_revision = "010"


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "snapshots",
        sa.Column("registry", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("repository", sa.Text, primary_key=True),
        sa.Column("unique_bytes", sa.BigInteger, nullable=False),
        sa.Column("shared_bytes", sa.BigInteger, nullable=False),
        sa.Column("untagged_bytes", sa.BigInteger, nullable=False),
        sa.Column("tags", sa.Integer, nullable=False),
        sa.Column("manifests", sa.Integer, nullable=False),
    )
