"""Registries, replicas and webhooks: what a client creates, changes and deletes, and what it is refused."""

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.containerregistry.models import Registry, Sku

from sandbox.registry.webhook_events import MOST, matches
from tests.support.azure_clients import REGISTRY, SUBSCRIPTION, Arm, client

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/casacloud_rg1"
REGISTRIES = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries"


@pytest.fixture
def make(arm):
    """Creates a registry and, after the test, deletes it."""
    made = []

    def create(name, sku="Basic", **properties):
        path = f"{REGISTRIES}/{name}"
        answer = arm("PUT", path, {"location": "eastus", "sku": {"name": sku}, "properties": properties})
        assert answer.status_code == 201, answer.text
        made.append(path)
        assert arm.poll(answer) == ["Creating", "Succeeded"]
        return path

    yield create
    for path in made:
        arm("DELETE", path)


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_the_sdk_lists_and_creates_and_deletes(running):
    with client(ContainerRegistryManagementClient, running.ready, SUBSCRIPTION) as registries:
        (walkthrough,) = registries.registries.list()
        assert (walkthrough.name, walkthrough.sku.name) == ("casaacr01", "Standard")
        assert walkthrough.login_server == running.ready["registries"]["casaacr01"]
        creating = registries.registries.begin_create(
            "casacloud_rg1", "contosofresh", Registry(location="East US", sku=Sku(name="Basic"))
        )
        created = creating.result()
        assert (created.provisioning_state, created.location) == ("Succeeded", "eastus")
        assert created.login_server.startswith("localhost:")
        registries.registries.begin_delete("casacloud_rg1", "contosofresh").result()
        assert [found.name for found in registries.registries.list()] == ["casaacr01"]


def test_a_new_registry_shows_its_state_until_the_operation_ends(arm):
    path = f"{REGISTRIES}/contosostate"
    created = arm("PUT", path, {"location": "eastus", "sku": {"name": "Basic"}})
    assert created.json()["properties"]["provisioningState"] == "Creating"
    assert created.headers["Retry-After"] == "1"
    states = [arm("GET", path).json()["properties"]["provisioningState"] for _ in range(2)]
    assert states == ["Creating", "Succeeded"]
    deleted = arm("DELETE", path)
    assert (deleted.status_code, arm.poll(deleted)) == (202, ["Deleting", 200])
    assert code(arm("GET", path)) == (404, "ResourceNotFound")
    assert arm("DELETE", path).status_code == 204


def test_nothing_private_is_ever_shown(arm):
    for path in (REGISTRY, f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerRegistry/registries"):
        assert "_sandbox" not in arm("GET", path).text
    assert "_sandbox" not in arm("PATCH", REGISTRY, {"tags": {}}).text


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("four", {"location": "eastus", "sku": {"name": "Basic"}}, (400, "InvalidRegistryName")),
        ("with-dash", {"location": "eastus", "sku": {"name": "Basic"}}, (400, "InvalidRegistryName")),
        ("CasaAcr01", {"location": "eastus", "sku": {"name": "Basic"}}, (409, "AlreadyInUse")),
        ("contosobad", {"location": "eastus", "sku": {"name": "Gold"}}, (400, "InvalidSku")),
        ("contosobad", {"location": "eastus", "sku": {"name": "Classic"}}, (400, "InvalidSku")),
        ("contosobad", {"location": "eastus"}, (400, "InvalidSku")),
        ("contosobad", {"sku": {"name": "Basic"}}, (400, "LocationRequired")),
        (
            "contosobad",
            {"location": "atlantis", "sku": {"name": "Basic"}},
            (400, "LocationNotAvailableForResourceType"),
        ),
        (
            "contosobad",
            {"location": "eastus", "sku": {"name": "Standard"}, "properties": {"publicNetworkAccess": "Disabled"}},
            (400, "SkuNotSupported"),
        ),
        (
            "contosobad",
            {"location": "eastus", "sku": {"name": "Basic"}, "properties": {"anonymousPullEnabled": True}},
            (400, "SkuNotSupported"),
        ),
        (
            "contosobad",
            {"location": "eastus", "sku": {"name": "Basic"}, "properties": {"policies": "none"}},
            (400, "InvalidRequestContent"),
        ),
        ("contosobad", ["not", "an", "object"], (400, "InvalidRequestContent")),
    ],
)
def test_a_registry_that_cannot_be(arm, name, body, expected):
    assert code(arm("PUT", f"{REGISTRIES}/{name}", body)) == expected
    assert name.lower() == "casaacr01" or arm("GET", f"{REGISTRIES}/{name}").status_code == 404


def test_a_registry_needs_its_group(arm):
    path = REGISTRIES.replace("casacloud_rg1", "nowhere") + "/contosobad"
    answer = arm("PUT", path, {"location": "eastus", "sku": {"name": "Basic"}})
    assert code(answer) == (404, "ResourceGroupNotFound")


