"""Changes through Azure Resource Manager so that the report is true: what is there afterwards counts.

The SDK takes 404 for success when it deletes, and an answer can be lost after the deed: only another look tells.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from services.connection.changes import LOOK_AGAIN, Outcome
from services.connection.errors import ServiceError, as_service_error

Found = TypeVar("Found")


def if_found(read: Callable[[], Found]) -> Found | None:
    """What `read` returns; None where Azure itself says that there is no such thing. A 404 of a proxy has no code."""
    try:
        return read()
    except ServiceError as error:
        if error.status == 404 and error.code.endswith("NotFound"):
            return None
        raise


def write(
    title: str, send: Callable[[], object], read: Callable[[], Found], as_planned: Callable[[Found], bool]
) -> Found | None:
    """Sends the change, waits for its end, then looks with `read`.

    What was read, where it is as planned; None where Azure took the change and it does not show, or could not be read.
    Raises ServiceError under `title` where it failed and is not there, or where nobody can tell.
    """
    failure = _failure(title, send)
    try:
        found = if_found(read)
    except ServiceError as error:
        if failure:
            raise replace(failure, remedy=f"Whether it was done is not known. {LOOK_AGAIN}") from error
        return None
    if found is not None and as_planned(found):
        return found  # Where it failed, too: an answer was lost.
    if failure:
        raise failure
    return None


def remove(title: str, send: Callable[[], object], read: Callable[[], object]) -> Outcome:
    """Sends the deletion, waits for its end, then looks with `read`.

    deleted: it is gone. not confirmed: Azure took it, and it is still there or could not be read. Raises ServiceError
    under `title` where it failed and is still there, or where nobody can tell.
    """
    failure = _failure(title, send)
    try:
        left = if_found(read)
    except ServiceError as error:
        if failure:
            raise replace(failure, remedy=f"Whether it was done is not known. {LOOK_AGAIN}") from error
        return "not confirmed"
    if left is None:  # Where it failed, too: an answer was lost.
        return "deleted"
    if failure:
        raise failure
    return "not confirmed"


def _failure(title: str, send: Callable[[], object]) -> ServiceError | None:
    try:
        with as_service_error(title):
            send()
    except ServiceError as error:
        return error
    return None
