"""Which role do I need: of all built-in roles the ones that give what is wanted and the least beside it.

Found by search over the definitions, in either mode. The least: none of what it gives can be left out, and of those of
which that is true the one that gives the least of what is dangerous, then of what changes, then of what reads.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.access.permissions import Permission
from services.access.repository_scope import ALL, RepositoryChoice, condition_for
from services.access.rights import (
    BY_REPOSITORY,
    OtherRight,
    Right,
    data_actions,
    in_order,
    rights_of,
    takes_condition,
    weight,
)
from services.access.role_definitions import BUILT_IN, RoleDefinition
from services.registries.registry import Mode


@dataclass(frozen=True)
class UseCase:
    """What is done, by whom: `principal` says whose object id the role is assigned to, of which kind."""

    name: str
    wanted: frozenset[Right]
    words: str
    principal: str
    principal_type: str = "ServicePrincipal"


_P = Permission
USE_CASES = (
    UseCase(
        "CI/CD pipeline",
        frozenset({_P.PULL, _P.PUSH}),
        "Pushes images, and pulls base images and caches.",
        "The pipeline's managed identity or service principal, best with workload identity federation: no secret.",
    ),
    UseCase(
        "Service that pulls",
        frozenset({_P.PULL}),
        "Pulls its image by tag or digest, and nothing else.",
        "The service's managed identity.",
    ),
    UseCase(
        "AKS cluster",
        frozenset({_P.PULL}),
        "Its nodes pull what the pods run.",
        "The object id of the kubelet identity, not of the control plane's identity and not a client id.",
    ),
    UseCase(
        "Developer",
        frozenset({_P.PULL, _P.PUSH, _P.READ_METADATA, _P.LIST_CATALOG}),
        "Pulls, pushes, and lists repositories and tags.",
        "A group of the team: one assignment for all its members. Azure may take hours to apply it to a new member.",
        "Group",
    ),
    UseCase(
        "Administrator",
        frozenset({_P.READ_REGISTRY, _P.WRITE_REGISTRY, OtherRight.READ_SETTINGS, OtherRight.CHANGE_SETTINGS}),
        "Manages the registry (SKU, network, webhooks, replicas), but not its images.",
        "A group of the platform team.",
        "Group",
    ),
    UseCase(
        "Clean-up job",
        frozenset({_P.PULL, _P.READ_METADATA, _P.DELETE}),
        "Reads tags and manifests to decide what to delete, then deletes it.",
        "The job's managed identity.",
    ),
    UseCase(
        "Auditor",
        frozenset({_P.READ_REGISTRY, OtherRight.READ_SETTINGS}),
        "Reads how the registry is set up, and changes nothing.",
        "A group of the auditors.",
        "Group",
    ),
)


def use_case(name: str) -> UseCase:
    """The use case of that name. Raises StopIteration for none."""
    return next(case for case in USE_CASES if case.name == name)


@dataclass(frozen=True)
class Given:
    """A role to assign, and the condition to assign it under ("" for none)."""

    role: RoleDefinition
    condition: str


@dataclass(frozen=True)
class Other:
    """A role that is not recommended. `lacks` what is wanted, or gives `more` than is recommended.

    `ignored`: it would give some of what is wanted in the registry's other mode, and gives none of it in this one.
    """

    role: RoleDefinition
    lacks: tuple[Right, ...]
    more: tuple[Right, ...]
    ignored: bool

    @property
    def suffices(self) -> bool:
        return not self.lacks

    def words(self, mode: Mode) -> str:
        """A sentence: why it is not recommended."""
        if self.ignored and mode is Mode.ABAC:
            return "Ignored in ABAC mode: access to images needs data actions, which this role lacks."
        if self.ignored:
            return "Ignored in Legacy mode: data actions, which are all it has, have no effect there."
        if self.lacks:
            return f"Not enough. Missing: {', '.join(self.lacks)}."
        if self.more:
            return f"Enough, but gives more: {', '.join(self.more)}."
        return "Gives the same."


@dataclass(frozen=True)
class Advice:
    """The least roles, all of them to be assigned to one principal on the registry.

    `lacks`: wanted, and given by no built-in role in this mode. `excess`: what they give that is not wanted.
    `beyond`: what they give, wanted or not, on repositories that were not chosen too.
    """

    mode: Mode
    choice: RepositoryChoice
    wanted: frozenset[Right]
    given: tuple[Given, ...]
    lacks: tuple[Right, ...]
    excess: tuple[Right, ...]
    beyond: tuple[Right, ...]
    others: tuple[Other, ...]


@dataclass(frozen=True)
class _Rights:
    """What some roles give on what was chosen, and beyond it."""

    here: frozenset[Right] = frozenset()
    beyond: frozenset[Right] = frozenset()

    def __or__(self, more: "_Rights") -> "_Rights":
        return _Rights(self.here | more.here, self.beyond | more.beyond)

    def cost(self, wanted: frozenset[Right]) -> int:
        return sum(map(weight, self.here - wanted)) + sum(map(weight, self.beyond))


@dataclass(frozen=True)
class _Candidate:
    role: RoleDefinition
    limited: bool
    rights: _Rights

    @property
    def here(self) -> frozenset[Right]:
        return self.rights.here


def advise(
    wanted: frozenset[Right],
    mode: Mode,
    choice: RepositoryChoice = ALL,
    roles: Mapping[str, RoleDefinition] | None = None,
) -> Advice:
    """The least of the built-in roles that give `wanted` on the chosen repositories of a registry in `mode`.

    `roles`, by GUID, as Azure says them: they go before the built-in table. A condition is there only where the mode
    and the role can have one; what is let on other repositories is in `beyond`. Raises ServiceError
    (InvalidRepository) for a choice of what can be no repository's name.
    """
    condition_for(choice)
    listed = listed_roles(roles or {})
    candidates = tuple(_candidate(role, mode, choice) for role in listed)
    possible = wanted & frozenset().union(*(candidate.here for candidate in candidates))
    best = min(_covers(possible, candidates), key=lambda found: (_union(found).cost(wanted), len(found)), default=())
    rights = _together(best, mode, choice)
    return Advice(
        mode,
        choice,
        wanted,
        tuple(
            Given(one.role, condition_for(choice, data_actions(one.role)) if one.limited else "")
            for one in sorted(best, key=lambda one: listed.index(one.role))
        ),
        in_order(wanted - possible),
        in_order(rights.here - wanted),
        in_order(rights.beyond),
        tuple(_others(possible, rights, best, candidates, mode)),
    )


def listed_roles(roles: Mapping[str, RoleDefinition]) -> tuple[RoleDefinition, ...]:
    """The roles that are about registries, in the table's order, each as Azure says it where it does."""
    return tuple(roles.get(guid, role) for guid, role in BUILT_IN.items())


