"""The clusters that a change of a registry's settings may stop from pulling. Pure: the answers are the matrix's."""

from dataclasses import dataclass, replace

from services.connection.parallel import Partial
from services.pull_checks.matrix import Answer, Pair, Pulls, pull_matrix
from services.pull_checks.summary import what_is_missing
from services.registries.registry import Registry
from services.registry_lifecycle.settings import Settings, with_settings

_BY_ROLES = {Answer.CAN: 3, Answer.SOME: 2, Answer.UNKNOWN: 1, Answer.CANNOT: 0}
_BY_NETWORK = {True: 2, None: 1, False: 0}


@dataclass(frozen=True)
class StoppedPulls:
    """The pairs as they would be afterwards: `stops` can pull now, and then can't, or not certainly. Of `undetermined`
    it is unknown whether they can pull now, and the change makes it less likely. `missing`: what was not read, in
    short."""

    stops: tuple[Pair, ...] = ()
    undetermined: tuple[Pair, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence or more for each cluster that may stop, and one on what is unknown."""
        stops = tuple(
            f"{pair.cluster.name} can pull from it now, and may not be able to afterwards: {pair.reason}"
            for pair in self.stops
        )
        if not self.missing:
            return stops
        names = ", ".join(pair.cluster.name for pair in self.undetermined) or "other clusters"
        return (*stops, f"Unknown whether {names} can pull from it now, and would stop: {'; '.join(self.missing)}.")


def stopped_pulls(
    pulls: Pulls, registry: Registry, wanted: Settings, addresses: Partial[tuple[str, str]]
) -> StoppedPulls:
    """What the change of the registry's settings to `wanted` does to pulls. `addresses`: of the clusters, read again
    where the wanted settings need them and the present ones do not."""
    pulls = replace(pulls, addresses=addresses)
    after = with_settings(registry, wanted)
    pairs = tuple(zip(pull_matrix(pulls, [registry]), pull_matrix(pulls, [after]), strict=True))
    stops = tuple(then for now, then in pairs if now.can and _worse(now, then))
    undetermined = [
        (now, then) for now, then in pairs if now.can is None and then.can is not True and _less_likely(now, then)
    ]
    concerned = undetermined or (_restricts(registry, after) and not pulls.clusters.complete)
    missing = what_is_missing(pulls, (one for both in undetermined for one in both)) if concerned else ()
    return StoppedPulls(stops, tuple(then for _, then in undetermined), missing)


def _restricts(now: Registry, then: Registry) -> bool:
    """Whether the change may stop a cluster of which nothing is known."""
    return (
        now.access.mode is not then.access.mode
        or (now.access.anonymous_pull and not then.access.anonymous_pull)
        or (now.network != then.network and not then.network.open_to_all)
    )


def _worse(now: Pair, then: Pair) -> bool:
    return then.can is not True or (now.by_roles is Answer.CAN and then.by_roles is Answer.SOME)


def _less_likely(now: Pair, then: Pair) -> bool:
    removed = set(now.registry.network.ip_rules) - set(then.registry.network.ip_rules)
    return (
        _BY_ROLES[then.by_roles] < _BY_ROLES[now.by_roles]
        or _BY_NETWORK[then.path.open] < _BY_NETWORK[now.path.open]
        or (then.path.open is None and bool(removed))
    )
