"""Real answers of Azure, replayed through the SDK's clients and the services that read them.

AZURE_RECORDINGS names a folder of real/ and documented/ answers, by plane; nothing of them is in this repository.
Each file is replayed, or stands in NOT_READ with the reason why nothing reads it.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from services.access.decisions import Verdict
from services.access.evaluation import blocks_grant
from services.access.permissions import Permission
from services.access.reading import assignment_from, list_assignments, list_roles, own_permissions, read_principal
from services.access.token_grants import ask_granted
from services.aks.clusters import Cluster, IdentityModel, ManagedIdentity, get_cluster, list_clusters
from services.arm.providers import read_provider
from services.arm.resource_groups import ResourceGroup, create_group, find_group, list_groups
from services.arm.subscriptions import Subscription, list_subscriptions
from services.child_resources.replications import (
    ReplicaPlan,
    apply_replica,
    apply_replica_removal,
    get_replication,
    list_replications,
)
from services.child_resources.webhook_rules import NewWebhook
from services.child_resources.webhooks import apply_removal as apply_webhook_removal
from services.child_resources.webhooks import apply_webhook, get_webhook, ping, plan_webhook, read_callback
from services.connection.changes import delete
from services.connection.data_plane import RegistryClient
from services.connection.data_plane_tokens import Need, need_of
from services.connection.errors import ServiceError, as_service_error
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.costs.budgets import read_budgets
from services.costs.query import query_costs
from services.costs.rows import CostSums
from services.costs.usage_details import add_usage, read_usage
from services.deletion.repository import RepositoryDeletionPlan, apply_repository_deletion
from services.images.manifest_reading import read_manifest
from services.images.repositories import (
    get_manifest_row,
    get_repository,
    get_tag,
    manifest_rows,
    repository_names,
    tag_page,
)
from services.images.tagging import UntagItem, UntagPlan, apply_untag
from services.pricing.retail_prices import prices_of, read_price_rows
from services.registries.reading import get_registry, list_registries
from services.registries.registry import Mode, Registry
from services.registries.skus import Sku
from services.registry_lifecycle.creation import apply_creation
from services.registry_lifecycle.creation_plan import RegistrySpec, plan_creation, read_ground
from services.registry_lifecycle.names import NameScope, check_name
from services.registry_lifecycle.removal import apply_removal, plan_removal
from services.registry_lifecycle.settings import settings_of
from services.registry_lifecycle.settings_change import apply_settings, plan_settings
from services.roles.assignment import WAITS_S, Grant, write_grant
from services.roles.unassign import remove_assignment
from services.transfer.copy_plan import CopyItem, CopyPlan, parse_source
from services.transfer.copy_run import apply_copy
from tests.support import documents
from tests.support.canned import ARM, CLOUD, Answer, Canned, CannedRegistry, Clock, Credential, connected
from tests.support.shell_lines import registry as a_registry

_FOLDER = os.environ.get("AZURE_RECORDINGS")
if not _FOLDER:
    pytest.skip("AZURE_RECORDINGS names no folder of real answers", allow_module_level=True)
ROOT = Path(_FOLDER)
FILES = sorted(str(path.relative_to(ROOT)) for top in ("real", "documented") for path in (ROOT / top).rglob("*.json"))

WRITES = "an answer to a write: writes come later"
POLLS = "the progress of a write: writes come later"
# The first pattern that fits a file tells why no service reads it.
NOT_READ = {
    "real/acr-data/oauth2_token_anonymous_200.json": "the console always signs in",
    "real/acr-data/v2_blob_upload_*_20?.json": WRITES,
    "real/acr-data/v2_manifest_put_201.json": WRITES,
    "real/acr-mgmt/generic_resources_*.json": "registries are listed by their own provider, with their properties",
    "real/acr-mgmt/registry_operation*.json": "part of the creation that was recorded with it",
    "real/acr-mgmt/list_credentials_*.json": "passwords are shown on request only, which comes later",
    "real/acr-mgmt/regenerate_credential_*.json": WRITES,
    "real/acr-mgmt/runs_list_*.json": "ACR tasks are in another package, and in no view",
    "real/subscriptions/subscription_get_*.json": "subscriptions are read as a list",
    "real/subscriptions/tenants_list.json": "the tenant is the token's own",
    "real/aks/cluster_delete_202.json": WRITES,
    "real/aks/operation_*.json": POLLS,
    "real/aks/cluster_upgrade_profile_*.json": "upgrades of clusters are in no view",
    "real/aks/cluster_user_credential_*.json": "the console takes no kubeconfig",
    "documented/aks/*.json": "commands are run in a cluster to prove a pull, which comes later",
    "real/consumption/budget_create_*.json": "budgets are read, not made",
    "real/consumption/budget_update_*.json": "budgets are read, not made",
    "real/consumption/budget_delete_*.json": "budgets are read, not made",
    "real/consumption/cost_management_query_by_resource_group.json": "the console asks by resource",
    "real/consumption/marketplaces_*.json": "what is bought from others is no registry's cost",
    "real/consumption/pricesheet_*.json": "agreed prices are given as a price sheet of one's own",
    "real/resource-graph/*.json": "Resource Graph is not asked: each provider answers for itself",
    "real/resource-groups/resource_group_head_*.json": "a group is looked for by reading it",
    "real/resource-groups/resource_group_delete_*.json": "the console deletes no group",
}


class Recording:
    """One recorded interaction."""

    def __init__(self, file: str) -> None:
        document = json.loads((ROOT / file).read_text())
        self.file = file
        self.plane = file.split("/")[1]
        self.method: str = document["request"]["method"]
        self.host: str = document["request"]["host"]
        self.path: str = document["request"]["path"]
        self.request: Any = document["request"].get("body")
        self.response: dict[str, Any] = document["response"]
        self.body: Any = self.response["body"]
        self.status: int = self.response["status"]
        self.headers: dict[str, str] = self.response["headers"]

    @property
    def answer(self) -> Answer:
        """The answer as it came over the wire."""
        raw = self.response.get("raw_body")
        if raw is None:
            raw = "" if self.body is None else json.dumps(self.body)
        return Answer(self.status, raw.encode(), self.headers)

    def part(self, pattern: str) -> str:
        """A part of the request's path, decoded."""
        found = re.search(pattern, self.path)
        assert found, (self.path, pattern)
        return unquote(found[1])

    def registry(self, *following: Answer, method: str = "GET") -> RegistryClient:
        """A registry that gives this answer, then those."""
        canned = CannedRegistry(Clock(), self.host)
        canned.on(method, f"https://{self.host}{self.path}", self.answer, *following)
        return connected(canned)


