"""Changes whose report is true, on both planes: what is there afterwards counts, not what the request was answered.

The SDK takes 404 for success when it deletes, and an answer can be lost after the change: only reading back shows it.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

from services.connection.errors import ServiceError, as_service_error, if_there

Found = TypeVar("Found")
IsGone = Callable[[ServiceError], bool]

LOOK_AGAIN = "Refresh the list and plan it again."
NOT_KNOWN = "Whether it was done is not known."


class Outcome(StrEnum):
    """What became of one change.

    created, changed, deleted, restored: requested, and read back as planned. already done: it was as planned without
    this request; after a lost answer that may be our own doing. not confirmed: accepted, and it does not show as
    planned yet or could not be read. refused: it was not made, and an error beside this says why. not tried: stopped
    before.
    """

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    RESTORED = "restored"
    ALREADY_DONE = "already done"
    NOT_CONFIRMED = "not confirmed"
    REFUSED = "refused"
    NOT_TRIED = "not tried"

    @property
    def is_done(self) -> bool:
        """Whether it is as planned now."""
        done = (Outcome.CREATED, Outcome.CHANGED, Outcome.DELETED, Outcome.RESTORED, Outcome.ALREADY_DONE)
        return self in done


@dataclass(frozen=True)
class SentChange:
    """A request that changes something, as Azure answered it. `target` is host and path; the ids are Azure's own, by
    which its logs and Microsoft's support find it, each "" where the answer had none."""

    method: str
    target: str
    status: int
    request_id: str
    correlation_id: str


# Of one change; a push of an archive sends thousands.
MOST_SENT = 2000
_SENT: ContextVar[list[SentChange] | None] = ContextVar("sent changes", default=None)


@contextmanager
def collect_sent(into: list[SentChange]) -> Iterator[None]:
    """Adds to `into` what is sent within that changes something, also in the threads of `parallel_map`; of more than
    `MOST_SENT` the first."""
    before = _SENT.get()
    _SENT.set(into)
    try:
        yield
    finally:
        _SENT.set(before)


def note_sent(method: str, target: str, status: int, headers: Mapping[str, str]) -> None:
    """Adds a request that was answered to those that are collected here."""
    sent = _SENT.get()
    if sent is not None and len(sent) < MOST_SENT:
        ids = (str(headers.get(name) or "") for name in ("x-ms-request-id", "x-ms-correlation-request-id"))
        sent.append(SentChange(method, target, status, *ids))


# Azure Resource Graph may lag behind Resource Manager by minutes.
LAG_S = 15 * 60


class RecentChanges(SansIOHTTPPolicy[Any, Any]):
    """Notes in which subscriptions a session changes something: lists that lag behind do not tell of it yet."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at: dict[str, float] = {}

    def on_request(self, request: PipelineRequest[Any]) -> None:
        sent = request.http_request
        found = re.match("/subscriptions/([^/]+)/", urlsplit(sent.url).path, re.IGNORECASE)
        if found and sent.method.upper() in ("PUT", "PATCH", "DELETE"):
            self._at[found[1].casefold()] = self._clock()

    @property
    def subscriptions(self) -> frozenset[str]:
        """The ids, in lower case, of subscriptions that were changed within `LAG_S`."""
        now = self._clock()
        return frozenset(one for one, at in tuple(self._at.items()) if now - at < LAG_S)


def write(
    title: str,
    send: Callable[[], object],
    read: Callable[[], Found],
    as_planned: Callable[[Found], bool],
    is_gone: IsGone,
) -> Found | None:
    """Sends the change with `send`, which also waits for its end, then looks with `read`.

    Returns what was read where it is as planned, also where `send` failed: an answer was lost. Returns None where the
    change was accepted and does not show, or could not be read. `is_gone` is `says_gone` for a registry,
    `says_not_found` for Resource Manager. Raises ServiceError under `title` where `send` failed and the change is not
    there, or where nothing can be read: then it says so.
    """
    failure = _failure(title, send)
    try:
        found = if_there(read, is_gone)
    except ServiceError as error:
        if failure:
            raise unknown(failure) from error
        return None
    if found is not None and as_planned(found):
        return found
    if failure:
        raise failure
    return None


def remove(title: str, send: Callable[[], object], read: Callable[[], object], is_gone: IsGone) -> Outcome:
    """Sends the deletion with `send`, which also waits for its end, then looks with `read`.

    DELETED: it is gone, also where `send` failed: an answer was lost. ALREADY_DONE: the answer was that there is none,
    and there is none. NOT_CONFIRMED: accepted, and it is still there or could not be read. `is_gone` as for `write`.
    Raises ServiceError under `title` where `send` failed and it is still there, or where nothing can be read: then it
    says so.
    """
    failure = _failure(title, send)
    already = failure is not None and is_gone(failure)
    try:
        left = if_there(read, is_gone)
    except ServiceError as error:
        if failure and not already:
            raise unknown(failure) from error
        return Outcome.NOT_CONFIRMED
    if left is None:
        return Outcome.ALREADY_DONE if already else Outcome.DELETED
    if failure and not already:
        raise failure
    return Outcome.NOT_CONFIRMED


def _failure(title: str, send: Callable[[], object]) -> ServiceError | None:
    try:
        with as_service_error(title):
            send()
    except ServiceError as error:
        return error
    return None


def unknown(failure: ServiceError) -> ServiceError:
    """`failure`, where nothing could be read back after it."""
    return replace(failure, remedy=f"{NOT_KNOWN} {LOOK_AGAIN}")


def is_unknown(error: ServiceError) -> bool:
    """Whether it is an error of `unknown`."""
    return error.remedy.startswith(NOT_KNOWN)


def refused(title: str, reason: str) -> ServiceError:
    """For what a plan refuses: nothing is sent."""
    return ServiceError(title, reason, "The plan refused it, and nothing was sent.", "Refused")


def changed(title: str, how: str) -> ServiceError:
    """For what is no longer as it was planned; `how` is a sentence."""
    return ServiceError(title, f"{how} It was left as it is.", LOOK_AGAIN, "ChangedMeanwhile")
