"""Microsoft Entra for people: signing in by authorization code and proof key, and each account's tokens for Azure.

The console is a confidential client, which asks for tokens of every resource itself by the one refresh token of the
sign-in. https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
"""

import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msal
import requests
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from services.connection.errors import SignInNeeded
from services.sign_in.app_roles import known_roles
from services.sign_in.store import Person, SignIns, UnreadableTokens

# Its answer comes by the address bar: by a form it would need cookies that other sites' requests carry too.
warnings.filterwarnings("ignore", message="response_mode='form_post' is recommended", module="msal")

# What Entra answers where the person has to sign in, by its own words: anything else is the console's own fault.
_PERSON_NEEDED = ("invalid_grant", "interaction_required", "login_required", "consent_required")


@dataclass(frozen=True)
class Registration:
    """The console's application in Entra. `credential` is what MSAL takes: a secret, or {"client_assertion": callable}
    for a federated identity. `scope` is Resource Manager's; "" where nobody's tokens are needed: people only say who
    they are, which needs no consent of an administrator."""

    authority: str
    tenant_id: str
    client_id: str
    credential: str | Mapping[str, Any] = field(repr=False)
    redirect_uri: str
    scope: str
    ca_file: str | None = None
    instance_discovery: bool = True


@dataclass
class _Account:
    """What MSAL has of one account in this process, at `version` of the database."""

    application: msal.ConfidentialClientApplication
    cache: msal.SerializableTokenCache
    version: int