def sent(client: RegistryClient) -> CannedRegistry:
    canned = client._client._pipeline._transport
    assert isinstance(canned, CannedRegistry)
    return canned


def time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def check_locks(found: Any, attributes: dict[str, bool]) -> None:
    assert found.delete == attributes["deleteEnabled"]
    assert found.write == attributes["writeEnabled"]
    assert found.list == attributes["listEnabled"]
    assert found.read == attributes["readEnabled"]


def replay_catalog(recording: Recording) -> None:
    client = recording.registry(Answer(200, {"repositories": []}))
    first, *rest = repository_names(client)
    assert first == recording.body["repositories"]
    link = recording.headers.get("Link")
    assert bool(rest) == bool(link)
    if link:
        query = urlsplit(link.partition(">")[0]).query
        assert sent(client).calls()[1].query == dict(parse_qsl(query, keep_blank_values=True))
        assert sent(client).calls()[1].query["last"] == recording.body["repositories"][-1]


def replay_repository(recording: Recording) -> None:
    found = get_repository(recording.registry(), recording.part("/acr/v1/([^/]+)$"))
    assert found.name == recording.body["imageName"]
    assert (found.created, found.updated) == (
        time(recording.body["createdTime"]),
        time(recording.body["lastUpdateTime"]),
    )
    assert found.manifest_count == recording.body["manifestCount"]
    assert found.tag_count == recording.body["tagCount"]
    check_locks(found.locks, recording.body["changeableAttributes"])


def check_tag(found: Any, entry: dict[str, Any]) -> None:
    assert (found.name, found.digest) == (entry["name"], entry["digest"])
    assert (found.created, found.updated) == (time(entry["createdTime"]), time(entry["lastUpdateTime"]))
    check_locks(found.locks, entry["changeableAttributes"])


def replay_tags(recording: Recording) -> None:
    page = tag_page(recording.registry(), recording.part("/acr/v1/(.+)/_tags$"), size=100)
    entries = recording.body["tags"] or []
    assert len(page.tags) == len(entries)
    for found, entry in zip(page.tags, entries, strict=True):
        check_tag(found, entry)
    assert page.next is None


def replay_tag(recording: Recording) -> None:
    found = get_tag(recording.registry(), recording.part("/acr/v1/(.+)/_tags"), recording.part("/_tags/(.+)$"))
    check_tag(found, recording.body["tag"])


def check_manifest(found: Any, entry: dict[str, Any]) -> None:
    assert (found.digest, found.size) == (entry["digest"], entry["imageSize"])
    assert (found.created, found.updated) == (time(entry["createdTime"]), time(entry["lastUpdateTime"]))
    assert (found.os, found.architecture) == (entry.get("os", ""), entry.get("architecture", ""))
    assert found.media_type == entry["mediaType"]
    assert found.config_media_type == entry.get("configMediaType", "")
    assert found.tags == tuple(entry.get("tags", ()))
    check_locks(found.locks, entry["changeableAttributes"])


def replay_manifests(recording: Recording) -> None:
    repository = recording.part("/acr/v1/(.+)/_manifests")
    end = Answer(200, {"manifests": []})
    client = recording.registry(end)
    rows = manifest_rows(client, repository)
    assert len(rows) == len(recording.body["manifests"])
    for found, entry in zip(rows, recording.body["manifests"], strict=True):
        check_manifest(found, entry)
    if "Link" in recording.headers:
        assert sent(client).calls()[1].query["last"] == rows[-1].digest


def replay_manifest_row(recording: Recording) -> None:
    repository, digest = recording.part("/acr/v1/(.+)/_manifests"), recording.part("/_manifests/(.+)$")
    check_manifest(get_manifest_row(recording.registry(), repository, digest), recording.body["manifest"])


def replay_manifest(recording: Recording) -> None:
    repository, reference = recording.part("/v2/(.+)/manifests"), recording.part("/manifests/(.+)$")
    manifest = read_manifest(recording.registry(), repository, reference)
    assert manifest.digest == recording.headers["Docker-Content-Digest"]
    assert manifest.digest == "sha256:" + hashlib.sha256(recording.response["raw_body"].encode()).hexdigest()
    assert manifest.media_type == recording.headers["Content-Type"]
    assert manifest.size == int(recording.headers["Content-Length"])
    assert manifest.config
    assert manifest.config.media_type == recording.body["config"]["mediaType"]
    assert [layer.digest for layer in manifest.layers] == [layer["digest"] for layer in recording.body["layers"]]
    assert manifest.layer_bytes == sum(layer["size"] for layer in recording.body["layers"])


