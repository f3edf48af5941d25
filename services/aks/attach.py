"""Letting a cluster pull from a registry: one role assignment, planned, checked again, written and read back.

What `az aks update --attach-acr` does, for both of the registry's modes, and without an update of the cluster:
https://learn.microsoft.com/azure/aks/cluster-container-registry-integration
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from services.access.caller_rights import caller_right
from services.access.decisions import Decision, Reason, Verdict
from services.access.evaluation import permission_by_choice
from services.access.permissions import Permission
from services.access.repository_scope import ALL, RepositoryChoice, condition_for
from services.access.role_assignment_reading import caller_permissions_or_none
from services.access.role_assignments import AccessRecords, RoleAssignment
from services.access.role_definitions import ACR_PULL, BUILT_IN, REPOSITORY_READER, PermissionBlock
from services.aks.clusters import Cluster, get_cluster
from services.aks.puller import PullerAccess, principal_of, read_puller
from services.arm.subscriptions import tenant_of
from services.connection.changes import Outcome, changed, refused
from services.connection.errors import ServiceError
from services.connection.resource_ids import same_id
from services.connection.session import AzureSession
from services.registries.reading import describe_registry
from services.registries.registry import Mode, Registry
from services.roles import admin_request
from services.roles.planned_assignment import PlannedAssignment, find_same, write_assignment


@dataclass(frozen=True)
class AttachPlan:
    """One role assignment that lets the cluster's nodes pull.

    `granted`: the assignments that give it already; with `nothing_to_do` nothing is written. `may`: whether the
    caller may assign roles here, None where that could not be read. Nothing is sent while there are `blockers`.
    """

    cluster: Cluster
    registry: Registry
    choice: RepositoryChoice
    principal_id: str
    role: str
    condition: str
    granted: tuple[Reason, ...]
    nothing_to_do: bool
    may: bool | None
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def role_name(self) -> str:
        return BUILT_IN[self.role].name

    @property
    def assignment(self) -> PlannedAssignment:
        """What is written."""
        return PlannedAssignment(
            self.registry.id,
            self.principal_id,
            "ServicePrincipal",
            self.role,
            self.role_name,
            self.condition,
            f"Attached by ACR Console for {self.cluster.name}",
        )

    @property
    def commands(self) -> tuple[str, ...]:
        """The line of the same."""
        return (admin_request.as_az(self.assignment),)


def role_for(mode: Mode) -> str:
    """The GUID of the least role that allows pulling in this mode: in ABAC mode AcrPull is ignored."""
    return REPOSITORY_READER if mode is Mode.ABAC else ACR_PULL


def plan_attach(
    cluster: Cluster,
    registry: Registry,
    puller_access: PullerAccess,
    caller_permissions: tuple[PermissionBlock, ...] | None,
    choice: RepositoryChoice = ALL,
    *,
    registry_tenant: str = "",
) -> AttachPlan:
    """What would be written, from what was read. `caller_permissions` None where they could not be read.

    `choice` is of ABAC registries only. `registry_tenant` "" where it is not known. Raises ServiceError for a choice
    of what can be no repository's name.
    """
    principal = puller_access.principal_id
    role = role_for(registry.access.mode)
    condition = condition_for(choice) if registry.access.mode is Mode.ABAC else ""
    decisions = _decisions(registry, puller_access, puller_access.access.records, choice)
    planned = RoleAssignment("", "", registry.id, role, principal, "ServicePrincipal", condition)
    with_role = replace(puller_access.access.records, assignments=(*puller_access.access.records.assignments, planned))
    # A deny assignment counts also where no role allows pulling yet.
    denials = [one for decision in _decisions(registry, puller_access, with_role, choice) for one in decision.denials]
    denying = next((one.deny.name for one in denials if one.verdict is Verdict.YES), "")
    may_deny = next((one.deny.name for one in denials if one.verdict is not Verdict.YES), "")
    same = find_same(puller_access.access.records.assignments, registry.id, principal, role)
    granted = tuple(dict.fromkeys(reason for decision in decisions for reason in decision.granting))
    nothing_to_do = not denying and (
        all(any(reason.verdict is Verdict.YES for reason in decision.reasons) for decision in decisions)
        or bool(same and same.condition == condition)
    )
    right = caller_right(caller_permissions, Permission.ASSIGN_ROLES, registry.access.mode)
    blockers = [*_about_principal(cluster, principal), *_about_tenant(cluster, registry_tenant)]
    warnings: list[str] = []
    if choice != ALL and registry.access.mode is Mode.LEGACY:
        blockers.append("A registry in Legacy mode can't be opened for some repositories only: AcrPull is for all.")
    if registry.unsettled:
        warnings.append(f"{registry.unsettled}: registry {registry.name}.")
    if denying:
        blockers.append(
            f"The deny assignment {denying} denies pulling, whatever roles there are. Ask its owner: a managed "
            "application, or a deployment stack."
        )
    elif may_deny:
        warnings.append(f"The deny assignment {may_deny} may deny pulling.")
    if same and not nothing_to_do and same.condition != condition:
        blockers.append(
            f"The identity holds {BUILT_IN[role].name} here already, under another condition "
            f"({same.condition or 'none'}). Azure keeps one assignment of a role per principal and scope: change it, "
            "or detach it first."
        )
    if right.blocker and not nothing_to_do:
        blockers.append(right.blocker)
    if right.warning:
        warnings.append(right.warning)
    if puller_access.access.unread and not nothing_to_do:
        warnings.append(f"Not read: {', '.join(refusal.what for refusal in puller_access.access.unread)}.")
    if cluster.node_provisioning or cluster.virtual_nodes:
        warnings.append("Nodes of node auto-provisioning and virtual nodes may pull as another identity than this.")
    return AttachPlan(
        cluster,
        registry,
        choice,
        principal,
        role,
        condition,
        granted,
        nothing_to_do,
        right.may,
        tuple(blockers),
        tuple(warnings),
    )


def _decisions(
    registry: Registry, puller_access: PullerAccess, records: AccessRecords, choice: RepositoryChoice
) -> tuple[Decision, ...]:
    principal, groups = puller_access.principal_id, puller_access.access.groups
    return permission_by_choice(records, principal, registry, Permission.PULL, choice, groups=groups)


def read_attach_plan(
    session: AzureSession,
    cluster: Cluster,
    registry: Registry,
    choice: RepositoryChoice = ALL,
    *,
    principal_id: str = "",
) -> AttachPlan:
    """Reads what `plan_attach` needs: four or five requests. `principal_id` is for a service principal's object id,
    which only the directory knows. Raises ServiceError where the role assignments refuse."""
    puller_access = read_puller(session, cluster, registry, principal_id)
    caller_permissions = caller_permissions_or_none(session, registry)
    try:
        tenant = tenant_of(session, registry.subscription_id)
    except ServiceError:
        tenant = ""  # Azure itself refuses an identity of another tenant.
    return plan_attach(cluster, registry, puller_access, caller_permissions, choice, registry_tenant=tenant)


@dataclass(frozen=True)
class Attached:
    """CREATED: written, and read back. ALREADY_DONE: it was there, nothing was written. NOT_CONFIRMED: Azure took
    it, and it could not be read back. `assignment` is what was read, None where something inherited gives it or
    nothing could be read."""

    outcome: Outcome
    assignment: RoleAssignment | None


def apply_attach(
    session: AzureSession,
    plan: AttachPlan,
    report: Callable[[str], None] = lambda _state: None,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Attached:
    """Writes the assignment as planned; the cluster itself is not updated.

    Raises ServiceError where it is not there afterwards: refused by the plan or by Azure (AuthorizationFailed stops at
    once), PrincipalNotFound for two minutes, or since the registry or the cluster changed. Where a write's answer was
    lost and nothing can be read back, the error says that it is not known.
    """
    title = f"Could not attach {plan.registry.name} to {plan.cluster.name}"
    report("checking again")
    again = _looked_again(session, plan, title)
    if again.nothing_to_do:
        found = next((one.assignment for one in again.granted), None)
        return Attached(Outcome.ALREADY_DONE, found)
    if again.blockers:
        raise refused(title, " ".join(again.blockers))
    return Attached(*write_assignment(session, again.assignment, title, report, sleep))


def _looked_again(session: AzureSession, plan: AttachPlan, title: str) -> AttachPlan:
    """The plan of what there is now. Raises ServiceError where it has changed since it was shown."""
    cluster, registry = get_cluster(session, plan.cluster.id), describe_registry(session, plan.registry.id)
    if registry.access.mode is not plan.registry.access.mode:
        raise changed(title, f"The registry is in {registry.access.mode} mode now: the role is another one.")
    if principal_of(cluster) != principal_of(plan.cluster):
        raise changed(title, "The cluster's nodes pull as another identity now.")
    return read_attach_plan(session, cluster, registry, plan.choice, principal_id=plan.principal_id)


def _about_principal(cluster: Cluster, principal: str) -> list[str]:
    puller = cluster.puller
    if principal and same_id(principal, puller.client_id) and not same_id(puller.client_id, puller.object_id):
        return ["That is the identity's client id. A role is assigned to its object id."]
    if principal:
        return []
    if puller.client_id:
        return [
            f"The cluster pulls as the service principal {puller.client_id}, whose object id only the directory "
            f"knows: `az ad sp show --id {puller.client_id} --query id`."
        ]
    return [puller.why]


def _about_tenant(cluster: Cluster, registry_tenant: str) -> list[str]:
    if not registry_tenant or not cluster.tenant_id or same_id(registry_tenant, cluster.tenant_id):
        return []
    if not cluster.kubelet:
        return []  # A multi-tenant application has an object id in each tenant.
    return [
        f"The registry is of the tenant {registry_tenant}, the cluster of {cluster.tenant_id}. A managed identity can "
        "hold no role in another tenant: use a service principal of both, or a registry of the cluster's tenant."
    ]
