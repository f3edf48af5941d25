"""The JSON schema of a policy's text, made from what `parse_policy` goes by: for editors, which then complete its keys
and mark what is wrong. `python -m services.policies.schema` prints it as the file that is shipped.

It can't say that two rules have one name, that a rule never matches, or that at_least is above at_most.
"""

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import Field, fields
from typing import Any

from services.policies.policy import Ceiling, DeleteRule
from services.policies.text import (
    KINDS,
    MOST_NUMBER,
    MOST_OF,
    MOST_PATTERNS,
    MOST_RULES,
    NAME_CHARACTERS,
    PATTERN_CHARACTERS,
    PATTERNS,
)

_DESCRIPTIONS = {
    "name": "A name of its own.",
    "registries": "The registries that the policy is for, by name; without it, all.",
    "repositories": "The repositories that the rule is for; without it, all. * is any number of characters, ? any one.",
    "tags": "The tags that the rule is for; without it, all. * is any number of characters, ? any one.",
    "newest": "Keeps so many of the newest tags alone; 0 is no condition.",
    "signed": "Keeps signed images alone.",
    "last_of_minor": "Keeps the last version of each minor alone: 1.4.7 of 1.4.",
    "at_least": "So many of the newest tags that the rule matches stay.",
    "at_most": "All but so many of the newest tags that the rule matches are deleted.",
    "older_than_days": "Not updated for so many days.",
    "not_pulled_for_days": "Not pulled for so many days, where that is known.",
    "manifests": "Manifests that one run deletes without asking again.",
    "share_percent": "The share of one repository's manifests that it deletes without asking again, in per cent.",
    "gib": "GiB that it frees without asking again.",
}
_ACTIONS = {
    "keep": "Keeps what it matches, whatever later rules say.",
    "delete": "Deletes of the tags that it matches those beyond at_most, and those that fulfil all other conditions.",
    "delete untagged": "Deletes untagged manifests that nothing refers to.",
}
Schema = dict[str, Any]


def policy_schema() -> Schema:
    """The schema, of JSON Schema's draft 2020-12."""
    ceiling = _mapping({field.name: _of_field(field) for field in fields(Ceiling)}, ())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Retention policy of ACR Console",
        **_mapping(
            {
                "name": _name(),
                "registries": _patterns("registries"),
                "ask_again_above": {"description": "Above it a run asks again.", **ceiling},
                "rules": {
                    "description": "The first rule that matches decides.",
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MOST_RULES,
                    "items": {"oneOf": [_rule(action) for action in KINDS]},
                },
            },
            ("name", "rules"),
        ),
    }


def schema_text() -> str:
    """The schema as the text of its file."""
    return json.dumps(policy_schema(), indent=2) + "\n"


def _rule(action: str) -> Schema:
    kind = KINDS[action]
    properties = {"action": {"const": action}, **{field.name: _of_field(field) for field in fields(kind)}}
    found = {"title": action, "description": _ACTIONS[action], **_mapping(properties, ("name", "action"))}
    if kind is DeleteRule:
        found["anyOf"] = [{"required": [one.name]} for one in fields(kind) if one.default is None]
    return found


def _mapping(properties: Schema, required: Iterable[str]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _of_field(field: "Field[Any]") -> Schema:
    if field.name == "name":
        return _name()
    if field.name in PATTERNS:
        return _patterns(field.name)
    description = {"description": _DESCRIPTIONS[field.name]}
    if isinstance(field.default, bool):
        return {**description, "type": "boolean"}
    return {**description, "type": "integer", "minimum": 0, "maximum": MOST_OF.get(field.name, MOST_NUMBER)}


def _name() -> Schema:
    # YAML reads 2026 as a number: as a name it is text.
    return {
        "description": _DESCRIPTIONS["name"],
        "type": ["string", "number", "boolean"],
        "minLength": 1,
        "maxLength": NAME_CHARACTERS,
        "pattern": r"^\S(.*\S)?$",
    }


def _patterns(key: str) -> Schema:
    characters = "".join(sorted(PATTERNS[key][0]))
    one = {
        "type": ["string", "number", "boolean"],
        "maxLength": PATTERN_CHARACTERS,
        "pattern": f"^[{re.escape(characters)}]+$",
    }
    several = {"type": "array", "minItems": 1, "maxItems": MOST_PATTERNS, "items": one}
    return {"description": _DESCRIPTIONS[key], "anyOf": [one, several]}


if __name__ == "__main__":
    sys.stdout.write(schema_text())
