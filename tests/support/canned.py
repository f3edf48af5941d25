"""Azure from a table, below the real SDK clients: what each request is answered, and a log of what was sent.

Only the socket is replaced: azure-core's own transport, retries, redirects and decoding run as they do against Azure.
"""

import base64
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests
from azure.core.credentials import AccessToken
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from services.connection.data_plane import RegistryClient
from services.connection.endpoints import CLOUDS, AzureEndpoints
from services.connection.limits import limit_body
from services.connection.session import AzureSession
from services.connection.transport import BoundedTransport, SignInTransport

HOST = "contoso.azurecr.io"
CLOUD: AzureEndpoints = CLOUDS["public"]
ARM = CLOUD.resource_manager
HOUR = 3600.0


@dataclass(frozen=True)
class Sent:
    """A request as it went out. `path` is percent-encoded, without the query."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body).items()}


@dataclass(frozen=True)
class Answer:
    """What a request is answered: `body` is JSON, or bytes as they are, or None for no body."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def reset() -> Exception:
    """The connection is cut before an answer comes."""
    return requests.exceptions.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError(104, "reset")))


def unreachable() -> Exception:
    """The name does not resolve, or nothing listens."""
    return requests.exceptions.ConnectionError("Failed to resolve 'contoso.azurecr.io'")


def untrusted() -> Exception:
    """The certificate is signed by nobody known."""
    return requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer certificate")


Reply = Answer | Exception | Callable[[Sent], Answer]


class Canned(BoundedTransport):
    """A transport that answers from a table and never sleeps. Safe for many threads."""

    def __init__(self) -> None:
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", _Adapter(self))
        super().__init__(session=session, session_owner=False)
        self.sent: list[Sent] = []
        self.slept: list[float] = []
        self._table: dict[tuple[str, str], list[Reply]] = {}
        self._lock = Lock()

    def on(self, method: str, url: str, *replies: Reply) -> None:
        """Answers `method` on `url` (no query) with each of `replies` in turn, then with the last for ever.

        `?preview` after `url`: only where a preview of the API is asked for.
        """
        self._table[method, url] = list(replies)

    def sleep(self, duration: float) -> None:
        self.slept.append(duration)

    def paths(self) -> list[str]:
        """'GET /path' of all requests, in order."""
        return [f"{sent.method} {sent.path}" for sent in self.sent]

    def answer(self, sent: Sent) -> Answer:
        with self._lock:
            self.sent.append(sent)
            url, _, query = sent.url.partition("?")
            key = (sent.method, url)
            of_preview = self._table.get((sent.method, f"{url}?preview")) if "preview" in query else None
            replies = of_preview or self._table.get(key)
            if not replies:
                raise AssertionError(f"The table has no answer for {' '.join(key)}")
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, Answer) else reply(sent)


class CannedSignIn(Canned, SignInTransport):
    """The same for a credential."""


class _Adapter(BaseAdapter):
    def __init__(self, canned: Canned) -> None:
        super().__init__()
        self._canned = canned

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = request.body or b""
        if hasattr(body, "read"):
            body = body.read()
        text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
        answer = self._canned.answer(Sent(str(request.method), str(request.url), dict(request.headers), text))
        headers = {"Content-Length": str(len(answer.content)), **answer.headers}
        if not isinstance(answer.body, bytes | None) and "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = "application/json; charset=utf-8"
        raw = HTTPResponse(BytesIO(answer.content), headers, answer.status, preload_content=False)
        response = requests.adapters.HTTPAdapter().build_response(request, raw)
        response.reason = ""
        limit_body(response)
        return response

    def close(self) -> None:
        """Nothing is open."""


class Credential:
    """Signs in without anybody: a token of the given claims, and a count of how often it was asked."""

    def __init__(self, **claims: str) -> None:
        self.asked: list[str] = []
        self._token = jwt(**claims)

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.asked.extend(scopes)
        return AccessToken(self._token, 2**33)


