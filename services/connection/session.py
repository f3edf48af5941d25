"""Which Azure, and the one place that builds its clients.

The sandbox, the public cloud and the sovereign clouds differ in the values of `AzureEndpoints`, never in code.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    ContentDecodePolicy,
    HeadersPolicy,
    HTTPPolicy,
    RedirectPolicy,
    RequestIdPolicy,
    RetryPolicy,
    SansIOHTTPPolicy,
    SensitiveHeaderCleanupPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import HttpTransport, RequestsTransport
from azure.identity import ClientSecretCredential, DefaultAzureCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.consumption import ConsumptionManagementClient
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
from azure.mgmt.costmanagement import CostManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient
from requests.adapters import HTTPAdapter

from services.connection.data_plane import RegistryClient
from services.connection.data_plane_tokens import jwt_claims
from services.connection.errors import explained, told_to_wait
from services.connection.parallel import WORKERS
from services.connection.sdk_models import settle

USER_AGENT = "acr-console"
# A caller waits for a throttled call at most this long; past it, the throttling is the answer.
LONGEST_RETRY_AFTER_S = 60
# What the SDK's own version of the API does not know yet, as the scope of a registry's domain name label; az's too.
REGISTRY_PREVIEW = "2026-09-01-preview"
# Bytes that are read at once: a page of 1000 manifests in one go, where azure-core takes it in hundreds of pieces.
BLOCK = 1024 * 1024

Client = TypeVar("Client")


@dataclass(frozen=True)
class AzureEndpoints:
    """One Azure. `ca_file` replaces the system's trust store; URLs carry no trailing slash.

    `retail_prices`: where list prices are told to anybody; "" where nothing is known to. `graph`: the directory; ""
    where it is not asked.
    """

    name: str
    authority: str
    resource_manager: str
    resource_manager_scope: str
    registry_audience: str
    ca_file: str | None = None
    instance_discovery: bool = True
    retail_prices: str = ""
    graph: str = ""


# https://learn.microsoft.com/azure/developer/identity/authentication-national-cloud and, for the registry's
# audience, azure-containerregistry's README ("Authenticate the client"). The directory's addresses:
# https://learn.microsoft.com/graph/deployments
CLOUDS = {
    "public": AzureEndpoints(
        "Azure",
        "https://login.microsoftonline.com",
        "https://management.azure.com",
        "https://management.azure.com/.default",
        "https://containerregistry.azure.net",
        retail_prices="https://prices.azure.com",
        graph="https://graph.microsoft.com",
    ),
    "china": AzureEndpoints(
        "Azure China",
        "https://login.chinacloudapi.cn",
        "https://management.chinacloudapi.cn",
        "https://management.chinacloudapi.cn/.default",
        "https://containerregistry.azure.net",
        graph="https://microsoftgraph.chinacloudapi.cn",
    ),
    "usgovernment": AzureEndpoints(
        "Azure US Government",
        "https://login.microsoftonline.us",
        "https://management.usgovcloudapi.net",
        "https://management.usgovcloudapi.net/.default",
        "https://containerregistry.azure.net",
        retail_prices="https://prices.azure.com",
        graph="https://graph.microsoft.us",
    ),
}


@dataclass(frozen=True)
class Identity:
    """As whom the console asks: the claims of its own token. `key` is part of every cache key."""

    tenant_id: str
    object_id: str
    name: str

    @property
    def key(self) -> str:
        return f"{self.tenant_id}/{self.object_id}"


class PatientRetryPolicy(RetryPolicy[Any, Any]):
    """azure-core's retries, but a Retry-After of minutes is handed to the caller instead of slept through."""

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        told = told_to_wait(response.http_response.headers)
        try:
            return max(super().get_retry_after(response) or 0, told or 0) or None
        except ValueError:  # Neither seconds nor a date: a proxy's. azure-core lets it pass to the caller.
            return told

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        wait = self.get_retry_after(response) or 0
        if wait > LONGEST_RETRY_AFTER_S:
            return False
        # azure-core knows Retry-After only: a query that is throttled by another header would not be sent again.
        if wait and response.http_response.status_code == 429:
            return bool(settings["total"])
        return bool(super().is_retry(settings, response))


