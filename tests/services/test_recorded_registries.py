"""Recorded answers of Microsoft.ContainerRegistry: registries and their child resources."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from services.child_resources.replications import (
    ReplicaPlan,
    apply_replica,
    apply_replica_removal,
    get_replication,
    list_replications,
)
from services.child_resources.webhook_events import ping, read_callback
from services.child_resources.webhook_rules import NewWebhook
from services.child_resources.webhooks import (
    apply_webhook,
    apply_webhook_removal,
    get_webhook,
    plan_webhook,
    plan_webhook_removal,
)
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.registries.reading import get_registry, list_registries
from services.registries.registry import Registry
from services.registries.skus import Sku
from services.registry_lifecycle.creation import apply_creation
from services.registry_lifecycle.creation_plan import RegistrySpec, read_creation_plan
from services.registry_lifecycle.names import NameScope, check_name
from services.registry_lifecycle.removal import apply_removal, plan_removal
from services.registry_lifecycle.settings import settings_of
from services.registry_lifecycle.settings_change import apply_settings, plan_settings
from services.tasks.runs import list_runs
from services.transfer.copy_plan import CopyItem, CopyPlan, parse_source
from services.transfer.copy_run import apply_copy
from tests.support.canned import ARM, Answer, Canned
from tests.support.recordings import NAMESPACE, REFUSED, Area, Recording, arm, serve_details, serve_provider, time
from tests.support.shell_lines import registry as a_registry


def check_registry(found: Any, document: dict[str, Any]) -> None:
    properties = document["properties"]
    assert (found.id, found.name, found.location) == (document["id"], document["name"], document["location"])
    assert found.login_server == properties["loginServer"]
    assert found.sku == document["sku"]["name"]
    assert found.provisioning_state == properties["provisioningState"]
    assert found.created == time(properties["creationDate"])
    assert dict(found.tags) == document.get("tags", {})
    assert found.resource_group == document["id"].split("/")[4]
    assert found.access.admin_user == properties["adminUserEnabled"]
    assert found.network.open_to_all == (
        properties.get("publicNetworkAccess", "Enabled") == "Enabled"
        and properties.get("networkRuleSet", {}).get("defaultAction", "Allow") == "Allow"
    )
    assert found.access.mode == ("ABAC" if "Abac" in properties.get("roleAssignmentMode", "") else "Legacy")
    retention = properties.get("policies", {}).get("retentionPolicy", {})
    assert found.access.retention_days == (retention["days"] if retention.get("status") == "enabled" else None)
    assert not found.access.anonymous_pull
    assert len(found.network.private_endpoints) == len(properties.get("privateEndpointConnections", []))


def replay_registry(recording: Recording) -> None:
    wire, session = arm()
    resource_id = recording.body["id"]
    wire.on("GET", f"{ARM}{resource_id}", recording.answer)
    serve_details(wire, resource_id)
    found = get_registry(session, resource_id)
    check_registry(found, recording.body)
    assert {refusal.what for refusal in found.unread} == {"usage"} | ({"replicas"} if found.sku == "Premium" else set())


def replay_settings(recording: Recording) -> None:
    """The recorded change is planned from the registry as it was before, and sent in the same words."""
    replay_registry(recording)
    wire, session = arm()
    after: dict[str, Any] = recording.body
    before = {**after, "tags": {}, "properties": {**after["properties"], "adminUserEnabled": False}}
    serve_details(wire, after["id"])
    wire.on("GET", f"{ARM}{after['id']}", *[Answer(200, before)] * 2, recording.answer)
    wire.on("PATCH", f"{ARM}{after['id']}", recording.answer)
    registry = get_registry(session, after["id"])
    asked = recording.request
    wanted = replace(
        settings_of(registry),
        tags=tuple(asked["tags"].items()),
        admin_user=asked["properties"]["adminUserEnabled"],
    )
    result = apply_settings(session, plan_settings(registry, wanted))
    assert [fate for _, fate in result.outcomes] == ["changed", "changed"]
    assert (result.unplanned, result.error) == ((), None)
    assert [json.loads(one.body) for one in wire.sent if one.method == "PATCH"] == [asked]


ARM_GONE = Answer(404, {"error": {"code": "ResourceNotFound", "message": "M"}})


def replay_removal(recording: Recording) -> None:
    """The recorded deletion, with the look at its operation where it has one, of an empty registry."""
    wire, session = arm()
    url = f"{ARM}{recording.path}"
    there = {"id": recording.path, "name": recording.path.rpartition("/")[2], "properties": {}}
    serve_details(wire, recording.path)
    wire.on("GET", url, *[Answer(200, there)] * 2, ARM_GONE)
    wire.on("DELETE", url, recording.answer)
    operation = Recording("real/acr-mgmt/registry_delete_operationresult_200.json")
    wire.on("GET", f"{ARM}{operation.path}", operation.answer)
    plan = plan_removal(get_registry(session, recording.path), None, Partial(()), None, None)
    assert apply_removal(session, plan) == "deleted"
    looked = f"GET {operation.path}" in wire.paths()
    assert looked == (recording.status == 202)


def replay_removal_by_operation(recording: Recording) -> None:
    begun = Recording("real/acr-mgmt/registry_delete_202_with_body.json")
    assert recording.path == urlsplit(begun.headers["Location"]).path
    replay_removal(begun)


def replay_registries(recording: Recording) -> None:
    wire, session = arm()
    subscription = recording.path.split("/")[2]
    listed = {"value": [{"subscriptionId": subscription, "displayName": "contoso"}]}
    wire.on("GET", f"{ARM}/subscriptions", Answer(200, listed))
    url = f"{ARM}/subscriptions/{subscription}/providers/Microsoft.ContainerRegistry/registries"
    wire.on("GET", url, recording.answer)
    documents = {document["id"]: document for document in recording.body["value"]}
    for resource_id in documents:
        serve_details(wire, resource_id)
    found = list_registries(session)
    assert found.complete
    assert {registry.id for registry in found.values} == set(documents)
    for registry in found.values:
        check_registry(registry, documents[registry.id])


def details(recording: Recording, **answers: Answer) -> Any:
    """A Premium registry at the address of the recorded answer, read with it."""
    wire, session = arm()
    resource_id = recording.path.rpartition("/")[0]
    document = {
        "id": resource_id,
        "name": resource_id.rpartition("/")[2],
        "location": "nowhere",
        "sku": {"name": "Premium"},
    }
    wire.on("GET", f"{ARM}{resource_id}", Answer(200, document))
    serve_details(wire, resource_id, **answers)
    return get_registry(session, resource_id)


def replay_usages(recording: Recording) -> None:
    found = details(recording, usages=recording.answer)
    assert [(usage.name, usage.current, usage.limit, usage.unit) for usage in found.usages] == [
        (entry["name"], entry["currentValue"], entry["limit"], entry["unit"]) for entry in recording.body["value"]
    ]
    assert found.stored_bytes is not None


def replay_replicas(recording: Recording) -> None:
    found = details(recording, replicas=recording.answer)
    assert [(replica.region, replica.provisioning_state, replica.status) for replica in found.replicas] == [
        (entry["location"], entry["properties"]["provisioningState"], entry["properties"]["status"]["displayStatus"])
        for entry in recording.body["value"]
    ]
    wire, session = arm()
    wire.on("GET", f"{ARM}{recording.path}", recording.answer)
    listed = list_replications(session, registry_at(recording.path.rpartition("/")[0])).values
    assert len(listed) == len(recording.body["value"])
    for one, entry in zip(listed, sorted(recording.body["value"], key=lambda entry: entry["location"]), strict=True):
        check_replication(one, entry)


def registry_at(resource_id: str) -> Registry:
    """A Premium registry of that id."""
    _, _, subscription, _, group, *_, name = resource_id.split("/")
    return a_registry(id=resource_id, name=name, subscription_id=subscription, resource_group=group)


def check_replication(found: Any, document: dict[str, Any]) -> None:
    properties = document["properties"]
    assert (found.name, found.region) == (document["name"], document["location"])
    assert found.provisioning_state == properties["provisioningState"]
    assert found.status == properties["status"]["displayStatus"]
    assert found.status_at == time(properties["status"]["timestamp"])
    assert found.routed


def replay_replica(recording: Recording) -> None:
    wire, session = arm()
    wire.on("GET", f"{ARM}{recording.path}", recording.answer)
    registry = registry_at(recording.path.rpartition("/replications")[0])
    check_replication(get_replication(session, registry, recording.body["name"]), recording.body)


def serve_registry(wire: Canned, resource_id: str, replications: Answer) -> Registry:
    """A Premium registry with its replications, its usage refused."""
    name = resource_id.rpartition("/")[2]
    properties = {"provisioningState": "Succeeded", "loginServer": f"{name}.azurecr.io"}
    document = {"id": resource_id, "name": name, "location": "nowhere", "sku": {"name": "Premium"}}
    wire.on("GET", f"{ARM}{resource_id}", Answer(200, {**document, "properties": properties}))
    serve_details(wire, resource_id, replicas=replications)
    return registry_at(resource_id)


def replay_replica_status(recording: Recording) -> None:
    """The end of an addition whose beginning was not recorded."""
    wire, session = arm()
    replica = Recording("real/acr-mgmt/replication_get.json")
    registry = serve_registry(wire, replica.path.rpartition("/replications")[0], Answer(200, {"value": []}))
    offered = {"resourceType": "registries/replications", "locations": [replica.body["location"]]}
    provider = f"{ARM}/subscriptions/{registry.subscription_id}/providers/Microsoft.ContainerRegistry"
    wire.on("GET", provider, Answer(200, {"resourceTypes": [offered]}))
    wire.on("PUT", f"{ARM}{replica.path}", Answer(201, replica.sent_body, recording.headers))
    wire.on("GET", f"{ARM}{recording.path}", recording.answer)
    wire.on("GET", f"{ARM}{replica.path}", replica.answer)
    plan = ReplicaPlan(registry, replica.body["location"], (), (), ())
    assert apply_replica(session, plan) == "created"
    assert f"GET {recording.path}" in wire.paths()


def replay_replica_removal(recording: Recording) -> None:
    """A recorded removal, whichever of its answers `recording` is: begun, looked at, done."""
    begun, waits, done = (
        Recording(f"real/acr-mgmt/replication_delete_{name}.json")
        for name in ("202_null", "operationresult_202", "operationresult_200")
    )
    assert recording.file in (begun.file, waits.file, done.file)
    wire, session = arm()
    replica = Recording("real/acr-mgmt/replication_get.json")
    registry = serve_registry(
        wire, begun.path.rpartition("/replications")[0], Answer(200, {"value": [replica.sent_body]})
    )
    wire.on("GET", f"{ARM}{begun.path}", ARM_GONE)
    wire.on("DELETE", f"{ARM}{begun.path}", begun.answer)
    wire.on("GET", begun.headers["Location"].partition("?")[0], waits.answer)
    wire.on("GET", waits.headers["Location"].partition("?")[0], waits.answer, done.answer)
    plan = ReplicaPlan(registry, replica.body["location"], (), (), ())
    assert apply_replica_removal(session, plan) == "deleted"


def check_webhook(found: Any, document: dict[str, Any]) -> None:
    properties = document["properties"]
    assert (found.name, found.location) == (document["name"], document["location"])
    assert (found.status, found.scope) == (properties["status"], properties["scope"])
    assert list(found.actions) == properties["actions"]
    assert found.provisioning_state == properties["provisioningState"]


def hook_at(recording: Recording) -> tuple[Canned, AzureSession, Registry, str]:
    """Azure with the recorded answer, the webhook's registry, and its name."""
    wire, session = arm()
    wire.on(recording.method, f"{ARM}{recording.path}", recording.answer)
    resource_id, name = recording.path.split("/webhooks/")
    return wire, session, registry_at(resource_id), name.partition("/")[0]


