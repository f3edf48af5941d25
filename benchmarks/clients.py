"""The three ways to read a registry that are compared: the console's, the SDK's as it comes, and bare HTTP."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from azure.containerregistry import ContainerRegistryClient
from azure.identity import ClientSecretCredential
from requests.adapters import HTTPAdapter

from services.connection.data_plane import RegistryClient
from services.connection.data_plane_tokens import need_of
from services.connection.parallel import WORKERS
from services.connection.session import connect_sandbox
from services.images.manifest_reading import ACCEPT


def console_client(ready: Mapping[str, Any], registry: str) -> RegistryClient:
    """The console's client, new: no token held, not even that of the sign-in, and no connection open."""
    return connect_sandbox(ready).registry(ready["registries"][registry])


def sdk_client(ready: Mapping[str, Any], registry: str) -> ContainerRegistryClient:
    """The SDK's client with nothing added."""
    credential = ClientSecretCredential(
        ready["tenant_id"],
        ready["client_id"],
        ready["client_secret"],
        authority=ready["authority"],
        disable_instance_discovery=True,
        connection_verify=ready["ca_file"],
    )
    return ContainerRegistryClient(
        f"https://{ready['registries'][registry]}",
        credential,
        audience=ready["registry_audience"],
        connection_verify=ready["ca_file"],
    )


class BareClient:
    """requests and a token, nothing else: what the same answers cost at least."""

    def __init__(self, ready: Mapping[str, Any], registry: str) -> None:
        self._tokens = console_client(ready, registry).tokens
        self._url = f"https://{ready['registries'][registry]}"
        self._ca_file = ready["ca_file"]
        self.reconnect()

    def reconnect(self) -> None:
        """Drops all connections. The tokens stay."""
        self._http = requests.Session()
        self._http.mount("https://", HTTPAdapter(pool_maxsize=WORKERS))

    def get(self, path: str) -> requests.Response:
        response = self.send("GET", path)
        response.raise_for_status()
        return response

    def send(self, method: str, path: str) -> requests.Response:
        need = need_of(method, urlsplit(path).path)
        headers = {"Accept": ACCEPT, **({"Authorization": f"Bearer {self._tokens.for_need(need)}"} if need else {})}
        return self._http.request(method, self._url + path, headers=headers, verify=self._ca_file, timeout=60)
