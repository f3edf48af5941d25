"""The tables of the index: what registries hold, to be searched.

A digest is written once, as its bytes, and named by a number elsewhere; so is a text that many manifests share, such as
a media type. What a digest names never changes: it is in `index_contents` once, however many repositories have it.
Measured: `python -m benchmarks index` compares the size with that of the same listings under gzip.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Table, Text
from sqlalchemy import UniqueConstraint as Unique

from services.database.tables import UtcTime, metadata

# Compared byte by byte on both engines, so that the beginning of a name is a range of the index.
ByteText = Text().with_variant(Text(collation="C"), "postgresql")

registries = Table(
    "index_registries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("azure", Text, nullable=False),  # The cloud and tenant.
    Column("resource", Text, nullable=False),  # Its resource id in lower case.
    Column("created", Text, nullable=False),  # By Azure; "" unknown. One created again is another registry.
    Column("name", Text, nullable=False),
    Column("login_server", Text, nullable=False),
    Column("read", UtcTime),  # When all of it had last been compared with the registry.
    Column("tried", UtcTime),
    Column("unread", Text, nullable=False),  # What could not be read then, in words; "" nothing.
    Unique("azure", "resource", "created", name="index_registries_of"),
)

repositories = Table(
    "index_repositories",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("registry", Integer, ForeignKey("index_registries.id", ondelete="CASCADE"), nullable=False),
    Column("name", ByteText, nullable=False),
    # As the registry reported it when it was read: while both stay, nothing has changed.
    Column("updated", Text, nullable=False),
    Column("counts", Text, nullable=False),
    Column("read", UtcTime, nullable=False),  # When that began, or when the console has changed it since.
    Column("unread", Integer, nullable=False),  # Manifests that could not be read.
    # Images with a tag whose config has not been read; None: not counted since the repository changed.
    Column("configs_unread", Integer),
    Unique("registry", "name", name="index_repositories_of"),
)

words = Table(
    "index_words",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("word", ByteText, nullable=False),
    Unique("word", name="index_words_once"),
)

digests = Table(
    "index_digests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False),  # 32 bytes of sha256; of another algorithm its text.
    # Of a layer, as a manifest gives it; -1 unknown. What another manifest says is another row.
    Column("size", BigInteger, nullable=False),
    Unique("digest", "size", name="index_digests_once"),
)

manifests = Table(
    "index_manifests",
    metadata,
    Column("repository", Integer, ForeignKey("index_repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", Integer, primary_key=True),
    Column("readable", SmallInteger, nullable=False),  # 0 where it was locked against reading, or is no manifest.
    Column("standing", SmallInteger, nullable=False),  # Whether anything leads to it.
    Column("created", BigInteger),  # Seconds since 1970.
    Column("updated", BigInteger),
    Column("size", BigInteger),  # Of an index, that of its images together.
    Index("index_manifests_by_digest", "digest"),
    Index("index_manifests_by_age", "standing", "created"),
    Index("index_manifests_by_size", "standing", "size"),
    sqlite_with_rowid=False,
)

contents = Table(
    "index_contents",
    metadata,
    Column("digest", Integer, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),
    Column("media_type", Integer, nullable=False),
    Column("platforms", Integer, nullable=False),
    Column("subject", Integer),
    Column("layers", LargeBinary, nullable=False),  # From the base up.
    Column("children", LargeBinary, nullable=False),
    Index("index_contents_by_subject", "subject"),
)

layer_uses = Table(
    "index_layer_uses",
    metadata,
    Column("layer", Integer, primary_key=True, autoincrement=False),
    Column("manifest", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

children = Table(
    "index_children",
    metadata,
    Column("child", Integer, primary_key=True, autoincrement=False),
    Column("parent", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

tags = Table(
    "index_tags",
    metadata,
    Column("repository", Integer, ForeignKey("index_repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("name", ByteText, primary_key=True),
    Column("digest", Integer, nullable=False),
    Column("created", BigInteger),
    Column("updated", BigInteger),
    Index("index_tags_by_name", "name"),
    Index("index_tags_by_digest", "digest"),
    sqlite_with_rowid=False,
)

# Annotations of a manifest.
properties = Table(
    "index_properties",
    metadata,
    Column("manifest", Integer, primary_key=True, autoincrement=False),
    Column("name", Integer, primary_key=True, autoincrement=False),
    Column("value", ByteText, nullable=False),
    Index("index_properties_by_value", "name", "value"),
    sqlite_with_rowid=False,
)

# Labels of an image's config.
labels = Table(
    "index_labels",
    metadata,
    Column("manifest", Integer, primary_key=True, autoincrement=False),
    Column("name", Integer, primary_key=True, autoincrement=False),
    Column("value", ByteText, nullable=False),
    Index("index_labels_by_value", "name", "value"),
    sqlite_with_rowid=False,
)

# What else of an image's config is searched: names of its environment (no values), and its author.
config_words = Table(
    "index_config_words",
    metadata,
    Column("manifest", Integer, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("word", Integer, primary_key=True, autoincrement=False),
    Index("index_config_words_by_word", "kind", "word"),
    sqlite_with_rowid=False,
)

# Images whose config was read, or cannot be.
configs = Table(
    "index_configs",
    metadata,
    Column("manifest", Integer, primary_key=True, autoincrement=False),
    Column("readable", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)