def replay_token(recording: Recording) -> None:
    (member,) = recording.body
    canned = CannedRegistry(Clock(), recording.host)
    canned.on("POST", f"https://{recording.host}{recording.path}", recording.answer)
    if member == "refresh_token":
        other = {"access_token": "held"}
        canned.on("POST", f"https://{recording.host}/oauth2/token", Answer(200, other))
    token = connected(canned).tokens.for_need(Need("", frozenset({"*"})))
    if member == "access_token":
        assert token == recording.body[member]
    else:
        assert canned.sent[-1].form["refresh_token"] == recording.body[member]
    # The recorded tokens are blanked: the sign-in counts, and what they grant can't be told.
    signed_in, catalogue, *_ = ask_granted(connected(canned), Mode.LEGACY)
    assert (signed_in.verdict, catalogue.verdict) == (Verdict.YES, Verdict.UNKNOWN)
    assert recording.body[member] not in repr((signed_in, catalogue))


GONE = Answer(404, {"errors": [{"code": "TAG_UNKNOWN", "message": "M"}]})


def replay_repository_deletion(recording: Recording) -> None:
    name = recording.part("/acr/v1/([^/]+)$")
    client = recording.registry(method="DELETE")
    url = f"https://{recording.host}{recording.path}"
    sent(client).on("GET", f"{url}/_manifests", Answer(200, {"manifests": None}))
    sent(client).on("GET", f"{url}/_tags", Answer(200, {"tags": None}))
    sent(client).on("GET", url, GONE)
    deleted = apply_repository_deletion(client, RepositoryDeletionPlan(name, (), (), 0, ()))
    assert deleted.told
    assert list(deleted.manifests) == recording.body["manifestsDeleted"]
    assert list(deleted.tags) == (recording.body["tagsDeleted"] or [])


def replay_untag(recording: Recording) -> None:
    repository, tag = recording.part("/acr/v1/(.+)/_tags"), recording.part("/_tags/(.+)$")
    digest = recording.headers["x-ms-int-docker-content-digest"]
    client = recording.registry(method="DELETE")
    there = {"tag": documents.tag(tag, digest)}
    sent(client).on("GET", f"https://{recording.host}{recording.path}", Answer(200, there), GONE)
    result = apply_untag(client, UntagPlan(repository, (UntagItem(tag, digest, ""),), ()))
    assert [(done.tag, done.digest, done.outcome) for done in result.values] == [(tag, digest, "untagged")]


def replay_manifest_deletion(recording: Recording) -> None:
    # The recorder has put a word in the place of the digest.
    client = recording.registry(method="DELETE")
    sent(client).on("GET", f"https://{recording.host}/acr/v1/r/_manifests/d", GONE)
    assert delete(client, "T", recording.path, lambda: get_manifest_row(client, "r", "d")) == "deleted"


REFUSED = Answer(403, {"error": {"code": "AuthorizationFailed", "message": "M"}})


def arm() -> tuple[Canned, AzureSession]:
    wire = Canned()
    return wire, AzureSession(Credential(), CLOUD, wire)


def serve_details(wire: Canned, resource_id: str, usages: Answer = REFUSED, replicas: Answer = REFUSED) -> None:
    wire.on("GET", f"{ARM}{resource_id}/listUsages", usages)
    wire.on("GET", f"{ARM}{resource_id}/replications", replicas)


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
    assert [fate for _, fate in result.fates] == ["changed", "changed"]
    assert (result.others, result.error) == ((), None)
    assert [json.loads(one.body) for one in wire.sent if one.method == "PATCH"] == [asked]


GONE_FROM_ARM = Answer(404, {"error": {"code": "ResourceNotFound", "message": "M"}})


def replay_removal(recording: Recording) -> None:
    """The recorded deletion, with the look at its operation where it has one, of an empty registry."""
    wire, session = arm()
    url = f"{ARM}{recording.path}"
    there = {"id": recording.path, "name": recording.path.rpartition("/")[2], "properties": {}}
    serve_details(wire, recording.path)
    wire.on("GET", url, *[Answer(200, there)] * 2, GONE_FROM_ARM)
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
    listed = list_replications(session, registry_at(recording.path.rpartition("/")[0]))
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


ARM_GONE = Answer(404, {"error": {"code": "ResourceNotFound", "message": "M"}})


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
    wire.on("PUT", f"{ARM}{replica.path}", Answer(201, replica.body, recording.headers))
    wire.on("GET", f"{ARM}{recording.path}", recording.answer)
    wire.on("GET", f"{ARM}{replica.path}", replica.answer)
    plan = ReplicaPlan(registry, replica.body["location"], (), ())
    assert apply_replica(session, plan) == "added"
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
    registry = serve_registry(wire, begun.path.rpartition("/replications")[0], Answer(200, {"value": [replica.body]}))
    wire.on("GET", f"{ARM}{begun.path}", ARM_GONE)
    wire.on("DELETE", f"{ARM}{begun.path}", begun.answer)
    wire.on("GET", begun.headers["Location"].partition("?")[0], waits.answer)
    wire.on("GET", waits.headers["Location"].partition("?")[0], waits.answer, done.answer)
    plan = ReplicaPlan(registry, replica.body["location"], (), ())
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
    assert apply_webhook(session, plan_webhook(registry, (), wanted)) == "added"
    body = json.loads(next(sent.body for sent in wire.sent if sent.method == "PUT"))
    assert body["location"] == recording.request["location"]
    assert asked.items() <= body["properties"].items()


