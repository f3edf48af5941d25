"""The registry's tokens, fetched once and kept until their real expiry.

azure-containerregistry 1.2.0 keeps no access token and tests its refresh token's expiry the wrong way round
(`_exchange_client.get_refresh_token`): four requests a call, and an expired token after three idle hours.

Token flow: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
"""

import base64
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, unquote

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError, DecodeError, HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest, HttpResponse

from services.connection import parallel

# Renewed this long before the token's own expiry: longer than any one call may take.
RENEW_BEFORE_S = 120
# "ABAC_BATCH_SIZE", acr-cli: the service grants at most ten repositories in one token.
REPOSITORIES_PER_TOKEN = 10
READ = frozenset({"pull", "metadata_read"})

_PATH = re.compile(
    r"^/(?:acr/v1/_deleted/(?P<deleted>.+)/_(?:tags|manifests)(?:/.*)?"
    r"|acr/v1/(?P<meta>.+?)(?:/_(?:tags|manifests)(?:/.*)?)?"
    r"|v2/(?P<data>.+)/(?P<kind>manifests|blobs|referrers|tags)/(?P<rest>.*))$"
)


def jwt_claims(token: str) -> dict[str, Any]:
    """The payload of a JWT, {} where it is none. Not verified: Azure checks signatures, the console reads."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


@dataclass(frozen=True)
class Need:
    """What a request needs: actions on one repository, or on a `catalog` where `repository` is empty.

    A mount also pulls from another one, its `source`; one token has to grant both.
    """

    repository: str
    actions: frozenset[str]
    source: str = ""
    catalog: str = "catalog"

    @property
    def scope(self) -> str:
        if not self.repository:
            return f"registry:{self.catalog}:*"
        mounted = f" repository:{self.source}:pull" if self.source else ""
        return f"repository:{self.repository}:{','.join(sorted(self.actions))}{mounted}"


EVERY_REPOSITORY = Need("*", READ)
# Of what is soft deleted: the scopes that az 2.91 asks for.
_DELETED_READ = frozenset({"deleted_read"})
_RESTORE = frozenset({"deleted_read", "deleted_restore"})


def need_of(method: str, path: str, query: str = "") -> Need | None:
    """What the registry asks for this request, as its challenges in recorded traffic do; None: no token needed."""
    decoded = unquote(path)
    if decoded in ("/acr/v1/_catalog", "/v2/_catalog"):
        return Need("", frozenset({"*"}))
    if decoded == "/acr/v1/_deleted/_catalog":
        return Need("", frozenset({"*"}), catalog="deleted_catalog")
    found = _PATH.match(decoded)
    if not found:
        return None
    if repository := found["deleted"]:
        return Need(repository, _RESTORE if method == "POST" else _DELETED_READ)
    if repository := found["meta"]:
        action = {"PATCH": "metadata_write", "DELETE": "delete"}.get(method, "metadata_read")
        return Need(repository, frozenset({action}))
    if found["kind"] == "tags":
        return Need(found["data"], frozenset({"metadata_read"}))
    if found["kind"] == "blobs" and found["rest"].startswith("uploads"):  # To ask for one, or give it up, is to push.
        return Need(found["data"], frozenset({"pull", "push"}), parse_qs(query).get("from", [""])[0])
    if method == "DELETE":
        return Need(found["data"], frozenset({"delete"}))
    return Need(found["data"], frozenset({"pull"} if method in ("GET", "HEAD") else {"pull", "push"}))


@dataclass(frozen=True)
class HeldToken:
    """A token, when it stops being used (Unix time), and what it grants: repository or catalog → actions."""

    token: str = field(repr=False)
    until: float
    granted: Mapping[str, frozenset[str]]

    def covers(self, need: Need) -> bool:
        if need.source and not self.covers(Need(need.source, frozenset({"pull"}))):
            return False
        names = (need.repository, "*") if need.repository else (need.catalog,)
        granted = [self.granted.get(name, frozenset()) for name in names]
        return any(need.actions <= actions or "*" in actions for actions in granted)


def _held(token: str) -> HeldToken:
    claims = jwt_claims(token)
    granted = {entry["name"]: frozenset(entry["actions"]) for entry in claims.get("access") or ()}
    return HeldToken(token, claims.get("exp", 0) - RENEW_BEFORE_S, granted)


class RegistryTokens:
    """Refresh and access tokens of one registry for one identity. Safe for many threads."""

    def __init__(
        self,
        login_server: str,
        credential: TokenCredential,
        audience: str,
        client: PipelineClient[HttpRequest, HttpResponse],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._login_server = login_server
        self._credential = credential
        self._audience = audience
        self._client = client
        self._clock = clock
        self._refresh = HeldToken("", 0, {})
        self._refresh_lock = Lock()
        self._by_scope: dict[str, HeldToken] = {}
        self._reading: dict[str, HeldToken] = {}
        self._scope_locks: defaultdict[str, Lock] = defaultdict(Lock)
        self._no_wildcard_until = 0.0

    def for_need(self, need: Need) -> str:
        """A token for `need`: one that is held, else fetched."""
        if held := self._find(need):
            return held.token
        if not (need.repository and need.actions <= READ):
            return self._fetch(need.scope).token
        if self._reads_everything():
            return self._fetch(EVERY_REPOSITORY.scope).token
        return self._fetch(Need(need.repository, READ).scope).token

    def for_challenge(self, refused: str, service: str, scope: str) -> str:
        """A token for what a 401 named, other than the `refused` one."""
        return self._fetch(scope, service, refused=refused).token

    def hold_for_reading(self, repositories: Iterable[str]) -> None:
        """Fetches what reads all of `repositories`: one token in Legacy mode, one for each ten in ABAC mode."""
        missing = [name for name in repositories if not self._find(Need(name, READ))]
        if not missing or self._reads_everything():
            return
        batches = [missing[at : at + REPOSITORIES_PER_TOKEN] for at in range(0, len(missing), REPOSITORIES_PER_TOKEN)]
        scopes = [" ".join(Need(name, READ).scope for name in batch) for batch in batches]
        parallel.parallel_map(self._fetch, scopes, server=self._login_server)

    def holds(self, need: Need) -> bool:
        """Whether a token that was fetched before, and is valid now, grants `need`. Asks nobody."""
        return self._find(need) is not None

    def sign_in(self) -> None:
        """Exchanges the identity's token for a refresh token now, whatever is held, and forgets all that was granted.

        Raises azure-core's errors: 401 where the registry takes nobody's word for it, 403 where its network refuses.
        """
        self._refresh_token(self._login_server, renew=True)
        self._by_scope.clear()
        self._reading.clear()
        self._no_wildcard_until = 0.0

    def granted(self, need: Need) -> frozenset[str]:
        """Which of the actions asked for the registry grants, by its own answer (works in both modes).

        Raises azure-core's errors, and ValueError for a token that can't be read: it may grant anything.
        """
        held = self._fetch(need.scope)
        if not jwt_claims(held.token):
            raise ValueError("the registry's access token does not say what it grants")
        return held.granted.get(need.repository or need.catalog, frozenset())

    def _reads_everything(self) -> bool:
        """Whether one token reads every repository.

        In Legacy mode it does (acr-cli asks for repository:*:*). In ABAC mode the registry leaves the wildcard out
        of the grant without an error, and each repository needs a scope of its own.
        """
        if self._clock() < self._no_wildcard_until:
            return False
        try:
            held = self._fetch(EVERY_REPOSITORY.scope)
        except ClientAuthenticationError:
            held = HeldToken("", self._clock() + RENEW_BEFORE_S, {})
        if held.covers(EVERY_REPOSITORY):
            return True
        self._no_wildcard_until = held.until
        return False

    def _find(self, need: Need) -> HeldToken | None:
        candidates = (
            self._reading.get(need.repository),
            self._reading.get("*"),
            self._by_scope.get(need.scope),
        )
        now = self._clock()
        return next((held for held in candidates if held and held.until > now and held.covers(need)), None)

    def _fetch(self, scope: str, service: str = "", *, refused: str | None = None) -> HeldToken:
        with self._scope_locks[scope]:
            held = self._by_scope.get(scope)
            if held and held.until > self._clock() and held.token != refused:
                return held
            service = service or self._login_server
            refresh = self._refresh_token(service, renew=refused is not None)
            form = {"grant_type": "refresh_token", "service": service, "scope": scope, "refresh_token": refresh}
            held = _held(self._post("/oauth2/token", form, "access_token"))
            self._by_scope[scope] = held
            self._reading.update({name: held for name, actions in held.granted.items() if actions & READ})
            return held

    def _refresh_token(self, service: str, *, renew: bool) -> str:
        seen = self._refresh
        with self._refresh_lock:
            if self._refresh.until > self._clock() and not (renew and self._refresh is seen):
                return self._refresh.token
            form = {
                "grant_type": "access_token",
                "service": service,
                "access_token": self._credential.get_token(f"{self._audience}/.default").token,
            }
            self._refresh = _held(self._post("/oauth2/exchange", form, "refresh_token"))
            return self._refresh.token

    def _post(self, path: str, form: Mapping[str, str], member: str) -> str:
        url = f"https://{self._login_server}{path}?api-version=2021-07-01"
        response = self._client.send_request(HttpRequest("POST", url, data=dict(form)))
        raise_for(response)
        try:
            return str(response.json()[member])
        except (ValueError, KeyError, TypeError) as exc:
            raise DecodeError(f"No {member} in the answer", response=response, error=exc) from exc


def raise_for(response: HttpResponse) -> None:
    """Raises azure-core's error for a status of 400 or more."""
    kinds = {401: ClientAuthenticationError, 404: ResourceNotFoundError}
    if response.status_code >= 400:
        raise kinds.get(response.status_code, HttpResponseError)(response=response)
