"""Every line that the console can show, made with sample values: for the tests of the lines themselves."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from services import commands
from services.registries import findings
from services.registries.registry import Access, Mode, Network, Registry, Replication, Usage

DIGEST = "sha256:" + "0" * 64
RESOURCE_GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-rg"
SAMPLES: Mapping[str, object] = {
    "registry": "contosoacr",
    "login_server": "contosoacr-h4sh.azurecr.io",
    "subscription_id": "11111111-1111-1111-1111-111111111111",
    "repository": "team/app",
    "reference": "v1.0.0",
    "digest": DIGEST,
    "tag": "v1.0.1",
    "delete": False,
    "write": False,
    "list": True,
    "read": True,
    "days": 30,
    "address": "203.0.113.0/24",
    "pattern": "v1.*",
    "keep": 3,
    "purge_command": "acr purge --filter '(team/app):^(pr-.*)$' --ago 30d",
    "task": "retention-1",
    "definition": "version: v1.1.0\nsteps:\n  - cmd: acr purge --filter '(a):^$' --ago 7d --untagged\n",
    "schedule": "0 3 * * *",
    "seconds": 3600,
    "task_status": "Disabled",
    "run": "ca1",
    "source": "docker.io/library/nginx:1.29",
    "file": "team-app-v1.0.0.tar",
    "image": "contoso/app:v1.0.0",
    "archive": "oci-archive:image.tar",
    "first": date(2026, 11, 1),
    "last": date(2026, 11, 30),
    "webhook": "deployhook",
    "service_uri": "https://hooks.contoso.example/acr?team=app&env=test",
    "actions": ("push", "delete"),
    "location": "westeurope",
    "status": "disabled",
    "region": "northeurope",
    "replica": "northeurope",
    "token": "contosodevice",
    "scope_map": "contosodevice-scope-map",
    "repositories": ("team/app", "team/web"),
    "description": "For contosodevice",
    "rights": ("content/read", "metadata/read"),
    "password": "password1",
    "script": "list-images.sh",
    "cluster": "aks1",
    "cluster_group": "contoso-rg",
    "group": "contoso-rg",
    "token_name": "contoso-pull",
    "identity": "contoso-pipeline",
    "subject": "repo:contoso/app:ref:refs/heads/main",
    "sku": "Standard",
    "client_id": "22222222-2222-2222-2222-222222222222",
    "principal_id": "33333333-3333-3333-3333-333333333333",
    "role": "AcrPull",
    "scope": f"{RESOURCE_GROUP}/providers/Microsoft.ContainerRegistry/registries/contosoacr",
    "budget": "registries",
    "amount": Decimal("120.50"),
    "grain": "monthly",
    "start": date(2026, 11, 1),
    "end": date(2028, 11, 1),
    "body": {"properties": {"category": "Cost", "amount": 120.5}},
    "setting": "acr-events",
    "resource_id": f"{RESOURCE_GROUP}/providers/Microsoft.ContainerRegistry/registries/contosoacr",
    "workspace_id": f"{RESOURCE_GROUP}/providers/Microsoft.OperationalInsights/workspaces/contoso-logs",
    "categories": ("ContainerRegistryRepositoryEvents",),
    "assignment_name": "44444444-4444-4444-4444-444444444444",
    "assignment_id": f"{RESOURCE_GROUP}/providers/Microsoft.Authorization/roleAssignments/44444444",
}
# What makes no line of its own.
NO_LINES = {"shell_line", "bicep_string", "hcl_string"}
# A line can be a small script; its parts are commands.
JOINTS = ("|", "&&", ";")


def makers() -> dict[str, Callable[..., str]]:
    """The public functions of services.commands, by name."""
    modules = (import_module(f"{commands.__name__}.{module.name}") for module in iter_modules(commands.__path__))
    return {
        name: function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_") and name not in NO_LINES
    }


def made(maker: Callable[..., str], samples: Mapping[str, object] = SAMPLES) -> str:
    """The line of one function. A parameter without a sample is an error: give it one in SAMPLES."""
    parameters = inspect.signature(maker).parameters.values()
    positional = [parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    required = [
        parameter.name
        for parameter in parameters
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
    ]
    missing = [name for name in (*positional, *required) if name not in samples]
    if missing:
        raise AssertionError(f"{maker.__name__}: SAMPLES in shell_lines.py has no value for {', '.join(missing)}")
    return maker(*(samples[name] for name in positional), **{name: samples[name] for name in required})


def replica(region: str, provisioning_state: str = "Succeeded", status: str = "Ready", **changes: Any) -> Replication:
    """A region beside the home of a registry, named as the console names it."""
    return replace(Replication(region, region, False, provisioning_state, status, None, True), **changes)


def registry(**changes: object) -> Registry:
    """A Premium registry in which there is nothing to find, with `changes` to it, to its network or to its access."""
    network = {
        "public_access": False,
        "default_action": "Deny",
        "ip_rules": (),
        "trusted_services": True,
        "private_endpoints": (),
        "data_endpoints": (),
    }
    access = {
        "mode": Mode.ABAC,
        "admin_user": False,
        "anonymous_pull": False,
        "arm_audience_tokens": False,
        "retention_days": 30,
        "customer_key": False,
    }
    members = {
        "id": "/subscriptions/s1/resourceGroups/contoso-rg/providers/Microsoft.ContainerRegistry/registries/contosoacr",
        "name": "contosoacr",
        "login_server": "contosoacr.azurecr.io",
        "subscription_id": "s1",
        "subscription": "contoso",
        "resource_group": "contoso-rg",
        "location": "westeurope",
        "sku": "Premium",
        "provisioning_state": "Succeeded",
        "created": datetime(2026, 1, 1, tzinfo=UTC),
        "tags": (),
        "usages": (Usage("Size", 10, 100, "Bytes"),),
        "replicas": (),
    }
    for name, value in changes.items():
        next(part for part in (network, access, members) if name in part)[name] = value
    return Registry(network=Network(**network), access=Access(**access), **members)


def fixes() -> dict[str, str]:
    """The line of every finding there is, by its title, from registries in which all is wrong."""
    wrong = {
        "provisioning_state": "Failed",
        "admin_user": True,
        "anonymous_pull": True,
        "public_access": True,
        "default_action": "Allow",
        "mode": Mode.LEGACY,
        "arm_audience_tokens": True,
        "retention_days": None,
        "usages": (Usage("Size", 95, 100, "Bytes"),),
    }
    return {
        finding.title: finding.fix
        for sku in ("Premium", "Classic")
        for finding in findings.findings_of(registry(**wrong, sku=sku))
    }
