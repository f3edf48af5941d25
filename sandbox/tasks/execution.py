"""What a run does: the steps of its task, one after the other, as far as the sandbox can."""

from __future__ import annotations

import base64
import binascii
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from sandbox.documents.errors import Document
from sandbox.registry.call import RegistryError
from sandbox.state import State
from sandbox.tasks.purge import PurgeError, parse_purge, run_purge


@dataclass(frozen=True)
class Result:
    """How a run ended: Succeeded or Failed, its log, and why it failed."""

    status: str
    log: str
    error: str = ""


def execute(state: State, registry: Document, step: Document, principal: str | None, at: datetime) -> Result:
    """Runs a step of a task, or of a request to run one. `principal`: as whom it signs in to the registry; None is the
    registry's own token, "" nobody."""
    lines = [f"{at:%Y/%m/%d %H:%M:%S} Alias support enabled for version >= 1.1.0"]
    try:
        for number, command in enumerate(_commands(step)):
            lines.append(f"{at:%Y/%m/%d %H:%M:%S} Executing step ID: acb_step_{number}")
            for line in _run(state, registry, command, principal, at):
                lines.append(line)
            lines.append(f"{at:%Y/%m/%d %H:%M:%S} Successfully executed container: acb_step_{number}")
    except (PurgeError, RegistryError) as error:
        lines += [f"Error: {error}", f"{at:%Y/%m/%d %H:%M:%S} Container failed during run: acb_step_0. No retries."]
        lines.append("failed to run task: exit status 1")
        return Result("Failed", _text(lines), "failed during run, err: exit status 1")
    return Result("Succeeded", _text(lines))


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\r\n" for line in lines)


def _commands(step: Document) -> Iterator[str]:
    if step.get("type") not in ("EncodedTask", "EncodedTaskRunRequest"):
        raise PurgeError(f"the sandbox builds no images: it can't run a step of type {step.get('type')}")
    try:
        content: Any = yaml.safe_load(base64.b64decode(step.get("encodedTaskContent") or "", validate=True))
        commands = [str(one["cmd"]) for one in content["steps"]]
    except (binascii.Error, UnicodeDecodeError, yaml.YAMLError, TypeError, KeyError) as error:
        raise PurgeError(f"failed to deserialize task and validate: {error}") from error
    yield from commands


def _run(state: State, registry: Document, command: str, principal: str | None, at: datetime) -> Iterator[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise PurgeError(f"{command}: {error}") from error
    # A container's image goes first; acr is an alias of that of acr-cli.
    if words[:2] not in (["acr", "purge"], ["mcr.microsoft.com/acr/acr-cli:0.17", "purge"]):
        raise PurgeError(f"the sandbox runs no containers but acr purge: {words[0] if words else 'nothing'}")
    purge = parse_purge(words[2:], at)
    if not _reachable(registry, principal):
        raise PurgeError("DENIED: client with IP '20.51.0.1' is not allowed access. Refer https://aka.ms/acr/firewall")
    if principal == "":
        raise PurgeError("failed to list repositories: UNAUTHORIZED: authentication required")
    yield from run_purge(state, registry, purge, principal)


def _reachable(registry: Document, principal: str | None) -> bool:
    """Whether the network rules let a task's agent pass, which is at a public address of Azure's; by its own identity
    where the registry has that bypass."""
    properties = registry["properties"]
    rules = properties.get("networkRuleSet") or {}
    open_to_all = properties.get("publicNetworkAccess") != "Disabled" and rules.get("defaultAction") != "Deny"
    return bool(open_to_all or (properties.get("networkRuleBypassAllowedForTasks") and principal))
