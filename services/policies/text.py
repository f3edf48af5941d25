"""A policy as YAML, there and back, with the line and column of whatever is wrong."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

import yaml

from services.policies.policy import ALL, Ceiling, DeleteRule, KeepRule, Policy, Rule, UntaggedRule, covers

KINDS: dict[str, type[KeepRule] | type[DeleteRule] | type[UntaggedRule]] = {
    "keep": KeepRule,
    "delete": DeleteRule,
    "delete untagged": UntaggedRule,
}
MOST_CHARACTERS = 100_000
MOST_RULES = 200
# In all of a policy, each time an alias of YAML repeats one.
MOST_PATTERNS = 500
PATTERN_CHARACTERS = 256
_MOST_PROBLEMS = 100
MOST_DAYS = 36_500
MOST_OF = {"share_percent": 100, "older_than_days": MOST_DAYS, "not_pulled_for_days": MOST_DAYS}
MOST_NUMBER = 1_000_000
NAME_CHARACTERS = 80
_OF_TAGS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-*?")
_OF_REPOSITORIES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-/*?")
_OF_REGISTRIES = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*?")
PATTERNS = {
    "tags": (_OF_TAGS, "tag"),
    "repositories": (_OF_REPOSITORIES, "repository"),
    "registries": (_OF_REGISTRIES, "registry"),
}


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong with the text, at a line and column from 1."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}, column {self.column}: {self.message}"


class PolicyTextError(ValueError):
    """The text is no policy; `problems` in the order of the text."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def parse_policy(text: str) -> Policy:
    """The policy that the text describes. Raises PolicyTextError with every problem that was found."""
    if len(text) > MOST_CHARACTERS:
        raise PolicyTextError([Problem(1, 1, f"A policy has at most {MOST_CHARACTERS:,} characters.")])
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise PolicyTextError([Problem(line, column, f"This is no YAML: {error.problem or error.context}.")]) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise PolicyTextError(
            [Problem(1, 1, "This is no YAML: it has characters or a depth that it can't.")]
        ) from error
    if root is None:
        raise PolicyTextError([Problem(1, 1, "The policy is empty: it needs a name and rules.")])
    reader = _Reader()
    policy = reader.policy(root)
    if reader.problems or policy is None:
        raise PolicyTextError(reader.problems)
    return policy


def format_policy(policy: Policy) -> str:
    """The policy as YAML: `parse_policy` gives the same policy again. What has its default is left out."""
    body: dict[str, Any] = {"name": policy.name}
    if policy.registries != ALL:
        body["registries"] = list(policy.registries)
    if ceiling := _changed(policy.ceiling, ()):
        body["ask_again_above"] = ceiling
    body["rules"] = [_rule_body(rule) for rule in policy.rules]
    formatted: str = yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=100, indent=2)
    return formatted


def _rule_body(rule: Rule) -> dict[str, Any]:
    action = next(name for name, kind in KINDS.items() if isinstance(rule, kind))
    return {"name": rule.name, "action": action, **_changed(rule, ("repositories", "older_than_days"))}


def _changed(value: Rule | Ceiling, always: tuple[str, ...]) -> dict[str, Any]:
    """The fields that differ from their defaults, and those that are `always` written where they have a value."""
    found: dict[str, Any] = {}
    for field in fields(value):
        of_it = getattr(value, field.name)
        if field.name != "name" and of_it is not None and (field.name in always or of_it != field.default):
            found[field.name] = list(of_it) if isinstance(of_it, tuple) else of_it
    return found


