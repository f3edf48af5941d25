"""Registries of all subscriptions: what ARM says, what is missing, and what an absent setting means."""

from threading import Event
from typing import Any

import pytest
from azure.mgmt.containerservice import models

from services.aks.clusters import cluster_from
from services.arm.subscriptions import Subscription
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.pricing.estimates import Part, estimate_of
from services.pricing.price_snapshot import snapshot
from services.pull_checks.checks import CheckState
from services.pull_checks.network import location
from services.registries.reading import get_registry, list_registries, not_found
from services.registries.registry import Mode, PrivateEndpoint, Registry, Usage
from tests.support.canned import ARM, Answer, Canned, reset
from tests.support.cases import case
from tests.support.shell_lines import registry as a_registry
from tests.support.shell_lines import replica

GIB = 1024**3
REFUSED = Answer(403, {"error": {"code": "AuthorizationFailed", "message": "No authorization."}})


def resource_id(subscription: str, name: str, group: str = "contoso-rg") -> str:
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/{name}"
    )


def document(subscription: str, name: str, sku: str | None = "Standard", **properties: Any) -> dict[str, Any]:
    return {
        "id": resource_id(subscription, name),
        "name": name,
        "location": "westeurope",
        "type": "Microsoft.ContainerRegistry/registries",
        **({"sku": {"name": sku, "tier": sku}} if sku else {}),
        "properties": {
            "loginServer": f"{name}-h4sh.azurecr.io",
            "creationDate": "2026-01-02T03:04:05.1234567Z",
            "provisioningState": "Succeeded",
            **properties,
        },
    }


USAGES = {
    "value": [
        {"name": "Size", "limit": 100 * GIB, "currentValue": 96 * GIB, "unit": "Bytes"},
        {"name": "Webhooks", "limit": 10, "currentValue": 2, "unit": "Count"},
        {"name": "ScopeMaps", "limit": -1, "currentValue": 3, "unit": "Count"},
    ]
}


class Estate:
    """Subscriptions with registries, served at `wire`."""

    def __init__(self, wire: Canned, **subscriptions: list[dict[str, Any]] | Answer) -> None:
        self.wire = wire
        listed = [{"subscriptionId": s, "displayName": f"contoso-{s}", "state": "Enabled"} for s in subscriptions]
        wire.on("GET", f"{ARM}/subscriptions", Answer(200, {"value": listed}))
        for subscription, registries in subscriptions.items():
            url = f"{ARM}/subscriptions/{subscription}/providers/Microsoft.ContainerRegistry/registries"
            answer = registries if isinstance(registries, Answer) else Answer(200, {"value": registries})
            wire.on("GET", url, answer)
            for registry in [] if isinstance(registries, Answer) else registries:
                wire.on("GET", f"{ARM}{registry['id']}", Answer(200, registry))
                self.usages(registry, Answer(200, USAGES))
                self.replicas(registry, Answer(200, {"value": []}))

    def usages(self, registry: dict[str, Any], answer: Any) -> None:
        self.wire.on("GET", f"{ARM}{registry['id']}/listUsages", answer)

    def replicas(self, registry: dict[str, Any], answer: Any) -> None:
        self.wire.on("GET", f"{ARM}{registry['id']}/replications", answer)


def read(wire: Canned, azure: AzureSession, **members: Any) -> Registry:
    """One registry with these members of its document."""
    one = {**document("s1", "contosoacr"), **members}
    Estate(wire, s1=[one])
    return get_registry(azure, one["id"])


def with_properties(wire: Canned, azure: AzureSession, **properties: Any) -> Registry:
    sku = properties.pop("sku", "Premium")
    return read(wire, azure, **document("s1", "contosoacr", sku, **properties))


def test_every_subscription_is_read_and_the_one_that_refuses_is_named(wire: Canned, azure: AzureSession) -> None:
    Estate(
        wire,
        s1=[document("s1", "zeta"), document("s1", "Beta")],
        s2=REFUSED,
        s3=[document("s3", "alpha")],
        s4=[],
    )
    found = list_registries(azure)
    assert [registry.name for registry in found.values] == ["alpha", "Beta", "zeta"]
    assert [(refusal.what, refusal.error.code) for refusal in found.refused] == [("contoso-s2", "AuthorizationFailed")]
    assert found.refused[0].error.title == "Could not list the registries of contoso-s2"
    assert not found.complete
    assert found.untried == 0


def test_nothing_refused_is_complete(wire: Canned, azure: AzureSession) -> None:
    Estate(wire, s1=[document("s1", "contosoacr")])
    assert list_registries(azure).complete


