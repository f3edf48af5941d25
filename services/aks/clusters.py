"""AKS clusters: their two identities and which one pulls images, their node pools, and how they reach out. Reading."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from azure.mgmt.containerservice import models

from services.arm.pages import items
from services.arm.providers import location_name
from services.arm.subscriptions import Subscription, list_in_each
from services.connection.answers import checked, read_entries
from services.connection.errors import ServiceError, as_service_error
from services.connection.parallel import Partial, Progress
from services.connection.resource_ids import parse_id
from services.connection.sdk_models import sdk_text
from services.connection.session import AzureSession


class IdentityModel(StrEnum):
    """As what a cluster acts in Azure."""

    SYSTEM = "system-assigned managed identity"
    USER = "user-assigned managed identity"
    SERVICE_PRINCIPAL = "service principal"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ManagedIdentity:
    """`object_id` is whom a role is assigned to. What Azure does not report is "", as the `resource_id` of a
    system-assigned one."""

    object_id: str
    client_id: str = ""
    resource_id: str = ""


@dataclass(frozen=True)
class Puller:
    """As whom nodes pull images. `object_id` is "" where only the directory knows it (service principals)."""

    kind: str
    object_id: str
    client_id: str
    why: str

    @property
    def known(self) -> bool:
        return bool(self.object_id or self.client_id)


@dataclass(frozen=True)
class NodeSize:
    """The nodes of one VM size; `count` None: Azure does not report how many."""

    vm_size: str
    count: int | None

    @property
    def architecture(self) -> str:
        """amd64 or arm64, as `architecture_of` reads the size's name; "" where that does not say."""
        return architecture_of(self.vm_size)


@dataclass(frozen=True)
class NodePool:
    """`sizes` is one, and may be more in a pool of type VirtualMachines; `subnet_id` "": AKS's own. `os_sku` such as
    Ubuntu or Windows2022, "" where it is not reported."""

    name: str
    os: str
    sizes: tuple[NodeSize, ...]
    mode: str
    power: str
    subnet_id: str
    public_ips: bool
    os_sku: str = ""

    @property
    def count(self) -> int | None:
        """Its nodes; None where Azure does not report how many."""
        return _sum(size.count for size in self.sizes)

    @property
    def sizes_in_use(self) -> tuple[NodeSize, ...]:
        """The sizes that it has nodes of, or may have."""
        return tuple(size for size in self.sizes if size.count != 0)


@dataclass(frozen=True)
class ClusterNetwork:
    """How nodes reach out, and how the API server is reached. `fqdn` is the private one where there is no other.

    `outbound_ip_ids` are public IP addresses' resource ids; with outbound type userDefinedRouting or none there are
    none, and a firewall's address is what a registry sees.
    """

    outbound_type: str
    outbound_ip_ids: tuple[str, ...]
    private_cluster: bool
    fqdn: str


@dataclass(frozen=True)
class Cluster:
    """`control_plane` and `kubelet` are None where there is none, or none is reported. `location` is a location's name
    (eastus), however Azure writes it.

    `power` "" where an old API does not report it; `artifact_source` Cache: nodes get even system images from
    `bootstrap_registry_id`. `node_provisioning`, `virtual_nodes`: nodes that may pull as somebody else.
    `container_insights`: its add-on is on, which logs what runs.
    """

    id: str
    name: str
    resource_group: str
    subscription_id: str
    subscription: str
    tenant_id: str
    location: str
    provisioning_state: str
    power: str
    identity_model: IdentityModel
    control_plane: ManagedIdentity | None
    kubelet: ManagedIdentity | None
    service_principal_id: str
    pools: tuple[NodePool, ...]
    network: ClusterNetwork
    run_command: bool
    managed_entra: bool
    artifact_source: str
    bootstrap_registry_id: str
    node_provisioning: bool
    virtual_nodes: bool
    container_insights: bool = False

    @property
    def puller(self) -> Puller:
        """The identity that needs the pull role. https://learn.microsoft.com/azure/aks/use-managed-identity"""
        if self.kubelet:
            why = "Nodes pull as the kubelet identity; the control plane's identity never pulls images."
            return Puller("kubelet identity", self.kubelet.object_id, self.kubelet.client_id, why)
        if self.service_principal_id:
            why = "The cluster has a service principal and no managed identity: its nodes pull as it."
            return Puller("service principal", "", self.service_principal_id, why)
        why = "Azure reports no kubelet identity for this cluster: it may still be in creation."
        return Puller("unknown", "", "", why)

    @property
    def nodes(self) -> int | None:
        """How many nodes it has; None where Azure does not report it for every pool."""
        return _sum(pool.count for pool in self.pools)


