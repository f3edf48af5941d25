"""How each tool signs in to a registry: the exact lines, what they need, and how long the sign-in lasts.

https://learn.microsoft.com/azure/container-registry/container-registry-authentication
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from services.commands import sign_in as az_sign_in
from services.connection.errors import ServiceError
from services.connection.names import require_repository
from services.registries.registry import Mode, Registry

# Names that stand in what is shown until whoever copies it puts their own.
IDENTITY, PULL_TOKEN, REPOSITORY = "registry-pipeline", "cluster-pull", "team/app"
GITHUB_SUBJECT = "repo:contoso/app:ref:refs/heads/main"
SERVICE_CONNECTION, REGISTRY_CONNECTION = "azure-connection", "registry-connection"

_THREE_HOURS = "Three hours: then the line is run again."
# What neither YAML nor a pipeline's own expressions give a meaning.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]*")


class Tool(StrEnum):
    """What signs in."""

    DOCKER = "docker"
    PODMAN = "podman"
    HELM = "helm"
    ORAS = "oras"
    SKOPEO = "skopeo"
    KUBERNETES = "Kubernetes secret"
    GITHUB = "GitHub Actions"
    AZURE_PIPELINES = "Azure Pipelines"


@dataclass(frozen=True)
class Step:
    """Text to copy; `about` says when or where."""

    about: str
    text: str


@dataclass(frozen=True)
class SignIn:
    """How a tool signs in. `warnings` say where it is the wrong tool."""

    needs: tuple[str, ...]
    lasts: str
    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()


def how_to_sign_in(registry: Registry, tool: Tool, repository: str = "") -> SignIn:
    """The lines for one tool; `repository` is where a pipeline pushes to and a secret pulls from.

    Raises ServiceError: InvalidRepository for what can be no repository's name, InvalidName for a registry whose name
    would mean something to a pipeline.
    """
    if repository:
        require_repository("Could not write the lines", repository)
    way = _way(registry, tool, repository or REPOSITORY)
    return replace(way, needs=(*way.needs, *_reach(registry, tool)))


def pushing_role(mode: Mode) -> str:
    """The least role that lets a pipeline push."""
    return "Container Registry Repository Writer" if mode is Mode.ABAC else "AcrPush"


def _way(registry: Registry, tool: Tool, where: str) -> SignIn:
    match tool:
        case Tool.DOCKER:
            return _docker(registry)
        case Tool.PODMAN:
            return _by_token(registry, "podman", az_sign_in.podman_sign_in)
        case Tool.HELM:
            return _by_token(registry, "helm 3.8 or later", az_sign_in.helm_sign_in)
        case Tool.ORAS:
            return _by_token(registry, "oras", az_sign_in.oras_sign_in)
        case Tool.SKOPEO:
            return _by_token(registry, "skopeo", az_sign_in.skopeo_sign_in)
        case Tool.KUBERNETES:
            return _kubernetes(registry, where)
        case Tool.GITHUB:
            return _github(registry, where)
        case Tool.AZURE_PIPELINES:
            return _azure_pipelines(registry, where)


def _finds_login_server(registry: Registry) -> str:
    """What az needs to know the login server, which it otherwise makes from the name: wrong where a label is in it."""
    if registry.login_server.lower().startswith(f"{registry.name.lower()}."):
        return "az, signed in with `az login` as somebody who has a role on the registry."
    return (
        "az, signed in with `az login` as somebody who may also see the registry (Reader): else az makes the login "
        "server from the name, and this one is not made so."
    )


def _reach(registry: Registry, tool: Tool) -> tuple[str, ...]:
    """What the registry's network asks of whoever comes."""
    if registry.network.open_to_all:
        return ()
    way = (
        "A way through a private endpoint: public access is off."
        if not registry.network.public_access
        else "An address among the registry's IP rules, or a way through a private endpoint."
    )
    hosted = " Hosted runners have none: use one inside the network."
    return (f"{way}{hosted if tool in (Tool.GITHUB, Tool.AZURE_PIPELINES) else ''}",)


def _docker(registry: Registry) -> SignIn:
    return SignIn(
        (_finds_login_server(registry),),
        _THREE_HOURS,
        (
            Step("Where docker runs beside az", az_sign_in.sign_in(registry.name)),
            Step(
                "Where it does not: with a token, which no shell history keeps",
                az_sign_in.sign_in_with_token(registry.name, registry.login_server),
            ),
        ),
    )