def test_progress_counts_subscriptions_then_registries(wire: Canned, azure: AzureSession) -> None:
    Estate(wire, s1=[document("s1", "one1one"), document("s1", "two2two")], s2=REFUSED, s3=[])
    told: list[tuple[int, int, str]] = []
    list_registries(azure, progress=lambda done, of, what: told.append((done, of, what)))
    assert told == [
        (1, 3, "subscriptions"),
        (2, 3, "subscriptions"),
        (3, 3, "subscriptions"),
        (1, 2, "registries"),
        (2, 2, "registries"),
    ]


def test_the_list_is_told_before_the_usages_are_read(wire: Canned, azure: AzureSession) -> None:
    Estate(wire, s1=[document("s1", "two2two"), document("s1", "one1one")], s2=REFUSED)
    told: list[tuple[Partial[Registry], int]] = []
    found = list_registries(azure, listed=lambda early: told.append((early, len(wire.sent))))
    ((early, requests),) = told
    assert requests == 3
    assert [registry.name for registry in early.values] == [registry.name for registry in found.values]
    assert [registry.usages for registry in early.values] == [None, None]
    assert early.refused == found.refused


def test_stopped_after_the_list_the_registries_are_there_without_usages(wire: Canned, azure: AzureSession) -> None:
    Estate(wire, s1=[document("s1", "one1one"), document("s1", "two2two")])
    stop = Event()
    found = list_registries(azure, listed=lambda _: stop.set(), stop=stop)
    assert [(registry.name, registry.usages) for registry in found.values] == [("one1one", None), ("two2two", None)]
    assert len(wire.sent) == 2


def test_stopped_at_once_no_subscription_is_read(wire: Canned, azure: AzureSession) -> None:
    Estate(wire, s1=[document("s1", "one1one")], s2=[])
    stop = Event()
    stop.set()
    assert list_registries(azure, stop=stop) == Partial((), (), 2)


def test_all_pages_of_a_subscription(wire: Canned, azure: AzureSession) -> None:
    one, two = document("s1", "one1one"), document("s1", "two2two")
    Estate(wire, s1=[one, two])
    url = f"{ARM}/subscriptions/s1/providers/Microsoft.ContainerRegistry/registries"
    wire.on("GET", url, Answer(200, {"value": [one], "nextLink": f"{url}?skip=1"}), Answer(200, {"value": [two]}))
    assert [registry.name for registry in list_registries(azure).values] == ["one1one", "two2two"]


def test_no_subscription_at_all(wire: Canned, azure: AzureSession) -> None:
    Estate(wire)
    assert list_registries(azure).values == ()


def test_where_the_subscriptions_refuse_nothing_can_be_listed(wire: Canned, azure: AzureSession) -> None:
    wire.on("GET", f"{ARM}/subscriptions", REFUSED)
    with pytest.raises(ServiceError):
        list_registries(azure)


def test_a_registry_is_what_arm_says(wire: Canned, azure: AzureSession) -> None:
    registry = read(wire, azure, tags={"team": "web", "cost": "42"})
    assert registry.login_server == "contosoacr-h4sh.azurecr.io"
    assert (registry.subscription_id, registry.resource_group) == ("s1", "contoso-rg")
    assert (registry.location, registry.sku, registry.provisioning_state) == ("westeurope", "Standard", "Succeeded")
    assert registry.created is not None
    assert registry.created.isoformat() == "2026-01-02T03:04:05.123456+00:00"
    assert registry.tags == (("cost", "42"), ("team", "web"))


def test_usages(wire: Canned, azure: AzureSession) -> None:
    registry = read(wire, azure)
    assert registry.usages == (
        Usage("Size", 96 * GIB, 100 * GIB, "Bytes"),
        Usage("Webhooks", 2, 10, "Count"),
        Usage("ScopeMaps", 3, None, "Count"),
    )
    assert (registry.stored_bytes, registry.included_bytes, registry.webhooks) == (96 * GIB, 100 * GIB, 2)
    assert registry.usage("size") == registry.usage("Size")
    assert registry.usage("Nothing") is None
    assert registry.unread == ()


@pytest.mark.parametrize("current", [-1, 2**50 + 1, 2**63 - 1, None])
def test_a_usage_that_can_not_be_is_unknown_and_named(wire: Canned, azure: AzureSession, current: int | None) -> None:
    estate = Estate(wire, s1=[document("s1", "contosoacr")])
    size, *others = USAGES["value"]
    estate.usages(document("s1", "contosoacr"), Answer(200, {"value": [size | {"currentValue": current}, *others]}))
    (found,) = list_registries(azure).values
    assert (found.stored_bytes, found.webhooks) == (None, 2)
    assert [refusal.what for refusal in found.unread] == ["usage"]
    assert estimate_of(found, snapshot("westeurope"), 30) is None


