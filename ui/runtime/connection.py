"""The process's one connection. The application sets it as it starts; pages and loaders read it.

They get it with the permission of the browser session that asks: without one, as in a thread, it only reads.
"""

from services.connection.session import AzureSession
from ui.elements import write_permission

_sessions: list[AzureSession] = []


def use(session: AzureSession) -> None:
    """Makes `session` the connection of this process."""
    _sessions[:] = [session]


def current() -> AzureSession:
    """The connection that is in use, with the permission of the running script's session."""
    return _sessions[0].limited_to(write_permission.current())


def session(who: str) -> AzureSession:
    """The connection of `who`, as `current`. Raises LookupError where the process now has another identity."""
    if who != _key(_sessions[0]):
        raise LookupError("The identity of the connection changed while a page was running")
    return current()


def session_for_jobs() -> AzureSession:
    """The connection with permission to change Azure, for jobs alone: whoever began one was allowed to."""
    return _sessions[0]


def who() -> str:
    """The cloud and identity of the connection, part of every cache key. Raises ServiceError where sign-in fails."""
    return _key(_sessions[0])


def _key(session: AzureSession) -> str:
    return f"{session.endpoints.resource_manager} {session.identity.key}"