def replay_webhook(recording: Recording) -> None:
    wire, session, registry, name = hook_at(recording)
    wire.on("GET", f"{ARM}{recording.path}", recording.answer)
    check_webhook(get_webhook(session, registry, name), recording.body)


def replay_webhook_creation(recording: Recording) -> None:
    wire, session, registry, name = hook_at(recording)
    asked = recording.request["properties"]
    registry = replace(registry, location=recording.request["location"])
    wanted = NewWebhook(name, asked["serviceUri"], tuple(asked["actions"]), registry.location)
    wire.on("GET", f"{ARM}{registry.id}/webhooks", Answer(200, {"value": []}))
    wire.on("GET", f"{ARM}{recording.path}", recording.answer)
    assert apply_webhook(session, plan_webhook(registry, (), wanted)) == "created"
    body = json.loads(next(sent.body for sent in wire.sent if sent.method == "PUT"))
    assert body["location"] == recording.request["location"]
    assert asked.items() <= body["properties"].items()


def replay_webhook_removal(recording: Recording) -> None:
    wire, session, registry, name = hook_at(recording)
    there = Recording("real/acr-mgmt/webhook_get_2019-05-01.json")
    wire.on("GET", f"{ARM}{recording.path}", there.answer, there.answer, ARM_GONE)
    planned = plan_webhook_removal(registry, get_webhook(session, registry, name))
    assert apply_webhook_removal(session, planned) == "deleted"