def replay_webhook_removal(recording: Recording) -> None:
    wire, session, registry, name = hook_at(recording)
    there = Recording("real/acr-mgmt/webhook_get_2019-05-01.json")
    wire.on("GET", f"{ARM}{recording.path}", there.answer, there.answer, ARM_GONE)
    assert apply_webhook_removal(session, registry, get_webhook(session, registry, name)) == "deleted"


def replay_ping(recording: Recording) -> None:
    _, session, registry, name = hook_at(recording)
    assert ping(session, registry, name) == recording.body["id"]


def replay_callback(recording: Recording) -> None:
    _, session, registry, name = hook_at(recording)
    found = read_callback(session, registry, name)
    assert found.service_uri == recording.body["serviceUri"]
    assert list(found.header_names) == sorted(recording.body["customHeaders"])
    assert not any(value in found.header_names for value in recording.body["customHeaders"].values())


def replay_subscriptions(recording: Recording) -> None:
    wire, session = arm()
    wire.on("GET", f"{ARM}/subscriptions", recording.answer)
    found = list_subscriptions(session)
    assert {(s.id, s.name, s.tenant_id, s.state) for s in found} == {
        (entry["subscriptionId"], entry["displayName"], entry["tenantId"], entry["state"])
        for entry in recording.body["value"]
    }


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
    group, subscription, name = resource_id.split("/")[4], resource_id.split("/")[2], resource_id.split("/")[-1]
    target = a_registry(id=resource_id, name=name, subscription_id=subscription, resource_group=group)
    asked = begun.request["source"]
    source = parse_source(f"{asked['registryUri']}/{asked['sourceImage']}")
    plan = CopyPlan(source, target, (CopyItem("hello", "v1", known=False),), None, (), ())
    copied = apply_copy(session, plan)
    assert [result.outcome for result in copied.results.values] == ["not confirmed"]
    assert wire.paths() == [f"POST {begun.path}", f"GET {waits.path}", f"GET {done.path}"]
    sent_body = json.loads(wire.sent[0].body)
    assert sent_body["source"].keys() == asked.keys()
    assert sent_body["source"]["registryUri"] == asked["registryUri"]
    assert begun.request.keys() <= sent_body.keys()
    assert set(wire.slept) == {float(begun.headers["Retry-After"])}


NAMESPACE = "Microsoft.ContainerRegistry"


def serve_provider(wire: Canned, subscription: str, locations: list[dict[str, Any]]) -> None:
    """A subscription in which registries are offered in these locations."""
    kinds = [{"resourceType": "registries", "locations": [location["displayName"] for location in locations]}]
    provider = {"namespace": NAMESPACE, "registrationState": "Registered", "resourceTypes": kinds}
    wire.on("GET", f"{ARM}/subscriptions/{subscription}/providers/{NAMESPACE}", Answer(200, provider))
    wire.on("GET", f"{ARM}/subscriptions/{subscription}/locations", Answer(200, {"value": locations}))


def replay_creation(recording: Recording) -> None:
    """A whole creation around the recorded answer to its PUT, with the recorded progress where it had one."""
    wire, session = arm()
    _, _, subscription, _, group, *_, name = recording.path.split("/")
    wanted, url = recording.request, f"{ARM}{recording.path}"
    there = {**recording.body, "properties": {**recording.body["properties"], "provisioningState": "Succeeded"}}
    wire.on("PUT", url, recording.answer)
    gone = Answer(404, {"error": {"code": "ResourceNotFound", "message": "M"}})
    wire.on("GET", url, gone, gone, Answer(200, there))  # Looked for by the plan, and again before it is made.
    if operation := recording.headers.get("Azure-AsyncOperation"):
        waits = Recording("real/acr-mgmt/registry_operationstatus_creating_2024-11-01-preview.json")
        wire.on("GET", operation.partition("?")[0], waits.answer, Answer(200, {"status": "Succeeded"}))
    serve_provider(wire, subscription, [{"name": wanted["location"], "displayName": wanted["location"]}])
    at = f"{ARM}/subscriptions/{subscription}"
    found_group = {"name": group, "location": "westus", "properties": {"provisioningState": "Succeeded"}}
    wire.on("GET", f"{at}/resourcegroups/{group}", Answer(200, found_group))
    wire.on("POST", f"{at}/providers/{NAMESPACE}/checkNameAvailability", Answer(200, {"nameAvailable": True}))
    wire.on("GET", f"{at}/resourcegroups/{group}/providers/Microsoft.Authorization/permissions", REFUSED)
    tags = tuple((wanted.get("tags") or {}).items())
    order = RegistrySpec(subscription, group, False, name, Sku(wanted["sku"]["name"]), wanted["location"], tags=tags)
    done = apply_creation(session, plan_creation(order, read_ground(session, order), None))
    assert (done.group.outcome, done.made.outcome, done.differs) == ("was there", "made", ())
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


def replay_locations(recording: Recording) -> None:
    wire, session = arm()
    first, *others = recording.body["value"]
    serve_provider(wire, "s1", others)
    wire.on("GET", f"{ARM}/subscriptions/s1/locations", recording.answer)
    provider = read_provider(session, "s1")
    assert {(place.name, place.display_name) for place in provider.locations} == {
        (entry["name"], entry["displayName"]) for entry in others
    }
    assert not provider.offers(first["name"])


def check_group(found: ResourceGroup, document: dict[str, Any]) -> None:
    assert (found.name, found.location) == (document["name"], document["location"])
    assert found.state == document["properties"]["provisioningState"]


