"""Which manifests a deletion deleted: their bytes stay in the shared contents."""

import sqlalchemy as sa
from alembic import op

revision = "009"
down_revision = "008"


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "kept_manifests",
        sa.Column("job", sa.Text, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("kept", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("kept_manifests_by_digest", "kept_manifests", ["digest"])
    op.create_index("kept_manifests_by_age", "kept_manifests", ["kept"])
