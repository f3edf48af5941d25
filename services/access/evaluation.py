"""Who may do what on a registry, and because of which role assignments: pure functions over what was read.

Rules: https://learn.microsoft.com/azure/role-based-access-control/overview and, for the registry's two modes,
https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-overview.
What the records do not say is UNKNOWN: never counted as a grant, nor as a refusal.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from services.access.conditions import all_hold, any_holds, holds, parse_condition, understood
from services.access.decisions import Decision, Denial, Reason, Verdict
from services.access.permissions import Permission, by_repository, need_of
from services.access.repository_scope import RepositoryChoice
from services.access.role_assignments import (
    AccessRecords,
    DenyAssignment,
    PrincipalRef,
    RoleAssignment,
    keys_down_to,
    may_be_group,
    scope_key,
)
from services.access.role_definitions import PermissionBlock, RoleDefinition
from services.connection.resource_ids import same_id
from services.registries.registry import Mode, Registry

# "All principals", as deny assignments name them.
EVERYONE = "00000000-0000-0000-0000-000000000000"
# Where one of several is enough, and where all are needed: what is undetermined counts before "some" in both.
_BEST = {Verdict.YES: 3, Verdict.UNKNOWN: 2, Verdict.SOME: 1, Verdict.NO: 0}
_WORST = {Verdict.NO: 0, Verdict.UNKNOWN: 1, Verdict.SOME: 2, Verdict.YES: 3}


def permission(
    records: AccessRecords,
    principal_id: str,
    registry: Registry,
    wanted: Permission,
    repository: str | None = None,
    *,
    groups: Iterable[str] | None = None,
) -> Decision:
    """Whether the principal may do `wanted` on the registry, in its mode.

    `records` are of the registry's subscription. Without a repository it is asked of all of them. `groups`: the object
    ids of the groups that have the principal as a member and have an assignment here; None: unknown,
    and what a group is given is then undetermined. What the registry's network or anonymous pull let is not asked here.
    """
    question = _Question(registry.id, registry.access.mode, wanted, repository)
    me = principal_id.lower()
    known = None if groups is None else frozenset(group.lower() for group in groups) - {me}
    weighed = [_weigh(question, grant) for grant in _grants_to(records, question, me)]
    weighed += [
        _weigh(question, grant, group=group)
        for group in sorted(known or ())
        for grant in _grants_to(records, question, group)
    ]
    weighed.sort(key=lambda one: -_BEST[one.reason.verdict])
    of_groups = () if known is not None else _unread_groups(records, question)
    if any(may_be_group(one.reason.assignment.principal_type) for one in weighed):
        # The principal may be a group itself: its own assignments are known.
        of_groups = tuple(one for one in of_groups if not same_id(one.reason.assignment.principal_id, me))
    verdict, denials, unread = _conclude(question, records, [*weighed, *of_groups], me, known)
    # Once it is granted, what some group may grant as well adds nothing.
    shown = weighed if verdict is Verdict.YES else [*weighed, *of_groups]
    return Decision(
        wanted,
        verdict,
        tuple(one.reason for one in shown if one.actions),
        tuple(one.reason for one in shown if not one.actions),
        denials,
        unread,
    )


def permission_by_choice(
    records: AccessRecords,
    principal_id: str,
    registry: Registry,
    wanted: Permission,
    choice: RepositoryChoice,
    *,
    groups: Iterable[str] | None = None,
) -> tuple[Decision, ...]:
    """`permission` of each chosen repository; where all or a prefix of them is chosen, one decision on all."""
    asked: tuple[str | None, ...] = choice.names if choice.names and not choice.prefixes else (None,)
    return tuple(permission(records, principal_id, registry, wanted, one, groups=groups) for one in asked)


def blocks_grant(blocks: Iterable[PermissionBlock], wanted: Permission, mode: Mode) -> bool:
    """Whether the caller's own permissions give `wanted`. Azure leaves conditions and denies out of them."""
    need, blocks = need_of(wanted, mode), tuple(blocks)
    return all(any(block.covers(action, data=need.data) for block in blocks) for action in need.actions)