@pytest.mark.parametrize("failure", [REFUSED, Answer(404, {"error": {"code": "NotFound", "message": "M"}}), reset()])
def test_a_registry_whose_usage_refuses_is_still_there(wire: Canned, azure: AzureSession, failure: Any) -> None:
    one, two = document("s1", "one1one"), document("s1", "two2two")
    estate = Estate(wire, s1=[one, two])
    estate.usages(one, failure)
    found = list_registries(azure)
    assert found.complete
    first, second = found.values
    assert first.usages is None
    assert (first.stored_bytes, first.included_bytes, first.webhooks) == (None, None, None)
    assert [refusal.what for refusal in first.unread] == ["usage"]
    assert second.stored_bytes == 96 * GIB


def test_replicas_are_read_on_premium_only_without_the_home_region(wire: Canned, azure: AzureSession) -> None:
    premium, standard = document("s1", "premium", "Premium"), document("s1", "standard")
    estate = Estate(wire, s1=[premium, standard])
    replicas = [
        {"name": "westeurope", "location": "West Europe", "properties": {"provisioningState": "Succeeded"}},
        {
            "name": "eastus",
            "location": "East US",
            "properties": {"provisioningState": "Succeeded", "status": {"displayStatus": "Ready"}},
        },
        {"name": "japaneast", "location": "japaneast", "properties": {"provisioningState": "Creating"}},
    ]
    estate.replicas(premium, Answer(200, {"value": replicas}))
    first, second = list_registries(azure).values
    assert first.replicas == (replica("eastus"), replica("japaneast", "Creating", ""))
    assert second.replicas == ()
    assert sum(sent.path.endswith("/replications") for sent in wire.sent) == 1


@pytest.mark.parametrize("written", ["eastus", "East US", "EastUS", "EASTUS"])
def test_a_region_is_one_however_azure_writes_it(wire: Canned, azure: AzureSession, written: str) -> None:
    premium = document("s1", "premium", "Premium") | {"location": written}
    listed = case("answers/registry_home_replica_display_name")["body"]
    Estate(wire, s1=[premium]).replicas(premium, Answer(200, listed))
    (registry,) = list_registries(azure).values
    assert (registry.location, registry.replicas) == ("eastus", ())
    assert registry.stored_bytes is not None
    found = estimate_of(registry, snapshot("eastus"), 30)
    assert found is not None
    assert found.of(Part.REPLICAS) == 0
    near = cluster_from(models.ManagedCluster(CLUSTER | {"location": written}), Subscription("s1", "s1", "", ""))
    assert location(near, registry).state is CheckState.PASSED


CLUSTER = {"id": "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks1"}


def test_replicas_that_refuse_are_unread_and_not_none_at_all(wire: Canned, azure: AzureSession) -> None:
    premium = document("s1", "premium", "Premium")
    Estate(wire, s1=[premium]).replicas(premium, REFUSED)
    (registry,) = list_registries(azure).values
    assert registry.replicas is None
    assert [(refusal.what, refusal.error.status) for refusal in registry.unread] == [("replicas", 403)]
    assert registry.stored_bytes == 96 * GIB


def test_an_absent_setting_is_what_azure_then_does(wire: Canned, azure: AzureSession) -> None:
    registry = read(wire, azure, properties={})
    assert registry.network.public_access
    assert registry.network.default_action == "Allow"
    assert registry.network.open_to_all
    assert registry.network.trusted_services
    assert registry.network.ip_rules == registry.network.private_endpoints == registry.network.data_endpoints == ()
    access = registry.access
    assert access.mode is Mode.LEGACY
    assert access.arm_audience_tokens
    assert not (access.admin_user or access.anonymous_pull or access.customer_key)
    assert access.retention_days is None
    assert (registry.login_server, registry.provisioning_state, registry.created) == ("", "", None)


def test_no_properties_and_no_sku(wire: Canned, azure: AzureSession) -> None:
    one = document("s1", "contosoacr", None)
    del one["properties"]
    Estate(wire, s1=[one])
    registry = get_registry(azure, one["id"])
    assert (registry.sku, registry.login_server) == ("Classic", "")


