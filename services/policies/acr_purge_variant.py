"""What of a policy acr purge can do where it can't do all of it: it deletes no image that the policy would keep. Pure.

Each step keeps more than the policy does: of the tags that a command removes, each is one that the policy's rule chose.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from services.policies.acr_purge import (
    are_apart,
    as_acr_purge,
    purge_command,
    repositories_expression,
    tags_expression,
    untagged_rule_for,
)
from services.policies.policy import DeleteRule, KeepRule, Policy, Rule, UntaggedRule, covers
from services.wording import counted


@dataclass(frozen=True)
class Variant:
    """`commands` to run in this order, each an `acr purge …`; `differences` from the policy, a sentence each."""

    commands: tuple[str, ...]
    differences: tuple[str, ...]


def nearest_variant(policy: Policy) -> Variant | None:
    """The commands that do most of a policy that can't be exported; None for one that can be, and where nothing is
    left that deletes."""
    if not as_acr_purge(policy).reasons:
        return None
    said: list[str] = []
    kept = replace(policy, rules=tuple(_without_conditions(policy, said)))
    rules = tuple(_without_what_is_unknown(kept.rules, said))
    commands = (*_tag_commands(replace(policy, rules=rules), policy, said), *_untagged_commands(rules, said))
    return Variant(commands, tuple(dict.fromkeys(said))) if commands else None


def _numbers(policy: Policy, rule: KeepRule) -> bool:
    """Whether the newest that a rule keeps can be kept by --keep: each later rule that may meet it counts only tags
    that this one counts too, so that what is among its newest is among theirs."""
    later = policy.rules[policy.rules.index(rule) + 1 :]
    return bool(rule.newest) and all(
        covers(rule.tags, one.tags)
        for one in later
        if isinstance(one, DeleteRule) and not are_apart(rule.repositories, one.repositories)
    )


def _without_conditions(policy: Policy, said: list[str]) -> Iterator[Rule]:
    """The rules that keep, without what acr purge does not know: what fulfils no condition stays too."""
    for rule in policy.rules:
        if not isinstance(rule, KeepRule) or not (rule.newest or rule.last_of_minor or rule.signed):
            yield rule
        elif _numbers(policy, rule):
            said.append(
                f"{rule.name}: it keeps the {rule.newest:,} newest of those tags alone that acr purge would delete, "
                "and so more images."
            )
        else:
            said.append(f"{rule.name}: all tags that it matches stay, also those that fulfil none of its conditions.")
            yield replace(rule, newest=0, last_of_minor=False, signed=False)


def _without_what_is_unknown(rules: tuple[Rule, ...], said: list[str]) -> Iterator[Rule]:
    """The rules that delete, without pulls, which acr purge does not know."""
    for rule in rules:
        if not isinstance(rule, DeleteRule) or rule.not_pulled_for_days is None:
            yield rule
        elif rule.at_most is None:
            said.append(f"{rule.name} is left out: acr purge does not know when an image was pulled.")
        else:
            said.append(f"{rule.name}: only what is beyond the {rule.at_most:,} newest is deleted.")
            yield replace(rule, older_than_days=None, not_pulled_for_days=None)


def _tag_commands(variant: Policy, policy: Policy, said: list[str]) -> Iterator[str]:
    for number, rule in enumerate(variant.rules):
        if not isinstance(rule, DeleteRule):
            continue
        untagged = untagged_rule_for(variant, rule)
        before = [
            one
            for one in (*variant.rules[:number], *_left_out_before(rule, variant, policy))
            if not isinstance(one, UntaggedRule) and not are_apart(one.repositories, rule.repositories)
        ]
        # Of these the repositories are left out, exactly.
        before = [one for one in before if not (isinstance(one, KeepRule) and one.keeps_everything)]
        hidden = next((one for one in before if covers(one.tags, rule.tags)), None)
        if untagged is None:
            said.append(
                f"{rule.name} is left out: acr purge would only remove its tags, since no rule deletes what is then "
                "untagged in all of its repositories."
            )
            continue
        if hidden:
            said.append(f"{rule.name} is left out: {hidden.name} matches its tags in some of its repositories.")
            continue
        for one in before:
            if not covers(one.repositories, rule.repositories):
                said.append(f"{rule.name}: tags that {one.name} matches stay, in all repositories.")
        excluded = [pattern for one in before for pattern in one.tags]
        filtered = f"{repositories_expression(rule, variant.rules[:number])}:{tags_expression(rule.tags, excluded)}"
        yield from _commands_of(rule, filtered, untagged, _newest_kept(policy, rule), said)


def _left_out_before(rule: Rule, variant: Policy, policy: Policy) -> tuple[DeleteRule, ...]:
    """The rules of the policy that delete, come before `rule`, and are not in the variant: the first that matches a tag
    decides, also where it deletes nothing."""
    there = {one.name for one in variant.rules}
    names = [one.name for one in policy.rules]
    before = policy.rules[: names.index(rule.name)]
    return tuple(one for one in before if isinstance(one, DeleteRule) and one.name not in there)


def _newest_kept(policy: Policy, rule: DeleteRule) -> int:
    """How many of the newest the rules before keep that became --keep."""
    names = [one.name for one in policy.rules]
    return max(
        (
            one.newest
            for one in policy.rules[: names.index(rule.name)]
            if isinstance(one, KeepRule) and _numbers(policy, one)
        ),
        default=0,
    )


def _commands_of(
    rule: DeleteRule, filtered: str, untagged: UntaggedRule, newest: int, said: list[str]
) -> Iterator[str]:
    waits = untagged.older_than_days
    if waits > (0 if rule.at_most is not None else rule.older_than_days or 0):
        said.append(
            f"{rule.name}: only tags that were not updated for {counted(waits, 'day')} are removed, since "
            f"{untagged.name} waits so long."
        )
    if rule.at_most is not None:
        yield purge_command(filtered, waits, keep=rule.at_most + newest)
    if rule.older_than_days is not None:
        if rule.at_least:
            said.append(
                f"{rule.name}: the {rule.at_least:,} newest of the tags that are old enough stay, beside all that are "
                "younger."
            )
        yield purge_command(filtered, max(rule.older_than_days, waits), keep=rule.at_least + newest)


def _untagged_commands(rules: tuple[Rule, ...], said: list[str]) -> Iterator[str]:
    for number, rule in enumerate(rules):
        if not isinstance(rule, UntaggedRule):
            continue
        before = rules[:number]
        longer = [
            one
            for one in before
            if isinstance(one, UntaggedRule)
            and not are_apart(one.repositories, rule.repositories)
            and one.older_than_days > rule.older_than_days
        ]
        days = max((one.older_than_days for one in longer), default=rule.older_than_days)
        if longer:
            said.append(f"{rule.name} waits {counted(days, 'day')} in all repositories, as {longer[0].name} does.")
        yield f"{purge_command(f'{repositories_expression(rule, before)}:^$', days)} --untagged"
