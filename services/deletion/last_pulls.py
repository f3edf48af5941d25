"""What was pulled since a rule chose it for its last pull: it stays, and so does what it belongs to. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.deletion.plan import DeletionItem, DeletionPlan
from services.images.repository_contents import RepositoryContents


@dataclass(frozen=True)
class PullsNow:
    """When digests of a repository were pulled last, as the logs say now. `why`: the reason, a sentence, where that
    can't be read; "" where it is known."""

    last: Mapping[str, datetime] = field(default_factory=dict)
    why: str = ""


# The pulls of a repository now; by tag → digest, as a pull by tag is logged without the digest.
PulledNow = Callable[[str, Mapping[str, str]], PullsNow]


def pulled_since(
    plan: DeletionPlan, items: Iterable[DeletionItem], contents: RepositoryContents, read: PulledNow
) -> Mapping[str, str]:
    """Those of `items` that stay, by digest, each with the reason: of what a rule chose for its last pull
    (`plan.pulled`) what was pulled later than the plan knew, itself or what it lists, or all of it where that is
    unknown now; and what lists it or what it refers to, which could not be used without it. `contents`: the repository
    as it is now. Reads nothing where no rule asked for it."""
    listed = {item.digest: item for item in items}
    asked = {digest: _with_children(contents, digest) for digest in listed if digest in plan.pulled}
    if not asked:
        return {}
    members = {one for family in asked.values() for one in family}
    now = read(plan.repository, {tag.name: tag.digest for tag in contents.tags if tag.digest in members})
    if now.why:
        return dict.fromkeys(asked, f"Its last pull could not be read again, and so it stays. {now.why}")
    found: dict[str, str] = {}
    for digest, family in asked.items():
        last, then = {one: now.last[one] for one in family if one in now.last}, plan.pulled[digest]
        one = max(last, key=last.__getitem__, default="")
        if not one or (then is not None and last[one] <= then):
            continue
        when = f"pulled on {last[one]:%Y-%m-%d at %H:%M} UTC, which the plan did not know"
        found[digest] = f"It was {when}." if one == digest else f"{one}, which belongs to it, was {when}."
        of = listed[digest].of
        while of in listed:
            found.setdefault(of, f"{digest}, which belongs to it, was {when}.")
            of = listed[of].of
    return found


def _with_children(contents: RepositoryContents, digest: str) -> tuple[str, ...]:
    """Nodes pull an index by its platforms."""
    manifest = contents.manifests.get(digest)
    return (digest, *(child.digest for child in manifest.children)) if manifest else (digest,)
