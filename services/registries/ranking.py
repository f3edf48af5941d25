"""Which findings of a registry matter beside those of the others, and which registry comes first. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.registries.findings import Finding, Risk

# Of fewer registries none is "nearly all".
_FEWEST = 3


@dataclass(frozen=True)
class RankedFindings:
    """A registry's findings without the widespread ones, the highest risk first."""

    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Finding | None:
        return self.findings[0] if self.findings else None

    @property
    def more(self) -> int:
        """How many there are beside the worst."""
        return max(0, len(self.findings) - 1)

    @property
    def rank(self) -> int:
        """0 for a high risk, then up; the highest number where nothing was found."""
        return list(Risk).index(self.worst.risk) if self.worst else len(Risk)


def widespread(found: Iterable[Sequence[Finding]]) -> tuple[str, ...]:
    """The titles of low risk that more than half of the registries have, the most frequent first: they say nothing of
    one registry. None of fewer than three registries. `found`: each registry's findings."""
    found = list(found)
    counts = Counter(finding.title for one in found for finding in one if finding.risk is Risk.LOW)
    most = [title for title, number in counts.most_common() if 2 * number > len(found)]
    return tuple(most) if len(found) >= _FEWEST else ()


def rank_findings(found: Mapping[str, Sequence[Finding]]) -> dict[str, RankedFindings]:
    """Registry id → its findings without the widespread ones. `found`: registry id → its findings, the highest risk
    first."""
    everywhere = set(widespread(found.values()))
    return {
        key: RankedFindings(tuple(finding for finding in findings if finding.title not in everywhere))
        for key, findings in found.items()
    }


def titles_by_risk(found: Iterable[Sequence[Finding]]) -> tuple[tuple[Finding, int], ...]:
    """One finding of each title and how many registries have it: the highest risk first, then the most frequent, the
    widespread ones last."""
    found = list(found)
    everywhere = widespread(found)
    counts = Counter(finding.title for one in found for finding in one)
    examples = {finding.title: finding for one in found for finding in one}
    order = list(Risk)
    titles = sorted(
        examples, key=lambda title: (title in everywhere, order.index(examples[title].risk), -counts[title], title)
    )
    return tuple((examples[title], counts[title]) for title in titles)
