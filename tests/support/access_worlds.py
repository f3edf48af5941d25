"""Worlds of roles, assignments and denies at random, and a second, naive evaluator that knows all of each.

It asks one question after the other with plain loops: no index, no parser, no "can't be told". What in a world is
hidden from the console (who is in which group, what a role gives, what a part of a condition says) it simply knows.
"""

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from services.access.permissions import Permission
from services.access.role_assignments import AccessRecords, DenyAssignment, PrincipalRef, RoleAssignment
from services.access.role_definitions import PermissionBlock, RoleDefinition
from services.registries.registry import Mode

R = "Microsoft.ContainerRegistry/registries/"
NAME = R + "repositories:name"
REGISTRY_ID = "/subscriptions/5ab1/resourceGroups/Hub-RG/providers/Microsoft.ContainerRegistry/registries/contosohub"
ME, OTHER = "aaaaaaaa-0000-0000-0000-000000000001", "aaaaaaaa-0000-0000-0000-000000000002"
GROUPS = ("bbbbbbbb-0000-0000-0000-000000000001", "bbbbbbbb-0000-0000-0000-000000000002")
EVERYONE = "00000000-0000-0000-0000-000000000000"
REPOSITORIES = ("a", "A", "ab", "a/b", "b", "team/a")

# Written down a second time, from the table of the registry's documentation.
NEEDS: dict[Permission, tuple[list[str], list[str]]] = {
    Permission.PULL: (["pull/read"], ["repositories/content/read", "repositories/metadata/read"]),
    Permission.PUSH: (["push/write"], ["repositories/content/write"]),
    Permission.DELETE: (["artifacts/delete"], ["repositories/content/delete"]),
    Permission.LIST_CATALOG: (["pull/read"], ["catalog/read"]),
    Permission.READ_METADATA: (["pull/read"], ["repositories/metadata/read"]),
    Permission.CHANGE_LOCKS: (["metadata/write"], ["repositories/metadata/write"]),
}
CONTROL = {
    Permission.READ_REGISTRY: R + "read",
    Permission.WRITE_REGISTRY: R + "write",
    Permission.IMPORT_IMAGES: R + "importImage/action",
    Permission.LIST_CREDENTIALS: R + "listCredentials/action",
    Permission.ASSIGN_ROLES: "Microsoft.Authorization/roleAssignments/write",
    Permission.REMOVE_ROLES: "Microsoft.Authorization/roleAssignments/delete",
}

# A condition in a world: ("action", pattern), ("name", operator, values, every), ("hidden", truth), ("not", c),
# ("and", [c, …]), ("or", [c, …]).
Tree = tuple[Any, ...]


@dataclass(frozen=True)
class World:
    """`hidden_roles` can't be read by the console; `conditions` are the trees of the texts that assignments carry."""

    assignments: tuple[RoleAssignment, ...]
    roles: dict[str, RoleDefinition]
    hidden_roles: frozenset[str]
    denies: tuple[DenyAssignment, ...]
    conditions: dict[str, Tree]
    my_groups: frozenset[str]

    def records(self) -> AccessRecords:
        """What the console reads of it."""
        roles = {guid: role for guid, role in self.roles.items() if guid not in self.hidden_roles}
        return AccessRecords(self.assignments, roles, self.denies)

    def told_groups(self) -> frozenset[str]:
        """What `assignedTo` tells."""
        return self.my_groups & {assignment.principal_id for assignment in self.assignments}

    def all_told(self, repository: str | None, groups: frozenset[str] | None) -> bool:
        """Whether nothing of it is hidden from the console."""
        named = {who.id for deny in self.denies for who in (*deny.principals, *deny.excluded)}
        of_groups = {assignment.principal_id for assignment in self.assignments} & set(GROUPS)
        return (
            not self.hidden_roles & {assignment.role for assignment in self.assignments}
            and not (groups is None and of_groups)
            and not (named & set(GROUPS)) - (groups or frozenset())
            and not any(asks_more(tree) for tree in self.conditions.values())
            and repository is not None
        )


def asks_more(tree: Tree) -> bool:
    """Whether a condition asks for what isn't told, or for a name that only some actions have."""
    match tree:
        case ("hidden", _) | ("name", *_):
            return tree[0] == "hidden"
        case ("not", inner):
            return asks_more(inner)
        case ("and" | "or", inner):
            return any(asks_more(one) for one in inner)
    return False


