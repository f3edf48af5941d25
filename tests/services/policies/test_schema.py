"""The JSON schema of a policy says of a text what the parser says, as far as a schema can; and the file is its."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from services.policies.policy import Policy
from services.policies.schema import policy_schema, schema_text
from services.policies.text import PolicyTextError, format_policy, parse_policy
from tests.support.policies_at_random import policies

FILE = Path(__file__).parents[3] / "static" / "retention-policy.schema.json"
VALIDATOR = Draft202012Validator(policy_schema())
KEYS = st.sampled_from(
    ["name", "action", "registries", "rules", "ask_again_above", "repositories", "tags", "newest", "signed",
     "last_of_minor", "at_least", "at_most", "older_than_days", "not_pulled_for_days", "manifests", "share_percent",
     "gib", "other"]
)  # fmt: skip
VALUES = st.sampled_from(
    [0, 1, 100, 101, 40_000, 2_000_000, -1, 1.5, True, "", "v*", "a b", "A", "keep", "delete", "delete untagged", [],
     ["v*", "main"], ["a b"], {}, None]
)  # fmt: skip


def taken_by_parser(body: Any) -> bool:
    try:
        parse_policy(yaml.safe_dump(body, allow_unicode=True))
    except PolicyTextError:
        return False
    return True


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(policy_schema())


def test_the_file_is_the_schema_of_the_code() -> None:
    assert FILE.read_text() == schema_text(), "make schema"


@given(policies())
def test_what_the_parser_takes_the_schema_takes(policy: Policy) -> None:
    body = yaml.safe_load(format_policy(policy))
    assert not list(VALIDATOR.iter_errors(body))


@given(policies(), st.data())
def test_a_change_of_one_key_is_judged_alike(policy: Policy, data: st.DataObject) -> None:
    body = yaml.safe_load(format_policy(policy))
    ceiling = body.setdefault("ask_again_above", {})
    where = data.draw(st.sampled_from([body, ceiling, *body["rules"]]))
    key = data.draw(KEYS)
    if data.draw(st.booleans()):
        where[key] = data.draw(VALUES)
    else:
        where.pop(key, None)
    by_schema = VALIDATOR.is_valid(body)
    by_parser = taken_by_parser(body)
    if by_parser:
        assert by_schema, body
    elif by_schema:
        with pytest.raises(PolicyTextError) as raised:
            parse_policy(yaml.safe_dump(body, allow_unicode=True))
        # What only the parser can tell.
        for problem in raised.value.problems:
            assert any(
                word in problem.message for word in ("never matches", "It keeps at least", "Two rules are called")
            ), (problem, body)


@pytest.mark.parametrize(
    "text",
    [
        "name: p\nrules: []",
        "name: p",
        "rules: [{name: a, action: keep}]",
        "name: p\nrules: [{name: a, action: keep, at_most: 3}]",
        "name: p\nrules: [{name: a, action: delete}]",
        "name: p\nrules: [{name: a, action: remove}]",
        "name: p\nrules: [{name: a, action: keep, tags: [v1, 'v 1']}]",
        "name: p\nrules: [{name: a, action: keep, newest: '3'}]",
        "name: ' p'\nrules: [{name: a, action: keep}]",
        f"name: {'p' * 81}\nrules: [{{name: a, action: keep}}]",
        "[a]",
    ],
)
def test_what_neither_takes(text: str) -> None:
    body = yaml.safe_load(text)
    assert not VALIDATOR.is_valid(body)
    assert not taken_by_parser(body)
