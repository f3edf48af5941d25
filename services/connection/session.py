"""Which Azure, and the one place that builds its clients.

The sandbox, the public cloud and the sovereign clouds differ in the values of `AzureEndpoints`, never in code.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Any, TypeVar

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    ContentDecodePolicy,
    CustomHookPolicy,
    DistributedTracingPolicy,
    HeadersPolicy,
    HTTPPolicy,
    RedirectPolicy,
    RequestIdPolicy,
    SansIOHTTPPolicy,
    SensitiveHeaderCleanupPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import HttpTransport
from azure.identity import ClientSecretCredential, DefaultAzureCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.consumption import ConsumptionManagementClient
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.containerregistrytasks import ContainerRegistryTasksMgmtClient
from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
from azure.mgmt.costmanagement import CostManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.monitor.query import LogsQueryClient
from azure.monitor.querymetrics import MetricsClient

from services.connection.changes import RecentChanges
from services.connection.data_plane import RegistryClient
from services.connection.data_plane_tokens import jwt_claims
from services.connection.endpoints import CLOUDS, AzureEndpoints
from services.connection.errors import as_service_error
from services.connection.sdk_models import prepare_models
from services.connection.transport import BoundedTransport, SignInTransport, pooled, retry_policy
from services.connection.version import USER_AGENT
from services.connection.write_permission import ALLOWED, LimitedTransport, WritePermission

# What the SDK's own version of the API does not know yet, as the scope of a registry's domain name label; az's too.
REGISTRY_PREVIEW = "2026-09-01-preview"

Client = TypeVar("Client")


@dataclass(frozen=True)
class Identity:
    """As whom the console asks: the claims of its own token. `key` is part of every cache key.

    `login` is the name that a person signed in to the console with."""

    tenant_id: str
    object_id: str
    name: str
    login: str = ""

    @property
    def key(self) -> str:
        return f"{self.tenant_id}/{self.object_id}"


class AzureSession:
    """A credential at one Azure: makes each SDK client once, shared by all threads."""

    def __init__(
        self,
        credential: TokenCredential,
        endpoints: AzureEndpoints,
        transport: HttpTransport[Any, Any] | None = None,
        identity: Identity | None = None,
    ) -> None:
        """`identity` is known where a person signed in; otherwise it is read from the token."""
        if identity:
            self.identity = identity
        self.permission = ALLOWED
        self.changes = RecentChanges()
        self.credential = credential
        self.endpoints = endpoints
        self._transport = transport or pooled(BoundedTransport, endpoints.ca_file)
        self._clients: dict[tuple[type, str], Any] = {}
        self._limited: dict[WritePermission, AzureSession] = {}
        self._tokens_of: AzureSession | None = None
        self._lock = Lock()

    def limited_to(self, permission: WritePermission) -> "AzureSession":
        """This session for a caller with that permission: itself where all is allowed, else one with the same identity
        that refuses the rest (ServiceError: ReadOnly, AccessRefused)."""
        if permission == self.permission:
            return self
        with self._lock:
            if permission not in self._limited:
                transport = LimitedTransport(self._transport, permission)
                limited = AzureSession(self.credential, self.endpoints, transport, self.__dict__.get("identity"))
                limited._tokens_of = self
                limited.permission = permission
                limited.changes = self.changes
                self._limited[permission] = limited
            return self._limited[permission]

    @cached_property
    def identity(self) -> Identity:
        """Who asks, from the token's claims. Raises ServiceError where nothing can sign in."""
        with as_service_error("Could not sign in"):
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

    def tasks(self, subscription_id: str) -> ContainerRegistryTasksMgmtClient:
        return self._once(
            ContainerRegistryTasksMgmtClient,
            subscription_id,
            lambda: ContainerRegistryTasksMgmtClient(self.credential, subscription_id, **self._arm()),
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

    def resource_graph(self) -> ResourceGraphClient:
        """Queries over the resources of all subscriptions that the caller may read."""
        return self._once(ResourceGraphClient, "", lambda: ResourceGraphClient(self.credential, **self._arm()))

    def costs(self) -> CostManagementClient:
        return self._once(CostManagementClient, "", lambda: CostManagementClient(self.credential, **self._arm()))

    def retail_prices(self) -> PipelineClient[Any, Any]:
        """The Retail Prices API, which nobody signs in to: our token must not go there."""
        return self._without_sign_in("retail prices", self.endpoints.retail_prices)

    def signed_addresses(self) -> PipelineClient[Any, Any]:
        """Addresses that have a signature of their own, as that of a log: our token must not go there."""
        return self._without_sign_in("signed addresses", "")

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

    def logs(self) -> LogsQueryClient:
        """Queries of Log Analytics, which takes tokens made for it only."""
        endpoint = self.endpoints.logs
        return self._once(
            LogsQueryClient,
            "",
            lambda: LogsQueryClient(
                self.credential,
                endpoint=endpoint,
                policies=self._monitor_policies(endpoint),
                transport=self._transport,
            ),
        )

    def metrics(self, region: str) -> MetricsClient:
        """Metrics of a region's resources, which takes tokens made for it only."""
        audience = self.endpoints.metrics
        endpoint = audience.replace("://", f"://{region}.") if self.endpoints.metrics_by_region else audience
        return self._once(
            MetricsClient,
            endpoint,
            lambda: MetricsClient(
                endpoint, self.credential, policies=self._monitor_policies(audience), transport=self._transport
            ),
        )

    def _monitor_policies(self, audience: str) -> list[HTTPPolicy[Any, Any] | SansIOHTTPPolicy[Any, Any]]:
        return [
            RequestIdPolicy(),
            HeadersPolicy(),
            UserAgentPolicy(base_user_agent=USER_AGENT),
            ContentDecodePolicy(),
            RedirectPolicy(),
            retry_policy(),
            BearerTokenCredentialPolicy(self.credential, f"{audience}/.default"),
            SensitiveHeaderCleanupPolicy(),
            DistributedTracingPolicy(),
        ]

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
                self._tokens_of.registry(login_server).tokens if self._tokens_of else None,
            ),
        )

    def _without_sign_in(self, of: str, server: str) -> PipelineClient[Any, Any]:
        policies = [RequestIdPolicy(), HeadersPolicy(), UserAgentPolicy(base_user_agent=USER_AGENT), retry_policy()]
        return self._once(
            PipelineClient, of, lambda: PipelineClient(server, policies=policies, transport=self._transport)
        )

    def _once(self, kind: type[Client], of: str, make: Callable[[], Client]) -> Client:
        with self._lock:
            if (kind, of) not in self._clients:
                prepare_models(kind)
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
            CustomHookPolicy(),
            ContentDecodePolicy(),
            RedirectPolicy(),
            self.changes,
            retry_policy(),
            ARMChallengeAuthenticationPolicy(self.credential, self.endpoints.resource_manager_scope),
            SensitiveHeaderCleanupPolicy(),
            DistributedTracingPolicy(),
        ]


