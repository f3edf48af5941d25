"""The process's one connection. The application sets it as it starts; pages and loaders read it."""

from services.connection.session import AzureSession

_sessions: list[AzureSession] = []


def use(session: AzureSession) -> None:
    """From now on the console speaks through `session`."""
    _sessions[:] = [session]


def current() -> AzureSession:
    """The connection that is in use."""
    return _sessions[0]


def session(who: str) -> AzureSession:
    """The connection through which `who` asks: what a cached loader reads with. Never another's."""
    if who != _key(current()):
        raise LookupError("The connection changed hands while a page was running")
    return current()


def who() -> str:
    """The cloud and the identity that ask: part of every cache key. Raises ServiceError where nobody can sign in."""
    return _key(current())


def _key(session: AzureSession) -> str:
    return f"{session.endpoints.resource_manager} {session.identity.key}"
