"""The process's one connection. The application sets it as it starts; pages and loaders read it."""

from services.connection.session import AzureSession

_sessions: list[AzureSession] = []


def use(session: AzureSession) -> None:
    """Makes `session` the connection of this process."""
    _sessions[:] = [session]


def current() -> AzureSession:
    """The connection that is in use."""
    return _sessions[0]


def session(who: str) -> AzureSession:
    """The connection of `who`, for a cached loader. Raises LookupError where the process now has another identity."""
    if who != _key(current()):
        raise LookupError("The identity of the connection changed while a page was running")
    return current()


def who() -> str:
    """The cloud and identity of the connection, part of every cache key. Raises ServiceError where sign-in fails."""
    return _key(current())


def _key(session: AzureSession) -> str:
    return f"{session.endpoints.resource_manager} {session.identity.key}"
