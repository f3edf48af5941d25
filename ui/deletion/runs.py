"""Running deletions: each in its own thread, which outlives the page, with every result recorded as it comes in (see
services/deletion/record_files.py), visible to the identity that started it."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from services.connection.changes import Outcome
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, counter
from services.deletion.plan import DeletionItem, DeletionPlan
from services.deletion.record_files import Recording, begin, find_record, look, records
from services.deletion.records import WITH_SUBJECT, Action, DeletionRecord, Fate, RecordedItem
from services.deletion.repository import RepositoryDeletionPlan, apply_repository_deletion, as_az_prints
from services.deletion.run import DeletionResult, apply_deletion
from services.images.tagging import UntagItem, UntagPlan, UntagResult, apply_untag
from services.registries.registry import Registry
from ui.loaders import contents
from ui.loaders import images as image_loaders
from ui.runtime import connection
from ui.runtime.background import Reading, start
from ui.runtime.settings import read_settings


def _folder() -> Path:
    return read_settings().data


@dataclass(frozen=True)
class _Run:
    """A deletion that this process runs or ran. Its recording also has what could not be written to disk."""

    recording: Recording
    reading: Reading[None]


@st.cache_resource(show_spinner=False)
def _runs(who: str) -> dict[str, _Run]:  # noqa: ARG001 The key.
    """The deletions that this process runs or ran, by the id of their record."""
    return {}


def under_way(who: str, record_id: str) -> Reading[None] | None:
    """The deletion of that record, if this process runs or ran it."""
    run = _runs(who).get(record_id)
    return run.reading if run else None


def recorded(who: str, record_id: str) -> DeletionRecord | None:
    """The record of that id, as it is now. Raises ServiceError as `find_record` does."""
    run = _runs(who).get(record_id)
    return run.recording.read() if run else find_record(_folder(), who, record_id)


def all_recorded(who: str) -> Partial[DeletionRecord]:
    """The deletions that `who` started in this console, the newest first. Raises ServiceError as `records` does."""
    found = records(_folder(), who)
    runs = _runs(who)
    return replace(
        found, values=tuple(runs[one.id].recording.read() if one.id in runs else one for one in found.values)
    )


def read_open(who: str, registry: Registry, record: DeletionRecord) -> Partial[tuple[str, Fate]]:
    """The fates of the items without a recorded result, read from the registry."""
    return look(connection.session(who).registry(registry.login_server), record)


def remove_tags(who: str, registry: Registry, plan: UntagPlan) -> str:
    """Starts to remove the plan's tags; returns the id of the record."""
    items = [RecordedItem(item.tag, item.digest) for item in plan.unblocked]
    unblocked = replace(plan, items=plan.unblocked)
    client = connection.session(who).registry(registry.login_server)
    recording = _begin(who, "remove tags", registry, plan.repository, items)

    def work(reading: Reading[None]) -> str:
        count = _counting(reading, len(items), "tags")

        def on_result(item: UntagItem, result: UntagResult | ServiceError) -> None:
            count(0, result)
            if isinstance(result, ServiceError):
                recording.add_result(item.tag, Outcome.REFUSED, str(result))
            else:
                recording.add_result(item.tag, result.outcome)

        apply_untag(client, unblocked, on_result=on_result, stop=reading.stop)
        return ""

    return _start(who, registry, plan.repository, recording, work)


def delete_manifests(who: str, registry: Registry, plan: DeletionPlan) -> str:
    """Starts to delete the plan's manifests; returns the id of the record."""
    items = [RecordedItem(item.digest, item.digest, item.tags) for item in plan.unblocked]
    client = connection.session(who).registry(registry.login_server)
    known = contents.known_manifests(who, registry.login_server)
    recording = _begin(who, "delete manifests", registry, plan.repository, items)

    def work(reading: Reading[None]) -> str:
        count = _counting(reading, len(items), "manifests")

        def on_result(item: DeletionItem, fate: DeletionResult | ServiceError) -> None:
            count(0, fate)
            if isinstance(fate, ServiceError):
                recording.add_result(item.digest, Outcome.REFUSED, str(fate))
            else:
                recording.add_result(item.digest, WITH_SUBJECT if fate.with_subject else fate.outcome)

        apply_deletion(client, plan, known, on_result=on_result, stop=reading.stop)
        return ""

    return _start(who, registry, plan.repository, recording, work)


def delete_repository(who: str, registry: Registry, plan: RepositoryDeletionPlan) -> str:
    """Starts to delete a repository; returns the id of the record."""
    tags: dict[str, list[str]] = {}
    for tag, digest in plan.tags:
        tags.setdefault(digest, []).append(tag)
    items = [RecordedItem(digest, digest, tuple(tags.get(digest, ()))) for digest in plan.digests]
    client = connection.session(who).registry(registry.login_server)
    recording = _begin(who, "delete repository", registry, plan.repository, items)

    def work(reading: Reading[None]) -> str:
        reading.report(0, 1, "repository")
        deleted = apply_repository_deletion(client, plan)
        recording.add_results((digest, deleted.outcome_of(digest)) for digest in plan.digests)
        return as_az_prints(deleted) if deleted.outcome is Outcome.DELETED else ""

    return _start(who, registry, plan.repository, recording, work)


def _counting(reading: Reading[None], of: int, what: str) -> Callable[[int, object], None]:
    """Reports the number of items at once, then each item that has ended."""
    reading.report(0, of, what)
    return counter(reading.report, what, of)


def _begin(who: str, action: Action, registry: Registry, repository: str, items: Iterable[RecordedItem]) -> Recording:
    return begin(_folder(), who, action, registry.login_server, repository, items)


def _start(
    who: str, registry: Registry, repository: str, recording: Recording, work: Callable[[Reading[None]], str]
) -> str:
    """Runs `work` in a thread and records how it ended, with what `work` returns: the registry's answer, or ""."""

    def run(reading: Reading[None]) -> None:
        try:
            recording.end(answer=work(reading))
        except BaseException as error:
            text = str(error) if isinstance(error, ServiceError) else f"The console failed ({type(error).__name__})"
            with suppress(ServiceError):  # Then the recording has it in memory.
                recording.end(error=text)
            raise
        finally:
            image_loaders.forget_written(who, registry.login_server, repository)

    _runs(who)[recording.id] = _Run(recording, start(None, run, verb="Deleting"))
    return recording.id