def may(world: World, mode: Mode, wanted: Permission, repository: str) -> bool:
    """Whether ME may, in the world as it is."""
    if wanted in CONTROL:
        needed, data = [CONTROL[wanted]], False
    else:
        legacy, abac = NEEDS[wanted]
        needed, data = [R + action for action in (abac if mode is Mode.ABAC else legacy)], mode is Mode.ABAC
    for action in needed:
        given = False
        for assignment in world.assignments:
            if assignment.principal_id.lower() != ME and assignment.principal_id not in world.my_groups:
                continue
            if not reaches(assignment.scope, REGISTRY_ID):
                continue
            if not any(gives(block, action, data) for block in world.roles[assignment.role].blocks):
                continue
            if assignment.condition and not true(world.conditions[assignment.condition], action, repository):
                continue
            given = True
        for deny in world.denies:
            same = deny.scope.lower().strip("/") == REGISTRY_ID.lower().strip("/")
            if not (same if deny.this_scope_only else reaches(deny.scope, REGISTRY_ID)):
                continue
            if not is_among(world, deny.principals) or is_among(world, deny.excluded):
                continue
            if any(gives(block, action, data) for block in deny.blocks) and (
                not deny.condition or true(world.conditions[deny.condition], action, repository)
            ):
                given = False
        if not given:
            return False
    return True


def is_among(world: World, who: tuple[PrincipalRef, ...]) -> bool:
    return any(one.id in (ME, EVERYONE) or one.id in world.my_groups for one in who)


def reaches(above: str, below: str) -> bool:
    if "managementGroups" in above:
        return True
    ours, theirs = ([part for part in scope.lower().split("/") if part] for scope in (above, below))
    return theirs[: len(ours)] == ours


def gives(block: PermissionBlock, action: str, data: bool) -> bool:
    granted, taken = (block.data_actions, block.not_data_actions) if data else (block.actions, block.not_actions)
    return any(globbed(one.lower(), action.lower(), "*") for one in granted) and not any(
        globbed(one.lower(), action.lower(), "*") for one in taken
    )


def globbed(pattern: str, text: str, wild: str = "*?") -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(globbed(pattern[1:], text[at:], wild) for at in range(len(text) + 1))
    fits = bool(text) and (pattern[0] == text[0] or (pattern[0] == "?" and "?" in wild))
    return fits and globbed(pattern[1:], text[1:], wild)


def true(tree: Tree, action: str, repository: str) -> bool:
    match tree:
        case ("action", pattern):
            return globbed(pattern.lower(), action.lower(), "*")
        case ("name", operator, values, every):
            found = [compared(operator, repository, value) for value in values]
            return all(found) if every else any(found)
        case ("hidden", truth):
            return bool(truth)
        case ("not", inner):
            return not true(inner, action, repository)
        case ("and", inner):
            return all(true(one, action, repository) for one in inner)
        case ("or", inner):
            return any(true(one, action, repository) for one in inner)
    raise AssertionError(tree)


def compared(operator: str, name: str, value: str) -> bool:
    if operator.endswith("IgnoreCase"):
        name, value = name.lower(), value.lower()
    plain = operator.removesuffix("IgnoreCase").replace("Not", "")
    found = {
        "StringEquals": name == value,
        "StringStartsWith": name[: len(value)] == value,
        "StringLike": globbed(value, name),
    }[plain]
    return found != ("Not" in operator)


def written(tree: Tree) -> str:
    """A condition as Azure keeps it."""
    match tree:
        case ("action", pattern):
            return f"ActionMatches{{'{pattern}'}}"
        case ("name", operator, values, every):
            if len(values) == 1 and not every:
                return f"@Request[{NAME}] {operator} '{values[0]}'"
            kind = "ForAnyOfAllValues" if every else "ForAnyOfAnyValues"
            listed = ", ".join(f"'{value}'" for value in values)
            return f"@Request[{NAME}] {kind}:{operator} {{{listed}}}"
        case ("hidden", truth):
            return f"@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Team_{truth}] StringEquals 'x'"
        case ("not", inner):
            return f"!({written(inner)})"
        case ("and", inner):
            return "(" + " AND ".join(written(one) for one in inner) + ")"
        case ("or", inner):
            return "(\n " + " || ".join(written(one) for one in inner) + "\n)"
    raise AssertionError(tree)


