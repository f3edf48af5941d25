"""A retention policy: ordered rules over repositories and their tags, of which the first that matches decides.

A pattern is a glob: * is any number of characters, ? any one character.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from services.wording import counted

ALL = ("*",)


@dataclass(frozen=True)
class KeepRule:
    """Keeps images whose tag matches `tags`; with conditions only those that fulfil all of them.

    `newest`: among the so many newest of the repository's tags that match `tags`; 0 is no condition. `signed`: with a
    signature. `last_of_minor`: the last version of each minor (1.4.7 of 1.4). Where `tags` is all and there is no
    condition, untagged manifests stay too.
    """

    name: str
    repositories: tuple[str, ...] = ALL
    tags: tuple[str, ...] = ALL
    newest: int = 0
    signed: bool = False
    last_of_minor: bool = False

    @property
    def keeps_everything(self) -> bool:
        """Whether nothing of its repositories is deleted by a later rule."""
        return "*" in self.tags and not (self.newest or self.signed or self.last_of_minor)


@dataclass(frozen=True)
class DeleteRule:
    """Deletes of the tags that match `tags`, and no rule before: those beyond the `at_most` newest, and those that
    fulfil all other conditions that are given; never the `at_least` newest.

    `older_than_days`: not updated for; `not_pulled_for_days`: not pulled for, where that is known. None: no condition.
    """

    name: str
    repositories: tuple[str, ...] = ALL
    tags: tuple[str, ...] = ALL
    at_least: int = 0
    at_most: int | None = None
    older_than_days: int | None = None
    not_pulled_for_days: int | None = None


@dataclass(frozen=True)
class UntaggedRule:
    """Deletes untagged manifests that nothing refers to, `older_than_days` after their last update."""

    name: str
    repositories: tuple[str, ...] = ALL
    older_than_days: int = 7


Rule = KeepRule | DeleteRule | UntaggedRule


@dataclass(frozen=True)
class Ceiling:
    """What one run may delete without a second confirmation: manifests in all, the share of one repository's manifests
    in per cent, and GiB that are freed."""

    manifests: int = 1000
    share_percent: int = 50
    gib: int = 100


@dataclass(frozen=True)
class Policy:
    """Rules for the registries whose names match `registries`. What is locked or runs stays, whatever they say."""

    name: str
    rules: tuple[Rule, ...]
    registries: tuple[str, ...] = ALL
    ceiling: Ceiling = Ceiling()

    def rules_of(self, repository: str) -> tuple[Rule, ...]:
        """The rules for this repository, in their order."""
        return tuple(rule for rule in self.rules if matches(repository, rule.repositories))


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of the globs matches all of `name`."""
    return "*" in patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def covers(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    """Whether the globs `wide` surely match whatever `narrow` match. False where that is not obvious."""
    return "*" in wide or all(
        one in wide or ("*" not in one and "?" not in one and matches(one, wide)) for one in narrow
    )


def policy_warnings(policy: Policy) -> tuple[str, ...]:
    """What to know about the rules before they run, whatever a registry has."""
    return tuple(_warnings(policy))


def _warnings(policy: Policy) -> Iterator[str]:
    for rule in policy.rules:
        if isinstance(rule, DeleteRule):
            no_age = not rule.older_than_days and not rule.not_pulled_for_days
            if not rule.at_least and (rule.at_most == 0 or (rule.at_most is None and no_age)):
                yield f"The rule {rule.name} deletes every image that it matches, however new."
        elif isinstance(rule, UntaggedRule) and not rule.older_than_days:
            yield (
                f"The rule {rule.name} deletes untagged manifests at once, also those of a push that is under way: "
                "an index comes after its platforms."
            )


def describe_rule(rule: Rule) -> str:
    """What a rule does, in words: 'Delete pr-* in team/*: not updated for 30 days; at least 3 stay'."""
    where = "" if "*" in rule.repositories else f" in {', '.join(rule.repositories)}"
    if isinstance(rule, UntaggedRule):
        return f"Delete untagged manifests{where}: {_days(rule.older_than_days, 'not updated for')}"
    which = "all tags" if "*" in rule.tags else ", ".join(rule.tags)
    if isinstance(rule, KeepRule):
        if rule.newest:
            which = f"the {rule.newest:,} newest {'tags' if '*' in rule.tags else f'of {which}'}"
        parts = [
            "the last version of each minor" if rule.last_of_minor else "",
            "signed" if rule.signed else "",
        ]
        conditions = ", ".join(part for part in parts if part)
        return f"Keep {which}{where}{': ' if conditions else ''}{conditions}"
    ages = [_days(rule.older_than_days, "not updated for"), _days(rule.not_pulled_for_days, "not pulled for")]
    parts = [
        " and ".join(age for age in ages if age),
        f"at least {rule.at_least:,} stay" if rule.at_least else "",
        f"at most {rule.at_most:,} stay" if rule.at_most is not None else "",
    ]
    return f"Delete {which}{where}: {'; '.join(part for part in parts if part)}"


def _days(days: int | None, what: str) -> str:
    return "" if days is None else f"{what} {counted(days, 'day')}"
