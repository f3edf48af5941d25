"""`acr purge` on the sandbox's own registry, by https://github.com/Azure/acr-cli (cmd/acr/purge.go, cmd/repository).

Tags first: those that match --filter, are older than --ago and not locked, but for the --keep newest of them. With
--untagged then the manifests without a tag that are as old, not locked, have no subject, and are in no index that
stays. What is deleted goes through the registry's own handlers, so that locks, soft delete and events hold.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from starlette.requests import Request

from sandbox.documents.errors import Document
from sandbox.identity.rbac import registry_permissions
from sandbox.registry import distribution, metadata
from sandbox.registry.call import Call, RegistryError
from sandbox.state import State
from sandbox.storage.manifest import INDEXES, parse
from sandbox.storage.store import Manifest, Tag, timestamp

_ALL = 1_000_000
_DAYS = re.compile(r"(\d+)d(?:(\d+)h)?(?:(\d+)m)?")


class PurgeError(Exception):
    """The command ends with an error, which its log says."""


class _Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise PurgeError(message)


@dataclass(frozen=True)
class Purge:
    """One command, for one registry; `before` is the age in --ago as a time."""

    filters: tuple[tuple[re.Pattern[str], str], ...]
    before: str
    keep: int
    untagged: bool
    dry_run: bool


def parse_purge(words: Sequence[str], now: datetime) -> Purge:
    """The command whose words follow `acr purge`. Raises PurgeError."""
    parser = _Arguments(prog="acr purge", allow_abbrev=False, add_help=False)
    parser.add_argument("--filter", "-f", action="append", required=True)
    parser.add_argument("--ago", required=True)
    parser.add_argument("--keep", type=int, default=0)
    parser.add_argument("--untagged", action="store_true")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--registry", "-r")
    parser.add_argument("--concurrency", type=int)
    asked = parser.parse_args(list(words))
    age = _DAYS.fullmatch(asked.ago)
    if age is None:
        raise PurgeError(f'time: invalid duration "{asked.ago}"')
    days, hours, minutes = (int(part or 0) for part in age.groups())
    filters = []
    for one in asked.filter:
        repository, colon, tags = one.partition(":")
        if not colon:
            raise PurgeError("unable to correctly parse filter flag")
        try:
            filters.append((re.compile(f"^{repository}$"), str(re.compile(tags).pattern)))
        except re.error as error:
            raise PurgeError(f"failed to build Regex {one} with error: {error}") from error
    before = timestamp(now - timedelta(days=days, hours=hours, minutes=minutes))
    return Purge(tuple(filters), before, asked.keep, asked.untagged, asked.dry_run)


def run_purge(state: State, registry: Document, purge: Purge, principal: str | None) -> Iterator[str]:
    """Does it, and yields the lines of its log. `principal`: as whom; None is the registry's own token, which may do
    everything. Raises PurgeError where it is refused."""
    store, name = state.store, registry["name"]
    if purge.dry_run:
        yield (
            "DRY RUN: The following output shows what WOULD be deleted if the purge command was executed. "
            "Nothing is deleted."
        )
    if principal is not None and "catalog" not in registry_permissions(store, registry, principal, None):
        raise PurgeError("failed to list repositories: UNAUTHORIZED: authentication required")
    tags, manifests = 0, 0
    for repository in store.list_repositories(name, limit=_ALL):
        patterns = [pattern for of, pattern in purge.filters if of.search(repository)]
        if not patterns:
            continue
        if principal is not None:
            granted = registry_permissions(store, registry, principal, repository)
            if not granted >= {"metadata_read", "delete"}:
                raise PurgeError("failed to purge tags: UNAUTHORIZED: authentication required")
        work = _Repository(state, registry, repository, purge)
        yield f"{'Would delete' if purge.dry_run else 'Deleting'} tags for repository: {repository}"
        gone = work.tags("|".join(f"({pattern})" for pattern in patterns))
        yield from (work.delete_tag(tag) for tag in gone)
        tags += len(gone)
        if purge.untagged:
            yield f"{'Would delete' if purge.dry_run else 'Deleting'} manifests for repository: {repository}"
            dangling = work.dangling({tag.name for tag in gone})
            yield from (work.delete_manifest(digest) for digest in dangling)
            manifests += len(dangling)
    yield ""
    if purge.dry_run:
        yield f"Number of tags to be deleted: {tags}"
        yield f"Number of manifests to be deleted: {manifests}"
    else:
        yield f"Number of deleted tags: {tags}"
        yield f"Number of deleted manifests: {manifests}"


@dataclass(frozen=True)
class _Repository:
    state: State
    registry: Document
    name: str
    purge: Purge

    def tags(self, pattern: str) -> list[Tag]:
        """The tags that go, the newest first."""
        newest = self.state.store.list_tags(self.registry["name"], self.name, limit=_ALL, order="timedesc")
        eligible = [
            tag
            for tag in newest
            if re.search(pattern, tag.name) and tag.updated < self.purge.before and tag.locks.deletable
        ]
        return eligible[self.purge.keep :]

    def dangling(self, gone: set[str]) -> list[str]:
        """The digests of the manifests that go once the tags of `gone` are removed."""
        every = {one.digest: one for one in self._manifests()}
        candidates, ignored = set(), set()
        for one in every.values():
            if not one.locks.deletable:
                continue
            if set(one.tags) - gone or one.updated > self.purge.before:
                if one.media_type in INDEXES:
                    ignored |= self._below(one.digest, every)
            elif not one.subject:
                candidates.add(one.digest)
        return sorted(candidates - ignored)

    def _manifests(self) -> list[Manifest]:
        return self.state.store.list_manifests(self.registry["name"], self.name, limit=_ALL)

    def _below(self, digest: str, every: dict[str, Manifest]) -> set[str]:
        """What an index lists, and what the indexes among that list."""
        found: set[str] = set()
        waiting = [digest]
        while waiting:
            parent = every.get(waiting.pop())
            if parent is None:
                continue
            body = self.state.store.get_manifest_body(self.registry["name"], self.name, parent.digest)
            children = set(parse(body, parent.media_type).children) if body else set()
            waiting += children - found
            found |= children
        return found

    def delete_tag(self, tag: Tag) -> str:
        line = f"{self.registry['properties']['loginServer']}/{self.name}:{tag.name}"
        if self.purge.dry_run:
            return f"Would delete: {line}"
        asyncio.run(metadata.delete_tag(self._call({"tag": tag.name})))
        return f"Deleted {line}"

    def delete_manifest(self, digest: str) -> str:
        line = f"{self.registry['properties']['loginServer']}/{self.name}@{digest}"
        if self.purge.dry_run:
            return f"Would delete: {line}"
        try:
            asyncio.run(distribution.delete_manifest(self._call({"reference": digest})))
        except RegistryError as error:
            if error.status != 404:  # Deleted with its subject.
                raise PurgeError(f"failed to purge manifests: {error}") from error
            return f"Skipped {line}, HTTP status: 404"
        return f"Deleted {line}"

    def _call(self, params: dict[str, str]) -> Call:
        scope = {"type": "http", "method": "DELETE", "path": "/", "query_string": b"", "headers": []}
        given = {"name": self.name, **params}
        return Call(self.state, self.registry["name"], self.registry, Request(scope), given)