def connect_azure(cloud: str = "public", ca_file: str | None = None) -> AzureSession:
    """The Azure that `DefaultAzureCredential` signs in to: environment, managed identity, `az login`."""
    endpoints = replace(CLOUDS[cloud], ca_file=ca_file)
    credential = DefaultAzureCredential(
        authority=endpoints.authority.removeprefix("https://"), transport=pooled(SignInTransport, ca_file)
    )
    return AzureSession(credential, endpoints)


def sandbox_endpoints(ready: Mapping[str, Any]) -> AzureEndpoints:
    """The endpoints of a running sandbox, from the values of its ready file."""
    return AzureEndpoints(
        "Sandbox",
        ready["authority"],
        ready["resource_manager"],
        ready["resource_manager_scope"],
        ready["registry_audience"],
        ready["ca_file"],
        instance_discovery=False,
        retail_prices=ready["retail_prices"],
        graph=ready["graph"],
        logs=ready["logs"],
        metrics=ready["metrics"],
        metrics_by_region=False,
    )


def connect_sandbox(ready: Mapping[str, Any], *, as_reader: bool = False) -> AzureSession:
    """A session at a running sandbox, from the values of its ready file."""
    endpoints = sandbox_endpoints(ready)
    who = "reader_" if as_reader else ""
    credential = ClientSecretCredential(
        ready["tenant_id"],
        ready[f"{who}client_id"],
        ready[f"{who}client_secret"],
        authority=endpoints.authority,
        disable_instance_discovery=not endpoints.instance_discovery,
        transport=pooled(SignInTransport, endpoints.ca_file),
    )
    return AzureSession(credential, endpoints)
