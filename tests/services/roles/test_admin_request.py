"""What an administrator is given to run: the same assignment as the console would write, in three languages."""

import re
import shlex
from collections.abc import Callable
from dataclasses import replace

import pytest

from services.access.repository_scope import ALL, RepositoryChoice
from services.access.role_assignment_reading import PrincipalAccess
from services.access.role_assignments import AccessRecords
from services.access.role_definitions import ACR_PULL, REPOSITORY_READER
from services.aks.attach import AttachPlan, plan_attach
from services.aks.puller import PullerAccess
from services.registries.registry import Mode
from services.roles.admin_request import as_az, as_bicep, as_message, as_terraform
from services.roles.planned_assignment import PlannedAssignment
from tests.support.pull_samples import KUBELET_ID, a_cluster
from tests.support.shell_lines import registry


def plan(mode: Mode = Mode.LEGACY, choice: RepositoryChoice = ALL) -> AttachPlan:
    held = PullerAccess(KUBELET_ID, PrincipalAccess(AccessRecords(()), frozenset()))
    return plan_attach(a_cluster(), registry(mode=mode), held, (), choice)


SOME = RepositoryChoice(("team/app",), ("backend/",))


@pytest.mark.parametrize(("mode", "choice"), [(Mode.LEGACY, ALL), (Mode.ABAC, ALL), (Mode.ABAC, SOME)])
@pytest.mark.parametrize("text", [as_az, as_bicep, as_terraform])
def test_each_has_all_that_the_assignment_is(
    text: Callable[[PlannedAssignment], str], mode: Mode, choice: RepositoryChoice
) -> None:
    made = plan(mode, choice)
    said = text(made.assignment)
    assert made.principal_id == KUBELET_ID
    for part in (
        made.assignment.name,
        KUBELET_ID,
        "ServicePrincipal",
        made.role_name,
    ):
        assert part in said
    # Bicep and Terraform know a role by its GUID alone.
    assert text is as_az or (ACR_PULL if mode is Mode.LEGACY else REPOSITORY_READER) in said
    assert made.registry.name in said
    assert ("2.0" in said) is bool(made.condition)
    assert said.count("{") == said.count("}")


def test_az_names_the_role_unless_it_would_read_the_name_as_an_id() -> None:
    assignment = plan().assignment
    assert "--role AcrPull " in as_az(assignment)
    for odd in (REPOSITORY_READER, "Deployer\nlines"):
        assert f"--role {ACR_PULL} " in as_az(replace(assignment, role_name=odd))


def test_a_message_says_which_role_where_and_for_whom() -> None:
    assignment = plan().assignment
    message = as_message(assignment, "the kubelet identity of aks1")
    assert "AcrPull" in message and "the kubelet identity of aks1" in message and KUBELET_ID in message
    assert as_az(assignment) in message


def test_az_hands_the_condition_over_as_it_is() -> None:
    made = plan(Mode.ABAC, SOME)
    words = shlex.split(as_az(made.assignment))
    assert words[words.index("--condition") + 1] == made.condition
    assert words[words.index("--scope") + 1] == made.assignment.scope


def test_bicep_and_terraform_read_the_condition_as_it_is() -> None:
    made = plan(Mode.ABAC, SOME)
    bicep = re.search(r"condition: '((?:[^'\\]|\\.)*)'", as_bicep(made.assignment))
    assert bicep and re.sub(r"\\(.)", r"\1", bicep[1]) == made.condition
    terraform = re.search(r'condition +=\s"((?:[^"\\]|\\.)*)"', as_terraform(made.assignment))
    assert terraform and re.sub(r"\\(.)", r"\1", terraform[1]) == made.condition


def test_no_name_becomes_code() -> None:
    made = plan()
    hostile = replace(made, cluster=replace(made.cluster, name="a${b}'\"%{c}"))
    assert "a\\${b}\\'\"%{c}" in as_bicep(hostile.assignment)
    assert "a$${b}'\\\"%%{c}" in as_terraform(hostile.assignment)


def test_a_role_s_name_stays_in_its_comment() -> None:
    grant = replace(plan().assignment, role_name="Deployer\nresource evil", principal_type="Group")
    for said in (as_bicep(grant), as_terraform(grant)):
        assert "\nresource evil" not in said
        assert "Group" in said
    assert "--assignee-principal-type Group" in as_az(grant)
