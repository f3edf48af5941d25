"""A signed-in person as a credential of azure-core, and as what the console takes for it in Entra."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.identity import ManagedIdentityCredential

from services.sign_in.entra import Entra

# The audience of assertions that Entra takes from a managed identity.
_EXCHANGE = "api://AzureADTokenExchange/.default"


class PersonCredential:
    """The tokens of one account, for an AzureSession; safe for many threads. Raises as `Entra.token`."""

    def __init__(self, entra: Entra, account: str) -> None:
        self._entra = entra
        self._account = account

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,  # noqa: ARG002 The tenant is the registration's.
        enable_cae: bool = False,  # noqa: ARG002 It always is.
        **_: Any,
    ) -> AccessToken:
        """As azure-core's TokenCredential."""
        result = self._entra.token(self._account, scopes, claims)
        return AccessToken(result["access_token"], int(time.time()) + int(result["expires_in"]))

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """As azure-core's SupportsTokenInfo."""
        result = self._entra.token(self._account, scopes, (options or {}).get("claims"))
        return AccessTokenInfo(result["access_token"], int(time.time()) + int(result["expires_in"]))

    def close(self) -> None:
        """Nothing is open."""


def console_credential(secret: str, environment: Mapping[str, str]) -> str | Mapping[str, Callable[[], str]]:
    """What the console proves itself with to Entra: its secret, else a federated identity: the token that Kubernetes
    writes to AZURE_FEDERATED_TOKEN_FILE, or a managed identity's (AZURE_CLIENT_ID where it is user-assigned)."""
    if secret:
        return secret
    if file := environment.get("AZURE_FEDERATED_TOKEN_FILE"):
        return {"client_assertion": lambda: Path(file).read_text()}
    identity = ManagedIdentityCredential(client_id=environment.get("AZURE_CLIENT_ID"))
    return {"client_assertion": lambda: identity.get_token(_EXCHANGE).token}