class _Reader:
    """Reads a policy from the nodes of YAML, and collects what is wrong with them. Raises PolicyTextError where that is
    too much to go on: aliases repeat a node as often as they like."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._patterns = 0

    def wrong(self, node: yaml.Node, message: str) -> None:
        self.problems.append(Problem(node.start_mark.line + 1, node.start_mark.column + 1, message))
        if len(self.problems) >= _MOST_PROBLEMS:
            raise PolicyTextError(self.problems)

    def policy(self, root: yaml.Node) -> Policy | None:
        found = self.members(root, "The policy", ("name", "registries", "ask_again_above", "rules"), ("name", "rules"))
        name = self.name(found["name"]) if "name" in found else None
        registries = self.patterns(found["registries"], "registries") if "registries" in found else ALL
        ceiling = self.ceiling(found["ask_again_above"]) if "ask_again_above" in found else Ceiling()
        rules = self.rules(found["rules"]) if "rules" in found else ()
        return None if name is None else Policy(name, rules, registries, ceiling)

    def members(
        self, node: yaml.Node, what: str, known: tuple[str, ...], needed: tuple[str, ...] = ()
    ) -> dict[str, yaml.Node]:
        """The nodes of a mapping by key, without those that are not known."""
        found: dict[str, yaml.Node] = {}
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{what} is a mapping, with the keys {', '.join(known)}.")
            return found
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f" Did you mean {near[0]}?" if near else f" Its keys are {', '.join(known)}."
                self.wrong(key, f"{what} has no key {name or '(a list or mapping)'}.{hint}")
            elif name in found:
                self.wrong(key, f"The key {name} is there twice.")
            else:
                found[name] = value
        for name in needed:
            if name not in found:
                self.wrong(node, f"{what} needs the key {name}.")
        return found

    def ceiling(self, node: yaml.Node) -> Ceiling:
        known = tuple(field.name for field in fields(Ceiling))
        found = self.members(node, "ask_again_above", known)
        return Ceiling(**{name: self.number(value, name) for name, value in found.items()})

    def rules(self, node: yaml.Node) -> tuple[Rule, ...]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.wrong(node, "rules is a list of at least one rule.")
            return ()
        if len(node.value) > MOST_RULES:
            self.wrong(node, f"A policy has at most {MOST_RULES} rules.")
            return ()
        found = [(self.rule(one, number), one) for number, one in enumerate(node.value, 1)]
        rules: list[Rule] = []
        for rule, at in found:
            if rule is None:
                continue
            if any(rule.name == other.name for other in rules):
                self.wrong(at, f"Two rules are called {rule.name}: each needs a name of its own.")
            elif before := next((other for other in rules if _hides(other, rule)), None):
                self.wrong(at, f"The rule {rule.name} never matches: {before.name} before it matches all that it does.")
            rules.append(rule)
        return tuple(rules)

    def rule(self, node: yaml.Node, number: int) -> Rule | None:
        what = f"Rule {number}"
        every = dict.fromkeys(field.name for kind in KINDS.values() for field in fields(kind))
        action = next((value for key, value in _pairs(node) if key == "action"), None)
        kind = KINDS.get(action.value) if isinstance(action, yaml.ScalarNode) else None
        if action is not None and kind is None:
            near = get_close_matches(str(action.value), KINDS, 1) if isinstance(action, yaml.ScalarNode) else []
            hint = f" Did you mean {near[0]}?" if near else ""
            self.wrong(action, f"An action is one of {', '.join(KINDS)}.{hint}")
        own = tuple(field.name for field in fields(kind)) if kind else tuple(every)
        before = len(self.problems)
        found = self.members(node, f"{what} (action {action.value})" if kind and action else what,
                             ("action", *own), ("name", "action"))  # fmt: skip
        values: dict[str, Any] = {}
        for key, value in found.items():
            if key != "action":
                values[key] = self.value(key, value)
        if kind is None or len(self.problems) > before:
            return None
        rule = kind(**values)
        for message, key in _contradictions(rule):
            self.wrong(found.get(key, node), message)
        return rule

    def value(self, key: str, node: yaml.Node) -> Any:
        if key == "name":
            return self.name(node)
        if key in PATTERNS:
            return self.patterns(node, key)
        if key in ("signed", "last_of_minor"):
            return self.scalar(
                node, key, "bool", "true or false", lambda text: text.casefold() in ("true", "yes", "on")
            )
        return self.number(node, key)

    def name(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode) or node.tag.endswith(":null") or not node.value.strip():
            self.wrong(node, "A name is text.")
            return None
        if len(node.value) > NAME_CHARACTERS or not node.value.isprintable() or node.value != node.value.strip():
            self.wrong(node, f"A name has at most {NAME_CHARACTERS} printable characters, without spaces around it.")
            return None
        return str(node.value)

    def number(self, node: yaml.Node, key: str) -> int:
        most = MOST_OF.get(key, MOST_NUMBER)
        found = self.scalar(node, key, "int", f"a whole number from 0 to {most:,}", lambda text: int(text, 10))
        if isinstance(found, int) and not 0 <= found <= most:
            self.wrong(node, f"{key} is a whole number from 0 to {most:,}.")
        return found if isinstance(found, int) else 0

    def scalar(self, node: yaml.Node, key: str, tag: str, what: str, convert: Callable[[str], Any]) -> Any:
        if isinstance(node, yaml.ScalarNode) and node.tag == f"tag:yaml.org,2002:{tag}":
            try:
                return convert(node.value)
            except ValueError:
                pass
        self.wrong(node, f"{key} is {what}.")
        return None

    def patterns(self, node: yaml.Node, key: str) -> tuple[str, ...]:
        characters, what = PATTERNS[key]
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        self._patterns += len(nodes)
        if self._patterns > MOST_PATTERNS:
            self.wrong(node, f"A policy has at most {MOST_PATTERNS} patterns in all.")
            return ()
        found: list[str] = []
        for one in nodes:
            named = isinstance(one, yaml.ScalarNode) and one.tag != "tag:yaml.org,2002:null"
            text = one.value if named else ""
            if not text:
                self.wrong(one, f"{key} is a pattern such as app-*, or a list of patterns. One that begins with * "
                           "stands in quotes.")  # fmt: skip
            elif odd := [sign for sign in text if sign not in characters]:
                self.wrong(one, f"No {what} has {odd[0]} in its name: in a pattern * is any number of characters, "
                           "? any one.")  # fmt: skip
            elif len(text) > PATTERN_CHARACTERS:
                self.wrong(one, f"A pattern has at most {PATTERN_CHARACTERS} characters.")
            else:
                found.append(text)
        if not nodes:
            self.wrong(node, f"{key} is empty: without it, all are meant.")
        return tuple(dict.fromkeys(found))


def _pairs(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((key.value, value) for key, value in node.value if isinstance(key, yaml.ScalarNode))


def _contradictions(rule: Rule) -> Iterator[tuple[str, str]]:
    """What no registry can fulfil, with the key that says it."""
    if not isinstance(rule, DeleteRule):
        return
    if rule.at_most is not None and rule.at_least > rule.at_most:
        yield f"It keeps at least {rule.at_least:,} and at most {rule.at_most:,}.", "at_most"
    if rule.at_most is None and rule.older_than_days is None and rule.not_pulled_for_days is None:
        yield (
            "It deletes nothing: give at_most, older_than_days or not_pulled_for_days; to keep, the action is keep.",
            "action",
        )


def _hides(before: Rule, rule: Rule) -> bool:
    """Whether whatever `rule` matches is surely matched by `before`."""
    if not covers(before.repositories, rule.repositories):
        return False
    if isinstance(before, KeepRule) and (before.newest or before.signed or before.last_of_minor):
        return False
    if isinstance(rule, UntaggedRule):
        return isinstance(before, UntaggedRule) or (isinstance(before, KeepRule) and before.keeps_everything)
    return not isinstance(before, UntaggedRule) and covers(before.tags, rule.tags)
