"""Deleting so that the report is true: what the registry holds afterwards counts, not what it answered.

The SDK takes 404 for success, and an answer can be lost after the deed: only another look tells.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError, as_service_error, if_there, says_gone

Outcome = Literal["deleted", "gone already", "not confirmed"]

LOOK_AGAIN = "Refresh the list and plan it again."


def delete(client: RegistryClient, title: str, path: str, read: Callable[[], object]) -> Outcome:
    """Sends the DELETE, then looks with `read`.

    deleted: it was asked for, and it is gone. gone already: the registry answered that there is no such thing; after a
    lost answer that may be our own doing. not confirmed: it was accepted, and is still there or could not be read.
    Raises ServiceError under `title` where it failed and is still there, or where nobody can tell.
    """
    outcome: Outcome = "deleted"
    failure: ServiceError | None = None
    try:
        with as_service_error(title):
            client.send("DELETE", path)
    except ServiceError as error:
        if says_gone(error):
            outcome = "gone already"
        else:
            failure = error
    try:
        left = if_there(read)
    except ServiceError as error:
        if failure:
            raise replace(failure, remedy=f"Whether it was done is not known. {LOOK_AGAIN}") from error
        return "not confirmed"
    if left is None:  # Where it failed, too: an answer was lost.
        return outcome
    if failure:
        raise failure
    return "not confirmed"


def refused(title: str, reason: str) -> ServiceError:
    """For what a plan refuses: nothing is sent."""
    return ServiceError(title, reason, "The plan refused it, and nothing was sent.", "Refused")


def changed(title: str, how: str) -> ServiceError:
    """For what is no longer as it was planned; `how` is a sentence."""
    return ServiceError(title, f"{how} It was left as it is.", LOOK_AGAIN, "ChangedMeanwhile")
