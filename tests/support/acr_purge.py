"""What acr purge does with a repository, written from its documentation and source: https://github.com/Azure/acr-cli.

Tags first: those that match, are older than --ago and not locked, without the --keep newest of them. With --untagged
then the manifests without a tag that are as old, not locked, have no subject, and are in no index that stays. The
registry deletes what refers to a manifest with it.
"""

import argparse
import re
import shlex
from dataclasses import replace
from datetime import datetime, timedelta

from services.images.manifests import ARTIFACTS, INDEXES, OCI_ARTIFACT, OCI_INDEX, OCI_MANIFEST
from services.images.repositories import ManifestRow
from services.images.repository_contents import RepositoryContents

assert OCI_ARTIFACT in ARTIFACTS


def purge(contents: RepositoryContents, command: str, now: datetime) -> RepositoryContents:
    """The repository after the command, where it is one that the command is for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--filter", required=True)
    parser.add_argument("--ago", required=True)
    parser.add_argument("--keep", type=int, default=0)
    parser.add_argument("--untagged", action="store_true")
    program, what, *words = shlex.split(command)
    assert (program, what) == ("acr", "purge")
    asked = parser.parse_args(words)
    repository, _, tags = asked.filter.partition(":")
    if not re.search(f"^{repository}$", contents.name):
        return contents
    before = now - timedelta(days=int(asked.ago.removesuffix("d")))
    without = _without_tags(contents, tags, before, asked.keep)
    return _without_untagged(without, before) if asked.untagged else without


def _without_tags(contents: RepositoryContents, pattern: str, before: datetime, keep: int) -> RepositoryContents:
    newest = sorted(contents.tags, key=lambda tag: (tag.updated, tag.name), reverse=True)
    eligible = [tag for tag in newest if re.search(pattern, tag.name) and tag.updated < before and tag.locks.deletable]
    gone = {tag.name for tag in eligible[keep:]}
    return replace(
        contents,
        tags=tuple(tag for tag in contents.tags if tag.name not in gone),
        rows=tuple(replace(row, tags=tuple(name for name in row.tags if name not in gone)) for row in contents.rows),
    )


def _without_untagged(contents: RepositoryContents, before: datetime) -> RepositoryContents:
    ignored: set[str] = set()
    candidates: set[str] = set()

    def ignore_below(digest: str) -> None:
        for child in contents.manifests[digest].children if digest in contents.manifests else ():
            if child.digest not in ignored:
                ignored.add(child.digest)
                ignore_below(child.digest)

    for row in contents.rows:
        if not row.locks.deletable:
            continue
        if row.tags or row.updated is None or row.updated > before:
            if row.media_type in INDEXES:
                ignore_below(row.digest)
        elif _has_subject(contents, row):
            ignored.add(row.digest)
        else:
            candidates.add(row.digest)
    gone = candidates - ignored
    while more := {one.digest for one in contents.manifests.values() if one.subject in gone} - gone:
        gone |= more
    return replace(
        contents,
        tags=tuple(tag for tag in contents.tags if tag.digest not in gone),
        rows=tuple(row for row in contents.rows if row.digest not in gone),
        manifests={digest: one for digest, one in contents.manifests.items() if digest not in gone},
    )


def _has_subject(contents: RepositoryContents, row: ManifestRow) -> bool:
    return row.media_type in (OCI_MANIFEST, OCI_INDEX, OCI_ARTIFACT) and bool(contents.manifests[row.digest].subject)
