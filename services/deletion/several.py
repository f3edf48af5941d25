"""One plan over several repositories of a registry, made of the plans of each. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.deletion.cleanup_rules import Rule, choose
from services.deletion.plan import DeletionPlan, Keeps, plan_deletion
from services.deletion.plan_rows import DeletedManifest, KeptManifest, deleted_manifests, kept_manifests, plan_all
from services.deletion.repository import RepositoryDeletionPlan, plan_repository_deletion
from services.deletion.running_images import RunningImages, list_places
from services.images.repository_contents import RepositoryContents


@dataclass(frozen=True)
class RepositoryPart:
    """What is deleted of one repository, and what stays: `deleted` is empty where nothing of it is."""

    contents: RepositoryContents
    plan: DeletionPlan | RepositoryDeletionPlan
    deleted: tuple[DeletedManifest, ...]
    kept: tuple[KeptManifest, ...]

    @property
    def name(self) -> str:
        return self.contents.name


@dataclass(frozen=True)
class SeveralPlan:
    """The plan of all repositories. `parts` are those of which something is deleted, `staying` the others.

    A repository that may not be deleted, or of which nothing may, keeps none of the others: a warning names it.
    """

    parts: tuple[RepositoryPart, ...]
    staying: tuple[RepositoryPart, ...]

    @property
    def blockers(self) -> tuple[str, ...]:
        """Why nothing can be deleted; empty where something can."""
        if self.parts:
            return ()
        return tuple(f"{part.name}: {blocker}" for part in self.staying for blocker in part.plan.blockers)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before, each once, with the names of its repositories."""
        stays = [f"{part.name} stays: {part.plan.blockers[0]}" for part in self.staying if part.plan.blockers]
        of: defaultdict[str, list[str]] = defaultdict(list)
        for part in self.parts:
            for warning in part.plan.warnings:
                of[warning].append(part.name)
        warns = [f"{list_places(names)}: {warning}" for warning, names in of.items()]
        return (*(stays if self.parts else ()), *warns)

    @property
    def commands(self) -> tuple[str, ...]:
        """The lines of each repository's plan."""
        return tuple(command for part in self.parts for command in part.plan.commands)


def plan_several(parts: Iterable[RepositoryPart]) -> SeveralPlan:
    """The plan of these parts, in their order."""
    listed = tuple(parts)
    return SeveralPlan(
        tuple(part for part in listed if part.deleted), tuple(part for part in listed if not part.deleted)
    )


def plan_cleanup_of(
    contents: RepositoryContents, rule: Rule, now: datetime, registry: str, running: RunningImages
) -> RepositoryPart:
    """What a rule deletes of one repository. `registry` is the registry's name; `running` as in `plan_deletion`."""
    chosen = choose(contents, rule, now)
    plan = plan_deletion(contents, chosen.digests, registry=registry, by_name=False, running=running)
    return RepositoryPart(
        contents, plan, deleted_manifests(contents, plan.unblocked), kept_manifests(contents, plan, chosen.kept)
    )


def plan_repository_of(contents: RepositoryContents, registry: str, running: RunningImages) -> RepositoryPart:
    """The deletion of one repository: all of it, or nothing where a lock or what runs keeps it."""
    plan = plan_repository_deletion(contents, registry, running)
    everything = plan_all(contents, registry, running)
    kept = tuple(one for one in kept_manifests(contents, everything) if one.kind in (Keeps.LOCK, Keeps.RUNS))
    return RepositoryPart(contents, plan, () if plan.blockers else deleted_manifests(contents, everything.items), kept)
