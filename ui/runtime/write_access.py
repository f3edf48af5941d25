"""Which connections may change Azure: those of a person who signed in, as that person or by their app roles; without
a sign-in, those from this machine to a console that no other machine can reach.

Without a sign-in whoever reaches the console would act as its identity. Whether someone may is decided from the sockets
that the process listens on and from the request itself, never from a setting.
"""

import os
import socket
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from services.connection.write_permission import ALLOWED, WritePermission
from services.sign_in.app_roles import shared_permission
from services.sign_in.store import SignIn
from ui.elements.write_permission import HEADER, as_header
from ui.runtime.own_headers import sign_in_of, without_own_headers

NO_SIGN_IN = "and it has no sign-in."

# Headers that proxies, load balancers and CDNs add, and no browser sends.
_PROXY_HEADERS = frozenset(
    (
        "cdn-loop",
        "client-ip",
        "fastly-client-ip",
        "forwarded",
        "front-end-https",
        "proxy-client-ip",
        "remote-user",
        "true-client-ip",
        "via",
        "wl-proxy-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-proxyuser-ip",
        "x-real-ip",
        "x-remote-user",
        "x-rewrite-url",
        "x-scheme",
        "x-url-scheme",
    )
)
_PROXY_PREFIXES = (
    "cf-",
    "x-amzn-",
    "x-appengine-",
    "x-appgw-",
    "x-arr-",
    "x-auth-request-",
    "x-azure-",
    "x-envoy-",
    "x-forwarded",
    "x-goog-",
    "x-ms-client-principal",
    "x-original-",
)


def write_permission(scope: Scope, listening: Iterable[tuple[str, int]] | None) -> WritePermission:
    """The permission of the ASGI connection `scope`.

    `listening` are the addresses and ports that this process listens on, None where they could not be read: then, and
    wherever else something is unknown, nothing is allowed.
    """
    server, client = scope.get("server"), scope.get("client")
    if not server or not client or server[1] is None:
        return WritePermission(f"This console is reached through a Unix socket, so through a proxy, {NO_SIGN_IN}")
    bound = [address for address, port in listening or () if port == server[1]]
    if not bound:
        return WritePermission(f"On which addresses this console listens could not be determined, {NO_SIGN_IN}")
    if beyond := [address for address in bound if not is_loopback(address)]:
        return WritePermission(f"This console listens on {beyond[0]}: other machines can reach it, {NO_SIGN_IN}")
    if not is_loopback(client[0]):
        return WritePermission(f"This console was reached from another machine, {NO_SIGN_IN}")
    return _permission_by_headers([(name.decode("latin-1").lower(), value) for name, value in scope["headers"]])


def _permission_by_headers(headers: Sequence[tuple[str, bytes]]) -> WritePermission:
    proxied = {_known_proxy_header(name) for name, _ in headers} - {""}
    if proxied:
        return WritePermission(f"A proxy is in front of this console ({min(proxied)}), {NO_SIGN_IN}")
    hosts = [value.decode("latin-1") for name, value in headers if name == "host"]
    origins = [value.decode("latin-1") for name, value in headers if name == "origin"]
    if len(hosts) != 1 or not _is_local_name(_split(hosts[0])[0]):
        return WritePermission(f"This console was opened at another address than localhost, {NO_SIGN_IN}")
    # A page sends its own address as the origin. A proxy that rewrites the Host header leaves the origin as it was.
    if any("://" not in origin or _split(origin.split("://", 1)[1]) != _split(hosts[0]) for origin in origins):
        return WritePermission(f"A proxy in front of this console changes the Host header, {NO_SIGN_IN}")
    return ALLOWED


def _known_proxy_header(name: str) -> str:
    """The header's name, or its family's, as it is shown; "" for one that no proxy adds. One of a fixed number of
    values, whatever a caller sends."""
    if name in _PROXY_HEADERS:
        return name.title()
    return next((f"{prefix.title()}…" for prefix in _PROXY_PREFIXES if name.startswith(prefix)), "")


def _split(host: str) -> tuple[str, int | None]:
    """Host name and port of a Host header; ("", None) for what is none."""
    try:
        found = urlsplit(f"//{host}")
        return (found.hostname or "").rstrip("."), found.port
    except ValueError:
        return "", None


def _is_local_name(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost") or is_loopback(name)


def is_loopback(address: str) -> bool:
    """Whether it is an address of this machine's loopback, IPv4-mapped ones included. A name is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback


def listening_addresses() -> list[tuple[str, int]] | None:
    """The address and port of each TCP socket that this process listens on, whoever opened it; None where the system
    has no list of a process's open files."""
    try:
        numbers = [int(file.name) for file in Path("/dev/fd").iterdir() if file.name.isdigit()]
    except OSError:
        return None
    found = []
    for number in numbers:
        with suppress(OSError):  # It may be closed meanwhile.
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            # A copy is looked at: closing it leaves the original open.
            with socket.socket(fileno=os.dup(number)) as one:
                internet = one.family in (socket.AF_INET, socket.AF_INET6) and one.type == socket.SOCK_STREAM
                if internet and one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    address, port = one.getsockname()[:2]
                    found.append((address, port))
    return found


class WriteAccess:
    """ASGI middleware that decides for each websocket what its session may do, and passes that on in `HEADER`.

    Whatever a client sends under the console's own names is removed, from every request; where people sign in, the gate
    has done so, and any proxy may be in front: it has checked the origin. `shared`: Azure is asked as the console's own
    identity, so that the person's app roles decide, and not Azure.
    """

    def __init__(self, app: ASGIApp, *, shared: bool = False) -> None:
        self._app = app
        self._shared = shared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            signed_in = sign_in_of(scope)
            headers = [*scope["headers"]] if signed_in else without_own_headers(scope["headers"])
            if scope["type"] == "websocket":
                headers.append((HEADER.encode(), as_header(self._permission(scope, signed_in))))
            scope = {**scope, "headers": headers}
        await self._app(scope, receive, send)

    def _permission(self, scope: Scope, signed_in: SignIn | None) -> WritePermission:
        if signed_in is None:
            return write_permission(scope, listening_addresses())
        return shared_permission(signed_in.roles) if self._shared else ALLOWED
