"""The app roles of a sign-in, and the name of whoever began a job."""

import sqlalchemy as sa
from alembic import op

revision = "005"
down_revision = "004"


def upgrade() -> None:
    """Adds the columns."""
    op.add_column("sign_ins", sa.Column("roles", sa.LargeBinary))
    op.add_column("jobs", sa.Column("login", sa.Text, nullable=False, server_default=""))