def _sum(counts: Iterable[int | None]) -> int | None:
    """None if one of them is unknown."""
    total = 0
    for count in counts:
        if count is None:
            return None
        total += count
    return total


def list_clusters(
    session: AzureSession, subscriptions: Iterable[Subscription], *, progress: Progress | None = None
) -> Partial[Cluster]:
    """Every cluster of these subscriptions, by name; one request a subscription.

    A subscription that refuses is a Refusal of the result.
    """

    def list_one(subscription: Subscription) -> Partial[Cluster]:
        with as_service_error(f"Could not list the clusters of {subscription.name}"):
            models = items(session, session.clusters(subscription.id).managed_clusters.list)
            return read_entries(
                f"clusters of {subscription.name}", models, lambda model: cluster_from(model, subscription)
            )

    return list_in_each(list_one, subscriptions, progress=progress)


def get_cluster(session: AzureSession, resource_id: str) -> Cluster:
    """One cluster, by its resource id. Raises ServiceError.

    Its `subscription` is the id, and `tenant_id` "" unless the cluster reports it: only a list of subscriptions does.
    """
    where = parse_id(resource_id)
    if where.kind != _CLUSTER_KIND or not where.group or where.child:
        raise ServiceError(
            f"There is no cluster {resource_id} here",
            "That is no resource id of an AKS cluster.",
            "Choose the cluster from the list, or copy its id: `az aks show --query id`.",
            "ResourceNotFound",
        )
    with as_service_error(f"Could not read the cluster {where.name}"):
        model = session.clusters(where.subscription).managed_clusters.get(where.group, where.name)
        return checked(cluster_from(model, Subscription(where.subscription, where.subscription, "", "")))


_CLUSTER_KIND = "microsoft.containerservice/managedclusters"


def cluster_from(model: models.ManagedCluster, subscription: Subscription) -> Cluster:
    """The SDK's model as a Cluster; answers of old APIs lack most of it. Raises one of `MALFORMED` for what is
    no cluster, as where its id is none."""
    where = parse_id(model.id or "")
    if where.kind != _CLUSTER_KIND or not where.group or where.child:
        raise ValueError(f"{model.id} is no cluster's id")
    properties = model.properties or models.ManagedClusterProperties()
    api_server = properties.api_server_access_profile
    bootstrap = properties.bootstrap_profile
    provisioning = properties.node_provisioning_profile
    addons = properties.addon_profiles or {}
    virtual_nodes = addons.get("aciConnectorLinux") or addons.get("ACIConnectorLinux")
    monitoring = next((one for name, one in addons.items() if name.casefold() == "omsagent"), None)
    kubelet = (properties.identity_profile or {}).get("kubeletidentity")
    return Cluster(
        id=model.id or "",
        name=model.name or where.name,
        resource_group=where.group,
        subscription_id=subscription.id,
        subscription=subscription.name,
        tenant_id=(model.identity.tenant_id if model.identity else "") or subscription.tenant_id,
        location=location_name(model.location or ""),
        provisioning_state=properties.provisioning_state or "",
        power=sdk_text(properties.power_state.code if properties.power_state else None),
        identity_model=_identity_model(model, properties),
        control_plane=_control_plane(model.identity),
        kubelet=ManagedIdentity(kubelet.object_id or "", kubelet.client_id or "", kubelet.resource_id or "")
        if kubelet
        else None,
        service_principal_id=_service_principal(model, properties),
        pools=tuple(_pool(pool) for pool in properties.agent_pool_profiles or ()),
        network=_network(properties),
        run_command=not (api_server and api_server.disable_run_command),
        managed_entra=bool(properties.aad_profile and properties.aad_profile.managed),
        artifact_source=sdk_text(bootstrap.artifact_source if bootstrap else None),
        bootstrap_registry_id=(bootstrap.container_registry_id if bootstrap else "") or "",
        node_provisioning=sdk_text(provisioning.mode if provisioning else None) == "Auto",
        virtual_nodes=bool(virtual_nodes and virtual_nodes.enabled),
        container_insights=bool(monitoring and monitoring.enabled),
    )