def retry_policy() -> PatientRetryPolicy:
    """One read, up to four tries; a name that does not resolve is tried twice."""
    return PatientRetryPolicy(retry_total=4, retry_connect=1, retry_backoff_factor=0.4, retry_backoff_max=8)


class _Session(requests.Session):
    """Looks up proxies and certificates in the environment once a host; requests does for every request."""

    def __init__(self) -> None:
        super().__init__()
        self._settings: dict[tuple[Any, ...], Any] = {}

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        key = (urlsplit(url).netloc, *sorted(proxies.items()), stream, verify, cert)
        if key not in self._settings:
            self._settings[key] = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return dict(self._settings[key])


def _pooled_transport(ca_file: str | None) -> HttpTransport[Any, Any]:
    http = _Session()
    http.mount("https://", HTTPAdapter(pool_connections=64, pool_maxsize=2 * WORKERS))
    transport: HttpTransport[Any, Any] = RequestsTransport(
        session=http,
        session_owner=False,
        connection_verify=ca_file or True,
        connection_timeout=10,
        read_timeout=60,
        connection_data_block_size=BLOCK,
    )
    return transport


class AzureSession:
    """A credential at one Azure: makes each SDK client once, shared by all threads."""

    def __init__(
        self,
        credential: TokenCredential,
        endpoints: AzureEndpoints,
        transport: HttpTransport[Any, Any] | None = None,
    ) -> None:
        self.credential = credential
        self.endpoints = endpoints
        self._transport = transport or _pooled_transport(endpoints.ca_file)
        self._clients: dict[tuple[type, str], Any] = {}
        self._lock = Lock()

    @cached_property
    def identity(self) -> Identity:
        """Who asks, from the token's claims. Raises ServiceError where nothing can sign in."""
        with explained("Could not sign in"):
            token = self.credential.get_token(self.endpoints.resource_manager_scope).token
        claims = jwt_claims(token)
        name = next(
            (
                claims[key]
                for key in ("upn", "unique_name", "preferred_username", "app_displayname", "name")
                if claims.get(key)
            ),
            claims.get("appid") or claims.get("azp") or "",
        )
        return Identity(str(claims.get("tid", "")), str(claims.get("oid", "")), str(name))

    def subscriptions(self) -> SubscriptionClient:
        return self._once(SubscriptionClient, "", lambda: SubscriptionClient(self.credential, **self._arm()))

    def registries(self, subscription_id: str) -> ContainerRegistryManagementClient:
        return self._once(
            ContainerRegistryManagementClient,
            subscription_id,
            lambda: ContainerRegistryManagementClient(self.credential, subscription_id, **self._arm()),
        )

    def registries_preview(self, subscription_id: str) -> ContainerRegistryManagementClient:
        """As `registries`, at the preview of the API: for what only that has."""
        return self._once(
            ContainerRegistryManagementClient,
            f"{subscription_id} {REGISTRY_PREVIEW}",
            lambda: ContainerRegistryManagementClient(
                self.credential, subscription_id, api_version=REGISTRY_PREVIEW, **self._arm()
            ),
        )

    def groups_and_providers(self, subscription_id: str) -> ResourceManagementClient:
        """A subscription's resource groups, and which resource providers are registered in it."""
        return self._once(
            ResourceManagementClient,
            subscription_id,
            lambda: ResourceManagementClient(self.credential, subscription_id, **self._arm()),
        )

    def authorization(self, subscription_id: str) -> AuthorizationManagementClient:
        return self._once(
            AuthorizationManagementClient,
            subscription_id,
            lambda: AuthorizationManagementClient(self.credential, subscription_id, **self._arm()),
        )

    def clusters(self, subscription_id: str) -> ContainerServiceClient:
        return self._once(
            ContainerServiceClient,
            subscription_id,
            lambda: ContainerServiceClient(self.credential, subscription_id, **self._arm()),
        )

    def resources(self) -> PipelineClient[Any, Any]:
        """Any resource of Azure Resource Manager by its id, for those few that need no SDK of their own."""
        return self._once(
            PipelineClient,
            "resources",
            lambda: PipelineClient(
                self.endpoints.resource_manager, policies=self._arm_policies(), transport=self._transport
            ),
        )

    def costs(self) -> CostManagementClient:
        return self._once(CostManagementClient, "", lambda: CostManagementClient(self.credential, **self._arm()))

    def retail_prices(self) -> PipelineClient[Any, Any]:
        """The Retail Prices API, which nobody signs in to: our token must not go there."""
        return self._once(
            PipelineClient,
            "retail prices",
            lambda: PipelineClient(
                self.endpoints.retail_prices,
                policies=[
                    RequestIdPolicy(),
                    HeadersPolicy(),
                    UserAgentPolicy(base_user_agent=USER_AGENT),
                    retry_policy(),
                ],
                transport=self._transport,
            ),
        )

    def graph(self) -> PipelineClient[Any, Any]:
        """Microsoft Graph, which takes tokens made for it only. Not to be asked where `endpoints.graph` is ""."""
        return self._once(
            PipelineClient,
            "graph",
            lambda: PipelineClient(
                self.endpoints.graph,
                policies=[
                    RequestIdPolicy(),
                    HeadersPolicy(),
                    UserAgentPolicy(base_user_agent=USER_AGENT),
                    RedirectPolicy(),
                    retry_policy(),
                    BearerTokenCredentialPolicy(self.credential, f"{self.endpoints.graph}/.default"),
                    SensitiveHeaderCleanupPolicy(),
                ],
                transport=self._transport,
            ),
        )

    def consumption(self, subscription_id: str) -> ConsumptionManagementClient:
        return self._once(
            ConsumptionManagementClient,
            subscription_id,
            lambda: ConsumptionManagementClient(self.credential, subscription_id, **self._arm()),
        )

    def registry(self, login_server: str) -> RegistryClient:
        """The data plane of one registry. `login_server` is what ARM says, never made from the name."""
        return self._once(
            RegistryClient,
            login_server,
            lambda: RegistryClient(
                login_server,
                self.credential,
                self.endpoints.registry_audience,
                self._transport,
                retry_policy,
                USER_AGENT,
            ),
        )

    def _once(self, kind: type[Client], of: str, make: Callable[[], Client]) -> Client:
        with self._lock:
            if (kind, of) not in self._clients:
                settle(kind)
                self._clients[kind, of] = make()
            client: Client = self._clients[kind, of]
            return client

    def _arm(self) -> dict[str, Any]:
        return {
            "base_url": self.endpoints.resource_manager,
            "credential_scopes": [self.endpoints.resource_manager_scope],
            "policies": self._arm_policies(),
            "transport": self._transport,
            "polling_interval": 2,
        }

    def _arm_policies(self) -> list[HTTPPolicy[Any, Any] | SansIOHTTPPolicy[Any, Any]]:
        """The SDK's own list less two: automatic registration of resource providers, which makes a read write,
        and logging."""
        return [
            RequestIdPolicy(),
            HeadersPolicy(),
            UserAgentPolicy(base_user_agent=USER_AGENT),
            ContentDecodePolicy(),
            RedirectPolicy(),
            retry_policy(),
            ARMChallengeAuthenticationPolicy(self.credential, self.endpoints.resource_manager_scope),
            SensitiveHeaderCleanupPolicy(),
        ]