def test_names_are_checked_over_all_subscriptions(arm):
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerRegistry/checkNameAvailability"

    def check(name):
        return arm("POST", path, {"name": name, "type": "Microsoft.ContainerRegistry/registries"}).json()

    assert check("ContosoHub")["reason"] == "AlreadyExists"
    assert check("no_good")["reason"] == "Invalid"
    assert check("contosonew")["nameAvailable"] is True


def test_a_patch_changes_what_it_names_and_nothing_else(arm, make):
    path = make("contosopatch", "Premium")
    before = arm("GET", path).json()
    change = {"tags": {"a": "b"}, "properties": {"policies": {"retentionPolicy": {"status": "enabled", "days": 3}}}}
    after = arm("PATCH", path, change).json()
    assert after["tags"] == {"a": "b"}
    policies = after["properties"]["policies"]
    assert (policies["retentionPolicy"]["status"], policies["retentionPolicy"]["days"]) == ("enabled", 3)
    assert policies["exportPolicy"] == before["properties"]["policies"]["exportPolicy"]
    assert after["properties"]["loginServer"] == before["properties"]["loginServer"]
    assert arm("PATCH", path, {"properties": {"loginServer": "evil"}}).json()["properties"]["loginServer"] != "evil"


def test_a_downgrade_waits_until_the_replicas_are_gone(arm, make):
    path = make("contosodown", "Premium")
    replica = arm("PUT", f"{path}/replications/westus", {"location": "West US"})
    assert (replica.status_code, arm.poll(replica)) == (201, ["Creating", "Succeeded"])
    names = [found["name"] for found in arm("GET", f"{path}/replications").json()["value"]]
    assert names == ["eastus", "westus"]
    assert code(arm("PATCH", path, {"sku": {"name": "Basic"}})) == (409, "SkuUpdateNotAllowed")
    assert code(arm("DELETE", f"{path}/replications/eastus"))[0] == 409
    assert arm.poll(arm("DELETE", f"{path}/replications/westus")) == ["Deleting", 200]
    assert arm("PATCH", path, {"sku": {"name": "basic"}}).json()["sku"] == {"name": "Basic", "tier": "Basic"}


def test_only_premium_registries_have_replicas(arm):
    answer = arm("PUT", f"{REGISTRY}/replications/westus", {"location": "westus"})
    assert code(answer) == (400, "SkuNotSupported")


def test_webhooks_are_counted_and_keep_their_address_to_themselves(arm, make):
    path = make("contosohooks")
    body = {"location": "eastus", "properties": {"serviceUri": "https://a.contoso.example", "actions": ["push"]}}
    answers = [arm("PUT", f"{path}/webhooks/hook{number}", body) for number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 403]
    assert "serviceUri" not in answers[0].text
    config = arm("POST", f"{path}/webhooks/hook0/getCallbackConfig").json()
    assert config["serviceUri"] == "https://a.contoso.example"
    assert arm("PATCH", f"{path}/webhooks/hook0", {"properties": {"status": "disabled"}}).json()["properties"][
        "status"
    ] == ("disabled")
    assert arm("POST", f"{path}/webhooks/hook0/ping").json()["id"]
    assert arm("DELETE", f"{path}/webhooks/hook0").status_code == 200
    assert len(arm("GET", f"{path}/webhooks").json()["value"]) == 1


@pytest.mark.parametrize(
    ("scope", "tag", "covered"),
    [
        ("", "v1", True),
        ("", None, True),
        ("app:*", "v1", True),
        ("app:*", None, True),
        ("app:v1", "v1", True),
        ("app:v1", "v2", False),
        ("app:v1", None, False),
        ("app", "latest", True),
        ("app", "v1", False),
        ("web:*", "v1", False),
        ("ap:*", "v1", False),
    ],
)
def test_a_webhook_s_scope_covers_what_it_says(scope, tag, covered):
    assert matches(scope, "app", tag) is covered


def test_a_webhook_remembers_its_last_calls_and_no_more(arm, make):
    path = make("contosoevents")
    body = {"location": "eastus", "properties": {"serviceUri": "https://h.contoso.example/status/599"}}
    body["properties"] |= {"actions": ["push"], "customHeaders": {"X-Key": "secret"}}
    arm("PUT", f"{path}/webhooks/hook1", body)
    pinged = [arm("POST", f"{path}/webhooks/hook1/ping").json()["id"] for _ in range(MOST + 1)]
    answer = arm("POST", f"{path}/webhooks/hook1/listEvents")
    assert [event["id"] for event in answer.json()["value"]] == pinged[:0:-1]
    assert answer.json()["value"][0]["eventResponseMessage"]["statusCode"] == "599"
    assert "secret" not in answer.text


