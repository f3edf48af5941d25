"""A policy as `acr purge`, exactly where that means the same, and why not where it doesn't.

What acr purge does is in https://github.com/Azure/acr-cli (cmd/acr/purge.go, cmd/repository): it removes tags by a
regular expression and age, its --keep counts only those that are old enough, and --untagged deletes manifests that
have no tag, no subject and no index that stays. Its expressions have lookaheads (regexp2).
"""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.policies.policy import DeleteRule, KeepRule, Policy, Rule, UntaggedRule, covers, matches

# What it does otherwise with any policy: to be known before it runs.
DIFFERENCES = (
    "It does not know what runs: images that run are deleted too where the rules match them.",
    "Of an image with another tag that stays, it removes the tags that the rules choose; here all of them stay.",
    "What refers to a deleted image is deleted with it even where its own tag, or an index that lists it, stays.",
    "Signatures at tags such as sha256-….sig, and referrers of images that are gone, stay behind.",
    "It deletes the platforms of an index that is locked: the index can't be pulled afterwards.",
    "It may delete an image only a day or more after its tags, where Azure counts their removal as an update.",
)
_OF_SIGNATURES = r"sha256-[0-9a-f]{64}(\.[a-z]+)?"


@dataclass(frozen=True)
class AcrPurge:
    """`commands` to run in this order, each an `acr purge …`; none where there are `reasons` why the policy can't be
    exported, a sentence each."""

    commands: tuple[str, ...]
    reasons: tuple[str, ...] = ()


def as_acr_purge(policy: Policy) -> AcrPurge:
    """The policy as commands of acr purge, or why it is none. Pure."""
    if reasons := tuple(dict.fromkeys(_reasons(policy))):
        return AcrPurge((), reasons)
    return AcrPurge((*_tag_commands(policy), *_untagged_commands(policy)))


def _reasons(policy: Policy) -> Iterator[str]:
    deleting = [rule for rule in policy.rules if not isinstance(rule, KeepRule)]
    if not deleting:
        yield "The policy deletes nothing."
    for number, rule in enumerate(policy.rules):
        yield from _reasons_of(rule)
        for before in policy.rules[:number]:
            yield from _overlap(before, rule)
        if isinstance(rule, DeleteRule):
            yield from _needs_untagged(policy, rule)


def _reasons_of(rule: Rule) -> Iterator[str]:
    """What of one rule acr purge has no means for."""
    if isinstance(rule, KeepRule):
        if rule.newest:
            yield f"{rule.name}: acr purge can't keep the newest of all tags, only of those that it would delete."
        if rule.last_of_minor:
            yield f"{rule.name}: acr purge does not know versions."
        if rule.signed:
            yield f"{rule.name}: acr purge does not know signatures."
    elif isinstance(rule, DeleteRule):
        if rule.not_pulled_for_days is not None:
            yield f"{rule.name}: acr purge does not know when an image was pulled."
        if rule.at_least and rule.older_than_days is not None:
            yield f"{rule.name}: --keep counts only tags that are old enough: it would keep others than at_least does."


def _overlap(before: Rule, rule: Rule) -> Iterator[str]:
    """Each command is for itself: that the first rule decides can be said only for whole patterns of repositories."""
    excluded = isinstance(before, KeepRule) and before.keeps_everything
    same = isinstance(before, UntaggedRule) == isinstance(rule, UntaggedRule) or excluded
    if isinstance(rule, KeepRule) or not same or excluded:
        return
    if not (covers(before.repositories, rule.repositories) or are_apart(before.repositories, rule.repositories)):
        yield f"{before.name} and {rule.name} are for some of the same repositories, and not for all of them."


