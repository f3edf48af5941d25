"""The headers and the scope entry by which the application tells pages about the browser's connection."""

from collections.abc import Iterable

from starlette.types import Scope

from services.sign_in.store import SignIn

_PREFIX = b"x-acr-console-"
# By .streamlit/config.toml a member of st.user.
ACCOUNT = b"x-acr-console-account"
# The sign-in's app roles, with commas between.
ROLES = b"x-acr-console-roles"
# In an ASGI scope, which no client can write to: the connection's SignIn.
SIGNED_IN = "acr_console.sign_in"
# What else the log's entry of the request has (ui/monitoring/request_log.py); not there where none is written.
LOGGED = "acr_console.logged"


def without_own_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Leaves out what a client sent under the console's own names. Some servers hand on names with underscores, and
    whoever reads the headers might take both for one."""
    return [(name, value) for name, value in headers if not name.lower().replace(b"_", b"-").startswith(_PREFIX)]


def sign_in_of(scope: Scope) -> SignIn | None:
    """The sign-in of the connection; None where the console has no sign-in."""
    found: SignIn | None = scope.get(SIGNED_IN)
    return found