def replay_ping(recording: Recording) -> None:
    _, session, registry, name = hook_at(recording)
    assert ping(session, registry, name) == recording.body["id"]


def replay_callback(recording: Recording) -> None:
    _, session, registry, name = hook_at(recording)
    found = read_callback(session, registry, name)
    assert found.service_uri == recording.body["serviceUri"]
    assert list(found.header_names) == sorted(recording.body["customHeaders"])
    assert not any(value in found.header_names for value in recording.body["customHeaders"].values())


def replay_import(recording: Recording) -> None:
    """The whole of a recorded import, whichever of its answers `recording` is: begun, looked at twice, done."""
    begun, waits, done = (
        Recording(f"real/acr-mgmt/import_{name}.json")
        for name in ("image_202_null", "operationresult_202_accepted", "operationresult_200_succeeded")
    )
    assert recording.file in (begun.file, waits.file, done.file)
    wire, session = arm()
    wire.on("POST", f"{ARM}{begun.path}", begun.answer)
    wire.on("GET", f"{ARM}{waits.path}", waits.answer, done.answer)
    resource_id = begun.path.removesuffix("/importImage")
    target = registry_at(resource_id)
    asked = begun.request["source"]
    source = parse_source(f"{asked['registryUri']}/{asked['sourceImage']}")
    plan = CopyPlan(source, target, (CopyItem("hello", "v1", known=False),), None)
    copied = apply_copy(session, plan)
    assert [result.outcome for result in copied.results.values] == ["not confirmed"]
    assert wire.paths() == [f"POST {begun.path}", f"GET {waits.path}", f"GET {done.path}"]
    sent_body = json.loads(wire.sent[0].body)
    assert sent_body["source"].keys() == asked.keys()
    assert sent_body["source"]["registryUri"] == asked["registryUri"]
    assert begun.request.keys() <= sent_body.keys()
    assert set(wire.slept) == {float(begun.headers["Retry-After"])}


