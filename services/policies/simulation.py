"""What a policy would do with a registry: what goes and what stays, by rule, and the bytes that it frees. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from services.connection.parallel import Partial
from services.deletion.plan_rows import KeptManifest, deleted_manifests
from services.deletion.running_images import RunningImages
from services.deletion.several import RepositoryPart, SeveralPlan, plan_several
from services.images.repository_contents import RepositoryContents
from services.images.storage import freed_by_repository, freed_bytes
from services.policies.decisions import LastPulls, RepositoryDecisions, decide
from services.policies.policy import Ceiling, Policy
from services.pricing.estimates import GIB
from services.wording import counted, size


@dataclass(frozen=True)
class RuleResult:
    """A rule's share: manifests that it deletes, and manifests that it chose or keeps that stay."""

    rule: str
    deleted: int
    kept: int


@dataclass(frozen=True)
class Simulation:
    """What a policy would do with the registry of that name, by repository in the registry's order.

    `freed` are bytes that nothing which stays has too, of the `total` of what is deleted; `freed_alone` those of each
    repository if it alone were cleaned up. They are at most so many where not everything was read: `unread`
    repositories were not, and `incomplete` names those of which a manifest was not, so that nothing of them goes.
    """

    registry: str
    policy: Policy
    repositories: tuple[RepositoryDecisions, ...]
    freed: int
    total: int
    freed_alone: Mapping[str, int]
    unread: int

    @cached_property
    def deleted(self) -> int:
        """How many manifests go."""
        return sum(len(one.plan.unblocked) for one in self.repositories)

    @cached_property
    def manifests(self) -> int:
        """How many there are."""
        return sum(len(one.manifests) for one in self.repositories)

    @property
    def incomplete(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.repositories if not one.contents.complete)

    @property
    def exact(self) -> bool:
        """Whether `freed` is not only an upper bound."""
        return not self.unread and not self.incomplete

    @cached_property
    def by_rule(self) -> tuple[RuleResult, ...]:
        """Each rule's share in the order of the policy, and with the name "" what no rule decided."""
        found = Counter((one.rule, one.delete) for repository in self.repositories for one in repository.manifests)
        names = [rule.name for rule in self.policy.rules]
        listed = [RuleResult(name, found[name, True], found[name, False]) for name in (*names, "")]
        return tuple(one for one in listed if one.rule or one.kept)

    @cached_property
    def by_reason(self) -> tuple[tuple[str, int], ...]:
        """What keeps manifests, as it reads after a number, the most first."""
        found = Counter(one.by for repository in self.repositories for one in repository.manifests if not one.delete)
        return tuple(found.most_common())


def simulate(
    policy: Policy,
    read: Partial[RepositoryContents],
    now: datetime,
    *,
    registry: str,
    running: Callable[[RepositoryContents], RunningImages],
    pulls: Mapping[str, LastPulls],
    unknown_pulls: LastPulls,
) -> Simulation:
    """What `policy` would do at `now` with the registry of that name, of which `read` is what was read.

    `running`: what runs of a repository; `pulls` by repository; `unknown_pulls` says of the others why they are not
    known. Pure.
    """
    decided = tuple(
        decide(policy, one, now, registry=registry, running=running(one), pulls=pulls.get(one.name, unknown_pulls))
        for one in read.values
    )
    deleted = {one.name: frozenset(one.plan.digests) for one in decided if one.plan.unblocked}
    touched = [_only(one.contents, deleted[one.name]) for one in decided if one.name in deleted]
    return Simulation(
        registry,
        policy,
        decided,
        freed_bytes(read.values, deleted),
        freed_bytes(touched, deleted),
        freed_by_repository(read.values, deleted),
        len(read.refused) + read.untried,
    )


def _only(contents: RepositoryContents, digests: frozenset[str]) -> RepositoryContents:
    return replace(contents, rows=tuple(row for row in contents.rows if row.digest in digests))


def plan_run(decisions: Iterable[RepositoryDecisions]) -> SeveralPlan:
    """The plan that does what was decided, as a clean-up of several repositories. Pure."""
    return plan_several(
        RepositoryPart(one.contents, one.plan, deleted_manifests(one.contents, one.plan.unblocked), tuple(_kept(one)))
        for one in decisions
    )


def _kept(decisions: RepositoryDecisions) -> Iterator[KeptManifest]:
    for one in decisions.manifests:
        if not one.delete:
            rule = f"{one.rule}: " if one.rule else ""
            yield KeptManifest(one.row, one.row.tags, one.by, f"{rule}{one.reason}")


@dataclass(frozen=True)
class Difference:
    """What two policies do differently with a repository: manifests that only the first, or only the second, deletes,
    and those that both do."""

    repository: str
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    both: int


def compare(first: Simulation, second: Simulation) -> tuple[Difference, ...]:
    """The repositories with which two policies do different things, those with most differences first.

    Both must be of the same contents of the same registry.
    """
    others = {one.name: set(one.plan.digests) for one in second.repositories}
    found = []
    for one in first.repositories:
        mine, its = set(one.plan.digests), others.get(one.name, set())
        if mine != its:
            found.append(Difference(one.name, tuple(sorted(mine - its)), tuple(sorted(its - mine)), len(mine & its)))
    return tuple(sorted(found, key=lambda one: (-len(one.only_first) - len(one.only_second), one.repository)))


def above_ceiling(simulation: Simulation, ceiling: Ceiling, *, names: bool = True) -> tuple[str, ...]:
    """What of a run is above the ceiling, a sentence each; empty where nothing is. Without `names` for those who may
    list fewer repositories than it was made of."""
    return tuple(_above(simulation, ceiling, names=names))


def _above(simulation: Simulation, ceiling: Ceiling, *, names: bool) -> Iterator[str]:
    if simulation.deleted > ceiling.manifests:
        yield f"It deletes {counted(simulation.deleted, 'manifest')}: more than {ceiling.manifests:,}."
    if simulation.freed > ceiling.gib * GIB:
        yield f"It frees {size(simulation.freed)}: more than {ceiling.gib:,} GiB."
    shares = [
        (100 * len(one.plan.unblocked) / len(one.manifests), one.name)
        for one in simulation.repositories
        if one.manifests
    ]
    above = sorted(((share, name) for share, name in shares if share > ceiling.share_percent), reverse=True)
    if above:
        share, largest = above[0]
        name = largest if names else "a repository"
        more = (
            f" and more than {ceiling.share_percent} % of {counted(len(above) - 1, 'other')}" if len(above) > 1 else ""
        )
        yield f"It deletes {share:.0f} % of the manifests of {name}{more}: more than {ceiling.share_percent} %."
