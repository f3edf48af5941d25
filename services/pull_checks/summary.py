"""The clusters that can pull from one registry, in a sentence that says what is not known."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.connection.answers import NOT_UNDERSTOOD
from services.connection.parallel import Refusal
from services.pull_checks.matrix import Pair, Pulls, pull_matrix
from services.registries.registry import Registry


@dataclass(frozen=True)
class PullSummary:
    """The clusters that `can` pull, those of which it is unknown, and what was not read, in short.

    `lists_unread`: whether there may be clusters that are in neither, since a list of clusters was not read.
    """

    can: tuple[Pair, ...] = ()
    undetermined: tuple[Pair, ...] = ()
    missing: tuple[str, ...] = ()
    lists_unread: bool = False

    @property
    def complete(self) -> bool:
        """Whether nothing is unknown."""
        return not self.undetermined and not self.lists_unread

    @property
    def label(self) -> str:
        """'aks1, aks2', 'None', or '1 can, 3 not known: members of platform-engineers could not be read'."""
        if self.complete:
            return ", ".join(pair.cluster.name for pair in self.can) or "None"
        number = f"{len(self.undetermined):,}" if self.undetermined else ""
        others = {(True, True): " or more", (False, True): "others"}.get((bool(number), self.lists_unread), "")
        return f"{len(self.can):,} can, {number}{others} not known: {'; '.join(self.missing)}"


def summarize_pulls(pulls: Pulls, registry: Registry) -> PullSummary:
    """Who can pull from the registry, of all clusters that were read."""
    pairs = pull_matrix(pulls, [registry])
    undetermined = tuple(pair for pair in pairs if pair.can is None)
    return PullSummary(
        tuple(pair for pair in pairs if pair.can),
        undetermined,
        what_is_missing(pulls, undetermined),
        not pulls.clusters.complete,
    )


def what_is_missing(pulls: Pulls, pairs: Iterable[Pair]) -> tuple[str, ...]:
    """What was not read and leaves these pairs unknown, each once, and the lists of clusters that were not read."""
    unread = [_unread_list(refusal) for refusal in pulls.clusters.refused]
    unread += ["not every list of clusters was read"] if pulls.clusters.untried else []
    return tuple(dict.fromkeys([*(one for pair in pairs for one in pair.missing), *unread]))


def _unread_list(refusal: Refusal) -> str:
    if refusal.error.code == NOT_UNDERSTOOD:
        return refusal.error.title
    return f"clusters of {refusal.what} could not be read"
