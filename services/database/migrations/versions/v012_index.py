"""The index of what registries hold."""

import sqlalchemy as sa
from alembic import op

revision = "012"
down_revision = "011"

_BYTES = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Adds the tables."""
    op.create_table(
        "index_registries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("azure", sa.Text, nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("login_server", sa.Text, nullable=False),
        sa.Column("read", _TIME),
        sa.Column("tried", _TIME),
        sa.Column("unread", sa.Text, nullable=False),
        sa.UniqueConstraint("azure", "resource", "created", name="index_registries_of"),
    )
    op.create_table(
        "index_repositories",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("registry", sa.Integer, sa.ForeignKey("index_registries.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", _BYTES, nullable=False),
        sa.Column("updated", sa.Text, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("read", _TIME, nullable=False),
        sa.Column("unread", sa.Integer, nullable=False),
        sa.UniqueConstraint("registry", "name", name="index_repositories_of"),
    )
    op.create_table(
        "index_words",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("word", _BYTES, nullable=False),
        sa.UniqueConstraint("word", name="index_words_once"),
    )
    op.create_table(
        "index_digests",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("digest", "size", name="index_digests_once"),
    )
    op.create_table(
        "index_manifests",
        _repository(),
        sa.Column("digest", sa.Integer, primary_key=True),
        sa.Column("readable", sa.SmallInteger, nullable=False),
        sa.Column("standing", sa.SmallInteger, nullable=False),
        sa.Column("created", sa.BigInteger),
        sa.Column("updated", sa.BigInteger),
        sa.Column("size", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_index("index_manifests_by_digest", "index_manifests", ["digest"])
    op.create_index("index_manifests_by_age", "index_manifests", ["standing", "created"])
    op.create_index("index_manifests_by_size", "index_manifests", ["standing", "size"])
    op.create_table(
        "index_contents",
        sa.Column("digest", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("media_type", sa.Integer, nullable=False),
        sa.Column("platforms", sa.Integer, nullable=False),
        sa.Column("subject", sa.Integer),
        sa.Column("layers", sa.LargeBinary, nullable=False),
        sa.Column("children", sa.LargeBinary, nullable=False),
    )
    op.create_index("index_contents_by_subject", "index_contents", ["subject"])
    op.create_table("index_layer_uses", _number("layer"), _number("manifest"), sqlite_with_rowid=False)
    op.create_table("index_children", _number("child"), _number("parent"), sqlite_with_rowid=False)
    op.create_table(
        "index_tags",
        _repository(),
        sa.Column("name", _BYTES, primary_key=True),
        sa.Column("digest", sa.Integer, nullable=False),
        sa.Column("created", sa.BigInteger),
        sa.Column("updated", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_index("index_tags_by_name", "index_tags", ["name"])
    op.create_index("index_tags_by_digest", "index_tags", ["digest"])
    op.create_table(
        "index_properties",
        _number("manifest"),
        _number("name"),
        sa.Column("value", _BYTES, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("index_properties_by_value", "index_properties", ["name", "value"])


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)


def _repository() -> sa.Column[int]:
    to = sa.ForeignKey("index_repositories.id", ondelete="CASCADE")
    return sa.Column("repository", sa.Integer, to, primary_key=True)