def jwt(**claims: Any) -> str:
    """A JWT with these claims. Nobody checks its signature."""
    parts = ({"alg": "none"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


READS = frozenset({"pull", "metadata_read"})
ALL = READS | {"push", "delete", "metadata_write", "*"}


class CannedRegistry(Canned):
    """A registry that gives tokens and asks for them, as the real one does.

    `grants` maps a name (a repository, * or catalog) to the actions that the identity may have; with `*` among its
    names the registry is in Legacy mode, else in ABAC mode, where a wildcard is granted to nobody.
    """

    def __init__(self, clock: Clock, host: str = HOST) -> None:
        super().__init__()
        self.clock = clock
        self.host = host
        self.service = host
        self.grants: dict[str, frozenset[str]] = {"*": ALL, "catalog": ALL}
        self.refresh_lives = 3 * HOUR
        self.access_lives = HOUR
        self._issued: dict[str, tuple[float, dict[str, frozenset[str]]]] = {}
        self._counts: defaultdict[str, int] = defaultdict(int)
        self.on("POST", f"https://{host}/oauth2/exchange", self._exchange)
        self.on("POST", f"https://{host}/oauth2/token", self._token)

    def serve(self, method: str, path: str, scope: str, *replies: Reply) -> None:
        """Answers `path` to who holds a token for `scope`, with `replies` in turn; a 401 to everybody else."""
        left = list(replies)

        def reply(sent: Sent) -> Answer:
            if not self._covers(sent.headers.get("Authorization", ""), scope):
                return self.challenge(scope)
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, Answer) else answer(sent)

        self.on(method, f"https://{self.host}{path}", reply)

    def challenge(self, scope: str) -> Answer:
        """The 401 that names what is missing."""
        realm = f'realm="https://{self.host}/oauth2/token",service="{self.service}",scope="{scope}"'
        body = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required", "detail": None}]}
        return Answer(401, body, {"WWW-Authenticate": f"Bearer {realm}"})

    def revoke(self) -> None:
        """No token that was given counts any more."""
        self._issued.clear()

    def exchanges(self) -> int:
        return sum(sent.path == "/oauth2/exchange" for sent in self.sent)

    def scopes_asked(self) -> list[str]:
        """The scopes of all token requests, in order."""
        return [sent.form["scope"] for sent in self.sent if sent.path == "/oauth2/token"]

    def calls(self) -> list[Sent]:
        """The requests that are not about tokens."""
        return [sent for sent in self.sent if not sent.path.startswith("/oauth2/")]

    def _issue(self, kind: str, lives: float, granted: dict[str, frozenset[str]]) -> str:
        self._counts[kind] += 1
        until = self.clock.now + lives
        access = [{"type": "repository", "name": name, "actions": sorted(found)} for name, found in granted.items()]
        token = jwt(exp=until, jti=f"{self.host} {kind} {self._counts[kind]}", access=access)
        self._issued[token] = (until, granted)
        return token

    def _exchange(self, _sent: Sent) -> Answer:
        return Answer(200, {"refresh_token": self._issue("refresh", self.refresh_lives, {})})

    def _token(self, sent: Sent) -> Answer:
        if self._issued.get(sent.form["refresh_token"], (0.0,))[0] <= self.clock.now:
            return Answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "refresh token expired"}]})
        granted: dict[str, frozenset[str]] = {}
        for scope in sent.form["scope"].split(" "):
            name, _, actions = scope.partition(":")[2].partition(":")
            allowed = self.grants.get(name) or (self.grants.get("*") if name != "catalog" else None) or frozenset()
            if found := allowed & set(actions.split(",")):
                granted[name] = found
        return Answer(200, {"access_token": self._issue("access", self.access_lives, granted)})

    def _covers(self, authorization: str, scope: str) -> bool:
        until, granted = self._issued.get(authorization.removeprefix("Bearer "), (0.0, {}))
        _, name, actions = scope.split(":")
        return until > self.clock.now and any(set(actions.split(",")) <= granted.get(at, set()) for at in (name, "*"))


def connected(canned: CannedRegistry, credential: Credential | None = None) -> RegistryClient:
    """The client of `canned`, made as the console makes it, with the registry's clock."""
    client = AzureSession(credential or Credential(), CLOUD, canned).registry(canned.host)
    client.tokens._clock = canned.clock
    return client