def replay_groups(recording: Recording) -> None:
    wire, session = arm()
    subscription = recording.part("/subscriptions/([^/]+)/")
    wire.on("GET", f"{ARM}{recording.path}", recording.answer, Answer(200, {"value": []}))
    found = {group.name: group for group in list_groups(session, subscription)}
    assert len(found) == len(recording.body["value"])
    for document in recording.body["value"]:
        check_group(found[document["name"]], document)


def replay_group(recording: Recording) -> None:
    wire, session = arm()
    wire.on("GET", f"{ARM}/subscriptions/s1/resourcegroups/{recording.body['name']}", recording.answer)
    found = find_group(session, "s1", recording.body["name"])
    assert found
    check_group(found, recording.body)


def replay_new_group(recording: Recording) -> None:
    wire, session = arm()
    name, location = recording.body["name"], recording.request["location"]
    wire.on("PUT", f"{ARM}/subscriptions/s1/resourcegroups/{name}", recording.answer)
    check_group(create_group(session, "s1", name, location), recording.body)
    assert json.loads(wire.sent[0].body) == {"location": location}


def replay_budgets(recording: Recording) -> None:
    """A list, or a single one as a list of one."""
    documents = recording.body.get("value", [recording.body])
    wire, session = arm()
    url = f"{ARM}/subscriptions/s1/providers/Microsoft.Consumption/budgets"
    wire.on("GET", url, Answer(200, {"value": documents}))
    (found,) = read_budgets(session, [Subscription("s1", "contoso", "t1", "Enabled")]).values
    assert len(found) == len(documents)
    for budget, document in zip(found, documents, strict=True):
        properties = document["properties"]
        assert budget.id == f"/{document['id'].strip('/')}"
        assert budget.name == document["name"]
        assert budget.amount == Decimal(repr(properties["amount"]))
        assert budget.spent == Decimal(repr(properties["currentSpend"]["amount"]))
        assert budget.currency == (properties["currentSpend"]["unit"] or "")
        assert budget.grain == properties["timeGrain"]
        for part in properties.get("filter", {}).get("and", []):
            for named in part.values():
                assert f"{named['name']} is {' or '.join(named['values'])}" in budget.covers


NOBODY = "00000000-0000-0000-0000-000000000000"
REGISTRY_ID = "/subscriptions/s1/resourcegroups/contoso-rg/providers/microsoft.containerregistry/registries/contosoacr"


def replay_usage_details(recording: Recording) -> None:
    """No recording has a registry's row: as they are they come to nothing, re-addressed to all they cost."""
    wire, session = arm()
    url = f"{ARM}/subscriptions/{NOBODY}/providers/Microsoft.Consumption/usageDetails"
    last = Answer(200, {"value": []})
    wire.on("GET", url, recording.answer, last)
    assert read_usage(session, NOBODY, date(2018, 1, 1), date(2018, 12, 31)) == ()
    readdressed = json.loads(json.dumps(recording.body), parse_float=Decimal)["value"]
    for entry in readdressed:
        properties = entry["properties"]
        name = next(name for name in ("resourceId", "instanceId", "instanceName") if name in properties)
        properties[name] = REGISTRY_ID
    sums = CostSums()
    add_usage(sums, readdressed)
    names = ("cost", "costInBillingCurrency", "pretaxCost")
    wanted = [next(entry["properties"][name] for name in names if name in entry["properties"]) for entry in readdressed]
    assert sum(row.cost for row in sums.rows()) == sum(Decimal(amount) for amount in wanted)
    assert {row.registry_id for row in sums.rows()} == {REGISTRY_ID}
    assert all(row.meter for row in sums.rows())


def replay_cost_query(recording: Recording) -> None:
    """Asked by resource alone: the month and the meter, which the console asks for too, are put beside it."""
    wire, session = arm()
    properties = recording.body["properties"]
    at = {column["name"]: number for number, column in enumerate(properties["columns"])}
    added = [{"name": "BillingMonth", "type": "Datetime"}, {"name": "Meter", "type": "String"}]
    rows = [[*row, "2018-05-01T00:00:00", "Basic Registry Unit"] for row in properties["rows"]]
    for row in rows:
        row[at["ResourceId"]] = REGISTRY_ID
    body = {**recording.body, "properties": {**properties, "columns": properties["columns"] + added, "rows": rows}}
    wire.on("POST", f"{ARM}/subscriptions/s1/providers/Microsoft.CostManagement/query", Answer(200, body))
    (found,) = query_costs(session, "s1", date(2018, 5, 1), date(2018, 5, 31))
    assert found.cost == sum(Decimal(repr(row[at["PreTaxCost"]])) for row in properties["rows"])
    assert found.currency == properties["rows"][0][at["Currency"]]


def replay_prices(recording: Recording) -> None:
    """No recording has a registry's meter: what is of other services must be read, and taken for no price of ours."""
    wire, session = arm()
    following = recording.body["NextPageLink"]
    wire.on("GET", f"https://{recording.host}{recording.path}", recording.answer)
    if following:
        last = {**recording.body, "Items": [], "NextPageLink": None}
        wire.on("GET", following.partition("?")[0], Answer(200, last))
    currency = recording.body["BillingCurrency"]
    rows = read_price_rows(session, currency, ["westeurope"])
    assert [row["meterId"] for row in rows] == [item["meterId"] for item in recording.body["Items"]]
    assert all(isinstance(row["retailPrice"], Decimal | int) for row in rows)
    assert len(wire.sent) == (2 if following else 1)
    assert prices_of(rows, currency, datetime.now(UTC)) == {}