@dataclass(frozen=True)
class _Question:
    scope: str
    mode: Mode
    wanted: Permission
    repository: str | None


@dataclass(frozen=True)
class _Grant:
    """An assignment about what is wanted: the needed actions its role gives, all where the role is not known, none
    where it would give them in the other mode only."""

    assignment: RoleAssignment
    role: RoleDefinition | None
    actions: tuple[str, ...]


@dataclass(frozen=True)
class _Weighed:
    """The verdict of one grant on each of its actions; `actions` is empty where it is ignored."""

    reason: Reason
    actions: Mapping[str, Verdict]


def _remembered(records: AccessRecords, key: object, work: Callable[[], Any]) -> Any:
    if key not in records.memory:
        records.memory[key] = work()
    return records.memory[key]


def _grants_at(records: AccessRecords, key: str, mode: Mode, wanted: Permission) -> dict[str, list[_Grant]]:
    """The grants of one scope by who holds them, in lower case."""

    def work() -> dict[str, list[_Grant]]:
        found: defaultdict[str, list[_Grant]] = defaultdict(list)
        for assignment in records.by_scope.get(key, ()):
            role = records.role(assignment.role)
            given = _remembered(records, (assignment.role, mode, wanted), partial(_given, role, mode, wanted))
            if given is not None:
                found[assignment.principal_id.lower()].append(_Grant(assignment, role, given))
        return dict(found)

    found: dict[str, list[_Grant]] = _remembered(records, (key, mode, wanted, "at"), work)
    return found


def _given(role: RoleDefinition | None, mode: Mode, wanted: Permission) -> tuple[str, ...] | None:
    """The needed actions that a role gives; () where it would in the other mode; None where in neither."""
    need = need_of(wanted, mode)
    if role is None:
        return need.actions
    if given := tuple(action for action in need.actions if role.grants(action, data=need.data)):
        return given
    other = need_of(wanted, Mode.LEGACY if mode is Mode.ABAC else Mode.ABAC)
    return () if other != need and all(role.grants(action, data=other.data) for action in other.actions) else None


def _grants_to(records: AccessRecords, question: _Question, principal: str) -> list[_Grant]:
    return [
        grant
        for key in keys_down_to(question.scope)
        if key in records.by_scope
        for grant in _grants_at(records, key, question.mode, question.wanted).get(principal, ())
    ]


def _unread_groups(records: AccessRecords, question: _Question) -> tuple[_Weighed, ...]:
    """What all groups hold, where it isn't known whose members they are. The same for every principal."""

    def work() -> tuple[_Weighed, ...]:
        return tuple(
            _weigh(question, grant, group=principal, member=None)
            for key in keys_down_to(question.scope)
            for principal, grants in _grants_at(records, key, question.mode, question.wanted).items()
            for grant in grants
            if may_be_group(grant.assignment.principal_type)
        )

    found: tuple[_Weighed, ...] = _remembered(records, question, work)
    return found


_GROUP = "Assigned to a group: whether this principal is a member is unknown."
_ROLE = "The definition of its role could not be read."
_CONDITION = "Unknown whether its condition allows it: the console does not know its form."
_SOME = "Its condition allows some repositories only."
_LEFT_OUT = "Its condition does not allow this."
_OTHER_MODE = {
    Mode.ABAC: "Ignored: a registry in ABAC mode asks for data actions, and this role gives none of them.",
    Mode.LEGACY: "Ignored: a registry in Legacy mode does not ask for data actions, which are all this role gives.",
}


