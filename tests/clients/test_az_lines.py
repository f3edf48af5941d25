"""Every `az` line that the console shows, against the real az: the command is there, and it knows the options."""

import functools
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from services.commands import registries as az_registries
from tests.support.az_program import AZ, MISSING
from tests.support.shell_lines import JOINTS, fixes, made, makers

pytestmark = pytest.mark.client

# Lines with options that a sample of each parameter leaves out.
WITH_OPTIONS = {
    "create_registry with options": az_registries.create_registry(
        "s1",
        "contoso-rg",
        "contosoacr",
        "Premium",
        "eastus",
        abac=True,
        public_access=False,
        name_scope="TenantReuse",
        tags=(("team", "platform"),),
    ),
    "check_name with options": az_registries.check_name(
        "s1", "contosoacr", name_scope="ResourceGroupReuse", group="rg"
    ),
}
HOSTING = Path(__file__).parents[2] / "docs" / "hosting.md"
# In blocks, and within a sentence.
IN_DOCUMENT = re.findall(r"^(?:[A-Z]+=\$\()?az .+$", HOSTING.read_text(), re.MULTILINE) + re.findall(
    r"`(az [^`]+)`", HOSTING.read_text()
)
LINES = {name: made(maker) for name, maker in makers().items()} | fixes() | WITH_OPTIONS
LINES |= {f"{HOSTING.name}: {line[:50]}": line for line in IN_DOCUMENT}


def az_commands_in(line: str) -> list[list[str]]:
    """The words of each az command in a line that may be a small script."""
    script = re.sub(r"^[A-Z_]+=\$\((.*)\)$", r"\1", line)
    commands: list[list[str]] = [[]]
    for word in shlex.split(script):
        if word in JOINTS:
            commands.append([])
        else:
            commands[-1].append(word)
    return [command[1:] for command in commands if command[:1] == ["az"]]


def parts(command: list[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The command's name, and its options with their values ('' for a flag)."""
    at = next((index for index, word in enumerate(command) if word.startswith("-")), len(command))
    options: dict[str, str] = {}
    name = ""
    for word in command[at:]:
        if word.startswith("-"):
            name = word
            options[name] = ""
        else:
            options[name] = word
    return tuple(command[:at]), options


@functools.cache
def help_of(command: tuple[str, ...], config: str) -> str:
    env = {**os.environ, "AZURE_CONFIG_DIR": config, "AZURE_CORE_COLLECT_TELEMETRY": "false", "NO_COLOR": "1"}
    done = subprocess.run([str(AZ), *command, "--help"], capture_output=True, text=True, env=env, timeout=120)
    assert done.returncode == 0, f"az {' '.join(command)} is no command: {done.stderr or done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    if not AZ:
        pytest.skip(MISSING)
    return str(tmp_path_factory.mktemp("az"))


@pytest.mark.parametrize("line", [line for line in LINES.values() if az_commands_in(line)])
def test_az_knows_the_command_and_its_options(line: str, config: str) -> None:
    for command in az_commands_in(line):
        name, options = parts(command)
        text = help_of(name, config)
        for option, value in options.items():
            described = re.search(rf"^ +{option}\b(?:.|\n)*?(?=^ +-|\Z)", text, re.MULTILINE)
            assert described, f"az {' '.join(name)} has no {option}"
            allowed = re.search(r"Allowed\s+values:\s+([^.]+)\.", described[0])
            if allowed:
                assert value in re.split(r",\s*", allowed[1].strip()), f"{option} {value}"


def test_the_lines_are_taken_apart_as_a_shell_does() -> None:
    assert az_commands_in("ACR_ID=$(az acr show --name x)") == [["acr", "show", "--name", "x"]]
    assert az_commands_in("az acr login --expose-token | docker login y") == [["acr", "login", "--expose-token"]]
    assert az_commands_in("docker pull x") == []
    assert parts(["acr", "show", "--name", "x", "--detail"]) == (("acr", "show"), {"--name": "x", "--detail": ""})