def check_cluster(found: Cluster, document: dict[str, Any]) -> None:
    properties, identity = document["properties"], document.get("identity")
    assert (found.id, found.name, found.location) == (document["id"], document["name"], document["location"])
    assert found.resource_group == document["id"].split("/")[4]
    assert found.provisioning_state == properties["provisioningState"]
    assert found.power == properties.get("powerState", {}).get("code", "")
    assert [(pool.name, pool.count, pool.vm_size) for pool in found.pools] == [
        (pool["name"], pool["count"], pool["vmSize"]) for pool in properties["agentPoolProfiles"]
    ]
    assert all(pool.os == "Linux" and pool.architecture == "amd64" for pool in found.pools)
    balancer = properties["networkProfile"].get("loadBalancerProfile", {})
    assert list(found.network.outbound_ip_ids) == [one["id"] for one in balancer.get("effectiveOutboundIPs", [])]
    assert found.network.fqdn == properties.get("fqdn", "")
    kubelet = properties.get("identityProfile", {}).get("kubeletidentity")
    if kubelet:
        assert found.kubelet == ManagedIdentity(kubelet["objectId"], kubelet["clientId"], kubelet["resourceId"])
        assert (found.puller.kind, found.puller.object_id) == ("kubelet identity", kubelet["objectId"])
    if not identity:
        assert found.identity_model is IdentityModel.SERVICE_PRINCIPAL
        assert found.puller.client_id == properties["servicePrincipalProfile"]["clientId"]
        assert (found.kubelet, found.control_plane) == (None, None)
    elif identity["type"] == "SystemAssigned":
        assert found.identity_model is IdentityModel.SYSTEM
        assert found.control_plane == ManagedIdentity(identity["principalId"])
        assert found.tenant_id == identity["tenantId"]
    else:
        ((resource_id, user),) = identity["userAssignedIdentities"].items()
        assert found.identity_model is IdentityModel.USER
        assert found.control_plane == ManagedIdentity(user["principalId"], user["clientId"], resource_id)


def replay_cluster(recording: Recording) -> None:
    wire, session = arm()
    resource_id = recording.body["id"]
    wire.on("GET", f"{ARM}{resource_id.replace('/resourcegroups/', '/resourceGroups/')}", Answer(200, recording.body))
    check_cluster(get_cluster(session, resource_id), recording.body)


def replay_clusters(recording: Recording) -> None:
    wire, session = arm()
    subscription = "s" if recording.body["value"] == [] else recording.body["value"][0]["id"].split("/")[2]
    listed = {"value": [{"subscriptionId": subscription, "displayName": "contoso"}]}
    wire.on("GET", f"{ARM}/subscriptions", Answer(200, listed))
    url = f"{ARM}/subscriptions/{subscription}/providers/Microsoft.ContainerService/managedClusters"
    wire.on("GET", url, recording.answer)
    found = list_clusters(session, list_subscriptions(session))
    assert found.complete
    for cluster, document in zip(found.values, recording.body["value"], strict=True):
        check_cluster(cluster, document)


S1 = Subscription("s1", "contoso", "", "")
AUTHORIZATION = f"{ARM}/subscriptions/s1/providers/Microsoft.Authorization"


def check_assignment(found: Any, document: dict[str, Any]) -> None:
    properties = document["properties"]
    assert (found.id, found.name, found.scope) == (document["id"], document["name"], properties["scope"])
    assert properties["roleDefinitionId"].lower().endswith(found.role)
    assert found.principal_id == properties["principalId"]
    assert found.principal_type == properties.get("principalType", "")
    assert found.created == time(properties["createdOn"])
    assert found.created_by == (properties["createdBy"] or "")
    assert (found.condition, found.description) == (properties.get("condition") or "", "")


def replay_assignments(recording: Recording) -> None:
    wire, session = arm()
    wire.on("GET", f"{AUTHORIZATION}/roleAssignments", recording.answer)
    for found, document in zip(list_assignments(session, S1), recording.body["value"], strict=True):
        check_assignment(found, document)


def replay_assignment(recording: Recording) -> None:
    wire, session = arm()
    wire.on("GET", f"{AUTHORIZATION}/roleAssignments/a", recording.answer)
    check_assignment(
        assignment_from(session.authorization("s1").role_assignments.get("/subscriptions/s1", "a")), recording.body
    )


def replay_grant(recording: Recording) -> None:
    """Our name for the assignment is another than the recorded one: read back, it counts all the same."""
    wire, session = arm()
    properties = recording.body["properties"]
    role = properties["roleDefinitionId"].rpartition("/")[2]
    kind = properties.get("principalType", "ServicePrincipal")
    grant = Grant(properties["scope"], properties["principalId"], kind, role, "R")
    url = f"{ARM}{grant.scope}/providers/Microsoft.Authorization/roleAssignments"
    wire.on("PUT", f"{url}/{grant.name}", recording.answer)
    wire.on("GET", url, Answer(200, {"value": [recording.body]}))
    written, found = write_grant(session, grant, "T", lambda _state: None, wire.sleep)
    assert written == "assigned already"
    check_assignment(found, recording.body)
    assert json.loads(wire.sent[0].body)["properties"]["principalType"] == kind
    assert not wire.slept


def replay_role_removal(recording: Recording) -> None:
    wire, session = arm()
    url = f"{ARM}{recording.body['id']}"
    gone = Answer(404, {"error": {"code": "RoleAssignmentNotFound", "message": "M"}})
    wire.on("GET", url, Answer(200, recording.body), gone)
    wire.on("DELETE", url, recording.answer)
    model = session.authorization("s1").role_assignments.get_by_id(recording.body["id"].lstrip("/"))
    wire.on("GET", url, Answer(200, recording.body), gone)
    assert remove_assignment(session, assignment_from(model), "T", lambda _state: None) == "deleted"