def _candidate(role: RoleDefinition, mode: Mode, choice: RepositoryChoice) -> _Candidate:
    rights = rights_of(role, mode)
    limited = choice != ALL and mode is Mode.ABAC and takes_condition(role)
    beyond = frozenset[Right]() if choice == ALL or limited else rights & BY_REPOSITORY
    return _Candidate(role, limited, _Rights(rights, beyond))


def _union(candidates: tuple[_Candidate, ...]) -> _Rights:
    rights = _Rights()
    for candidate in candidates:
        rights |= candidate.rights
    return rights


def _together(candidates: tuple[_Candidate, ...], mode: Mode, choice: RepositoryChoice) -> _Rights:
    """What they give side by side: two roles may each have one of the actions that something takes."""

    def rights_together(some: Iterable[_Candidate]) -> frozenset[Right]:
        blocks = tuple(block for candidate in some for block in candidate.role.blocks)
        return rights_of(RoleDefinition("", "", "", blocks), mode)

    if choice == ALL:
        return _Rights(rights_together(candidates))
    return _Rights(
        rights_together(candidates), rights_together(one for one in candidates if not one.limited) & BY_REPOSITORY
    )


def _covers(
    wanted: frozenset[Right], candidates: tuple[_Candidate, ...], chosen: tuple[_Candidate, ...] = ()
) -> Iterator[tuple[_Candidate, ...]]:
    """Every choice of roles in which each gives something that those before it do not, until all is given."""
    if not wanted:
        yield chosen
        return
    first = in_order(wanted)[0]
    for candidate in candidates:
        if first in candidate.here:
            yield from _covers(wanted - candidate.here, candidates, (*chosen, candidate))


def _others(
    wanted: frozenset[Right],
    rights: _Rights,
    best: tuple[_Candidate, ...],
    candidates: tuple[_Candidate, ...],
    mode: Mode,
) -> Iterator[Other]:
    """The roles that give some of what is wanted, in this mode or the other, those that suffice last."""
    other_mode = Mode.LEGACY if mode is Mode.ABAC else Mode.ABAC
    found = []
    for candidate in candidates:
        there = rights_of(candidate.role, other_mode) & wanted
        if candidate in best or not (candidate.here & wanted or there):
            continue
        found.append(
            Other(
                candidate.role,
                in_order(wanted - candidate.here),
                in_order(candidate.here - rights.here),
                not candidate.here & wanted,
            )
        )
    yield from sorted(found, key=lambda other: (other.suffices, not other.ignored, len(other.more)))
