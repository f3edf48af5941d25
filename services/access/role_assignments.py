"""Role and deny assignments as they were read, found by the scope they stand at.

Scopes: https://learn.microsoft.com/azure/role-based-access-control/scope-overview
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from services.access.role_definitions import BUILT_IN, PermissionBlock, RoleDefinition

_WITHOUT_MEMBERS = frozenset({"user", "serviceprincipal", "device"})


@dataclass(frozen=True)
class RoleAssignment:
    """`role` is the role's GUID in lower case; `condition` and what was not reported are "", times UTC."""

    id: str
    name: str
    scope: str
    role: str
    principal_id: str
    principal_type: str
    condition: str = ""
    created: datetime | None = None
    created_by: str = ""
    description: str = ""


@dataclass(frozen=True)
class PrincipalRef:
    """A principal that a deny assignment names, or leaves out."""

    id: str
    type: str


@dataclass(frozen=True)
class DenyAssignment:
    """Denies what role assignments grant, to the principals that it names."""

    id: str
    name: str
    scope: str
    blocks: tuple[PermissionBlock, ...]
    principals: tuple[PrincipalRef, ...]
    excluded: tuple[PrincipalRef, ...] = ()
    this_scope_only: bool = False
    system_protected: bool = False
    condition: str = ""


@dataclass(frozen=True)
class AccessRecords:
    """What was read at one subscription, or at one registry.

    Role assignments stand in it that are at, above or below; those above the subscription only because Azure says
    that they reach down to it. `roles`, by GUID, go before the built-in table. `denies` None: not read.
    `all_assignments` False: some could not be understood, and may give anything to anybody.
    """

    assignments: tuple[RoleAssignment, ...]
    roles: Mapping[str, RoleDefinition] = field(default_factory=dict)
    denies: tuple[DenyAssignment, ...] | None = ()
    all_assignments: bool = True

    def role(self, guid: str) -> RoleDefinition | None:
        """A role by its GUID in lower case, built-in ones from the table where they were not read."""
        return self.roles.get(guid) or BUILT_IN.get(guid)

    @cached_property
    def by_scope(self) -> Mapping[str, list[RoleAssignment]]:
        """The assignments by the key of their scope."""
        found: defaultdict[str, list[RoleAssignment]] = defaultdict(list)
        for assignment in self.assignments:
            found[scope_key(assignment.scope)].append(assignment)
        return dict(found)

    @cached_property
    def principals(self) -> frozenset[str]:
        """The object ids, in lower case, of all that have a role."""
        return frozenset(assignment.principal_id.lower() for assignment in self.assignments)

    @cached_property
    def memory(self) -> dict[object, object]:
        """Results computed from these records, kept as long as they are."""
        return {}


def may_be_group(principal_type: str) -> bool:
    """Whether principals of this type, as Azure names it, may have members. A type that is not known may."""
    return principal_type.lower() not in _WITHOUT_MEMBERS


def scope_key(scope: str) -> str:
    """The same for the same scope in other case; "" for all that is above subscriptions."""
    key = scope.lower().rstrip("/")
    return key if key.startswith("/subscriptions/") else ""


def keys_down_to(scope: str) -> Iterator[str]:
    """The keys of all scopes that `scope` inherits from, its own last: whole segments, from the root down."""
    yield ""
    key = ""
    for segment in scope.lower().strip("/").split("/"):
        key += f"/{segment}"
        yield key


def scope_label(scope: str) -> str:
    """What kind of scope it is and its name: 'the resource group hub-rg'."""
    segments = scope.strip("/").split("/")
    lowered = [segment.lower() for segment in segments]
    if not scope.strip("/"):
        return "the root of the directory"
    if "managementgroups" in lowered[:-1]:
        return f"the management group {segments[-1]}"
    if "providers" in lowered:
        return f"{segments[-2]} {segments[-1]}" if len(segments) > 1 else segments[-1]
    kinds = {"subscriptions": "the subscription", "resourcegroups": "the resource group"}
    return f"{kinds.get(lowered[-2], lowered[-2])} {segments[-1]}" if len(segments) > 1 else scope
