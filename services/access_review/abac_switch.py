"""What a registry's switch from Legacy to ABAC mode would take from whom, and which roles to assign first. A dry run.

Pure functions over what was read; who may what, before and after, is `services.access.permission` alone.
https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from services.access.decisions import Decision, Verdict
from services.access.evaluation import permission
from services.access.permissions import Permission
from services.access.role_assignments import AccessRecords, RoleAssignment, keys_down_to, scope_key
from services.access.role_definitions import ACR_DELETE, ACR_PULL, ACR_PUSH
from services.access_review.role_successors import WITH_IMAGES, NewAssignment, Use, needed_of, successors
from services.aks.clusters import Cluster
from services.registries.registry import Mode, Registry

# A registry in ABAC mode does not look at these.
_LEGACY_ONLY = (ACR_PULL, ACR_PUSH, ACR_DELETE)


@dataclass(frozen=True)
class Effect:
    """What the switch does to one principal: decisions on WITH_IMAGES, in that order.

    `before`: as it is. `after`: once switched, with nothing else done. `then`: once switched, with all of the plan's
    assignments. `general`: what it has by general roles only; `pulls_for`: the names of the clusters that pull as it.
    """

    principal_id: str
    kind: str
    before: tuple[Decision, ...]
    after: tuple[Decision, ...]
    then: tuple[Decision, ...]
    general: tuple[Permission, ...]
    assignments: tuple[NewAssignment, ...]
    pulls_for: tuple[str, ...] = ()

    @property
    def loses(self) -> tuple[Permission, ...]:
        """What it has for certain and would not have any more, or for some repositories only."""
        return _where(self.before, self.after, _lost)

    @property
    def unsure(self) -> tuple[Permission, ...]:
        """What it may lose: that is unknown."""
        return _where(self.before, self.after, _unknown)

    @property
    def gains(self) -> tuple[Permission, ...]:
        """What it may not do now, and would, or might: by roles that the registry ignores today."""
        return _where(self.before, self.after, lambda had, has: had is Verdict.NO and has is not Verdict.NO)

    @property
    def remains(self) -> tuple[Permission, ...]:
        """What it has for certain and would be without, or might be, even with the plan's assignments."""
        return _where(self.before, self.then, lambda had, has: had is Verdict.YES and has is not Verdict.YES)

    @property
    def more(self) -> tuple[Permission, ...]:
        """What the plan's assignments give it that it has not now: no role of Azure's fits closer."""
        extra = _where(self.before, self.then, lambda had, has: had is Verdict.NO and has is not Verdict.NO)
        return tuple(one for one in extra if one not in self.gains)

    @property
    def to_decide(self) -> tuple[Permission, ...]:
        """What it would lose that it has by general roles only, and that no assignment of the plan keeps."""
        return tuple(one for one in self.remains if one in self.general)


@dataclass(frozen=True)
class ClusterEffect:
    """What the switch does to the pulls of one cluster. Decisions are None where nobody is known to pull for it."""

    cluster: Cluster
    principal_id: str
    before: Decision | None
    after: Decision | None
    then: Decision | None

    @property
    def stops(self) -> bool:
        """Whether it pulls now, and would not any more, or from some repositories only."""
        return bool(self.before and self.after and _lost(self.before.verdict, self.after.verdict))

    @property
    def unsure(self) -> bool:
        """Whether that is unknown."""
        return not (self.before and self.after) or _unknown(self.before.verdict, self.after.verdict)

    @property
    def kept(self) -> bool:
        """Whether it pulls on with the plan's assignments."""
        return self.then is not None and self.then.verdict is Verdict.YES


@dataclass(frozen=True)
class SwitchPlan:
    """The dry run. `effects`: whom it touches, those who pull for clusters first. `clusters`: those that stop first.

    `old`: assignments on the registry itself that do nothing in ABAC mode, to be removed at the end.
    """

    registry: Registry
    effects: tuple[Effect, ...]
    clusters: tuple[ClusterEffect, ...]
    old: tuple[RoleAssignment, ...]

    @cached_property
    def assignments(self) -> tuple[NewAssignment, ...]:
        return tuple(one for effect in self.effects for one in effect.assignments)


