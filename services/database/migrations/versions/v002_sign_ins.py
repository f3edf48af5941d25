"""Who is signed in, and their sealed tokens."""

import sqlalchemy as sa
from alembic import op

revision = "002"
down_revision = "001"


def upgrade() -> None:
    """Adds the tables."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "accounts",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("tokens", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("cookie_hash", sa.Text, nullable=False, unique=True),
        sa.Column("account", sa.Text, sa.ForeignKey("accounts.account", ondelete="CASCADE"), nullable=False),
        sa.Column("begun", time, nullable=False),
        sa.Column("seen", time, nullable=False),
        sa.Column("ends", time, nullable=False),
    )
    op.create_index("sign_ins_of", "sign_ins", ["account"])