def replay_creation(recording: Recording) -> None:
    """A whole creation around the recorded answer to its PUT, with the recorded progress where it had one."""
    wire, session = arm()
    _, _, subscription, _, group, *_, name = recording.path.split("/")
    wanted, url = recording.request, f"{ARM}{recording.path}"
    there = {**recording.body, "properties": {**recording.body["properties"], "provisioningState": "Succeeded"}}
    wire.on("PUT", url, recording.answer)
    wire.on("GET", url, ARM_GONE, ARM_GONE, Answer(200, there))  # Looked for by the plan, and again before it is made.
    if operation := recording.headers.get("Azure-AsyncOperation"):
        waits = Recording("real/acr-mgmt/registry_operationstatus_creating_2024-11-01-preview.json")
        wire.on("GET", operation.partition("?")[0], waits.answer, Answer(200, {"status": "Succeeded"}))
    serve_provider(wire, subscription, [{"name": wanted["location"], "displayName": wanted["location"]}])
    at = f"{ARM}/subscriptions/{subscription}"
    found_group = {"name": group, "location": "westus", "properties": {"provisioningState": "Succeeded"}}
    wire.on("GET", f"{at}/resourcegroups/{group}", Answer(200, found_group))
    wire.on("POST", f"{at}/providers/{NAMESPACE}/checkNameAvailability", Answer(200, {"nameAvailable": True}))
    wire.on("GET", f"{at}/resourcegroups/{group}/providers/Microsoft.Authorization/permissions", REFUSED)
    policies = f"{at}/resourceGroups/{group}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions"
    wire.on("POST", policies, REFUSED)
    tags = tuple((wanted.get("tags") or {}).items())
    order = RegistrySpec(subscription, group, False, name, Sku(wanted["sku"]["name"]), wanted["location"], tags=tags)
    done = apply_creation(session, read_creation_plan(session, order))
    assert (done.group.outcome, done.creation.outcome, done.differences) == ("already done", "created", ())
    check_registry(done.registry, there)
    (put,) = [request for request in wire.sent if request.method == "PUT"]
    assert json.loads(put.body)["sku"] == wanted["sku"]
    assert json.loads(put.body).get("tags", {}) == (wanted.get("tags") or {})