def test_usage_tells_what_is_stored_what_is_included_and_what_is_possible(running, arm):
    usages = {usage["name"]: usage for usage in arm("GET", f"{REGISTRY}/listUsages").json()["value"]}
    assert usages["Size"]["currentValue"] == running.store.blobs.stored_bytes("casaacr01") > 0
    assert usages["Size"]["limit"] == 100 * 2**30
    assert usages["MaximumStorageCapacity"]["limit"] == 40 * 2**40
    assert usages["Webhooks"]["limit"] == 10


def test_admin_passwords_exist_while_the_admin_is_enabled(arm, make):
    path = make("contosoadmin")
    assert arm("POST", f"{path}/listCredentials").status_code == 400
    arm("PATCH", path, {"properties": {"adminUserEnabled": True}})
    before = arm("POST", f"{path}/listCredentials").json()
    assert before["username"] == "contosoadmin"
    after = arm("POST", f"{path}/regenerateCredential", {"name": "password2"}).json()
    assert after["passwords"][0] == before["passwords"][0]
    assert after["passwords"][1]["value"] != before["passwords"][1]["value"]
    assert arm("POST", f"{path}/regenerateCredential", {"name": "password3"}).status_code == 400


def test_a_subscription_that_refuses_says_why(running):
    restricted = running.ready["subscription_ids"][-1]
    made = client(ContainerRegistryManagementClient, running.ready, restricted)
    with made as registries, pytest.raises(HttpResponseError) as refused:
        list(registries.registries.list())
    assert (refused.value.status_code, refused.value.error.code) == (403, "AuthorizationFailed")
    assert f"over scope '/subscriptions/{restricted}'" in refused.value.message


def test_a_reader_reads_and_can_not_change_or_see_passwords(running):
    with Arm(running.ready, "reader_client") as reader:
        assert reader("GET", REGISTRY).status_code == 200
        assert code(reader("PATCH", REGISTRY, {"tags": {}})) == (403, "AuthorizationFailed")
        assert code(reader("DELETE", REGISTRY)) == (403, "AuthorizationFailed")
        assert code(reader("POST", f"{REGISTRY}/listCredentials")) == (403, "AuthorizationFailed")


def test_paths_are_matched_without_case(arm):
    assert arm("GET", REGISTRY.replace("resourceGroups", "RESOURCEGROUPS").upper()).json()["name"] == "casaacr01"


@pytest.mark.parametrize(
    ("sku", "properties", "expected"),
    [
        ("Standard", {"networkRuleSet": {"ipRules": [{"value": "203.0.113.7"}]}}, "SkuNotSupported"),
        ("Standard", {"policies": {"retentionPolicy": {"status": "enabled", "days": 7}}}, "SkuNotSupported"),
        ("Basic", {"anonymousPullEnabled": True}, "SkuNotSupported"),
        ("Premium", {"networkRuleSet": {"ipRules": [{"value": "everyone"}]}}, "InvalidIPRule"),
        ("Premium", {"networkRuleSet": {"ipRules": [{"value": "2001:db8::/32"}]}}, "InvalidIPRule"),
        ("Premium", {"networkRuleSet": {"ipRules": [{"value": f"20.0.0.{n}"} for n in range(201)]}}, "TooManyIPRules"),
        ("Premium", {"policies": {"retentionPolicy": {"status": "enabled", "days": 366}}}, "InvalidRetentionDays"),
        (
            "Premium",
            {"policies": {"retentionPolicy": {"status": "enabled"}, "softDeletePolicy": {"status": "enabled"}}},
            "PolicyConflict",
        ),
    ],
)
def test_settings_that_a_registry_can_not_have(arm, make, sku, properties, expected):
    path = make("contososet", sku)
    before = arm("GET", path).json()
    assert code(arm("PATCH", path, {"properties": properties})) == (400, expected)
    assert arm("GET", path).json()["properties"] == before["properties"]


def test_tags_are_replaced_and_at_most_fifty(arm, make):
    path = make("contosotags")
    assert arm("PATCH", path, {"tags": {"a": "b"}}).json()["tags"] == {"a": "b"}
    assert code(arm("PATCH", path, {"tags": {f"t{n}": "" for n in range(51)}})) == (400, "TooManyTags")
    assert arm("PATCH", path, {"tags": {}}).json()["tags"] == {}


def test_data_endpoints_come_and_go_with_their_names(arm, make):
    path = make("contosoends", "Premium")

    def names(enabled):
        change = {"properties": {"dataEndpointEnabled": enabled}}
        return arm("PATCH", path, change).json()["properties"]["dataEndpointHostNames"]

    assert names(True) == ["contosoends.eastus.data.azurecr.io"]
    assert names(False) == []