def are_apart(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether no repository matches both, surely."""
    return not any(_may_meet(one, other) for one in some for other in others)


def _may_meet(one: str, other: str) -> bool:
    if _is_literal(one):
        return matches(one, (other,))
    if _is_literal(other):
        return matches(other, (one,))
    shorter, longer = sorted((_beginning(one), _beginning(other)), key=len)
    return longer.startswith(shorter)


def _is_literal(pattern: str) -> bool:
    return "*" not in pattern and "?" not in pattern


def _beginning(pattern: str) -> str:
    """What all that matches begins with."""
    return pattern.replace("?", "*").partition("*")[0]


def _needs_untagged(policy: Policy, rule: DeleteRule) -> Iterator[str]:
    """Without --untagged the images would stay, without a tag."""
    found = untagged_rule_for(policy, rule)
    if found is None:
        yield (
            f"{rule.name}: acr purge only removes its tags. To delete the images it needs --untagged, which deletes "
            "every untagged manifest: add a rule that deletes them in the same repositories."
        )
        return
    days = 0 if rule.at_most is not None else rule.older_than_days or 0
    if found.older_than_days > days:
        yield (
            f"{found.name} waits {found.older_than_days} days, and {rule.name} {days}: acr purge would leave its "
            "images untagged until then."
        )


def untagged_rule_for(policy: Policy, rule: DeleteRule) -> UntaggedRule | None:
    """The rule that deletes what `rule` leaves untagged, in all of its repositories; None where there is none."""
    own = [one for one in policy.rules if isinstance(one, UntaggedRule)]
    found = next((one for one in own if covers(one.repositories, rule.repositories)), None)
    if found is None or any(
        isinstance(one, KeepRule) and one.keeps_everything and not _excluded_from(policy, rule, one)
        for one in policy.rules[: policy.rules.index(found)]
    ):
        return None
    return found


def _excluded_from(policy: Policy, rule: DeleteRule, keep: KeepRule) -> bool:
    """Whether `keep` takes its repositories from `rule` too, or has none of them."""
    return policy.rules.index(keep) < policy.rules.index(rule) or are_apart(keep.repositories, rule.repositories)


def _tag_commands(policy: Policy) -> Iterator[str]:
    for number, rule in enumerate(policy.rules):
        if not isinstance(rule, DeleteRule):
            continue
        before = policy.rules[:number]
        excluded = [
            pattern
            for one in before
            if not isinstance(one, UntaggedRule) and covers(one.repositories, rule.repositories)
            for pattern in one.tags
        ]
        filtered = f"{repositories_expression(rule, before)}:{tags_expression(rule.tags, excluded)}"
        if rule.at_most is not None:
            yield purge_command(filtered, 0, keep=rule.at_most)
        if rule.older_than_days is not None:
            yield purge_command(filtered, rule.older_than_days)


def _untagged_commands(policy: Policy) -> Iterator[str]:
    for number, rule in enumerate(policy.rules):
        if isinstance(rule, UntaggedRule):
            before = policy.rules[:number]
            yield f"{purge_command(f'{repositories_expression(rule, before)}:^$', rule.older_than_days)} --untagged"


def tags_expression(tags: Iterable[str], excluded: Iterable[str]) -> str:
    """The expression of these patterns without those that are excluded, and without tags of signatures."""
    return f"^(?!({'|'.join([_OF_SIGNATURES, *map(_expression, excluded)])})$)({_any_of(tags)})$"


def repositories_expression(rule: Rule, before: tuple[Rule, ...]) -> str:
    """The expression of the rule's repositories, without those of which a rule before keeps everything."""
    kept = [
        pattern for one in before if isinstance(one, KeepRule) and one.keeps_everything for pattern in one.repositories
    ]
    return f"{f'(?!({_any_of(tuple(kept))})$)' if kept else ''}({_any_of(rule.repositories)})"


def purge_command(filtered: str, days: int, keep: int = 0) -> str:
    """One command: `keep` so many of the newest that it would delete."""
    return f"acr purge --filter {shlex.quote(filtered)} --ago {days}d{f' --keep {keep}' if keep else ''}"


def _any_of(patterns: Iterable[str]) -> str:
    return "|".join(_expression(pattern) for pattern in patterns)


def _expression(pattern: str) -> str:
    """A glob as a regular expression, to be anchored. Names have no other sign that means something there."""
    return pattern.replace(".", r"\.").replace("*", ".*").replace("?", ".")
