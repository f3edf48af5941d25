"""Which roles of ABAC mode replace what a principal has through roles of Legacy mode.

AcrPull becomes Repository Reader and Catalog Lister, AcrPush Writer and Lister, AcrDelete Contributor:
https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions
"""

from dataclasses import dataclass
from enum import StrEnum

from services.access.decisions import Decision, Verdict
from services.access.evaluation import permission
from services.access.permissions import Permission, need_of
from services.access.role_assignments import AccessRecords, RoleAssignment, scope_key
from services.access.role_definitions import (
    BUILT_IN,
    CATALOG_LISTER,
    REPOSITORY_CONTRIBUTOR,
    REPOSITORY_READER,
    REPOSITORY_WRITER,
    RoleDefinition,
    action_matches,
)
from services.connection.resource_ids import same_id
from services.registries.registry import Mode, Registry
from services.roles.planned_assignment import assignment_name

_P = Permission
# What the modes decide differently: everything that is done with images.
WITH_IMAGES = (_P.PULL, _P.LIST_CATALOG, _P.READ_METADATA, _P.PUSH, _P.CHANGE_LOCKS, _P.DELETE)
_OF_REGISTRIES = "microsoft.containerregistry/"


class Use(StrEnum):
    """What a principal with a general role such as Reader or Contributor does with images; no assignment shows it."""

    NOTHING = "nothing"
    PULL = "pull"
    PUSH = "pull and push"
    ALL = "all that it may"


_COVERED = {
    Use.NOTHING: frozenset[Permission](),
    Use.PULL: frozenset({_P.PULL, _P.LIST_CATALOG, _P.READ_METADATA}),
    Use.PUSH: frozenset(WITH_IMAGES) - {_P.DELETE},
    Use.ALL: frozenset(WITH_IMAGES),
}


@dataclass(frozen=True)
class NewAssignment:
    """A role to assign on the registry itself before the switch; until then it has no effect.

    `replaces`: the id of the assignment of the same role to remove before, since its condition would leave
    repositories out, and Azure allows one of each; "" if there is none.
    """

    principal_id: str
    kind: str
    role: str
    name: str
    replaces: str = ""

    @property
    def role_name(self) -> str:
        return BUILT_IN[self.role].name


@dataclass(frozen=True)
class Needed:
    """What a principal would lose of its own assignments: by roles made for registries, and by general ones."""

    named: tuple[Permission, ...]
    general: tuple[Permission, ...]


def needed_of(
    grants: AccessRecords, holder: str, before: tuple[Decision, ...], legacy: Registry, abac: Registry
) -> Needed:
    """`before` are its decisions on WITH_IMAGES in Legacy mode; `grants` is without deny assignments, which count in
    `before`; `legacy` and `abac` are the same registry in both modes."""
    named: list[Permission] = []
    general: list[Permission] = []
    for now in before:
        wanted = now.permission
        own = permission(grants, holder, legacy, wanted, groups=())
        kept = permission(grants, holder, abac, wanted, groups=())
        if now.verdict is Verdict.NO or own.verdict is not Verdict.YES or kept.verdict is Verdict.YES:
            continue
        roles = [role for reason in own.granting if (role := grants.role(reason.assignment.role))]
        (named if any(_names_registries(role, wanted) for role in roles) else general).append(wanted)
    return Needed(tuple(named), tuple(general))


def _names_registries(role: RoleDefinition, wanted: Permission) -> bool:
    """Whether it gives this as a right on registries, and not on everything there is (`*`, `*/read`)."""
    return all(
        any(
            pattern.lower().startswith(_OF_REGISTRIES) and action_matches(pattern, action)
            for block in role.blocks
            for pattern in block.actions
        )
        for action in need_of(wanted, Mode.LEGACY).actions
    )


def successors(
    records: AccessRecords, registry: Registry, holder: RoleAssignment, needed: Needed, use: Use
) -> tuple[NewAssignment, ...]:
    """The least roles on the registry itself that give `needed` in ABAC mode, of what comes by general roles as much
    as `use` needs. `holder` is any of its assignments."""
    wanted = {*needed.named, *(one for one in needed.general if one in _COVERED[use])}
    here = {
        one.role: one
        for one in records.by_scope.get(scope_key(registry.id), ())
        if same_id(one.principal_id, holder.principal_id)
    }
    return tuple(
        NewAssignment(
            holder.principal_id,
            holder.principal_type,
            role,
            assignment_name(registry.id, holder.principal_id, role),
            here[role].id if role in here else "",
        )
        for role in _least(wanted)
    )


def _least(wanted: set[Permission]) -> tuple[str, ...]:
    """The roles of ABAC mode that give all of it: each of the three for repositories holds the one before."""
    roles = []
    if _P.DELETE in wanted:
        roles.append(REPOSITORY_CONTRIBUTOR)
    elif wanted & {_P.PUSH, _P.CHANGE_LOCKS}:
        roles.append(REPOSITORY_WRITER)
    elif wanted & {_P.PULL, _P.READ_METADATA}:
        roles.append(REPOSITORY_READER)
    return (*roles, *((CATALOG_LISTER,) if _P.LIST_CATALOG in wanted else ()))