def _identity_model(model: models.ManagedCluster, properties: models.ManagedClusterProperties) -> IdentityModel:
    match sdk_text(model.identity.type if model.identity else None):
        case "SystemAssigned":
            return IdentityModel.SYSTEM
        case "UserAssigned":
            return IdentityModel.USER
    return IdentityModel.SERVICE_PRINCIPAL if _service_principal(model, properties) else IdentityModel.UNKNOWN


def _service_principal(model: models.ManagedCluster, properties: models.ManagedClusterProperties) -> str:
    """The client id; "" with a managed identity, of which the profile says `msi`."""
    managed = sdk_text(model.identity.type if model.identity else None) in ("SystemAssigned", "UserAssigned")
    profile = properties.service_principal_profile
    client_id = (profile.client_id if profile else "") or ""
    return "" if managed or client_id.lower() == "msi" else client_id


def _control_plane(identity: models.ManagedClusterIdentity | None) -> ManagedIdentity | None:
    if identity and identity.principal_id:
        return ManagedIdentity(identity.principal_id)
    for resource_id, value in ((identity.user_assigned_identities if identity else None) or {}).items():
        # Azure has sent null for an identity: its ids are not known then.
        return ManagedIdentity((value and value.principal_id) or "", (value and value.client_id) or "", resource_id)
    return None


def _network(properties: models.ManagedClusterProperties) -> ClusterNetwork:
    profile = properties.network_profile
    api_server = properties.api_server_access_profile
    outbound = (
        [
            address.id
            for way in (profile.load_balancer_profile, profile.nat_gateway_profile)
            if way
            for address in way.effective_outbound_i_ps or ()
        ]
        if profile
        else []
    )
    return ClusterNetwork(
        outbound_type=sdk_text(profile.outbound_type if profile else None) or "loadBalancer",
        outbound_ip_ids=tuple(address for address in outbound if address),
        private_cluster=bool(api_server and api_server.enable_private_cluster),
        fqdn=properties.fqdn or properties.private_fqdn or "",
    )


def _pool(model: models.ManagedClusterAgentPoolProfile) -> NodePool:
    return NodePool(
        name=model.name or "",
        os=sdk_text(model.os_type) or "Linux",
        sizes=_sizes(model),
        mode=sdk_text(model.mode),
        power=sdk_text(model.power_state.code if model.power_state else None),
        subnet_id=model.vnet_subnet_id or "",
        public_ips=bool(model.enable_node_public_ip),
        os_sku=sdk_text(model.os_sku),
    )


def _sizes(model: models.ManagedClusterAgentPoolProfile) -> tuple[NodeSize, ...]:
    """A pool of type VirtualMachines has no size and count of its own: its nodes' status has them, and until that is
    reported its scale profile. https://learn.microsoft.com/azure/aks/virtual-machines-node-pools"""
    scale = model.virtual_machines_profile.scale if model.virtual_machines_profile else None
    status, manual = model.virtual_machine_nodes_status or (), (scale.manual if scale else None) or ()
    found = tuple(NodeSize(group.size or "", group.count) for group in status or manual)
    if not status and scale:
        # How many the autoscaler has made is in the status alone.
        found += tuple(NodeSize(group.size or "", None) for group in scale.autoscale or ())
    return found or (NodeSize(model.vm_size or "", model.count),)


_SIZE = re.compile(r"(?:standard|basic)_[a-z]+\d+(?:-\d+)?(?P<features>[a-z]*)(?:_.*)?", re.IGNORECASE)


def architecture_of(vm_size: str) -> str:
    """amd64 or arm64 by the name of a VM size, whose p stands for Arm processors; "" where the name does not say.

    https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions
    """
    size = _SIZE.fullmatch(vm_size)
    # NVIDIA's Grace Blackwell sizes are of Arm processors without saying so by a p.
    if not size or "_gb" in vm_size.lower():
        return ""
    return "arm64" if "p" in size["features"].lower() else "amd64"
