"""What a policy would do with many registries: the figures of each, without what was read of it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from services.connection.parallel import Refusal
from services.deletion.plan import Keeps
from services.estate.potential import Saving, saving_of
from services.policies.simulation import Simulation, above_ceiling
from services.pricing.prices import Prices
from services.registries.registry import Registry


@dataclass(frozen=True)
class RegistryFigures:
    """What a simulation found of a registry. `freed` bytes are at most so many where not `exact`: `unread` repositories
    were not read, and of `incomplete` ones not every manifest.

    `running` manifests stay since they run, and `unknown` ones since it is not known whether they do; `unasked`: the
    clusters and apps that may run any of it and did not answer, each with why. `above`: what is above the policy's
    ceiling, a sentence each.
    """

    registry: Registry
    manifests: int
    deleted: int
    repositories: int
    freed: int
    exact: bool
    running: int = 0
    unknown: int = 0
    unread: int = 0
    incomplete: int = 0
    unasked: tuple[str, ...] = ()
    above: tuple[str, ...] = ()


@dataclass(frozen=True)
class ManyFigures:
    """The registries that were simulated so far, and those that could not be read, each with the reason."""

    registries: tuple[RegistryFigures, ...] = ()
    refused: tuple[Refusal, ...] = ()

    @property
    def deleted(self) -> int:
        """How many manifests would be deleted."""
        return sum(one.deleted for one in self.registries)

    @property
    def unknown(self) -> int:
        """How many manifests stay since it is not known whether they run."""
        return sum(one.unknown for one in self.registries)

    @property
    def freed(self) -> int:
        """The bytes that would be freed. Registries share none."""
        return sum(one.freed for one in self.registries)

    @property
    def exact(self) -> bool:
        """Whether all of every registry could be read."""
        return not self.refused and all(one.exact for one in self.registries)


def figures_of(registry: Registry, found: Simulation, unasked: Iterable[str]) -> RegistryFigures:
    """The figures of a simulation; `unasked` as in `RegistryFigures`."""
    return RegistryFigures(
        registry,
        found.manifests,
        found.deleted,
        sum(bool(one.plan.unblocked) for one in found.repositories),
        found.freed,
        found.exact,
        dict(found.by_reason).get(str(Keeps.RUNS), 0),
        dict(found.by_reason).get(str(Keeps.UNASKED), 0),
        found.unread,
        len(found.incomplete),
        tuple(unasked),
        above_ceiling(found, found.policy.ceiling),
    )


def saving_of_figures(found: RegistryFigures, prices: Prices | None) -> Saving:
    """What a month costs less. Nothing where nothing is deleted."""
    if not found.deleted:
        return Saving(Decimal(0), prices.currency if prices else "")
    return saving_of(found.registry, found.freed, prices)