class RefusedSignIn(Exception):
    """Entra, or the person there, refused. `code` is OAuth's."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


class Entra:
    """Signs people in and gets their tokens. Safe for many threads: one refresh at a time an account."""

    def __init__(self, registration: Registration, sign_ins: SignIns) -> None:
        self.registration = registration
        self.sign_ins = sign_ins
        self._http = requests.Session()
        self._http.verify = registration.ca_file or True
        # REQUESTS_CA_BUNDLE, where it is set, goes before the session's own `verify`.
        self._http.trust_env = registration.ca_file is None
        self._discovered: dict[str, Any] = {}
        self._accounts: dict[str, _Account] = {}
        self._needed: dict[str, tuple[int, SignInNeeded]] = {}  # With the version of the tokens that were refused.
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def begin(self, *, account: str = "", login: str = "", choose: bool = False) -> dict[str, Any]:
        """A flow: `auth_uri` is where the browser goes, the rest is needed to finish it, by the same browser alone.

        `account` and `login` are of who signs in again: what Entra wanted of them is asked for. `choose`: Entra lists
        the accounts even where one is signed in there. Raises AzureError.
        """
        needed = self._needed_of(account)
        with _network_errors():
            flow: dict[str, Any] = self._application().initiate_auth_code_flow(
                [self.registration.scope] if self.registration.scope else [],
                redirect_uri=self.registration.redirect_uri,
                response_mode="query",
                claims_challenge=needed.claims if needed else None,
                login_hint=login or None,
                prompt="select_account" if choose else None,
            )
        return flow

    def finish(self, flow: Mapping[str, Any], answer: Mapping[str, str], cookie: str | None) -> str:
        """Redeems the code and records the sign-in; returns the value of the browser's new cookie (see SignIns.begin).

        Raises RefusedSignIn, ServiceError (NoDatabase), AzureError.
        """
        cache = msal.SerializableTokenCache()
        try:
            with _network_errors():
                result = self._application(cache).acquire_token_by_auth_code_flow(dict(flow), dict(answer))
        except (ValueError, RuntimeError) as error:  # MSAL's for another state, and for another nonce.
            raise RefusedSignIn("invalid_state", "The answer does not belong to this sign-in.") from error
        if "error" in result:
            raise RefusedSignIn(str(result["error"]), str(result.get("error_description") or result["error"]))
        claims = result["id_token_claims"]
        account = f"{claims['tid']}/{claims['oid']}"
        login = str(claims.get("preferred_username") or claims["oid"])
        person = Person(str(claims.get("name") or login), login)
        roles = known_roles(claims.get("roles"))
        tokens = cache.serialize() if self.registration.scope else ""
        value = self.sign_ins.begin(account, person, tokens, cookie, roles)
        self._needed.pop(account, None)
        return value

    def end_session_uri(self, back: str) -> str:
        """Where a browser signs out of Entra itself, and then comes back. Raises AzureError."""
        with _network_errors():
            answer = self._http.get(f"{self._authority}/v2.0/.well-known/openid-configuration", timeout=10)
            page = answer.json()["end_session_endpoint"]
        return f"{page}?{urlencode({'post_logout_redirect_uri': back})}"

    def token(self, account: str, scopes: tuple[str, ...], claims: str | None = None) -> Mapping[str, Any]:
        """A token of the account as MSAL returns it: from memory, or renewed.

        `claims` is what a resource asked for, which no token in memory has. Raises SignInNeeded, another
        ClientAuthenticationError where the console itself is refused, ServiceError (NoDatabase), AzureError.
        """
        with self._lock:
            lock = self._locks.setdefault(account, threading.Lock())
        with lock:
            known = self._open(account)
            person = next(iter(known.application.get_accounts()), None)
            with _network_errors():
                result = person and known.application.acquire_token_silent_with_error(
                    list(scopes), person, claims_challenge=claims
                )
            if known.cache.has_state_changed:
                self._save(account, known)
        if result and "access_token" in result:
            self._needed.pop(account, None)
            return dict(result)
        raise self._refusal(account, known.version, result or {}, claims)

    def require(self, account: str) -> None:
        """Raises SignInNeeded where Entra wants the person, and as `token`."""
        if needed := self._needed_of(account):
            raise needed
        self.token(account, (self.registration.scope,))

    def _needed_of(self, account: str) -> SignInNeeded | None:
        """What Entra wanted of the person last; None where they have signed in since, also at another process."""
        version, needed = self._needed.get(account, (0, None))
        return needed if needed and version == self.sign_ins.version(account) else None

    def forget(self, account: str) -> None:
        """Drops what this process has of an account that nobody is signed in to any more."""
        with self._lock:
            self._accounts.pop(account, None)
            self._needed.pop(account, None)

    @property
    def _authority(self) -> str:
        return f"{self.registration.authority}/{self.registration.tenant_id}"

    def _application(self, cache: msal.SerializableTokenCache | None = None) -> msal.ConfidentialClientApplication:
        return msal.ConfidentialClientApplication(
            self.registration.client_id,
            client_credential=self.registration.credential,
            authority=self._authority,
            token_cache=cache,
            http_client=self._http,
            http_cache=self._discovered,
            instance_discovery=self.registration.instance_discovery,
            client_capabilities=["CP1"],  # It understands claims challenges.
            exclude_scopes=[] if self.registration.scope else ["offline_access"],  # That is a refresh token.
        )

    def _open(self, account: str) -> _Account:
        version = self.sign_ins.version(account)
        known = self._accounts.get(account)
        if known and known.version == version:
            return known
        try:
            stored = self.sign_ins.tokens(account)
        except UnreadableTokens:
            raise SignInNeeded("The console's keys have changed since.") from None
        if stored is None:
            raise SignInNeeded("The sign-in has ended.")
        cache = msal.SerializableTokenCache()
        cache.deserialize(stored.text)
        with _network_errors():
            opened = _Account(self._application(cache), cache, stored.version)
        self._accounts[account] = opened
        return opened

    def _save(self, account: str, known: _Account) -> None:
        version = self.sign_ins.save_tokens(account, known.cache.serialize(), known.version)
        if version is None:  # Another process renewed them too: its tokens are as good, and are read next time.
            self._accounts.pop(account, None)
        else:
            known.version = version

    def _refusal(
        self, account: str, version: int, result: Mapping[str, Any], claims: str | None
    ) -> ClientAuthenticationError:
        why = str(result.get("error_description") or "The sign-in has ended.").partition(" Trace ID:")[0]
        if result and result.get("error") not in _PERSON_NEEDED:
            return ClientAuthenticationError(message=why)
        needed = SignInNeeded(why, claims=result.get("claims") or claims)
        self._needed[account] = (version, needed)
        return needed


@contextmanager
def _network_errors() -> Iterator[None]:
    """Raises what the network raises within as the SDKs do."""
    try:
        yield
    except requests.RequestException as error:
        raise ServiceRequestError(str(error), error=error) from error
