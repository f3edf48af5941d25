"""The steps of a task as its definition in YAML has them, there and back.

https://learn.microsoft.com/azure/container-registry/container-registry-tasks-reference-yaml
"""

import base64
import binascii
from collections.abc import Iterable
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
    """The commands of a definition, without steps that build or push; none where it can't be read."""
    try:
        content: Any = yaml.safe_load(definition)
        steps = content.get("steps") or ()
        return tuple(str(step["cmd"]).strip() for step in steps if step.get("cmd"))
    except (yaml.YAMLError, AttributeError, TypeError, RecursionError):
        return ()


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
