"""Who may do what on a registry and why, the privileged first; and what one principal may do on each registry.

Pure functions over what was read; what each may do is `services.access.permission` alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from services.access.decisions import Decision, Verdict
from services.access.evaluation import permission
from services.access.permissions import Permission
from services.access.rights import OtherRight, rights_of
from services.access.role_assignments import AccessRecords, RoleAssignment, keys_down_to, scope_key, scope_label
from services.access.role_definitions import REGISTRY, RoleDefinition
from services.registries.registry import Mode, Registry
from services.wording import counted

_P = Permission
# In the order of a table's columns.
ASKED = (
    _P.PULL,
    _P.PUSH,
    _P.DELETE,
    _P.LIST_CATALOG,
    _P.CHANGE_LOCKS,
    _P.WRITE_REGISTRY,
    _P.LIST_CREDENTIALS,
    _P.ASSIGN_ROLES,
)
# The gravest first.
_GRAVITY = (
    _P.ASSIGN_ROLES,
    _P.LIST_CREDENTIALS,
    _P.WRITE_REGISTRY,
    _P.DELETE,
    _P.PUSH,
    _P.CHANGE_LOCKS,
    _P.PULL,
    _P.LIST_CATALOG,
)
_CHANGES = (_P.PUSH, _P.DELETE, _P.WRITE_REGISTRY, _P.ASSIGN_ROLES)
_ORDER = {Verdict.YES: 0, Verdict.SOME: 1, Verdict.UNKNOWN: 2, Verdict.NO: 3}
_EVERY_ACTION = ("*", "microsoft.containerregistry/*", "microsoft.containerregistry/registries/*")


class Danger(StrEnum):
    """Why a principal is privileged, the gravest first."""

    ASSIGNS = "assigns roles"
    PASSWORD = "reads the admin password"
    TURNS_ADMIN_ON = "can turn the admin user on"
    TOKENS = "creates tokens"
    EVERY_ACTION = "role with *"
    WIDE = "changes from a wide scope"


@dataclass(frozen=True)
class Found:
    """A danger, whether it is certain (else unknown), and a sentence on it."""

    danger: Danger
    sure: bool
    why: str


@dataclass(frozen=True)
class Rights:
    """What one principal may do on one registry.

    `kind` is Azure's principal type (User, Group, ServicePrincipal …), "" where unknown. `decisions`: one for
    each of ASKED, in that order; none where `unread` says that the role assignments were not read. `held`: its own
    assignments that reach the registry, and those of the groups that are known to hold it.
    """

    registry: Registry
    principal_id: str
    kind: str
    decisions: tuple[Decision, ...]
    held: tuple[RoleAssignment, ...] = ()
    dangers: tuple[Found, ...] = ()
    unread: str = ""

    def on(self, wanted: Permission) -> Decision:
        """The decision on one of ASKED. Raises StopIteration where there is none."""
        return next(decision for decision in self.decisions if decision.permission is wanted)

    @property
    def any(self) -> bool:
        """Whether it may do something of ASKED, or that is unknown."""
        return any(decision.verdict is not Verdict.NO for decision in self.decisions)


@dataclass(frozen=True)
class RolelessAccess:
    """Access without a role: who has it, and what it allows."""

    title: str
    who: str
    words: str


def who_can(
    records: AccessRecords,
    registry: Registry,
    repository: str | None = None,
    *,
    groups: Mapping[str, frozenset[str]] | None = None,
) -> tuple[Rights, ...]:
    """Every principal that an assignment at the registry or above it names, the privileged first.

    `records` are of the registry's subscription. `groups`: by object id in lower case, the groups that hold it, as
    `read_groups` says; of others it is unknown, and then so is what a group is given.

    The order: danger by danger as Danger lists them, who has it for certain before who may have it before who has not.
    Then permission by permission (assign roles, admin password, change the registry, delete, push, locks, pull, list),
    yes before some before unknown before no. Then the widest scope first, then by object id.
    """
    known = groups or {}
    held = _by_holder(records, registry)
    found = (_rights(records, registry, holder, held, repository, known.get(holder)) for holder in held)
    return tuple(sorted(found, key=_gravity))


def what_can(
    access: Mapping[str, AccessRecords],
    registries: Iterable[Registry],
    principal_id: str,
    *,
    groups: Mapping[str, frozenset[str]] | None = None,
) -> tuple[Rights, ...]:
    """What one principal may do on each registry, in the order of `who_can`; those that were not read come last.

    `access` by subscription id. `groups`: by subscription id, the groups that hold it, as far as that is known.
    """
    known = groups or {}
    found = []
    for registry in registries:
        records = access.get(registry.subscription_id)
        if records is None:
            why = f"The role assignments of {registry.subscription} could not be read."
            found.append(Rights(registry, principal_id, "", (), unread=why))
            continue
        held = _by_holder(records, registry)
        found.append(_rights(records, registry, principal_id, held, None, known.get(registry.subscription_id)))
    return tuple(sorted(found, key=lambda one: (bool(one.unread), _gravity(one), one.registry.name.casefold())))


def who_may(
    records: AccessRecords,
    registry: Registry,
    wanted: Permission,
    *,
    groups: Mapping[str, frozenset[str]] | None = None,
) -> tuple[tuple[str, Decision], ...]:
    """The principals that an assignment at the registry or above it names and that may do `wanted`, or may for all that
    is known: object id in lower case and decision, the certain ones first. `records` and `groups` as of `who_can`."""
    known = groups or {}
    found = [
        (holder, permission(records, holder, registry, wanted, groups=known.get(holder)))
        for holder in _by_holder(records, registry)
    ]
    possible = [one for one in found if one[1].verdict is not Verdict.NO]
    return tuple(sorted(possible, key=lambda one: (_ORDER[one[1].verdict], one[0])))


def roleless_access(registry: Registry, tokens: int | None = None) -> tuple[RolelessAccess, ...]:
    """Access that no role assignment shows, in both modes. `tokens`: how many there are, None if not read."""
    found = []
    if registry.access.admin_user:
        found.append(
            RolelessAccess(
                "Admin user is on",
                "anyone with one of its two passwords",
                "can pull, push and delete in every repository. Logs do not show who it was.",
            )
        )
    if registry.access.anonymous_pull:
        found.append(
            RolelessAccess(
                "Anonymous pull is on",
                "anyone whom the registry's network allows",
                "can pull from every repository without signing in.",
            )
        )
    if tokens:
        found.append(
            RolelessAccess(
                counted(tokens, "repository token"),
                "anyone with a token's password",
                "can do what its scope map allows, in the repositories that it names.",
            )
        )
    return tuple(found)


Held = Mapping[str, list[RoleAssignment]]


def _by_holder(records: AccessRecords, registry: Registry) -> Held:
    """The assignments that reach a registry, from the widest scope down, by who holds them, in lower case."""
    found: defaultdict[str, list[RoleAssignment]] = defaultdict(list)
    for key in keys_down_to(registry.id):
        for assignment in records.by_scope.get(key, ()):
            found[assignment.principal_id.lower()].append(assignment)
    return found


def _rights(
    records: AccessRecords,
    registry: Registry,
    principal_id: str,
    by_holder: Held,
    repository: str | None,
    groups: frozenset[str] | None,
) -> Rights:
    me = principal_id.lower()
    own = by_holder.get(me, [])
    of_groups = [one for group in sorted(groups or ()) for one in by_holder.get(group.lower(), ()) if group != me]
    rights = Rights(
        registry,
        principal_id,
        own[0].principal_type if own else "",
        tuple(permission(records, principal_id, registry, wanted, repository, groups=groups) for wanted in ASKED),
        (*own, *of_groups),
    )
    return replace(rights, dangers=_dangers(rights, records))


def _dangers(rights: Rights, records: AccessRecords) -> tuple[Found, ...]:
    assigns, reads, manages = (
        rights.on(wanted).verdict for wanted in (_P.ASSIGN_ROLES, _P.LIST_CREDENTIALS, _P.WRITE_REGISTRY)
    )
    found = []
    if assigns is not Verdict.NO:
        why = "It can assign roles here, and so give itself anything."
        found.append(Found(Danger.ASSIGNS, _certain(assigns), why))
    if rights.registry.access.admin_user and reads is not Verdict.NO:
        why = "The admin user is on, and it can read its passwords: anyone with one can pull, push and delete."
        found.append(Found(Danger.PASSWORD, _certain(reads), why))
    if not rights.registry.access.admin_user and Verdict.NO not in (reads, manages):
        why = "It can turn the admin user on and read its passwords, and then pull, push and delete without a role."
        found.append(Found(Danger.TURNS_ADMIN_ON, _certain(reads) and _certain(manages), why))
    mode = rights.registry.access.mode
    roles = [(one, role) for one in rights.held if (role := records.role(one.role))]
    tokens = [(one, role) for one, role in roles if OtherRight.MAKE_TOKENS in rights_of(role, mode)]
    if tokens:
        why = f"{tokens[0][1].name} lets it create tokens: passwords to repositories that no role assignment shows."
        found.append(
            Found(Danger.TOKENS, any(not one.condition for one, _ in tokens) and not _may_be_denied(records), why)
        )
    every = [role for _, role in roles if _gives_every_action(role, mode)]
    if every:
        why = f"{every[0].name} gives every action, also those that Azure adds later."
        found.append(Found(Danger.EVERY_ACTION, True, why))
    wide = [
        reason
        for wanted in _CHANGES
        for reason in rights.on(wanted).granting
        if _depth(reason.assignment.scope) <= 2 and rights.on(wanted).verdict is not Verdict.NO
    ]
    if wide:
        why = f"{wide[0].role} comes from {scope_label(wide[0].assignment.scope)}: it applies to every registry there."
        found.append(Found(Danger.WIDE, True, why))
    return tuple(found)


def _may_be_denied(records: AccessRecords) -> bool:
    """Whether a deny assignment covers creating tokens, whoever and wherever it is for."""
    return records.denies is None or any(
        block.covers(f"{REGISTRY}tokens/write", data=False) for deny in records.denies for block in deny.blocks
    )


def _certain(verdict: Verdict) -> bool:
    return verdict in (Verdict.YES, Verdict.SOME)


def _gives_every_action(role: RoleDefinition, mode: Mode) -> bool:
    return any(
        pattern.lower() in _EVERY_ACTION
        for block in role.blocks
        for pattern in (*block.actions, *(block.data_actions if mode is Mode.ABAC else ()))
    )


def _depth(scope: str) -> int:
    """0 above subscriptions, 2 for one, 4 for a resource group."""
    return len([segment for segment in scope_key(scope).split("/") if segment])


def _gravity(rights: Rights) -> tuple[object, ...]:
    sure = {found.danger: found.sure for found in rights.dangers}
    return (
        tuple(0 if sure.get(danger) else 1 if danger in sure else 2 for danger in Danger),
        tuple(_ORDER[rights.on(wanted).verdict] for wanted in _GRAVITY) if rights.decisions else (),
        min((_depth(one.scope) for one in rights.held), default=99),
        rights.principal_id.lower(),
    )
