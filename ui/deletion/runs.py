"""Running deletions: each in its own thread, which outlives the page, with every result recorded as it comes in (see
services/deletion/records.py), visible to the identity that started it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import streamlit as st

from services.connection.changes import Outcome
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, counter
from services.deletion.plan import DeletionItem, DeletionPlan
from services.deletion.records import (
    WITH_SUBJECT,
    Action,
    DeletionRecord,
    Fate,
    RecordedItem,
    Recording,
    begin,
    find_record,
    look,
    records,
)
from services.deletion.repository import RepositoryDeletionPlan, apply_repository_deletion, as_az_prints
from services.deletion.run import DeletionResult, apply_deletion
from services.images.tagging import UntagPlan, UntagResult, apply_untag
from services.registries.registry import Registry
from ui.loaders import contents
from ui.loaders import images as image_loaders
from ui.runtime import connection
from ui.runtime.background import Reading, start
from ui.runtime.settings import read_settings


def _folder() -> Path:
    return read_settings().data


@st.cache_resource(show_spinner=False)
def _under_way(who: str) -> dict[str, Reading[None]]:  # noqa: ARG001 The key.
    """The deletions that this process runs or ran, by the id of their record."""
    return {}


def under_way(who: str, record_id: str) -> Reading[None] | None:
    """The deletion of that record, if this process runs or ran it."""
    return _under_way(who).get(record_id)


def recorded(who: str, record_id: str) -> DeletionRecord | None:
    """The record of that id, as it is now."""
    return find_record(_folder(), who, record_id)


def all_recorded(who: str) -> tuple[DeletionRecord, ...]:
    """The deletions that `who` started in this console, the newest first."""
    return records(_folder(), who)


def read_open(who: str, registry: Registry, record: DeletionRecord) -> Partial[tuple[str, Fate]]:
    """The fates of the items without a recorded result, read from the registry."""
    return look(connection.session(who).registry(registry.login_server), record)


def remove_tags(who: str, registry: Registry, plan: UntagPlan) -> str:
    """Starts to remove the plan's tags; returns the id of the record."""
    items = [RecordedItem(item.tag, item.digest) for item in plan.going]
    going = replace(plan, items=plan.going)
    recording = _begin_record(who, "remove tags", registry, plan.repository, items)
    client = connection.session(who).registry(registry.login_server)

    def work(reading: Reading[None]) -> str:
        count = _counting(reading, len(items), "tags")

        def on_result(index: int, result: UntagResult | None) -> None:
            count(index, result)
            if result:
                recording.add_result(result.tag, result.outcome)

        read = apply_untag(client, going, done=on_result, stop=reading.stop)
        for refusal in read.refused:
            recording.add_result(refusal.what, Outcome.REFUSED, str(refusal.error))
        return ""

    return _start(who, registry, plan.repository, recording, work)


def delete_manifests(who: str, registry: Registry, plan: DeletionPlan) -> str:
    """Starts to delete the plan's manifests; returns the id of the record."""
    items = [RecordedItem(item.digest, item.digest, item.tags) for item in plan.going]
    recording = _begin_record(who, "delete manifests", registry, plan.repository, items)
    client = connection.session(who).registry(registry.login_server)
    known = contents.known_manifests(who, registry.login_server)

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
    recording = _begin_record(who, "delete repository", registry, plan.repository, items)
    client = connection.session(who).registry(registry.login_server)

    def work(reading: Reading[None]) -> str:
        reading.report(0, 1, "repository")
        deleted = apply_repository_deletion(client, plan)
        for digest in plan.digests:
            recording.add_result(digest, deleted.outcome)
        return as_az_prints(deleted) if deleted.outcome is Outcome.DELETED else ""

    return _start(who, registry, plan.repository, recording, work)


def _counting(reading: Reading[None], of: int, what: str) -> Callable[[int, object], None]:
    """Reports the number of items at once, then each item that has ended."""
    reading.report(0, of, what)
    return counter(reading.report, what, of)


def _begin_record(
    who: str, action: Action, registry: Registry, repository: str, items: Iterable[RecordedItem]
) -> Recording:
    try:
        return begin(_folder(), who, action, registry.login_server, repository, items)
    except OSError as exc:
        raise ServiceError(
            "The deletion could not start",
            f"Its record can't be written to {_folder()}: {exc.strerror}.",
            "Nothing was deleted. Set ACR_CONSOLE_DATA to a folder that the console may write to.",
            "NoRecord",
        ) from exc


def _start(
    who: str, registry: Registry, repository: str, recording: Recording, work: Callable[[Reading[None]], str]
) -> str:
    """Runs `work` in a thread and records how it ended, with what `work` returns: the registry's answer, or ""."""

    def run(reading: Reading[None]) -> None:
        try:
            recording.end(answer=work(reading))
        except ServiceError as error:
            recording.end(error=str(error))
            raise
        finally:
            image_loaders.forget_written(who, registry.login_server, repository)

    _under_way(who)[recording.id] = start(None, run, verb="Deleting")
    return recording.id