def check_role(found: Any, document: dict[str, Any]) -> None:
    properties = document["properties"]
    assert (found.id, found.name, found.kind) == (document["name"], properties["roleName"], properties["type"])
    kinds = ("actions", "notActions", "dataActions", "notDataActions")
    assert [
        (block.actions, block.not_actions, block.data_actions, block.not_data_actions) for block in found.blocks
    ] == [tuple(tuple(block.get(kind, ())) for kind in kinds) for block in properties["permissions"]]


def replay_role(recording: Recording) -> None:
    """A role that is held at a registry, read with who holds it."""
    wire, session = arm()
    registry = a_registry()
    url, guid = f"{ARM}{registry.id}/providers/Microsoft.Authorization", recording.body["name"]
    held = {"roleDefinitionId": f"/roleDefinitions/{guid}", "principalId": "p", "scope": registry.id}
    wire.on("GET", f"{url}/roleAssignments", Answer(200, {"value": [{"id": "i", "properties": held}]}))
    wire.on("GET", f"{url}/denyAssignments", Answer(200, {"value": []}))
    wire.on("GET", f"{url}/roleDefinitions/{guid}", recording.answer)
    found = read_principal(session, registry, "p")
    assert not found.unread
    check_role(found.records.roles[guid], recording.body)


def replay_roles(recording: Recording) -> None:
    wire, session = arm()
    wire.on("GET", f"{AUTHORIZATION}/roleDefinitions", recording.answer)
    found = list_roles(session, S1)
    assert len(found) == len(recording.body["value"])
    for document in recording.body["value"]:
        check_role(found[document["name"]], document)


def replay_permissions(recording: Recording) -> None:
    wire, session = arm()
    registry = a_registry(subscription_id="s1", resource_group="rg", name="contosoacr")
    at = "/subscriptions/s1/resourcegroups/rg/providers/Microsoft.ContainerRegistry//registries/contosoacr"
    wire.on("GET", f"{ARM}{at}/providers/Microsoft.Authorization/permissions", recording.answer)
    found = own_permissions(session, registry)
    assert [list(block.actions) for block in found] == [block["actions"] for block in recording.body["value"]]
    assert blocks_grant(found, Permission.ASSIGN_ROLES, Mode.LEGACY)


READ: dict[str, Callable[[Recording], None]] = {
    "real/acr-data/catalog_page?.json": replay_catalog,
    "real/acr-data/catalog_unpaged_*.json": replay_catalog,
    "real/acr-data/repository_get.json": replay_repository,
    "real/acr-data/repository_patch_lock.json": replay_repository,
    "real/acr-data/tags_list_*.json": replay_tags,
    "real/acr-data/tag_get.json": replay_tag,
    "real/acr-data/repository_delete_202*.json": replay_repository_deletion,
    "real/acr-data/tag_delete_202.json": replay_untag,
    "real/acr-data/v2_manifest_delete_202.json": replay_manifest_deletion,
    "real/acr-data/manifests_*.json": replay_manifests,
    "real/acr-data/manifest_get_*.json": replay_manifest_row,
    "real/acr-data/v2_manifest_get_*.json": replay_manifest,
    "real/acr-data/oauth2_exchange_200.json": replay_token,
    "real/acr-data/oauth2_token_refresh_grant_200.json": replay_token,
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
    "real/subscriptions/subscription_locations_*.json": replay_locations,
    "real/resource-groups/resource_group_list_*.json": replay_groups,
    "real/resource-groups/resource_group_get*.json": replay_group,
    "real/resource-groups/resource_group_create_*.json": replay_new_group,
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
    "real/subscriptions/subscription_list_*.json": replay_subscriptions,
    "documented/retail-prices/*.json": replay_prices,
    "real/consumption/cost_management_query_by_resource.json": replay_cost_query,
    "*/consumption/usage_details_*.json": replay_usage_details,
    "*/consumption/budget_list_*.json": replay_budgets,
    "real/consumption/budget_get_*.json": replay_budgets,
    "real/aks/cluster_get_*.json": replay_cluster,
    "real/aks/cluster_create_201_*.json": replay_cluster,
    "real/aks/cluster_patch_tags_*.json": replay_cluster,
    "real/aks/cluster_list_*.json": replay_clusters,
    "real/authorization/role_assignment_list_*.json": replay_assignments,
    "real/authorization/role_assignment_get_*.json": replay_assignment,
    "real/authorization/role_assignment_create_*.json": replay_grant,
    "real/authorization/role_assignment_delete_200.json": replay_role_removal,
    "real/authorization/role_definition_get_*.json": replay_role,
    "real/authorization/role_definitions_*.json": replay_roles,
    "real/authorization/permissions_*.json": replay_permissions,
}


def fitting(file: str, patterns: Any) -> list[str]:
    return [pattern for pattern in patterns if fnmatch(file, pattern)]


RECORDINGS = {file: Recording(file) for file in FILES}
REFUSALS = [file for file, recording in RECORDINGS.items() if recording.status >= 400]
ANSWERS = [file for file in FILES if file not in REFUSALS]


@pytest.mark.parametrize("file", [file for file in ANSWERS if fitting(file, READ)])
def test_what_a_service_reads(file: str) -> None:
    (pattern,) = fitting(file, READ)
    READ[pattern](RECORDINGS[file])