def _by_token(registry: Registry, client: str, line: Callable[[str, str], str]) -> SignIn:
    return SignIn(
        (_finds_login_server(registry), f"{client}; no docker."),
        _THREE_HOURS,
        (Step("With a token, which no shell history keeps", line(registry.name, registry.login_server)),),
    )


def _kubernetes(registry: Registry, repository: str) -> SignIn:
    return SignIn(
        (
            "The right to create tokens and scope maps on the registry (Contributor), and kubectl at the cluster.",
            "A secret is of one namespace: repeat the second line for each.",
        ),
        "Until the token is disabled or its password ends; it has no end unless one is set.",
        (
            Step(
                f"A token of the registry's own that pulls from {repository} alone",
                az_sign_in.make_pull_token(registry.name, PULL_TOKEN, repository),
            ),
            Step(
                "The secret; pods name it in imagePullSecrets",
                az_sign_in.make_pull_secret(registry.login_server, PULL_TOKEN),
            ),
        ),
        (
            "In AKS this is the wrong tool: nodes pull as the kubelet identity, without any secret. The integration "
            "checker attaches it.",
            "The token of `az acr login` is no use in a secret: after three hours nodes can't pull with it any more.",
        ),
    )


def _github(registry: Registry, repository: str) -> SignIn:
    group = registry.resource_group
    workflow = f"""\
name: Push to {_plain(registry.name)}
on:
  push:
    branches: [main]
permissions:
  contents: read
  id-token: write
env:
  IMAGE: {json.dumps(f"{_plain(registry.login_server)}/{repository}")}
jobs:
  push:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - uses: azure/login@v3
        with:
          client-id: ${{{{ vars.AZURE_CLIENT_ID }}}}
          tenant-id: ${{{{ vars.AZURE_TENANT_ID }}}}
          subscription-id: {json.dumps(_plain(registry.subscription_id))}
      - run: az acr login --name {_plain(registry.name)}
      - run: |
          docker build --tag "$IMAGE:$GITHUB_SHA" .
          docker push "$IMAGE:$GITHUB_SHA"
"""
    return SignIn(
        (
            f"A managed identity that trusts this GitHub repository, with {pushing_role(registry.access.mode)} here.",
            "Its client id and tenant as the variables AZURE_CLIENT_ID and AZURE_TENANT_ID; they are no secrets.",
            "The subject as GitHub sends it: azure/login prints it, and newer repositories have ids in it.",
        ),
        "The job alone. There is no secret to keep or renew.",
        (
            Step("An identity for the pipeline", az_sign_in.make_identity(IDENTITY, registry.subscription_id, group)),
            Step(
                "Its trust in the workflows of one branch",
                az_sign_in.trust_github(IDENTITY, registry.subscription_id, group, GITHUB_SUBJECT),
            ),
            Step(".github/workflows/push.yaml, once the identity has its role on the registry", workflow),
        ),
    )


def _azure_pipelines(registry: Registry, repository: str) -> SignIn:
    name, server = _plain(registry.name), _plain(registry.login_server)
    with_az = f"""\
trigger: [main]
pool:
  vmImage: ubuntu-latest
steps:
  - task: AzureCLI@2
    inputs:
      azureSubscription: {SERVICE_CONNECTION}
      scriptType: bash
      scriptLocation: inlineScript
      inlineScript: |
        az acr login --name {name}
        docker build --tag "$IMAGE" .
        docker push "$IMAGE"
    env:
      IMAGE: {json.dumps(f"{server}/{repository}:$(Build.BuildId)")}
"""
    with_docker = f"""\
trigger: [main]
pool:
  vmImage: ubuntu-latest
steps:
  - task: Docker@2
    inputs:
      command: buildAndPush
      containerRegistry: {REGISTRY_CONNECTION}
      repository: {json.dumps(repository)}
      tags: $(Build.BuildId)
"""
    return SignIn(
        (
            "A service connection with workload identity federation, which has no secret: of the kind Azure Resource "
            "Manager for AzureCLI@2, of the kind Docker Registry (Azure Container Registry) for Docker@2.",
            f"{pushing_role(registry.access.mode)} on the registry for the service connection's identity.",
        ),
        "The job alone.",
        (
            Step("azure-pipelines.yml, with az", with_az),
            Step("or with the task for docker", with_docker),
        ),
    )


def _plain(name: str) -> str:
    """`name`, as it may stand in YAML and in a pipeline's shell."""
    if not _PLAIN.fullmatch(name):
        raise ServiceError(
            "Could not write the pipeline",
            "A name of the registry has signs in it that mean something to a pipeline.",
            "Take the lines of docker, and write the pipeline by hand.",
            "InvalidName",
        )
    return name
