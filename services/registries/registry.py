"""Registries: what there is in every subscription, with usage, replicas, network and access settings. Reading only."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.connection.parallel import Refusal
from services.wording import counted

# As services.connection.resource_ids tells the kind of a resource.
REGISTRY_KIND = "microsoft.containerregistry/registries"


class Mode(StrEnum):
    """How the registry decides who may do what in it (`roleAssignmentMode`)."""

    LEGACY = "Legacy"
    ABAC = "ABAC"


# What Azure calls the modes.
MODES = {Mode.LEGACY: "LegacyRegistryPermissions", Mode.ABAC: "AbacRepositoryPermissions"}


@dataclass(frozen=True)
class Usage:
    """One line of `listUsages`. `limit` None: unlimited. For Size it is what the SKU includes, in bytes: no cap."""

    name: str
    current: int
    limit: int | None
    unit: str


@dataclass(frozen=True)
class Replication:
    """One region that a registry is in; `home` is the registry's own, which ARM lists once there is another.

    `region` is a location's name (eastus). `status` is how far the copy is (Ready, Syncing), as of `status_at`.
    `routed`: whether pulls of the registry's address may end there. Zone redundancy is not among it: every region that
    has zones has it, whatever ARM says (https://learn.microsoft.com/azure/container-registry/zone-redundancy).
    """

    name: str
    region: str
    home: bool
    provisioning_state: str
    status: str
    status_at: datetime | None
    routed: bool


@dataclass(frozen=True)
class PrivateEndpoint:
    """A private endpoint connection and its state: Approved, Pending, Rejected or Disconnected."""

    endpoint_id: str
    state: str


@dataclass(frozen=True)
class Network:
    """Who may reach the registry. `default_action` and `ip_rules` count while public access is on.

    `trusted_services`: Azure services on Microsoft's list pass the network rules: imports, Defender for Cloud, Machine
    Learning and Container Instances among them. ACR Tasks have left that list: since 2025-06-01 a task with a system
    identity passes only with `tasks_bypass` (networkRuleBypassAllowedForTasks); None where Azure does not report it.
    https://learn.microsoft.com/azure/container-registry/allow-access-trusted-services
    """

    public_access: bool
    default_action: str
    ip_rules: tuple[str, ...]
    trusted_services: bool
    private_endpoints: tuple[PrivateEndpoint, ...]
    data_endpoints: tuple[str, ...]
    tasks_bypass: bool | None = None

    @property
    def approved_endpoints(self) -> tuple[PrivateEndpoint, ...]:
        return tuple(endpoint for endpoint in self.private_endpoints if endpoint.state == "Approved")

    @property
    def open_to_all(self) -> bool:
        return self.public_access and self.default_action != "Deny"

    @property
    def words(self) -> str:
        """public: all networks; restricted: the IP rules' addresses; private: private endpoints only."""
        if not self.public_access:
            return "private"
        return "public" if self.open_to_all else "restricted"


@dataclass(frozen=True)
class Access:
    """How one signs in, and who may. `retention_days` None: untagged manifests are never deleted automatically."""

    mode: Mode
    admin_user: bool
    anonymous_pull: bool
    arm_audience_tokens: bool
    retention_days: int | None
    customer_key: bool


@dataclass(frozen=True)
class SoftDelete:
    """The soft delete policy (preview): `days` that what is deleted is kept, restorable and billed; 0 where the policy
    is off, None where it is unknown, and then `unread` says why. `purged_after`: the days after which what was deleted
    is purged, also where the policy is off now; None where that is unknown.

    https://learn.microsoft.com/azure/container-registry/container-registry-soft-delete-policy
    """

    days: int | None = None
    unread: str = "It was not read."
    purged_after: int | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """'Off', 'On, 7 days' or 'Unknown'."""
        if self.days is None:
            return "Unknown"
        return f"On, {counted(self.days, 'day')}" if self.days else "Off"

    @property
    def notice(self) -> str:
        """What it means for a deletion; "" where it is off."""
        if self.days is None:
            return (
                f"Whether soft delete is on is unknown ({self.unread.rstrip('.')}). Where it is on, what is deleted "
                "stays billed until it expires."
            )
        if not self.days:
            return ""
        return (
            "Soft delete is on: what is deleted stays billed, and can be restored, until it expires after "
            f"{counted(self.days, 'day')}."
        )


@dataclass(frozen=True)
class Registry:
    """A registry as ARM describes it. `login_server` is ARM's, never made from the name; `location` is a location's
    name (eastus) also where ARM writes East US.

    `usages` and `replicas`, the regions beside its home, are None until read; what could not be read of them stands in
    `unread`. `soft_delete` is unknown until read, and where the preview of the API can't be asked.
    """

    id: str
    name: str
    login_server: str
    subscription_id: str
    subscription: str
    resource_group: str
    location: str
    sku: str
    provisioning_state: str
    created: datetime | None
    network: Network
    access: Access
    tags: tuple[tuple[str, str], ...] = ()
    usages: tuple[Usage, ...] | None = None
    replicas: tuple[Replication, ...] | None = None
    unread: tuple[Refusal, ...] = ()
    soft_delete: SoftDelete = SoftDelete()

    def usage(self, name: str) -> Usage | None:
        return next((usage for usage in self.usages or () if usage.name.casefold() == name.casefold()), None)

    @property
    def unsettled(self) -> str:
        """Why its state is none to build on, without a full stop; "" where the last operation succeeded.

        A state that Azure does not report is unknown, and counts as none to build on: it blocks a change of the
        registry itself (SKU, settings, replicas) as a failure does, and is a warning before what is added to it
        (assignments, webhooks, tokens) and before its deletion, which may be the way out of a failure.
        """
        match self.provisioning_state:
            case "Succeeded":
                return ""
            case "":
                return "State not reported"
            case "Creating" | "Updating" | "Deleting":
                return f"An operation is still running (state: {self.provisioning_state})"
        return f"The last operation did not succeed (state: {self.provisioning_state})"

    @property
    def stored_bytes(self) -> int | None:
        """Bytes stored in the home region; each replica is billed for as much again."""
        size = self.usage("Size")
        return size.current if size else None

    @property
    def included_bytes(self) -> int | None:
        """Bytes that the SKU's fixed fee includes."""
        size = self.usage("Size")
        return size.limit if size else None

    @property
    def webhooks(self) -> int | None:
        usage = self.usage("Webhooks")
        return usage.current if usage else None
