"""The lines and pipelines by which each tool signs in."""

import re

import pytest

from services.access.evaluation import blocks_grant
from services.access.permissions import Permission
from services.access.role_definitions import BUILT_IN
from services.connection.errors import ServiceError
from services.registries.registry import Mode
from services.registries.sign_in import Tool, how_to_sign_in
from tests.support.shell_lines import registry

DNL = registry(name="contosoacr", login_server="contosoacr-h4sh.azurecr.io")


def text(tool: Tool, repository: str = "") -> str:
    return "\n".join(step.text for step in how_to_sign_in(DNL, tool, repository).steps)


@pytest.mark.parametrize("tool", Tool)
def test_the_login_server_is_azure_s_and_never_made_from_the_name(tool: Tool) -> None:
    way = how_to_sign_in(DNL, tool)
    said = text(tool)
    assert "contosoacr.azurecr.io" not in said
    assert DNL.login_server in said
    assert way.needs and way.lasts


@pytest.mark.parametrize("tool", [Tool.DOCKER, Tool.PODMAN, Tool.HELM, Tool.ORAS, Tool.SKOPEO])
def test_each_client_takes_the_token_on_standard_input(tool: Tool) -> None:
    way = how_to_sign_in(DNL, tool)
    program = {"helm": "helm registry"}.get(tool, tool)
    assert way.steps[-1].text == (
        "az acr login --name contosoacr --expose-token --query accessToken --output tsv | "
        f"{program} login contosoacr-h4sh.azurecr.io --username 00000000-0000-0000-0000-000000000000 --password-stdin"
    )
    assert "Three hours" in way.lasts


def test_az_is_said_to_need_more_where_the_login_server_is_not_the_name() -> None:
    assert "Reader" in how_to_sign_in(DNL, Tool.DOCKER).needs[0]
    usual = registry(name="contosoacr", login_server="contosoacr.azurecr.io")
    assert "Reader" not in how_to_sign_in(usual, Tool.DOCKER).needs[0]


def test_a_secret_is_of_a_token_that_pulls_from_one_repository_and_aks_needs_none() -> None:
    way = how_to_sign_in(DNL, Tool.KUBERNETES, "shop/web")
    assert "--repository shop/web content/read metadata/read" in way.steps[0].text
    assert '--docker-password="$TOKEN_PASSWORD"' in way.steps[1].text
    assert "expose-token" not in text(Tool.KUBERNETES)
    assert "kubelet identity" in way.warnings[0]
    assert "three hours" in way.warnings[1]


def test_a_workflow_on_github_signs_in_without_a_secret() -> None:
    said = text(Tool.GITHUB, "shop/web")
    workflow = how_to_sign_in(DNL, Tool.GITHUB, "shop/web").steps[-1].text
    assert "id-token: write" in workflow
    assert "secrets." not in workflow and "password" not in said.lower()
    assert re.findall(r"uses: (\S+)@(\S+)", workflow) == [("actions/checkout", "v6"), ("azure/login", "v3")]
    assert 'IMAGE: "contosoacr-h4sh.azurecr.io/shop/web"' in workflow
    assert "--issuer https://token.actions.githubusercontent.com" in said


def test_azure_pipelines_sign_in_by_a_service_connection() -> None:
    said = text(Tool.AZURE_PIPELINES, "shop/web")
    assert "AzureCLI@2" in said and "Docker@2" in said
    assert 'repository: "shop/web"' in said
    assert "password" not in said.lower()


@pytest.mark.parametrize(
    ("mode", "role"), [(Mode.LEGACY, "AcrPush"), (Mode.ABAC, "Container Registry Repository Writer")]
)
def test_a_pipeline_s_role_is_the_one_that_pushes_in_the_registry_s_mode(mode: Mode, role: str) -> None:
    for tool in (Tool.GITHUB, Tool.AZURE_PIPELINES):
        assert any(role in need for need in how_to_sign_in(registry(mode=mode), tool).needs)
    definition = next(one for one in BUILT_IN.values() if one.name == role)
    assert blocks_grant(definition.blocks, Permission.PUSH, mode)
    assert not blocks_grant(definition.blocks, Permission.DELETE, mode)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({"public_access": True, "default_action": "Allow"}, ""),
        ({"public_access": True, "default_action": "Deny"}, "IP rules"),
        ({"public_access": False}, "private endpoint"),
    ],
)
def test_where_the_network_lets_not_everyone_it_is_said(network: dict[str, object], said: str) -> None:
    for tool in Tool:
        needs = " ".join(how_to_sign_in(registry(**network), tool).needs)
        assert (said in needs) if said else ("private endpoint" not in needs)
    hosted = " ".join(how_to_sign_in(registry(**network), Tool.GITHUB).needs)
    assert ("Hosted runners" in hosted) is bool(said)


@pytest.mark.parametrize("tool", [Tool.GITHUB, Tool.AZURE_PIPELINES])
@pytest.mark.parametrize("hostile", ["a\nrun: curl", "${{ secrets.X }}", "$(touch gone)", 'a"b', "a #b", ""])
def test_no_name_becomes_a_part_of_a_pipeline(tool: Tool, hostile: str) -> None:
    for changed in (registry(name=hostile), registry(login_server=hostile)):
        with pytest.raises(ServiceError) as raised:
            how_to_sign_in(changed, tool)
        assert raised.value.code == "InvalidName"
    with pytest.raises(ServiceError, match="no name for a repository"):
        how_to_sign_in(DNL, tool, f"x{hostile}$")
