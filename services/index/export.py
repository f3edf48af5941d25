"""What a search found as a spreadsheet."""

import csv
from collections.abc import Callable, Iterator
from io import StringIO

from services.index.search import FoundImage, Results
from services.wording import cell_text

COLUMNS = ("kind", "registry", "login server", "repository", "tags", "digest", "platforms", "bytes", "time")


def csv_of(found: Results, last_pull: Callable[[FoundImage], str] | None = None) -> str:
    """The results as CSV, a row each; times in UTC. What is not known is an empty cell. `last_pull`: when an image was
    pulled last, in a column of its own."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow((*COLUMNS, "last pull") if last_pull else COLUMNS)
    # Images are the last of the rows.
    others = len(found.registries) + len(found.repositories) + len(found.tags)
    for at, row in enumerate(_rows(found)):
        pulled = last_pull(found.images[at - others]) if last_pull and at >= others else ""
        writer.writerow([cell_text(value) for value in ((*row, pulled) if last_pull else row)])
    return text.getvalue()


def _rows(found: Results) -> Iterator[tuple[str, ...]]:
    for registry in found.registries:
        yield ("registry", registry.name, registry.login_server, "", "", "", "", "", "")
    for repository in found.repositories:
        place = repository.registry
        yield ("repository", place.name, place.login_server, repository.name, "", "", "", "", "")
    for tag in found.tags:
        place, at = tag.registry, tag.updated.isoformat() if tag.updated else ""
        yield ("tag", place.name, place.login_server, tag.repository, tag.name, tag.digest, "", "", at)
    for image in found.images:
        place, at = image.registry, image.created.isoformat() if image.created else ""
        size = "" if image.size is None else str(image.size)
        kind = image.kind.value if image.kind else "not read"
        tags = " ".join(image.every_tag)
        yield (kind, place.name, place.login_server, image.repository, tags, image.digest, image.platforms, size, at)
