"""What forbids a task, what is to be known before, and how it is written down."""

import shlex
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.access.role_definitions import PermissionBlock
from services.policies.acr_purge import as_acr_purge
from services.policies.policy import Policy
from services.registries.registry import Mode, SoftDelete
from services.tasks.plan import NewTask, TaskFacts, plan_task, suggest_name
from services.tasks.schedules import cron, describe_schedule
from services.tasks.steps import commands_of, decode, encode, task_definition
from tests.support.policies_at_random import policies
from tests.support.shell_lines import registry

ALL = (PermissionBlock(("*",)),)
PURGE = "acr purge --filter '(app):^(pr-.*)$' --ago 30d"
WANTED = NewTask("retention-app", (PURGE,), "0 1 * * *")
KNOWN = TaskFacts((), ALL, False)
OPEN = replace(registry(public_access=True, default_action="Allow", mode=Mode.LEGACY), soft_delete=SoftDelete(0, ""))


def test_an_open_legacy_registry_has_nothing_against_it() -> None:
    plan = plan_task(OPEN, KNOWN, WANTED)
    assert plan.blockers == ()
    assert plan.warnings == (
        "It deletes all that matches without asking, images that run too. Simulate the policy first.",
    )
    (line,) = plan.commands
    words = shlex.split(line)
    assert words[words.index("--cmd") + 1] == PURGE
    assert words[words.index("--schedule") + 1] == "0 1 * * *"
    assert "--source-acr-auth-id" not in words
    assert plan.seconds == 3600


@pytest.mark.parametrize(
    ("changes", "facts", "wanted", "said"),
    [
        ({"sku": "Classic"}, KNOWN, WANTED, "A Classic registry has no tasks."),
        ({}, KNOWN, NewTask("a b", (PURGE,), "0 1 * * *"), "5 to 50 letters"),
        ({}, TaskFacts(("Retention-App",), ALL, False), WANTED, "There is a task retention-app already."),
        ({}, TaskFacts(None, ALL, False), WANTED, "could not be read"),
        ({}, KNOWN, NewTask("retention-app", (), "0 1 * * *"), "no command of acr purge"),
        ({}, KNOWN, NewTask("retention-app", ("bash -c x",), "0 1 * * *"), "no command of acr purge"),
        ({}, TaskFacts((), (PermissionBlock(("*/read",)),), False), WANTED, "You may not create tasks"),
        ({}, TaskFacts((), ALL, True), WANTED, "Tasks do not run in a registry that has IPv6 endpoints."),
        ({"default_action": "Deny"}, KNOWN, WANTED, "(restricted) refuse a task's agent"),
        ({"public_access": False, "mode": Mode.ABAC, "bypass": False}, KNOWN, WANTED, "networkRuleBypassAllowed"),
    ],
)  # fmt: skip
def test_what_forbids_it(changes: dict[str, Any], facts: TaskFacts, wanted: NewTask, said: str) -> None:
    base: dict[str, Any] = {"public_access": True, "default_action": "Allow", "mode": Mode.LEGACY}
    bypass = changes.pop("bypass", None)
    found = registry(**(base | changes))
    found = replace(found, network=replace(found.network, tasks_bypass=bypass))
    plan = plan_task(found, facts, wanted)
    assert said in " ".join(plan.blockers)


def test_in_abac_mode_it_has_an_identity_that_needs_roles() -> None:
    plan = plan_task(registry(public_access=True, default_action="Allow", mode=Mode.ABAC), KNOWN, WANTED)
    assert plan.blockers == ()
    assert plan.own_identity
    assert (
        "Container Registry Repository Contributor and Container Registry Repository Catalog Lister" in plan.warnings[1]
    )
    assert "--source-acr-auth-id '[system]'" in plan.commands[0]
    private = registry(public_access=False, mode=Mode.ABAC)
    assert "Whether tasks pass the registry's network rules is unknown" in " ".join(
        plan_task(private, KNOWN, WANTED).warnings
    )


def test_what_is_not_known_is_said() -> None:
    said = " ".join(plan_task(OPEN, TaskFacts((), None, None), WANTED).warnings)
    assert "Whether you may create tasks is unknown" in said
    assert "IPv6 endpoints is unknown" in said


def test_several_commands_are_steps_of_one_task() -> None:
    plan = plan_task(OPEN, KNOWN, NewTask("retention-app", (PURGE, f"{PURGE} --untagged"), "0 1 * * 0"))
    words = shlex.split(plan.commands[0])
    assert words[:2] == ["printf", "%s"]
    steps = yaml.safe_load(words[2])["steps"]
    assert [step["cmd"] for step in steps] == [PURGE, f"{PURGE} --untagged"]
    assert [step["timeout"] for step in steps] == [3600, 3600]
    assert plan.seconds == 7200


@given(policies())
def test_what_any_policy_exports_is_read_back_from_its_definition(policy: Policy) -> None:
    if commands := as_acr_purge(policy).commands:
        definition = task_definition(commands)
        assert commands_of(decode(encode(definition))) == commands
        # Where a $ stands before a letter or digit, ACR Tasks would look for an alias of that name.
        assert not any(one == "$" and after.isalnum() for one, after in pairwise(definition))


@given(st.text())
def test_any_text_has_commands_or_none(text: str) -> None:
    assert isinstance(commands_of(text), tuple)
    assert decode(encode(text.encode("utf-8", "replace").decode())) is not None


@given(st.text())
def test_a_suggested_name_is_one_that_azure_takes(policy: str) -> None:
    assert not plan_task(OPEN, KNOWN, NewTask(suggest_name(policy), (PURGE,), "0 1 * * *")).blockers


def test_schedules_in_words() -> None:
    assert describe_schedule(cron(1, 0)) == "Every day at 01:00 UTC"
    assert describe_schedule(cron(22, 30, 1)) == "Every Monday at 22:30 UTC"
    assert describe_schedule("0 3 1 * *") == "0 3 1 * * (UTC)"
    assert describe_schedule("70 3 * * *") == "70 3 * * * (UTC)"


def test_a_definition_of_aliases_is_not_read() -> None:
    lists = [f"a{one}: &a{one} [{','.join([f'*a{one - 1}'] * 9) if one else 'x'}]" for one in range(9)]
    assert commands_of("\n".join((*lists, "steps:", "  - cmd: *a8"))) == ()


def test_steps_that_are_no_command_are_listed_by_their_kind() -> None:
    steps = ("cmd: acr purge --ago 1d", "build: --build-arg TOKEN=secret .", "push: [app]", "cmd: [acr purge]", "id: x")
    found = commands_of("steps:\n" + "\n".join(f"  - {step}" for step in steps))
    assert found == ("acr purge --ago 1d", "(build step)", "(push step)", "(cmd step)", "(unknown step)")