def replay_name(recording: Recording) -> None:
    wire, session = arm()
    subscription = recording.part("/subscriptions/([^/]+)/")
    wire.on("POST", f"{ARM}{recording.path}", recording.answer)
    scope = NameScope(recording.request.get("autoGeneratedDomainNameLabelScope", "Unsecure"))
    found = check_name(session, subscription, recording.request["name"], scope)
    assert (found.available, found.reason, found.message, found.login_server) == (
        recording.body["nameAvailable"],
        recording.body.get("reason") or "",
        recording.body.get("message") or "",
        recording.body.get("availableLoginServerName", ""),
    )
    sent_body = json.loads(wire.sent[0].body)
    assert sent_body == recording.request or scope is NameScope.UNSECURE
    assert (sent_body["name"], sent_body["type"]) == (recording.request["name"], recording.request["type"])


def replay_runs(recording: Recording) -> None:
    wire, session = arm()
    registry = registry_at(recording.path.removesuffix("/runs"))
    wire.on("GET", f"{ARM}{recording.path}", recording.answer)
    found = list_runs(session, registry)
    assert found.complete
    for run, document in zip(found.values, recording.body["value"], strict=True):
        properties = document["properties"]
        assert (run.id, run.status, run.task) == (properties["runId"], properties["status"], "")
        assert (run.trigger, run.over, run.duration) == ("Manual", False, None)
        assert run.created == time(properties["createTime"])


AREA = Area(
    "registries",
    read={
        "real/acr-mgmt/registry_get_*.json": replay_registry,
        "real/acr-mgmt/registry_create_*.json": replay_creation,
        # What a write answers with 200 is the registry, as a read answers it.
        "real/acr-mgmt/registry_patch_tags_*.json": replay_settings,
        "real/acr-mgmt/registry_delete_200.json": replay_removal,
        "real/acr-mgmt/registry_delete_202_*.json": replay_removal,
        "real/acr-mgmt/registry_delete_operation*.json": replay_removal_by_operation,
        "real/acr-mgmt/registry_list_*.json": replay_registries,
        "real/acr-mgmt/import_*.json": replay_import,
        "*/acr-mgmt/check_name_*.json": replay_name,
        "real/acr-mgmt/list_usages_*.json": replay_usages,
        "real/acr-mgmt/replication_list_*.json": replay_replicas,
        "real/acr-mgmt/replication_get.json": replay_replica,
        "real/acr-mgmt/replication_patch.json": replay_replica,
        "real/acr-mgmt/replication_operationstatus_*.json": replay_replica_status,
        "real/acr-mgmt/replication_delete_*.json": replay_replica_removal,
        "real/acr-mgmt/webhook_get_*.json": replay_webhook,
        # What a change answers is the webhook, as a read answers it.
        "real/acr-mgmt/webhook_patch_*.json": replay_webhook,
        "real/acr-mgmt/webhook_create_*.json": replay_webhook_creation,
        "real/acr-mgmt/webhook_delete_*.json": replay_webhook_removal,
        "real/acr-mgmt/webhook_ping_*.json": replay_ping,
        "real/acr-mgmt/webhook_callback_config_*.json": replay_callback,
        "real/acr-mgmt/runs_list_*.json": replay_runs,
    },
    not_read={
        "real/acr-mgmt/generic_resources_*.json": "registries are listed by their own provider, with their properties",
        "real/acr-mgmt/registry_operation*.json": "part of the creation that was recorded with it",
        "real/acr-mgmt/list_credentials_*.json": "no password is read: az's line for them is shown",
        "real/acr-mgmt/regenerate_credential_*.json": "the console renews no admin password",
    },
)


@pytest.mark.parametrize("file", AREA.read_files)
def test_an_answer_is_read(file: str) -> None:
    AREA.replay(file)


def test_every_answer_is_read_or_has_a_reason_why_not() -> None:
    AREA.check_complete()