def connect_azure(cloud: str = "public", ca_file: str | None = None) -> AzureSession:
    """The Azure that `DefaultAzureCredential` signs in to: environment, managed identity, `az login`."""
    endpoints = replace(CLOUDS[cloud], ca_file=ca_file)
    credential = DefaultAzureCredential(
        authority=endpoints.authority.removeprefix("https://"), connection_verify=ca_file or True
    )
    return AzureSession(credential, endpoints)


def connect_sandbox(ready: Mapping[str, Any], *, as_reader: bool = False) -> AzureSession:
    """A session at a running sandbox, from the values of its ready file."""
    endpoints = AzureEndpoints(
        "Sandbox",
        ready["authority"],
        ready["resource_manager"],
        ready["resource_manager_scope"],
        ready["registry_audience"],
        ready["ca_file"],
        instance_discovery=False,
        retail_prices=ready["retail_prices"],
        graph=ready["graph"],
    )
    who = "reader_" if as_reader else ""
    credential = ClientSecretCredential(
        ready["tenant_id"],
        ready[f"{who}client_id"],
        ready[f"{who}client_secret"],
        authority=endpoints.authority,
        disable_instance_discovery=not endpoints.instance_discovery,
        connection_verify=endpoints.ca_file,
    )
    return AzureSession(credential, endpoints)
