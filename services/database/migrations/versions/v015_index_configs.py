"""What the configs of images say, in the index."""

import sqlalchemy as sa
from alembic import op

revision = "015"
down_revision = "014"

_BYTES = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Adds the tables, and where configs are to be read. No label was kept before."""
    op.add_column("index_repositories", sa.Column("configs_unread", sa.Integer))
    op.create_table(
        "index_labels",
        _key("manifest"),
        _key("name"),
        sa.Column("value", _BYTES, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("index_labels_by_value", "index_labels", ["name", "value"])
    op.create_table(
        "index_config_words",
        _key("manifest"),
        sa.Column("kind", sa.SmallInteger, primary_key=True, autoincrement=False),
        _key("word"),
        sqlite_with_rowid=False,
    )
    op.create_index("index_config_words_by_word", "index_config_words", ["kind", "word"])
    op.create_table(
        "index_configs",
        _key("manifest"),
        sa.Column("readable", sa.SmallInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)