def test_every_answer_is_read_or_has_a_reason_why_not() -> None:
    neither = [file for file in ANSWERS if not fitting(file, READ) and not fitting(file, NOT_READ)]
    assert not neither, f"Give these to a service in READ, or a reason in NOT_READ: {', '.join(neither)}"
    both = [file for file in ANSWERS if fitting(file, READ) and fitting(file, NOT_READ)]
    assert not both, f"These are read: take them out of NOT_READ: {', '.join(both)}"


def test_no_line_of_the_tables_is_left_over() -> None:
    unused = [pattern for pattern in (*READ, *NOT_READ) if not any(fnmatch(file, pattern) for file in ANSWERS)]
    assert not unused, f"No file fits: {', '.join(unused)}"


def said(body: Any) -> tuple[str, str]:
    """Code and message of a recorded refusal."""
    if body is None:
        return "", "Azure gave no reason."
    document = json.loads(body) if isinstance(body, str) else body
    error = document["errors"][0] if "errors" in document else document.get("error", document)
    return error["code"], error["message"]


def check_refusal(error: ServiceError, recording: Recording) -> None:
    assert error.status == recording.status
    assert (error.code, error.cause) == said(recording.body)
    assert error.remedy


@pytest.mark.parametrize("file", [file for file in REFUSALS if RECORDINGS[file].plane != "acr-data"])
def test_refusals_of_arm(file: str) -> None:
    recording = RECORDINGS[file]
    wire, session = arm()
    wire.on("GET", f"{ARM}/subscriptions", recording.answer)
    with pytest.raises(ServiceError) as raised:
        list_subscriptions(session)
    check_refusal(raised.value, recording)
    assert {request.method for request in wire.sent} == {"GET"}


@pytest.mark.parametrize("file", [file for file in REFUSALS if RECORDINGS[file].plane == "resource-groups"])
def test_a_group_that_is_not_there_is_none(file: str) -> None:
    recording = RECORDINGS[file]
    wire, session = arm()
    wire.on("GET", f"{ARM}/subscriptions/s1/resourcegroups/none", recording.answer)
    if recording.body:
        assert find_group(session, "s1", "none") is None
        return
    with pytest.raises(ServiceError):  # A 404 without a code is some proxy's, and proves nothing.
        find_group(session, "s1", "none")


@pytest.mark.parametrize("file", [file for file in REFUSALS if RECORDINGS[file].plane == "acr-data"])
def test_refusals_of_a_registry(file: str) -> None:
    recording = RECORDINGS[file]
    client = recording.registry()
    with pytest.raises(ServiceError) as raised, as_service_error("Could not read"):
        client.raw(recording.path)
    check_refusal(raised.value, recording)


CHALLENGES = [file for file in REFUSALS if RECORDINGS[file].plane == "acr-data" and RECORDINGS[file].status == 401]


@pytest.mark.parametrize("file", CHALLENGES)
def test_the_scope_that_a_registry_asks_for_is_the_one_foreseen(file: str) -> None:
    recording = RECORDINGS[file]
    challenge = re.search('scope="([^"]*)"', recording.headers["WWW-Authenticate"])
    need = need_of(recording.method, recording.path)
    if not challenge:
        assert need is None
        return
    assert need is not None
    details = recording.body["errors"][0]["detail"]
    assert {detail["Action"] for detail in details} == need.actions
    assert {detail["Name"] for detail in details} == {need.repository or "catalog"}
    if challenge[1] != "fake_scope":  # A recorder's own.
        assert challenge[1] == need.scope


@pytest.mark.parametrize("file", CHALLENGES)
def test_a_challenge_is_answered_with_a_token_for_what_it_names(file: str) -> None:
    recording = RECORDINGS[file]
    header = recording.headers["WWW-Authenticate"]
    client = recording.registry(Answer(200, {}))
    canned = sent(client)
    canned.on("POST", f"https://{recording.host}/oauth2/token", Answer(200, {"access_token": "fresh"}))
    scope = re.search('scope="([^"]*)"', header)
    if not scope or need_of("GET", recording.path) is None:
        with pytest.raises(ServiceError), as_service_error("Could not read"):
            client.raw(recording.path)
        return
    assert client.raw(recording.path).status_code == 200
    form = next(request.form for request in reversed(canned.sent) if request.path == "/oauth2/token")
    assert form["scope"] == scope[1]
    assert f'service="{form["service"]}"' in header
    assert canned.calls()[-1].headers["Authorization"] == "Bearer fresh"


@pytest.mark.parametrize(
    "file", [file for file in REFUSALS if "role_assignment_exists" in file or "principal_not_found" in file]
)
def test_a_role_assignment_that_azure_refuses(file: str) -> None:
    """What exists is success, whatever the words; whom the directory does not know is waited for."""
    recording = RECORDINGS[file]
    wire, session = arm()
    grant = Grant(a_registry().id, "p", "ServicePrincipal", "r", "R")
    url = f"{ARM}{grant.scope}/providers/Microsoft.Authorization/roleAssignments"
    held = {"roleDefinitionId": "/roleDefinitions/r", "principalId": "p", "scope": grant.scope}
    wire.on("PUT", f"{url}/{grant.name}", recording.answer)
    wire.on("GET", url, Answer(200, {"value": [{"id": "i", "name": "n", "properties": held}]}))
    slept: list[float] = []
    if "exists" in file:
        written, found = write_grant(session, grant, "T", lambda _state: None, slept.append)
        assert (written, found and found.name, slept) == ("assigned already", "n", [])
    else:
        with pytest.raises(ServiceError, match="PrincipalNotFound"):
            write_grant(session, grant, "T", lambda _state: None, slept.append)
        assert tuple(slept) == WAITS_S
