"""A list with an odd entry: the others are read as without it, and what could not be understood is said."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.access.role_assignment_reading import list_assignments, list_roles
from services.aks.clusters import list_clusters
from services.arm.resource_groups import list_groups
from services.arm.subscriptions import Subscription, list_subscriptions
from services.child_resources.replications import list_replications
from services.child_resources.scope_maps import list_scope_maps
from services.child_resources.tokens import list_tokens
from services.child_resources.webhooks import list_webhooks
from services.connection.answers import NOT_UNDERSTOOD
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.costs.budgets import read_budgets
from services.costs.usage_details import read_usage
from services.registries.reading import registries_of
from tests.services.test_odd_answers import check_types
from tests.support.canned import ARM, CLOUD, Answer, Canned, Credential
from tests.support.odd_json import Change, as_sent, changes
from tests.support.shell_lines import registry as a_registry

SUB = Subscription("s1", "contoso", "t", "Enabled")
REGISTRY = a_registry(
    id="/subscriptions/s1/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contosoacr",
    subscription_id="s1",
    resource_group="rg",
    name="contosoacr",
)
AT = "/subscriptions/s1"
RG = f"{AT}/resourceGroups/rg/providers"
TIME = "2026-05-03T00:00:00Z"
Named = Callable[[str], dict[str, Any]]


@dataclass(frozen=True)
class Listed:
    """A list of Resource Manager: where it is, one of its entries by name, and what reads it."""

    url: str
    entry: Named
    read: Callable[[AzureSession], Partial[Any]]


def child(kind: str, **properties: Any) -> Named:
    return lambda name: {
        "id": f"{REGISTRY.id}/{kind}/{name}",
        "name": name,
        "location": "eastus",
        "properties": {"creationDate": TIME, "provisioningState": "Succeeded", **properties},
    }


LISTS = {
    "subscriptions": Listed(
        "/subscriptions",
        lambda name: {"subscriptionId": name, "displayName": name, "tenantId": "t", "state": "Enabled"},
        list_subscriptions,
    ),
    "groups": Listed(
        f"{AT}/resourcegroups",
        lambda name: {"name": name, "location": "eastus", "properties": {"provisioningState": "Succeeded"}},
        lambda azure: list_groups(azure, "s1"),
    ),
    "registries": Listed(
        f"{AT}/providers/Microsoft.ContainerRegistry/registries",
        lambda name: {
            "id": f"{RG}/Microsoft.ContainerRegistry/registries/{name}",
            "name": name,
            "location": "eastus",
            "sku": {"name": "Premium"},
            "tags": {"team": "payments"},
            "properties": {
                "loginServer": f"{name}.azurecr.io",
                "creationDate": TIME,
                "networkRuleSet": {"defaultAction": "Deny", "ipRules": [{"action": "Allow", "value": "1.2.3.4"}]},
                "privateEndpointConnections": [{"properties": {"privateEndpoint": {"id": "/e"}}}],
                "policies": {"retentionPolicy": {"days": 7, "status": "enabled"}},
            },
        },
        lambda azure: registries_of(azure, [SUB]),
    ),
    "clusters": Listed(
        f"{AT}/providers/Microsoft.ContainerService/managedClusters",
        lambda name: {
            "id": f"{RG}/Microsoft.ContainerService/managedClusters/{name}",
            "name": name,
            "location": "eastus",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {"/i": {"principalId": "p"}}},
            "properties": {
                "provisioningState": "Succeeded",
                "powerState": {"code": "Running"},
                "identityProfile": {"kubeletidentity": {"objectId": "o", "clientId": "c", "resourceId": "/k"}},
                "agentPoolProfiles": [{"name": "pool", "count": 3, "vmSize": "Standard_D2s_v5", "osType": "Linux"}],
                "networkProfile": {"outboundType": "loadBalancer"},
            },
        },
        lambda azure: list_clusters(azure, [SUB]),
    ),
    "role assignments": Listed(
        f"{AT}/providers/Microsoft.Authorization/roleAssignments",
        lambda name: {
            "id": f"/a/{name}",
            "name": name,
            "properties": {
                "roleDefinitionId": "/r",
                "principalId": "p",
                "scope": AT,
                "createdOn": TIME,
                "principalType": "User",
            },
        },
        lambda azure: list_assignments(azure, SUB),
    ),
    "roles": Listed(
        f"{AT}/providers/Microsoft.Authorization/roleDefinitions",
        lambda name: {
            "id": f"/r/{name}",
            "name": name,
            "properties": {"roleName": name, "type": "CustomRole", "permissions": [{"actions": ["*"]}]},
        },
        lambda azure: list_roles(azure, SUB),
    ),
    "tokens": Listed(
        f"{REGISTRY.id}/tokens",
        child("tokens", status="enabled", credentials={"passwords": [{"name": "password1", "expiry": TIME}]}),
        lambda azure: list_tokens(azure, REGISTRY),
    ),
    "scope maps": Listed(
        f"{REGISTRY.id}/scopeMaps",
        child("scopeMaps", actions=["repositories/app/content/read"], type="UserDefined"),
        lambda azure: list_scope_maps(azure, REGISTRY),
    ),
    "webhooks": Listed(
        f"{REGISTRY.id}/webhooks",
        child("webhooks", status="enabled", scope="app:*", actions=["push"]),
        lambda azure: list_webhooks(azure, REGISTRY),
    ),
    "replicas": Listed(
        f"{REGISTRY.id}/replications",
        child("replications", status={"displayStatus": "Ready", "timestamp": TIME}),
        lambda azure: list_replications(azure, REGISTRY),
    ),
    "budgets": Listed(
        f"{AT}/providers/Microsoft.Consumption/budgets",
        lambda name: {
            "id": f"{AT}/providers/Microsoft.Consumption/budgets/{name}",
            "name": name,
            "properties": {
                "amount": 100,
                "timeGrain": "Monthly",
                "currentSpend": {"amount": 3, "unit": "EUR"},
                "filter": {"dimensions": {"name": "ResourceId", "operator": "In", "values": ["x"]}},
            },
        },
        lambda azure: read_budgets(azure, [SUB]),
    ),
    "usage rows": Listed(
        f"{AT}/providers/Microsoft.Consumption/usageDetails",
        lambda name: {
            "properties": {
                "resourceId": f"{RG}/Microsoft.ContainerRegistry/registries/{name}",
                "date": TIME,
                "quantity": 1,
                "cost": 2,
                "billingCurrency": "EUR",
                "meterDetails": {"meterName": "Basic Registry Unit"},
            }
        },
        lambda azure: read_usage(azure, "s1", date(2026, 5, 1), date(2026, 5, 31)),
    ),
}
ODD_ENTRIES = [(name, change) for name, listed in LISTS.items() for change in changes(listed.entry("odd"))]


def read_list(name: str, *entries: Any) -> Partial[Any]:
    listed, wire = LISTS[name], Canned()
    answer = Answer(200, as_sent({"value": entries}), {"Content-Type": "application/json"})
    wire.on("GET", f"{ARM}{listed.url}", answer)
    return listed.read(AzureSession(Credential(), CLOUD, wire))


@pytest.mark.parametrize("name", LISTS)
def test_an_entry_that_is_none_costs_itself(name: str) -> None:
    good = LISTS[name].entry("good1")
    whole = read_list(name, good, LISTS[name].entry("good2"))
    assert (len(whole.values), whole.refused) == (2, ())
    for odd in ("odd", 7, [], None):
        found = read_list(name, odd, good)
        assert found.values == whole.values[:1]
        (refusal,) = found.refused
        assert refusal.error.code == NOT_UNDERSTOOD
        assert refusal.error.title.startswith("1 of 2 ")


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("body", [b"null", b"[]", b"{}", b'{"value": null}', b'{"value": {}}', b"7", b""])
def test_an_answer_that_is_no_list_is_refused_and_not_empty(name: str, body: bytes) -> None:
    wire = Canned()
    wire.on("GET", f"{ARM}{LISTS[name].url}", Answer(200, body, {"Content-Type": "application/json"}))
    try:
        found = LISTS[name].read(AzureSession(Credential(), CLOUD, wire))
    except ServiceError:
        return
    assert (found.values, len(found.refused)) == ((), 1)


@settings(max_examples=5 * settings.default.max_examples)
@given(st.sampled_from(ODD_ENTRIES))
def test_what_is_odd_in_one_entry_leaves_the_others(case: tuple[str, Change]) -> None:
    name, change = case
    good = LISTS[name].entry("good")
    (expected,) = read_list(name, good).values
    found = read_list(name, good, change.of(LISTS[name].entry("odd")))
    assert expected in found.values
    check_types(found)
    assert {refusal.error.code for refusal in found.refused} <= {NOT_UNDERSTOOD}


@pytest.mark.parametrize(
    ("half", "read"), [("\ud83d", "\ufffd"), ("a\udc00b", "a\ufffdb"), ("\ud83d\ud83d", "\ufffd\ufffd")]
)
def test_half_a_surrogate_pair_costs_a_character(half: str, read: str) -> None:
    rest = " and \U0001f600 and \\ud83d"
    entry = LISTS["registries"].entry("contosoacr")
    entry["tags"] = {"team": half + rest}
    (found,) = read_list("registries", entry).values
    assert found.tags == (("team", read + rest),)
