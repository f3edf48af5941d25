"""Last pulls for the rules of a policy: from a registry's logs, and compared again before a run. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from services.images.repository_contents import RepositoryContents
from services.policies.decisions import LastPulls
from services.policies.policy import DeleteRule, Policy
from services.pulls.pulls import RegistryPulls


def waits_for_pulls(policy: Policy) -> bool:
    """Whether a rule of it deletes by the last pull."""
    return bool(rules_by_pull(policy))


def rules_by_pull(policy: Policy) -> tuple[str, ...]:
    """The names of the rules that delete by the last pull."""
    return tuple(
        rule.name for rule in policy.rules if isinstance(rule, DeleteRule) and rule.not_pulled_for_days is not None
    )


def known_for(pulls: RegistryPulls, days: int, now: datetime) -> bool:
    """Whether the pulls of the last so many days are known: of a younger log nothing counts as not pulled for them."""
    return pulls.since is not None and pulls.since <= now - timedelta(days=days)


def last_pulls(pulls: RegistryPulls, read: Iterable[RepositoryContents]) -> dict[str, LastPulls]:
    """What the logs of a registry know of the pulls of each repository that was read, by its name."""
    return {one.name: LastPulls(_by_digest(pulls, one), pulls.since, pulls.why) for one in read}


def _by_digest(pulls: RegistryPulls, contents: RepositoryContents) -> dict[str, datetime]:
    return pulls.last_by_digest(contents.name, {tag.name: tag.digest for tag in contents.tags})


def newly_pulled(
    before: RegistryPulls, now: RegistryPulls, deleted: Mapping[str, Sequence[tuple[str, tuple[str, ...]]]]
) -> tuple[str, ...]:
    """What of `deleted` (repository → digests, each with its tags) was pulled after `before` was read, each as
    repository@digest. A pull by tag is logged without the digest.

    Events arrive in the logs some minutes after the pull: one of the last minutes is not among them.
    """
    found = []
    for repository, images in deleted.items():
        tags = {tag: digest for digest, of_it in images for tag in of_it}
        then, latest = before.last_by_digest(repository, tags), now.last_by_digest(repository, tags)
        found += [f"{repository}@{one}" for one, _ in images if one in latest and latest[one] != then.get(one)]
    return tuple(found)
