"""The index as plain values, to compare one with another whatever the numbers of their rows are."""

from typing import Any

from sqlalchemy import Engine, select

from services.database import index_tables as tables
from services.index.packing import unpack_digest, unpack_numbers


def index_as_values(engine: Engine) -> dict[str, Any]:
    """All that the index has, by digests and names; without the times of reading."""
    with engine.connect() as db:
        digests = {row.id: (unpack_digest(bytes(row.digest)), row.size) for row in db.execute(select(tables.digests))}
        words = {row.id: row.word for row in db.execute(select(tables.words))}
        registries = {row.id: (row.resource, row.created) for row in db.execute(select(tables.registries))}
        rows = db.execute(select(tables.repositories)).all()
        repositories = {row.id: (*registries[row.registry], row.name) for row in rows}
        return {
            "registries": set(registries.values()),
            "repositories": {(repositories[row.id], row.updated, row.counts, row.unread) for row in rows},
            "digests": sorted(digests.values()),
            "manifests": sorted(
                (repositories[row.repository], digests[row.digest], row.standing, row.created, row.updated, row.size)
                for row in db.execute(select(tables.manifests))
            ),
            "contents": sorted(
                (
                    digests[row.digest],
                    row.kind,
                    words[row.media_type],
                    words[row.platforms],
                    digests[row.subject] if row.subject else "",
                    [digests[number] for number in unpack_numbers(row.layers)],
                    [digests[number] for number in unpack_numbers(row.children)],
                )
                for row in db.execute(select(tables.contents))
            ),
            "layers": sorted((digests[one], digests[other]) for one, other in db.execute(select(tables.layer_uses))),
            "children": sorted((digests[one], digests[other]) for one, other in db.execute(select(tables.children))),
            "tags": sorted(
                (repositories[row.repository], row.name, digests[row.digest], row.created, row.updated)
                for row in db.execute(select(tables.tags))
            ),
            **{
                table.name: sorted(
                    (digests[row.manifest], words[row.name], row.value) for row in db.execute(select(table))
                )
                for table in (tables.properties, tables.labels)
            },
            "config words": sorted(
                (digests[row.manifest], row.kind, words[row.word]) for row in db.execute(select(tables.config_words))
            ),
            "configs": sorted((digests[row.manifest], row.readable) for row in db.execute(select(tables.configs))),
        }
