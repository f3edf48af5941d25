"""The steps of a task as its definition in YAML has them, there and back.

https://learn.microsoft.com/azure/container-registry/container-registry-tasks-reference-yaml
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

# Of one command; a step ends after 600 s otherwise.
COMMAND_SECONDS = 3600
# What a task may take in all: eight hours.
MOST_SECONDS = 28_800


def task_definition(commands: Iterable[str]) -> str:
    """The definition of a task that runs the commands one after the other, as az writes it for one. Raises ValueError
    for a command that YAML would read differently."""
    lines = ["version: v1.1.0", "steps:"]
    for command in commands:
        lines += [f"  - cmd: {command}", "    disableWorkingDirectoryOverride: true", f"    timeout: {COMMAND_SECONDS}"]
    text = "\n".join(lines) + "\n"
    if commands_of(text) != tuple(commands):
        raise ValueError("a command can't be written as YAML")
    return text


def commands_of(definition: str) -> tuple[str, ...]:
    """What the steps of a definition run, one text a step; of a step that is no command its kind alone, since its
    arguments may be secret. None where it can't be read, or has an alias of YAML: a short text of them can be huge."""
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(definition, Loader=yaml.BaseLoader)):
            return ()
        content: Any = yaml.load(definition, Loader=yaml.BaseLoader)
        return tuple(_command_of(step) for step in content.get("steps") or ())
    except (yaml.YAMLError, AttributeError, TypeError, RecursionError):
        return ()


def _command_of(step: Mapping[str, Any]) -> str:
    kinds = [kind for kind in ("cmd", "build", "push") if kind in step]
    if kinds == ["cmd"] and isinstance(step["cmd"], str):
        return step["cmd"].strip() or "(cmd step)"
    return f"({' and '.join(kinds) or 'unknown'} step)"


def encode(definition: str) -> str:
    """As a step of a task has it."""
    return base64.b64encode(definition.encode()).decode()


def decode(content: str) -> str:
    """The definition of a step; "" where it can't be read."""
    try:
        return base64.b64decode(content, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def is_purge(command: str) -> bool:
    """Whether a command of a step is acr purge."""
    return command.split()[:2] == ["acr", "purge"]