def test_network_rules(wire: Canned, azure: AzureSession) -> None:
    connection = {
        "properties": {
            "privateEndpoint": {"id": "/subscriptions/s1/…/privateEndpoints/contoso-pe"},
            "privateLinkServiceConnectionState": {"status": "Pending"},
        }
    }
    network = with_properties(
        wire,
        azure,
        publicNetworkAccess="Enabled",
        networkRuleSet={"defaultAction": "Deny", "ipRules": [{"action": "Allow", "value": "203.0.113.0/24"}]},
        networkRuleBypassOptions="None",
        privateEndpointConnections=[connection, {}],
        dataEndpointEnabled=True,
        dataEndpointHostNames=["contosoacr.westeurope.data.azurecr.io"],
    ).network
    assert network.public_access
    assert not network.open_to_all
    assert network.ip_rules == ("203.0.113.0/24",)
    assert not network.trusted_services
    assert network.private_endpoints == (
        PrivateEndpoint("/subscriptions/s1/…/privateEndpoints/contoso-pe", "Pending"),
        PrivateEndpoint("", ""),
    )
    assert network.data_endpoints == ("contosoacr.westeurope.data.azurecr.io",)


@pytest.mark.parametrize(
    ("public", "default", "open_to_all"),
    [("Enabled", "Allow", True), ("Enabled", "Deny", False), ("Disabled", "Allow", False), ("Disabled", "Deny", False)],
)
def test_open_to_all(wire: Canned, azure: AzureSession, public: str, default: str, open_to_all: bool) -> None:
    rules = {"defaultAction": default, "ipRules": []}
    registry = with_properties(wire, azure, publicNetworkAccess=public, networkRuleSet=rules)
    assert registry.network.open_to_all == open_to_all


def test_access_settings(wire: Canned, azure: AzureSession) -> None:
    access = with_properties(
        wire,
        azure,
        roleAssignmentMode="AbacRepositoryPermissions",
        adminUserEnabled=True,
        anonymousPullEnabled=True,
        encryption={"status": "enabled"},
        policies={
            "azureADAuthenticationAsArmPolicy": {"status": "disabled"},
            "retentionPolicy": {"days": 30, "status": "enabled"},
        },
    ).access
    assert access.mode is Mode.ABAC
    assert access.admin_user and access.anonymous_pull and access.customer_key
    assert not access.arm_audience_tokens
    assert access.retention_days == 30


@pytest.mark.parametrize(("status", "days"), [("enabled", 0), ("disabled", None)])
def test_a_retention_of_no_days_is_one(wire: Canned, azure: AzureSession, status: str, days: int | None) -> None:
    policies = {"retentionPolicy": {"days": 0, "status": status}}
    assert with_properties(wire, azure, policies=policies).access.retention_days == days


def test_a_sku_and_a_mode_newer_than_the_sdk(wire: Canned, azure: AzureSession) -> None:
    registry = with_properties(wire, azure, sku="Ultra", provisioningState="Thinking", roleAssignmentMode="Abac2")
    assert (registry.sku, registry.provisioning_state, registry.access.mode) == ("Ultra", "Thinking", Mode.ABAC)


def test_the_resource_group_is_found_whatever_its_case(wire: Canned, azure: AzureSession) -> None:
    one = document("s1", "contosoacr")
    answer = {**one, "id": one["id"].replace("resourceGroups", "resourcegroups")}
    Estate(wire, s1=[one])
    wire.on("GET", f"{ARM}{one['id']}", Answer(200, answer))
    assert get_registry(azure, one["id"]).resource_group == "contoso-rg"


def test_a_registry_that_is_gone(wire: Canned, azure: AzureSession) -> None:
    gone = resource_id("s1", "contosoacr")
    wire.on("GET", f"{ARM}{gone}", Answer(404, {"error": {"code": "ResourceNotFound", "message": "Not found."}}))
    with pytest.raises(ServiceError) as raised:
        get_registry(azure, gone)
    assert (raised.value.title, raised.value.code) == ("Could not read the registry contosoacr", "ResourceNotFound")


@pytest.mark.parametrize(
    "nonsense", ["", "contosoacr", "/subscriptions/s1", "////////", resource_id("s1", ""), "/registries"]
)
def test_a_resource_id_that_is_none_is_a_service_error(wire: Canned, azure: AzureSession, nonsense: str) -> None:
    with pytest.raises(ServiceError):
        get_registry(azure, nonsense)
    assert wire.sent == []


def test_not_found_names_what_was_asked_for() -> None:
    assert "contosoacr" in not_found("contosoacr").title


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("Succeeded", ""),
        ("Failed", "The last operation did not succeed (state: Failed)"),
        ("Canceled", "The last operation did not succeed (state: Canceled)"),
        ("Creating", "An operation is still running (state: Creating)"),
        ("Updating", "An operation is still running (state: Updating)"),
        ("Deleting", "An operation is still running (state: Deleting)"),
        ("", "State not reported"),
    ],
)
def test_only_a_state_that_succeeded_is_one_to_build_on(state: str, why: str) -> None:
    assert a_registry(provisioning_state=state).unsettled == why