_patterns = st.sampled_from(
    [
        "*",
        "*/read",
        "*/write",
        "*/delete",
        "microsoft.containerregistry/*",
        R + "*/read",
        R + "pull/read",
        R + "push/write",
        R + "artifacts/delete",
        R + "repositories/content/*",
        R + "repositories/metadata/*",
        R + "repositories/*/read",
        R + "repositories/content/READ",
        R + "catalog/read",
        R + "importImage/*",
        R + "listCredentials/action",
        "Microsoft.Authorization/*/Write",
        R + "pull/rea",
    ]
)
# Most blocks give much and take little back, so that there is something to tell.
_broad = st.sampled_from(["*", R + "*", "*/read", R + "repositories/*", R + "*/write"])
_given = st.lists(_broad | _patterns, min_size=1, max_size=3).map(tuple)
_taken = st.one_of(st.just(()), st.just(()), st.lists(_patterns, max_size=2).map(tuple))
_blocks = st.builds(PermissionBlock, _given, _taken, _given, _taken)
_scopes = st.sampled_from(
    [
        "/",
        "/providers/Microsoft.Management/managementGroups/contoso",
        "/subscriptions/5ab1",
        "/subscriptions/5AB1/resourcegroups/hub-rg",
        "/subscriptions/5ab1/resourceGroups/hub-rg2",
        "/subscriptions/5ab",
        REGISTRY_ID,
        REGISTRY_ID,
        REGISTRY_ID,
        REGISTRY_ID.upper() + "/",
        REGISTRY_ID + "2",
        REGISTRY_ID + "/webhooks/deploy",
    ]
)
_operators = st.sampled_from(
    [
        f"String{no}{how}{fold}"
        for no in ("", "Not")
        for how in ("Equals", "StartsWith", "Like")
        for fold in ("", "IgnoreCase")
    ]
)
_values = st.lists(st.text("aAb/*?", max_size=4), min_size=1, max_size=2).map(tuple)
_name = st.tuples(st.just("name"), _operators, _values, st.booleans())
_leaves = st.one_of(
    st.tuples(st.just("action"), _patterns), _name, _name, _name, st.tuples(st.just("hidden"), st.booleans())
)
trees = st.recursive(
    _leaves,
    lambda inner: (
        st.tuples(st.just("not"), inner)
        | st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3))
    ),
    max_leaves=5,
)
_roles = [f"cccccccc-0000-0000-0000-{number:012}" for number in range(3)]
_principals = st.sampled_from(
    [*[(ME, "ServicePrincipal")] * 4, (OTHER, "User"), *((group, "Group") for group in GROUPS)]
)
_who = st.sampled_from(
    [
        PrincipalRef(ME, "ServicePrincipal"),
        PrincipalRef(OTHER, "User"),
        PrincipalRef(EVERYONE, "SystemDefined"),
        *(PrincipalRef(g, "Group") for g in GROUPS),
    ]
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A few assignments and denies around REGISTRY_ID, most of them about ME."""
    roles = {
        guid: RoleDefinition(guid, guid, "CustomRole", tuple(draw(st.lists(_blocks, min_size=1, max_size=2))))
        for guid in _roles
    }
    conditions: dict[str, Tree] = {}

    def condition() -> str:
        if draw(st.booleans()):
            return ""
        tree = draw(trees)
        conditions[written(tree)] = tree
        return written(tree)

    assignments = []
    for number in range(draw(st.sampled_from([0, 1, 2, 3, 4, 4]))):
        principal, kind = draw(_principals)
        given = RoleAssignment(str(number), str(number), draw(_scopes), draw(st.sampled_from(_roles)), principal, kind)
        assignments.append(replace(given, condition=condition()))
    denies = [
        DenyAssignment(
            f"deny {number}",
            f"deny {number}",
            draw(_scopes),
            (draw(_blocks),),
            tuple(draw(st.lists(_who, min_size=1, max_size=2))),
            tuple(draw(st.lists(_who, max_size=1))),
            draw(st.booleans()),
            condition=condition(),
        )
        for number in range(draw(st.sampled_from([0, 0, 1, 2])))
    ]
    hidden = frozenset(draw(st.sampled_from([[], [], [_roles[0]]])))
    mine = frozenset(draw(st.lists(st.sampled_from(GROUPS), max_size=2)))
    return World(tuple(assignments), roles, hidden, tuple(denies), conditions, mine)
