"""Dry run of a registry's switch from Legacy to ABAC mode: who would lose what, and which roles to assign first.

Pure functions over what was read; who may what, before and after, is `services.access.permission` alone.
https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from services.access.decisions import Decision, Verdict
from services.access.evaluation import permission
from services.access.memberships import Memberships
from services.access.permissions import Permission
from services.access.role_assignments import AccessRecords, RoleAssignment, keys_down_to, scope_key
from services.access.role_definitions import ACR_DELETE, ACR_PULL, ACR_PUSH
from services.access_review.role_successors import WITH_IMAGES, NewAssignment, Use, needed_of, successors
from services.aks.clusters import Cluster
from services.aks.puller import decide_pull
from services.registries.registry import Mode, Registry

# A registry in ABAC mode does not look at these.
_LEGACY_ONLY = (ACR_PULL, ACR_PUSH, ACR_DELETE)


@dataclass(frozen=True)
class Effect:
    """What the switch does to one principal: decisions on WITH_IMAGES, in that order.

    `before`: in Legacy mode. `after`: in ABAC mode. `then`: in ABAC mode with all of the plan's assignments.
    `general`: what it has through general roles only; `pulls_for`: the names of the clusters that pull as it.
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
        """What it certainly has and would lose, at least for some repositories."""
        return _where(self.before, self.after, _lost)

    @property
    def unsure(self) -> tuple[Permission, ...]:
        """What it may lose or keep: unknown."""
        return _where(self.before, self.after, _unknown)

    @property
    def gains(self) -> tuple[Permission, ...]:
        """What it would get, or might: through roles that the registry ignores in Legacy mode."""
        return _where(self.before, self.after, lambda had, has: had is Verdict.NO and has is not Verdict.NO)

    @property
    def remains(self) -> tuple[Permission, ...]:
        """What it certainly has and would lose, or might, even with the plan's assignments."""
        return _where(self.before, self.then, lambda had, has: had is Verdict.YES and has is not Verdict.YES)

    @property
    def more(self) -> tuple[Permission, ...]:
        """What the plan's assignments give it beyond what it has now: Azure has no closer role."""
        extra = _where(self.before, self.then, lambda had, has: had is Verdict.NO and has is not Verdict.NO)
        return tuple(one for one in extra if one not in self.gains)

    @property
    def to_decide(self) -> tuple[Permission, ...]:
        """What it has through general roles only, and would lose even with the plan's assignments."""
        return tuple(one for one in self.remains if one in self.general)


@dataclass(frozen=True)
class ClusterEffect:
    """What the switch does to the pulls of one cluster. Decisions are None if it is unknown who pulls for it.

    `missing`: what was not read and leaves a decision unknown, in short."""

    cluster: Cluster
    principal_id: str
    before: Decision | None
    after: Decision | None
    then: Decision | None
    missing: tuple[str, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether it can pull now and would lose that, at least for some repositories."""
        return bool(self.before and self.after and _lost(self.before.verdict, self.after.verdict))

    @property
    def unsure(self) -> bool:
        """Whether that is unknown."""
        return not (self.before and self.after) or _unknown(self.before.verdict, self.after.verdict)

    @property
    def kept(self) -> bool:
        """Whether it can still pull with the plan's assignments."""
        return self.then is not None and self.then.verdict is Verdict.YES


@dataclass(frozen=True)
class SwitchPlan:
    """The dry run. `effects`: principals that it affects, cluster identities first. `clusters`: those that stop first.

    `old`: assignments on the registry itself without effect in ABAC mode, to be removed at the end.
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
    memberships: Memberships | None = None,
    gone: Collection[str] = (),
) -> SwitchPlan:
    """Plans the switch of this registry from Legacy to ABAC mode.

    `groups` as in `who_can`. `uses`: by object id in lower case, what a principal with a general role does with images;
    NOTHING if not given. `memberships`: of those who pull for clusters, as the directory has them; their `groups` go
    before. `gone`: object ids, in lower case, that are not in the directory: no role is planned for them.
    """
    of_pullers, use = memberships or Memberships(), uses or {}
    known = {**(groups or {}), **of_pullers.known_groups}
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

    pulling = _pulling(records, with_new, legacy, abac, clusters, of_pullers.with_groups(known))
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
    # The assignments that these replace give nothing more.
    return replace(records, assignments=(*records.assignments, *written))


def _pulling(
    records: AccessRecords,
    with_new: AccessRecords,
    legacy: Registry,
    abac: Registry,
    clusters: Iterable[Cluster],
    memberships: Memberships,
) -> list[ClusterEffect]:
    """The effects on clusters that can pull through a role now, or may. None with anonymous pull: no role is needed."""
    found = []
    for cluster in () if legacy.access.anonymous_pull else clusters:
        before, after, then = (
            decide_pull(cluster, where, read, memberships)
            for read, where in ((records, legacy), (records, abac), (with_new, abac))
        )
        if before.decision is None or before.decision.verdict is not Verdict.NO:
            missing = tuple(dict.fromkeys((*before.missing, *after.missing)))
            decisions = (before.decision, after.decision, then.decision)
            found.append(ClusterEffect(cluster, before.principal_id, *decisions, missing))
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