def plan_switch(
    records: AccessRecords,
    registry: Registry,
    clusters: Iterable[Cluster] = (),
    *,
    groups: Mapping[str, frozenset[str]] | None = None,
    uses: Mapping[str, Use] | None = None,
    object_ids: Mapping[str, str] | None = None,
    gone: Collection[str] = (),
) -> SwitchPlan:
    """What becomes of whom if this registry, in Legacy mode, is switched to ABAC mode.

    `groups` as in `who_can`. `uses`: by object id in lower case, what somebody with a general role does with images;
    NOTHING where it is not said. `object_ids`: a service principal's client id → its object id, where it is known.
    `gone`: the object ids, in lower case, that the directory does not have: no role is suggested for them.
    """
    known, use = groups or {}, uses or {}
    legacy, abac = _in_mode(registry, Mode.LEGACY), _in_mode(registry, Mode.ABAC)
    holders: dict[str, RoleAssignment] = {}
    for key in keys_down_to(registry.id):
        for assignment in records.by_scope.get(key, ()):
            holders.setdefault(assignment.principal_id.lower(), assignment)
    before, after = (
        {one: _decided(records, one, where, known.get(one)) for one in holders} for where in (legacy, abac)
    )
    grants = replace(records, denies=())
    needed = {one: needed_of(grants, one, before[one], legacy, abac) for one in holders}
    new = {
        one: successors(records, registry, holders[one], needed[one], use.get(one, Use.NOTHING))
        for one in holders
        if one not in gone
    }
    with_new = _with(records, registry, [one for of_one in new.values() for one in of_one])

    pulling = _pulling(records, with_new, legacy, abac, clusters, known, object_ids or {})
    pulls_for: dict[str, list[str]] = {}
    for one in pulling:
        pulls_for.setdefault(one.principal_id.lower(), []).append(one.cluster.name)
    effects = [
        Effect(
            holders[holder].principal_id,
            holders[holder].principal_type,
            before[holder],
            after[holder],
            _decided(with_new, holder, abac, known.get(holder)),
            needed[holder].general,
            new.get(holder, ()),
            tuple(pulls_for.get(holder, ())),
        )
        for holder in holders
    ]
    touched = (one for one in effects if one.loses or one.unsure or one.gains or one.assignments)
    return SwitchPlan(
        registry,
        tuple(sorted(touched, key=_effect_order)),
        tuple(sorted(pulling, key=lambda one: (not one.stops, not one.unsure, one.cluster.name.casefold()))),
        tuple(one for one in records.by_scope.get(scope_key(registry.id), ()) if one.role in _LEGACY_ONLY),
    )


def _with(records: AccessRecords, registry: Registry, new: list[NewAssignment]) -> AccessRecords:
    written = (RoleAssignment(one.name, one.name, registry.id, one.role, one.principal_id, one.kind) for one in new)
    # What one of these replaces gives nothing that it does not give.
    return replace(records, assignments=(*records.assignments, *written))


def _pulling(
    records: AccessRecords,
    with_new: AccessRecords,
    legacy: Registry,
    abac: Registry,
    clusters: Iterable[Cluster],
    groups: Mapping[str, frozenset[str]],
    object_ids: Mapping[str, str],
) -> list[ClusterEffect]:
    """Of each cluster that pulls by a role now, or of which that is unknown. Anonymous pull needs none."""
    found = []
    for cluster in () if legacy.access.anonymous_pull else clusters:
        principal = cluster.puller.object_id or object_ids.get(cluster.puller.client_id.lower(), "")
        if not principal:
            found.append(ClusterEffect(cluster, "", None, None, None))
            continue
        known = groups.get(principal.lower())
        before, after, then = (
            permission(read, principal, where, Permission.PULL, groups=known)
            for read, where in ((records, legacy), (records, abac), (with_new, abac))
        )
        if before.verdict is not Verdict.NO:
            found.append(ClusterEffect(cluster, principal, before, after, then))
    return found


def _in_mode(registry: Registry, mode: Mode) -> Registry:
    return replace(registry, access=replace(registry.access, mode=mode))


def _decided(
    records: AccessRecords, principal: str, registry: Registry, groups: frozenset[str] | None
) -> tuple[Decision, ...]:
    return tuple(permission(records, principal, registry, wanted, groups=groups) for wanted in WITH_IMAGES)


def _where(
    had: tuple[Decision, ...], has: tuple[Decision, ...], differs: Callable[[Verdict, Verdict], bool]
) -> tuple[Permission, ...]:
    pairs = zip(had, has, strict=True)
    return tuple(before.permission for before, after in pairs if differs(before.verdict, after.verdict))


def _lost(had: Verdict, has: Verdict) -> bool:
    return had is Verdict.YES and has in (Verdict.NO, Verdict.SOME)


def _unknown(had: Verdict, has: Verdict) -> bool:
    return (had is Verdict.UNKNOWN and has is not Verdict.YES) or (had is Verdict.YES and has is Verdict.UNKNOWN)


def _effect_order(effect: Effect) -> tuple[object, ...]:
    stops = bool(effect.pulls_for) and Permission.PULL in effect.loses
    return not stops, not effect.loses, not effect.unsure, -len(effect.loses), effect.principal_id.lower()
