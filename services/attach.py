"""Letting a cluster pull from a registry: one role assignment, planned, checked again, written and read back.

What `az aks update --attach-acr` does, for both of the registry's modes, and without an update of the cluster:
https://learn.microsoft.com/azure/aks/cluster-container-registry-integration
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from azure.mgmt.authorization.v2022_04_01 import models

from services.access import blocks_grant, permission
from services.cloud import AzureSession
from services.clusters import Cluster, get_cluster
from services.decisions import Decision, Reason, Verdict
from services.errors import ServiceError, explained
from services.puller_assignments import (
    PullerAccess,
    find_assignment,
    own_if_told,
    principal_of,
    read_puller,
    same_grant,
)
from services.read_back import changed, refused
from services.registries import Mode, Registry, describe_registry
from services.registry_permissions import Permission
from services.repository_choice import ALL, RepositoryChoice, condition_for
from services.role_assignments import RoleAssignment
from services.role_definitions import ACR_PULL, BUILT_IN, REPOSITORY_READER, PermissionBlock
from services.subscriptions import tenant_of

# Seconds between tries for an identity that the directory does not know yet: two minutes in all.
WAITS_S = (2, 4, 8, 16, 30, 30, 30)
ASK_ADMINISTRATOR = "Give an administrator the request beside this: it is the same assignment, ready to run."


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
    name: str
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
    def scope(self) -> str:
        return self.registry.id

    @property
    def role_definition_id(self) -> str:
        subscription = f"/subscriptions/{self.registry.subscription_id}"
        return f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{self.role}"

    @property
    def description(self) -> str:
        return f"Attached by ACR Console for {self.cluster.name}"


def role_for(mode: Mode) -> str:
    """The GUID of the least role that lets pull in this mode: in ABAC mode AcrPull is ignored."""
    return REPOSITORY_READER if mode is Mode.ABAC else ACR_PULL


def assignment_name(scope: str, principal_id: str, role: str) -> str:
    """The same GUID for the same grant, so that a second try writes the same assignment and not another one."""
    return str(uuid5(NAMESPACE_URL, f"{scope.lower().rstrip('/')}|{principal_id.lower()}|{role.lower()}"))


def plan_attach(
    cluster: Cluster,
    registry: Registry,
    held: PullerAccess,
    own: tuple[PermissionBlock, ...] | None,
    choice: RepositoryChoice = ALL,
    *,
    registry_tenant: str = "",
) -> AttachPlan:
    """What would be written, from what was read. `own`: the caller's permissions, None where they could not be read.

    `choice` is of ABAC registries only. `registry_tenant` "" where it is not known. Raises ServiceError for a choice
    of what can be no repository's name.
    """
    principal = held.principal_id
    role = role_for(registry.access.mode)
    condition = condition_for(choice) if registry.access.mode is Mode.ABAC else ""
    decisions = _decisions(registry, held, choice)
    same = next((one for one in held.access.records.assignments if same_grant(one, registry.id, principal, role)), None)
    granted = tuple(dict.fromkeys(reason for decision in decisions for reason in decision.because))
    taken = [denial for decision in decisions for denial in decision.denials if denial.verdict is Verdict.YES]
    nothing_to_do = not taken and (
        all(any(reason.verdict is Verdict.YES for reason in decision.reasons) for decision in decisions)
        or bool(same and same.condition == condition)
    )
    may = None if own is None else blocks_grant(own, Permission.ASSIGN_ROLES, registry.access.mode)
    blockers = [*_about_principal(cluster, principal), *_about_tenant(cluster, registry_tenant)]
    warnings: list[str] = []
    if choice != ALL and registry.access.mode is Mode.LEGACY:
        blockers.append("A registry in Legacy mode can't be opened for some repositories only: AcrPull is for all.")
    if registry.provisioning_state not in ("Succeeded", ""):
        warnings.append(f"The registry's last change has not ended well: {registry.provisioning_state}.")
    if taken:
        blockers.append(
            f"The deny assignment {taken[0].deny.name} takes pulling away: no role goes before it. Ask who made it."
        )
    if same and not nothing_to_do and same.condition != condition:
        blockers.append(
            f"The identity holds {BUILT_IN[role].name} here already, under another condition "
            f"({same.condition or 'none'}). One principal holds a role at a scope once: change that assignment, or "
            "detach it first."
        )
    if may is False and not nothing_to_do:
        blockers.append(
            "You may not assign roles on this registry (Microsoft.Authorization/roleAssignments/write). Contributor "
            "does not include it; Owner, User Access Administrator and RBAC Administrator do."
        )
    if may is None:
        warnings.append("Whether you may assign roles here could not be read: Azure will say.")
    if held.access.unread and not nothing_to_do:
        warnings.append(f"Not read: {', '.join(refusal.what for refusal in held.access.unread)}.")
    if cluster.node_provisioning or cluster.virtual_nodes:
        warnings.append("Nodes of node auto-provisioning and virtual nodes may pull as another identity than this.")
    return AttachPlan(
        cluster,
        registry,
        choice,
        principal,
        role,
        assignment_name(registry.id, principal, role),
        condition,
        granted,
        nothing_to_do,
        may,
        tuple(blockers),
        tuple(warnings),
    )


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
    held = read_puller(session, cluster, registry, principal_id)
    own = own_if_told(session, registry)
    try:
        tenant = tenant_of(session, registry.subscription_id)
    except ServiceError:
        tenant = ""  # Azure itself refuses an identity of another tenant.
    return plan_attach(cluster, registry, held, own, choice, registry_tenant=tenant)


Outcome = Literal["attached", "attached already", "not confirmed"]


@dataclass(frozen=True)
class Attached:
    """attached: written, and read back. attached already: it was there, nothing was written. not confirmed: Azure took
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
    report("looking again")
    again = _looked_again(session, plan, title)
    if again.nothing_to_do:
        found = next((one.assignment for one in again.granted), None)
        return Attached("attached already", found)
    if again.blockers:
        raise refused(title, " ".join(again.blockers))
    report("assigning the role")
    failure = _write(session, again, title, report, sleep)
    if failure and failure.status == 403:
        raise replace(failure, remedy=ASK_ADMINISTRATOR)
    if failure and failure.code == "PrincipalNotFound":
        raise replace(
            failure,
            remedy="The directory did not know the identity for two minutes: check that the cluster still has it, "
            "and that it is of the registry's tenant.",
        )
    report("reading back")
    try:
        found = find_assignment(session, again.registry, again.principal_id, again.role)
    except ServiceError as error:
        if failure:
            raise replace(failure, remedy="Whether it was assigned is not known. Check the cluster again.") from error
        return Attached("not confirmed", None)
    if found is None:
        if failure:
            raise failure
        return Attached("not confirmed", None)
    if found.condition != again.condition:
        raise changed(title, f"Somebody assigned {again.role_name} meanwhile, under the condition {found.condition}.")
    # Where it failed, too: an answer was lost.
    written = found.name.lower() == again.name
    return Attached("attached" if written else "attached already", found)