def _weigh(question: _Question, grant: _Grant, *, group: str = "", member: bool | None = True) -> _Weighed:
    assignment = grant.assignment
    inherited = scope_key(assignment.scope) != scope_key(question.scope)
    name = grant.role.name if grant.role else assignment.role

    def reason(verdict: Verdict, why: str) -> Reason:
        custom = grant.role is not None and grant.role.kind == "CustomRole"
        return Reason(assignment, name, verdict, inherited, assignment.principal_id if group else "", why, custom)

    if not grant.actions:
        return _Weighed(reason(Verdict.NO, _OTHER_MODE[question.mode]), {})
    by_condition = {action: _lets(assignment.condition, action, question.repository) for action in grant.actions}
    let = min(set(by_condition.values()) - {Verdict.NO}, key=_WORST.__getitem__, default=Verdict.NO)
    if let is Verdict.NO:
        return _Weighed(reason(Verdict.NO, _LEFT_OUT), by_condition)
    if grant.role is None or member is None:
        why = _ROLE if grant.role is None else _GROUP
        unless = {
            action: Verdict.NO if verdict is Verdict.NO else Verdict.UNKNOWN for action, verdict in by_condition.items()
        }
        return _Weighed(reason(Verdict.UNKNOWN, why), unless)
    return _Weighed(reason(let, {Verdict.SOME: _SOME, Verdict.UNKNOWN: _CONDITION}.get(let, "")), by_condition)


def _lets(condition: str, action: str, repository: str | None) -> Verdict:
    """Whether a condition allows an action on the repository, or on all where none is named."""
    if not condition:
        return Verdict.YES
    named = by_repository(action)
    tree = parse_condition(condition)
    let = holds(tree, action, repository if named else None)
    if let is None:
        return Verdict.SOME if named and repository is None and understood(tree) else Verdict.UNKNOWN
    return Verdict.YES if let else Verdict.NO


def _conclude(
    question: _Question, records: AccessRecords, weighed: list[_Weighed], me: str, groups: frozenset[str] | None
) -> tuple[Verdict, tuple[Denial, ...], str]:
    """The verdict over all needed actions, what denies them, and what was not read."""
    need = need_of(question.wanted, question.mode)
    denials: dict[DenyAssignment, Verdict] = {}
    verdicts: list[Verdict] = []
    unread = ""
    for action in need.actions:
        given = max((one.actions.get(action, Verdict.NO) for one in weighed), key=_BEST.__getitem__, default=Verdict.NO)
        if given is Verdict.NO and not records.all_assignments:
            unread = "Some role assignments could not be understood: one may give it."
            given = Verdict.UNKNOWN
        if given is Verdict.NO:
            verdicts.append(given)
            continue
        if records.denies is None:
            unread = "The deny assignments could not be read: one may deny it."
            given = Verdict.UNKNOWN
        for deny in records.denies or ():
            denied = _denied(deny, question, action, need.data, me, groups)
            if denied is not Verdict.NO:
                denials[deny] = max(denied, denials.get(deny, denied), key=_BEST.__getitem__)
                left = {Verdict.YES: Verdict.NO, Verdict.SOME: Verdict.SOME, Verdict.UNKNOWN: Verdict.UNKNOWN}[denied]
                given = min(given, left, key=_WORST.__getitem__)
        verdicts.append(given)
    return (
        min(verdicts, key=_WORST.__getitem__),
        tuple(Denial(deny, denied) for deny, denied in denials.items()),
        unread,
    )


def _denied(
    deny: DenyAssignment, question: _Question, action: str, data: bool, me: str, groups: frozenset[str] | None
) -> Verdict:
    key, target = scope_key(deny.scope), scope_key(question.scope)
    reaches = key == target if deny.this_scope_only else key in keys_down_to(question.scope)
    if not reaches or not any(block.covers(action, data=data) for block in deny.blocks):
        return Verdict.NO
    excluded = _among(me, groups, deny.excluded)
    named = all_hold((_among(me, groups, deny.principals), None if excluded is None else not excluded))
    lets = _lets(deny.condition, action, question.repository)
    if named is False or lets is Verdict.NO:
        return Verdict.NO
    return Verdict.UNKNOWN if named is None else lets


def _among(me: str, groups: frozenset[str] | None, who: tuple[PrincipalRef, ...]) -> bool | None:
    """Whether a principal is among these. Known groups are those with role assignments: of others nothing is known."""
    return any_holds(
        True
        if one.id.lower() in (me, EVERYONE) or one.id.lower() in (groups or ())
        else None
        if may_be_group(one.type)
        else False
        for one in who
    )