def _looked_again(session: AzureSession, plan: AttachPlan, title: str) -> AttachPlan:
    """The plan of what there is now. Raises ServiceError where it is another one than was shown."""
    cluster, registry = get_cluster(session, plan.cluster.id), describe_registry(session, plan.registry.id)
    if registry.access.mode is not plan.registry.access.mode:
        raise changed(title, f"The registry is in {registry.access.mode} mode now: the role is another one.")
    if principal_of(cluster) != principal_of(plan.cluster):
        raise changed(title, "The cluster's nodes pull as another identity now.")
    return read_attach_plan(session, cluster, registry, plan.choice, principal_id=plan.principal_id)


def _write(
    session: AzureSession,
    plan: AttachPlan,
    title: str,
    report: Callable[[str], None],
    sleep: Callable[[float], None],
) -> ServiceError | None:
    """Sends the assignment; the error that it was answered last, None where it was taken or is there already."""
    failure: ServiceError | None = None
    for wait in (*WAITS_S, None):
        try:
            with explained(title):
                session.authorization(plan.registry.subscription_id).role_assignments.create(
                    plan.scope, plan.name, _body(plan)
                )
            return None
        except ServiceError as error:
            failure = error
        if failure.code == "RoleAssignmentExists":
            return None
        if failure.code != "PrincipalNotFound" or wait is None:
            return failure
        report(f"the directory does not know the identity yet: again in {wait} s")
        sleep(wait)
    return failure


def _body(plan: AttachPlan) -> models.RoleAssignmentCreateParameters:
    return models.RoleAssignmentCreateParameters(
        role_definition_id=plan.role_definition_id,
        principal_id=plan.principal_id,
        # With it, the directory is not asked whether there is such an identity: a new one needs a while to be known.
        principal_type="ServicePrincipal",
        description=plan.description,
        condition=plan.condition or None,
        condition_version="2.0" if plan.condition else None,
    )


def _decisions(registry: Registry, held: PullerAccess, choice: RepositoryChoice) -> tuple[Decision, ...]:
    """Whether it may pull, of each chosen repository; where all or a prefix of them is chosen, of all."""
    asked: tuple[str | None, ...] = choice.names if choice.names and not choice.prefixes else (None,)
    return tuple(
        permission(
            held.access.records, held.principal_id, registry, Permission.PULL, repository, groups=held.access.groups
        )
        for repository in asked
    )


def _about_principal(cluster: Cluster, principal: str) -> list[str]:
    puller = cluster.puller
    if principal and principal.lower() == puller.client_id.lower() != puller.object_id.lower():
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
    if not registry_tenant or not cluster.tenant_id or registry_tenant.lower() == cluster.tenant_id.lower():
        return []
    if not cluster.kubelet:
        return []  # A multi-tenant application has an object id in each tenant.
    return [
        f"The registry is of the tenant {registry_tenant}, the cluster of {cluster.tenant_id}. A managed identity can "
        "hold no role in another tenant: use a service principal of both, or a registry of the cluster's tenant."
    ]
