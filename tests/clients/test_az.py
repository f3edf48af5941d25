"""az against the sandbox: the commands of a beginner's guide and those the console shows."""

import json
import os
import shlex
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.arm.policies import policy
from sandbox.arm.providers import unregister
from sandbox.clusters.clusters import CLUSTER_TYPE
from sandbox.clusters.network import REGISTRY_ZONE
from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.principals import by_app_id
from sandbox.identity.rbac import registry_permissions
from sandbox.seeds.places import NETWORK
from sandbox.seeds.walkthrough import SUBSCRIPTION
from sandbox.server import Sandbox
from services.access.repository_scope import RepositoryChoice
from services.access.role_assignment_reading import list_assignments_at, read_access
from services.access.role_definitions import BUILT_IN, REPOSITORY_READER
from services.access_review.abac_switch import plan_switch
from services.access_review.abac_switch_steps import steps_of
from services.aks.clusters import list_clusters
from services.arm.subscriptions import list_subscriptions
from services.child_resources.replications import apply_replica_removal, list_replications, plan_replica_removal
from services.child_resources.scope_maps import Grant, Right, get_scope_map, list_scope_maps
from services.child_resources.token_creation import apply_token, plan_token
from services.child_resources.token_removal import apply_token_removal, plan_token_removal
from services.child_resources.tokens import get_token, list_tokens
from services.child_resources.webhook_events import list_events, ping
from services.child_resources.webhook_rules import NewWebhook
from services.child_resources.webhooks import apply_webhook, get_webhook, list_webhooks, plan_webhook
from services.commands import access as az_access
from services.commands import registries as az_registries
from services.connection.parallel import Partial
from services.connection.session import connect_sandbox
from services.deletion.plan import Why, plan_deletion
from services.images.leftovers import find_leftovers
from services.images.manifest_reading import read_raw
from services.images.repository_contents import read_contents
from services.pulls.logging import list_settings
from services.pulls.turn_on import plan_logging
from services.pulls.workspaces import list_workspaces
from services.registries.reading import find_registry, get_registry, list_registries
from services.registries.registry import Mode
from services.registries.skus import Sku
from services.registry_lifecycle.creation import apply_creation
from services.registry_lifecycle.creation_plan import RegistrySpec, read_creation_plan
from services.registry_lifecycle.names import NameScope
from services.registry_lifecycle.removal import apply_removal, plan_removal
from services.registry_lifecycle.settings import settings_of
from services.registry_lifecycle.settings_change import apply_settings, plan_settings
from services.registry_lifecycle.sku_change import apply_sku_change, count_connected, plan_sku_change
from services.restore.deleted import read_deleted
from services.restore.plan import read_restore_plan
from services.restore.run import apply_restore
from services.roles.admin_request import as_az
from services.roles.assign import apply_assignment, read_assignment_plan
from services.roles.unassign import apply_removal as remove_role
from services.roles.unassign import read_removal_plan
from tests.support.az_program import AZ, MISSING

REGISTRY = (
    "/subscriptions/b63a40da-5629-452a-9350-e48460eae13f/resourceGroups/resource-group-4"
    "/providers/Microsoft.ContainerRegistry/registries/casaacr01"
)
KUBELET_CLIENT = "d55c1efa-7418-42a5-9dc4-34467aba4ca0"
ACR_PUSH = "8311e382-0749-4cb8-b61a-304f252e45ec"
KUBELET = "7d2f894e-14ab-41d0-b83d-dda90d45c7d6"
KEY = (("X-Key", "only-the-address-knows"),)

pytestmark = [
    pytest.mark.client,
    pytest.mark.skipif(AZ is None, reason=MISSING),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Sandbox.start(tmp_path_factory.mktemp("az-sandbox"), seed="estate") as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def run(running, tmp_path_factory):
    """Runs az, signed in as the console, and gives what it prints as JSON."""
    environment = {
        **os.environ,
        "AZURE_CONFIG_DIR": str(tmp_path_factory.mktemp("az-config")),
        "REQUESTS_CA_BUNDLE": running.ready["ca_file"],
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZURE_CORE_NO_COLOR": "true",
    }

    def az(*arguments, fails=False, stdin=None, text=False):
        command = [AZ, *arguments, "--output", "json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, input=stdin)
        assert (done.returncode != 0) is fails, done.stderr
        if fails:
            return done.stderr
        if text:
            return done.stdout
        return json.loads(done.stdout) if done.stdout.strip() else None

    ready = running.ready
    az("cloud", "register", "-n", "Sandbox", "--endpoint-resource-manager", ready["resource_manager"])
    az("cloud", "set", "-n", "Sandbox")
    account = ("--tenant", ready["tenant_id"], "-u", ready["client_id"])
    az("login", "--service-principal", *account, "-p", ready["client_secret"])
    return az


def test_a_wrong_secret_is_explained(run, running):
    account = ("--tenant", running.ready["tenant_id"], "-u", running.ready["reader_client_id"])
    assert "AADSTS7000215" in run("login", "--service-principal", *account, "-p", "wrong", fails=True)


def test_accounts_groups_and_clusters(run):
    assert {account["name"] for account in run("account", "list")} >= {"casacloud", "contoso-platform"}
    created = run("group", "create", "-l", "eastus", "-n", "contoso-az-rg")
    assert created["properties"]["provisioningState"] == "Succeeded"
    assert "contoso-az-rg" in [group["name"] for group in run("group", "list")]
    assert run("group", "delete", "-n", "contoso-az-rg", "--yes") is None
    assert [cluster["name"] for cluster in run("aks", "list")] == ["aks1"]
    cluster = run("aks", "show", "-g", "resource-group-4", "-n", "aks1")
    assert cluster["identityProfile"]["kubeletidentity"]["clientId"] == KUBELET_CLIENT


def test_a_registry_s_life(run):
    assert run("acr", "check-name", "-n", "contosoaz01")["nameAvailable"] is True
    created = run("acr", "create", "-g", "casacloud_rg1", "-n", "contosoaz01", "--sku", "Basic", "-l", "eastus")
    assert (created["provisioningState"], created["sku"]["name"]) == ("Succeeded", "Basic")
    assert run("acr", "check-name", "-n", "contosoaz01")["reason"] == "AlreadyExists"
    updated = run("acr", "update", "-n", "contosoaz01", "--sku", "Standard", "--admin-enabled", "true")
    assert (updated["sku"]["name"], updated["adminUserEnabled"]) == ("Standard", True)
    assert run("acr", "credential", "show", "-n", "contosoaz01")["username"] == "contosoaz01"
    assert run("acr", "delete", "-n", "contosoaz01", "--yes") is None
    assert [registry["name"] for registry in run("acr", "list")] == ["casaacr01"]


def an_order(**changes):
    asked = {"group": "contoso-both-rg", "new_group": True, "name": "contosoboth02", "sku": Sku.BASIC}
    return RegistrySpec(SUBSCRIPTION, **{**asked, "location": "eastus", **changes})


def test_az_and_the_console_see_what_the_other_creates(run, running):
    """The guide's first two lines, once by az and once by the console."""
    session = connect_sandbox(running.ready)
    run("group", "create", "-l", "eastus", "-n", "contoso-first-rg")
    options = ("--sku", "Standard", "--location", "eastus", "--role-assignment-mode", "rbac-abac")
    run("acr", "create", "--resource-group", "contoso-first-rg", "--name", "contosoboth01", *options)
    by_az = next(one for one in list_registries(session).values if one.name == "contosoboth01")
    assert (by_az.sku, by_az.access.mode, by_az.resource_group) == ("Standard", "ABAC", "contoso-first-rg")
    taken = an_order(name="contosoboth01")
    assert "already in use" in " ".join(read_creation_plan(session, taken).blockers)

    order = an_order(tags=(("team", "platform"),))
    done = apply_creation(session, read_creation_plan(session, order))
    assert done.creation.outcome == "created"
    shown = run("acr", "show", "-n", "contosoboth02", "-g", "contoso-both-rg")
    assert (shown["sku"]["name"], shown["tags"], shown["location"]) == ("Basic", {"team": "platform"}, "eastus")
    assert shown["loginServer"] == done.registry.login_server
    assert run("acr", "check-name", "-n", "contosoboth02")["reason"] == "AlreadyExists"
    for group in ("contoso-first-rg", "contoso-both-rg"):
        run("group", "delete", "-n", group, "--yes")


def test_the_console_s_own_lines_create_a_registry(run, running):
    """As they are shown beside the form, for an order with every option."""
    order = an_order(
        name="contosolines", sku=Sku.PREMIUM, mode=Mode.ABAC, public_access=False, name_scope=NameScope.TENANT
    )
    lines = (
        az_registries.check_name(SUBSCRIPTION, order.name, name_scope=order.name_scope.value),
        az_registries.create_group(SUBSCRIPTION, order.group, order.location),
        az_registries.create_registry(
            SUBSCRIPTION,
            order.group,
            order.name,
            order.sku.value,
            order.location,
            abac=True,
            public_access=False,
            name_scope=order.name_scope.value,
            tags=(("team", "platform"),),
        ),
    )
    told, _, created = [run(*shlex.split(line)[1:]) for line in lines]
    assert told["nameAvailable"] is True
    assert told["availableLoginServerName"].startswith("contosolines-")
    assert created["roleAssignmentMode"] == "AbacRepositoryPermissions"
    assert created["publicNetworkAccess"] == "Disabled"
    assert created["autoGeneratedDomainNameLabelScope"] == "TenantReuse"
    found = find_registry(connect_sandbox(running.ready), SUBSCRIPTION, order.group, order.name)
    assert found.network.words == "private"
    run("group", "delete", "-n", order.group, "--yes")


def test_az_is_told_of_the_policy_too(run, running):
    document = policy(f"/subscriptions/{SUBSCRIPTION}", "allowed", "Allowed SKUs of registries", {"sku": ["Premium"]})
    running.store.put_resource(document)
    options = ("-g", "casacloud_rg1", "-n", "contosopolicy", "--sku", "Basic", "-l", "eastus")
    refused = run("acr", "create", *options, fails=True)
    running.store.delete_resource(document["id"])
    assert "RequestDisallowedByPolicy" in refused
    assert "Allowed SKUs of registries" in refused


def test_a_provider_is_registered_by_the_console_s_line(run, running):
    subscription = running.store.get_resource(f"/subscriptions/{SUBSCRIPTION}")
    unregister(subscription)
    running.store.put_resource(subscription)
    assert run(*shlex.split(az_registries.list_locations(SUBSCRIPTION))[1:])["state"] == "NotRegistered"
    run(*shlex.split(az_registries.register_provider(SUBSCRIPTION))[1:])
    shown = run(*shlex.split(az_registries.list_locations(SUBSCRIPTION))[1:])
    assert shown["state"] == "Registered"
    assert "East US" in shown["locations"]


def test_what_a_registry_is_and_uses(run, running):
    shown = run("acr", "show", "-n", "casaacr01")
    assert shown["id"] == REGISTRY
    assert shown["loginServer"] == running.ready["registries"]["casaacr01"]
    usage = {usage["name"]: usage for usage in run("acr", "show-usage", "-n", "casaacr01")["value"]}
    assert usage["Size"]["currentValue"] == running.store.blobs.stored_bytes("casaacr01")
    platform = ("--subscription", "contoso-platform")
    assert len(run("acr", "replication", "list", "-r", "contosohub", *platform)) == 4
    assert len(run("acr", "webhook", "list", "-r", "contosohub", *platform)) == 2


def test_repositories_tags_and_manifests(run):
    assert run("acr", "repository", "list", "-n", "casaacr01") == ["nodejstemplate"]
    shown = run("acr", "repository", "show", "-n", "casaacr01", "--repository", "nodejstemplate")
    assert (shown["manifestCount"], shown["tagCount"]) == (3, 1)
    assert shown["createdTime"] == "2025-04-09T14:59:48.7546763Z"
    assert run("acr", "repository", "show-tags", "-n", "casaacr01", "--repository", "nodejstemplate") == ["v1.0.0"]
    run("acr", "repository", "untag", "-n", "casaacr01", "--image", "nodejstemplate:v1.0.0")
    assert run("acr", "repository", "show-tags", "-n", "casaacr01", "--repository", "nodejstemplate") == []
    deleted = run("acr", "repository", "delete", "-n", "casaacr01", "--repository", "nodejstemplate", "--yes")
    assert len(deleted["manifestsDeleted"]) == 3
    assert run("acr", "repository", "list", "-n", "casaacr01") == []


def test_attaching_a_cluster_by_hand(run):
    where = ("--role", "AcrPull", "--scope", REGISTRY)
    created = run("role", "assignment", "create", "--assignee", KUBELET_CLIENT, *where)
    assert (created["principalId"], created["createdBy"]) == (KUBELET, None)
    again = run("role", "assignment", "create", "--assignee-object-id", KUBELET, *where)
    assert again["name"] == created["name"]
    (listed,) = run("role", "assignment", "list", "--assignee", KUBELET_CLIENT, "--scope", REGISTRY)
    assert listed["roleDefinitionName"] == "AcrPull"
    run("role", "assignment", "delete", "--assignee", KUBELET_CLIENT, *where)
    assert run("role", "assignment", "list", "--assignee", KUBELET_CLIENT, "--scope", REGISTRY) == []


def test_a_role_by_the_console_s_line_is_the_one_that_the_console_plans_and_removes(run, running):
    session = connect_sandbox(running.ready)
    registry = get_registry(session, REGISTRY)
    plan = read_assignment_plan(session, registry, BUILT_IN[ACR_PUSH], KUBELET, "ServicePrincipal")
    created = run(*shlex.split(as_az(plan.assignment))[1:])
    assert (created["name"], created["principalType"]) == (plan.assignment.name, "ServicePrincipal")
    assert read_assignment_plan(session, registry, BUILT_IN[ACR_PUSH], KUBELET, "ServicePrincipal").nothing_to_do
    assert apply_assignment(session, plan).outcome == "already done"
    (one,) = (one for one in list_assignments_at(session, registry).values if one.name == plan.assignment.name)
    assert remove_role(session, read_removal_plan(session, registry, one)).outcome == "deleted"
    assert run("role", "assignment", "list", "--assignee", KUBELET_CLIENT, "--scope", REGISTRY) == []


def test_a_role_by_the_console_is_the_one_that_az_lists_and_removes(run, running):
    session = connect_sandbox(running.ready)
    payments = next(one for one in list_registries(session).values if one.name == "contosopayments")
    some = RepositoryChoice(("team/app",), ("backend/",))
    plan = read_assignment_plan(session, payments, BUILT_IN[REPOSITORY_READER], KUBELET, "ServicePrincipal", some)
    assert apply_assignment(session, plan).outcome == "created"
    listed = run(*shlex.split(az_access.list_role_assignments(payments.id))[1:])
    (one,) = (one for one in listed if one["principalId"] == KUBELET)
    assert (one["condition"], one["conditionVersion"]) == (plan.assignment.condition, "2.0")
    # az, which knows no name for it, says so and makes no second one.
    again = ("--assignee-object-id", KUBELET, "--assignee-principal-type", "ServicePrincipal")
    where = ("--role", REPOSITORY_READER, "--scope", payments.id)
    assert run("role", "assignment", "create", *again, *where)["name"] == plan.assignment.name
    run(*shlex.split(az_access.remove_assignment(one["id"]))[1:])
    assert plan.assignment.name not in {found.name for found in list_assignments_at(session, payments).values}


def test_an_import_by_az_is_what_the_console_reads(run, running):
    platform = ("--subscription", "contoso-platform")
    hub = run("acr", "show", "-n", "contosohub", *platform)
    session = connect_sandbox(running.ready)
    clients = {name: session.registry(running.ready["registries"][name]) for name in ("contosohub", "contosoci")}
    source = ("--source", "api/orders:latest", "--registry", hub["id"])
    where = ("--name", "contosoci", *source, "--image", "imported/orders:v1", *platform)
    assert run("acr", "import", *where) is None
    index, _ = read_raw(clients["contosohub"], "api/orders", "latest")
    assert read_raw(clients["contosoci"], "imported/orders", "v1")[0] == index
    for child in json.loads(index)["manifests"]:
        digest = child["digest"]
        there = read_raw(clients["contosoci"], "imported/orders", digest)
        assert there == read_raw(clients["contosohub"], "api/orders", digest)
    assert "already exists in target registry" in run("acr", "import", *where, fails=True)
    assert run("acr", "import", *where, "--force") is None
    missing = ("--name", "contosoci", "--source", "api/none:v1", "--registry", hub["id"], *platform)
    assert "MANIFEST_UNKNOWN" in run("acr", "import", *missing, fails=True)


def test_az_deletes_of_an_image_what_the_plan_says_goes_with_its_digest(run, running):
    """az leaves an index's platforms behind; the plan takes them along. All else is the same."""
    hub = connect_sandbox(running.ready).registry(running.ready["registries"]["contosohub"])
    (before,) = read_contents(hub, ["api/orders"], {}).values
    digest = next(tag.digest for tag in before.tags if tag.name == "latest")
    plan = plan_deletion(before, [digest], registry="casaacr01", by_name=True)
    image = ("-n", "contosohub", "--image", "api/orders:latest", "--subscription", "contoso-platform")
    run("acr", "repository", "delete", *image, "--yes")
    (after,) = read_contents(hub, ["api/orders"], {}).values
    gone = {row.digest for row in before.rows} - {row.digest for row in after.rows}
    assert gone == {item.digest for item in plan.unblocked if item.why in (Why.CHOSEN, Why.REFERRER)}
    assert {tag.name for tag in before.tags} - {tag.name for tag in after.tags} == set(plan.tags)
    left = {item.digest for item in plan.unblocked if item.why is Why.CHILD}
    assert left and left <= set(find_leftovers(after.rows, after.manifests).certain)


APPS = ("--subscription", "contoso-apps")


def test_usage_by_row_with_its_meter(run):
    """az asks for a version whose costs it does not know: it prints no cost, and that as the word None."""
    last = datetime.now(UTC).date() - timedelta(days=1)
    first = last.replace(day=1)
    rows = run("consumption", "usage", "list", "-s", f"{first}", "-e", f"{last}", "-m", *APPS)
    fees = [row for row in rows if row["meterDetails"]["meterName"].endswith("Registry Unit")]
    assert len(fees) >= 5 * last.day
    assert {row["pretaxCost"] for row in rows} == {"None"}
    refused = run("consumption", "usage", "list", *APPS, fails=True)
    assert "Billing Period is not supported in (2023-05-01) API Version" in refused


def test_a_budget_s_life(run):
    assert [budget["name"] for budget in run("consumption", "budget", "list", *APPS)] == ["apps-registries"]
    period = ("--start-date", "2026-01-01", "--end-date", "2030-01-01", "--time-grain", "monthly")
    of = ("--budget-name", "data", "--amount", "50", "--category", "cost", "--resource-group-filter", "data-rg")
    created = run("consumption", "budget", "create", *of, *period, *APPS)
    assert (created["amount"], created["filters"]["resourceGroups"]) == ("50.0", ["data-rg"])
    shown = run("consumption", "budget", "show", "--budget-name", "data", *APPS)
    last = datetime.now(UTC).date() - timedelta(days=1)
    if last.month == datetime.now(UTC).month:
        assert float(shown["currentSpend"]["amount"]) > 0
    run("consumption", "budget", "delete", "--budget-name", "data", *APPS)
    assert [budget["name"] for budget in run("consumption", "budget", "list", *APPS)] == ["apps-registries"]


def test_costs_by_rest(run, running):
    today = datetime.now(UTC).date()
    body = {
        "type": "ActualCost",
        "timeframe": "Custom",
        "timePeriod": {"from": f"{today - timedelta(days=60)}", "to": f"{today}"},
        "dataset": {
            "granularity": "Monthly",
            "aggregation": {"totalCost": {"name": "Cost", "function": "Sum"}},
            "grouping": [{"type": "Dimension", "name": "ResourceId"}],
        },
    }
    scope = next(account["id"] for account in run("account", "list") if account["name"] == "contoso-platform")
    path = f"/subscriptions/{scope}/providers/Microsoft.CostManagement/query?api-version=2025-03-01"
    url, audience = running.ready["resource_manager"] + path, running.ready["resource_manager"]
    found = run("rest", "--method", "post", "--url", url, "--resource", audience, "--body", json.dumps(body))
    assert [column["name"] for column in found["properties"]["columns"]] == [
        "Cost",
        "BillingMonth",
        "ResourceId",
        "Currency",
    ]
    assert any(row[2].endswith("/registries/contosohub") for row in found["properties"]["rows"])


def test_a_sku_that_az_changes_is_the_one_that_the_console_shows(run, running):
    name, session = "contosodev", connect_sandbox(running.ready)
    updated = run("acr", "update", "--name", name, "--sku", "Standard", "--subscription", "contoso-apps")
    assert updated["sku"]["name"] == "Standard"
    (found,) = [registry for registry in list_registries(session).values if registry.name == name]
    assert found.sku == "Standard"
    plan = plan_sku_change(found, Sku.BASIC, count_connected(session, found), None, 30)
    assert apply_sku_change(session, plan) == "changed"
    shown = run("acr", "show", "--name", name, "--query", "sku", "--subscription", "contoso-apps")
    assert shown["name"] == "Basic"


def test_settings_that_az_changes_by_the_lines_shown_are_those_of_the_plan(run, running):
    session = connect_sandbox(running.ready)
    created = run("acr", "create", "-g", "casacloud_rg1", "-n", "contosoazset", "--sku", "Premium", "-l", "eastus")
    run("acr", "network-rule", "add", "-n", "contosoazset", "--ip-address", "203.0.113.7/32")
    try:
        for changes in AZ_CHANGES:
            registry = get_registry(session, created["id"])
            plan = plan_settings(registry, replace(settings_of(registry), **changes))
            assert not plan.blockers
            for line in plan.commands:
                run(*shlex.split(line)[1:])
            assert settings_of(get_registry(session, created["id"])) == plan.wanted, changes
        back = plan_settings(get_registry(session, created["id"]), settings_of(registry))
        assert {fate for _, fate in apply_settings(session, back).outcomes} == {"changed"}
        shown = run("acr", "show", "-n", "contosoazset")
        assert (shown["publicNetworkAccess"], shown["tags"]) == ("Disabled", {"owner": "a b"})
    finally:
        registry = get_registry(session, created["id"])
        line = az_registries.delete_registry(registry.name, registry.resource_group, registry.subscription_id)
        run(*shlex.split(line)[1:], "--yes")
    plan = plan_removal(registry, None, Partial(()), None, None)
    assert apply_removal(session, plan) == "already done"


AZ_CHANGES = (
    {"default_action": "Deny", "ip_rules": ("198.51.100.0/24", "203.0.113.7"), "admin_user": True},
    {"default_action": "Allow", "ip_rules": (), "anonymous_pull": True, "retention_days": 14, "mode": Mode.ABAC},
    {"public_access": False, "trusted_services": False, "data_endpoints": True, "tags": (("owner", "a b"),)},
    {
        "public_access": True,
        "trusted_services": True,
        "data_endpoints": False,
        "admin_user": False,
        "anonymous_pull": False,
        "arm_audience_tokens": False,
        "mode": Mode.LEGACY,
        "retention_days": None,
        "tags": (),
    },
)


def test_webhooks_of_az_and_of_the_console_are_the_same(run, running):
    session = connect_sandbox(running.ready)
    registry = get_registry(session, REGISTRY)
    wanted = NewWebhook("consolehook", "https://hooks.contoso.example/a", ("push",), registry.location, headers=KEY)
    assert apply_webhook(session, plan_webhook(registry, (), wanted)) == "created"
    uri = ("--uri", "https://hooks.contoso.example/b", "--actions", "push", "delete", "--scope", "app:*")
    created = run("acr", "webhook", "create", "-r", "casaacr01", "-n", "azhook", *uri, "--headers", "X-Other=1")
    assert created["scope"] == "app:*"
    assert [found["name"] for found in run("acr", "webhook", "list", "-r", "casaacr01")] == ["azhook", "consolehook"]
    assert [found.name for found in list_webhooks(session, registry).values] == ["azhook", "consolehook"]
    config = run("acr", "webhook", "get-config", "-r", "casaacr01", "-n", "consolehook")
    assert config["customHeaders"] == dict(KEY)
    pinged = run("acr", "webhook", "ping", "-r", "casaacr01", "-n", "azhook")
    assert [event.id for event in list_events(session, registry, "azhook").values] == [pinged["id"]]
    ping(session, registry, "consolehook")
    (event,) = run("acr", "webhook", "list-events", "-r", "casaacr01", "-n", "consolehook")
    assert event["eventResponseMessage"]["statusCode"] == "200"
    run("acr", "webhook", "update", "-r", "casaacr01", "-n", "azhook", "--status", "disabled")
    assert not get_webhook(session, registry, "azhook").enabled
    for name in ("azhook", "consolehook"):
        assert run("acr", "webhook", "delete", "-r", "casaacr01", "-n", name) is None
    assert list_webhooks(session, registry).values == ()


def test_tokens_of_az_and_of_the_console_are_the_same(run, running):
    session = connect_sandbox(running.ready)
    registry = get_registry(session, REGISTRY)
    maps = list_scope_maps(session, registry).values
    plan = plan_token(registry, (), maps, "consoledevice", (Grant("app", (Right.PULL, Right.READ_METADATA)),))
    assert apply_token(session, plan) == "created"
    rights = ("--repository", "web", "content/read", "content/write")
    made = run("acr", "token", "create", "-r", "casaacr01", "-n", "azdevice", *rights, "--expiration-in-days", "3")
    assert len(made["credentials"]["passwords"]) == 2
    listed = run("acr", "token", "list", "-r", "casaacr01")
    assert [found["name"] for found in listed] == ["azdevice", "consoledevice"]
    assert not any("value" in entry and entry["value"] for entry in listed[0]["credentials"]["passwords"])
    azdevice = get_token(session, registry, "azdevice")
    assert [password.name for password in azdevice.passwords] == ["password1", "password2"]
    found = get_scope_map(session, registry, azdevice.scope_map)
    assert found.grants == (Grant("web", (Right.PULL, Right.PUSH)),)
    shown = run("acr", "scope-map", "show", "-r", "casaacr01", "-n", "consoledevice-scope-map")
    assert shown["actions"] == ["repositories/app/content/read", "repositories/app/metadata/read"]
    where = ("-r", "casaacr01", "-n", "consoledevice")
    (given,) = run("acr", "token", "credential", "generate", *where, "--password1")["passwords"]
    assert given["name"] == "password1"
    run("acr", "token", "update", *where, "--scope-map", "consoledevice-scope-map", "--status", "disabled")
    assert not get_token(session, registry, "consoledevice").enabled
    run("acr", "token", "delete", *where, "--yes")
    tokens, maps = list_tokens(session, registry).values, list_scope_maps(session, registry).values
    assert [token.name for token in tokens] == ["azdevice"]
    removed = apply_token_removal(session, plan_token_removal(registry, tokens, maps, azdevice))
    assert (removed.token, removed.scope_map) == ("deleted", "deleted")
    assert run("acr", "token", "list", "-r", "casaacr01") == []
    run("acr", "scope-map", "delete", "-r", "casaacr01", "-n", "consoledevice-scope-map", "--yes")


def test_a_replica_of_az_is_one_of_the_console(run, running):
    session = connect_sandbox(running.ready)
    platform = ("--subscription", "contoso-platform")
    (hub,) = [registry for registry in list_registries(session).values if registry.name == "contosoci"]
    created = run("acr", "replication", "create", "-r", "contosoci", "--location", "northeurope", *platform)
    assert created["provisioningState"] == "Succeeded"
    there = list_replications(session, hub).values
    assert [one.region for one in there] == ["westeurope", "northeurope"]
    plan = plan_replica_removal(hub, there, "northeurope", (), None, 30)
    assert apply_replica_removal(session, plan) == "deleted"
    assert run("acr", "replication", "list", "-r", "contosoci", *platform) == []


def test_a_command_in_a_cluster_asks_for_a_pull(run, running):
    hub = running.ready["registries"]["contosohub"]
    tag = running.store.list_tags("contosohub", "web/storefront")[0].name
    platform = ("--subscription", "contoso-platform")
    where = ("-g", "platform-clusters-rg", "-n", "aks-platform", *platform)
    lines = f"set -eu\n# acr-console: pull {hub}/web/storefront:{tag}\nkubernetes.io/arch: arm64"
    done = run("aks", "command", "invoke", *where, "--command", lines)
    assert (done["provisioningState"], done["exitCode"]) == ("Succeeded", 0)
    (container,) = json.loads(done["logs"])["status"]["containerStatuses"]
    assert container["state"] == {"terminated": {"exitCode": 0, "reason": "Completed"}}
    again = run("aks", "command", "result", *where, "--command-id", done["id"])
    assert again["logs"] == done["logs"]
    stopped = ("-g", "dev-rg", "-n", "aks-dev", "--subscription", "contoso-apps")
    assert "Power State(Stopped)" in run("aks", "command", "invoke", *stopped, "--command", "true", fails=True)


def test_a_command_in_a_cluster_with_entra_id_has_the_caller_s_token(run, running):
    """az sends it by itself: 6dae42f8-… is whom it is for, in every cloud."""
    cluster = next(doc for doc in running.store.list_resources(CLUSTER_TYPE) if doc["name"] == "aks1")
    running.store.put_resource({**cluster, "properties": {**cluster["properties"], "aadProfile": {"managed": True}}})
    try:
        done = run("aks", "command", "invoke", "-g", "resource-group-4", "-n", "aks1", "--command", "true")
    finally:
        running.store.put_resource(cluster)
    assert "The sandbox runs no commands" in done["logs"]


def test_networking_is_shown_by_id(run, running):
    zone = f"{NETWORK}/privateDnsZones/{REGISTRY_ZONE}"
    assert run("resource", "show", "--ids", zone)["name"] == REGISTRY_ZONE
    cluster = next(doc for doc in running.store.list_resources(CLUSTER_TYPE) if doc["name"] == "aks1")
    profile = cluster["properties"]["networkProfile"]["loadBalancerProfile"]
    address = run("resource", "show", "--ids", profile["effectiveOutboundIPs"][0]["id"])
    assert address["properties"]["ipAddress"] == "203.0.113.10"


def test_the_dry_run_s_lines_run_by_az_switch_the_mode_and_nobody_loses_a_pull(run, running):
    scope = ("--scope", REGISTRY)
    run("role", "assignment", "create", "--assignee-object-id", KUBELET, "--role", "AcrPull", *scope)
    session = connect_sandbox(running.ready)

    def planned():
        registry = next(one for one in list_registries(session).values if one.id == REGISTRY)
        subscriptions = [one for one in list_subscriptions(session).values if one.id == registry.subscription_id]
        (access,) = read_access(session, subscriptions).values
        return plan_switch(access.records, registry, list_clusters(session, list_subscriptions(session).values).values)

    plan = planned()
    assert [(one.cluster.name, one.stops, one.kept) for one in plan.clusters if one.stops] == [("aks1", True, True)]
    assign, switch, _, _, remove = steps_of(plan)
    for line in (*assign.lines, *switch.lines, *remove.lines):
        if not line.startswith("#"):
            run(*shlex.split(line)[1:])
    try:
        document = running.store.find_resource(REGISTRY_TYPE, "casaacr01")
        assert document["properties"]["roleAssignmentMode"] == "AbacRepositoryPermissions"
        assert registry_permissions(running.store, document, KUBELET, "nodejstemplate") >= {"pull", "metadata_read"}
        after = planned()
        assert not any(one.principal_id == KUBELET for one in after.effects if one.assignments)
        assert after.old == ()
    finally:
        run("acr", "update", "-n", "casaacr01", "--role-assignment-mode", "rbac")


def test_who_a_service_principal_cluster_pulls_as(run, running):
    cluster = run("aks", "show", "-g", "data-rg", "-n", "aks-batch", "--subscription", "contoso-apps")
    shown = run("ad", "sp", "show", "--id", cluster["servicePrincipalProfile"]["clientId"])
    assert shown["id"] == by_app_id(running.store, cluster["servicePrincipalProfile"]["clientId"])["objectId"]


def test_a_subscription_that_refuses(run):
    assert "AuthorizationFailed" in run("acr", "list", "--subscription", "contoso-restricted", fails=True)


def test_what_is_soft_deleted_is_listed_and_restored_by_az_and_by_the_console(run, running):
    session = connect_sandbox(running.ready)
    registry = next(one for one in list_registries(session).values if one.name == "contosodev")
    client = session.registry(registry.login_server)
    within = ("--subscription", registry.subscription_id)
    assert run("acr", "config", "soft-delete", "show", "--registry", "contosodev", *within)["retentionDays"] == 14
    assert [one["repository"] for one in run("acr", "repository", "list-deleted", "--name", "contosodev", *within)] == [
        "demo"
    ]
    (tag, *_) = run("acr", "manifest", "list-deleted-tags", "--registry", "contosodev", "--name", "demo", *within)
    assert tag["expiresAfter"] > tag["deletedAt"]
    found = read_deleted(client, "demo")
    listed = run("acr", "manifest", "list-deleted", "--registry", "contosodev", "--name", "demo", *within)
    assert [one["digest"] for one in listed] == [one.digest for one in found.manifests]
    plan = read_restore_plan(client, "contosodev", "demo", [(tag["digest"], tag["tag"])], {})
    restored = run(*shlex.split(plan.commands[-1])[1:], "--yes", *within)
    assert restored == {"digest": tag["digest"], "tag": tag["tag"]}
    again = read_restore_plan(client, "contosodev", "demo", [(tag["digest"], tag["tag"])], {})
    assert "nothing is left to restore" in again.blockers[0]
    left = read_deleted(client, "demo")
    plan = read_restore_plan(client, "contosodev", "demo", [(one.digest, one.tag) for one in left.tags], {})
    assert not apply_restore(client, plan).refused
    assert set(run("acr", "repository", "show-tags", "-n", "contosodev", "--repository", "demo", *within)) == {
        one.tag for one in found.tags
    }


def test_a_diagnostic_setting_by_the_console_s_line_is_the_one_that_the_console_reads(run, running):
    session = connect_sandbox(running.ready)
    registry = next(one for one in list_registries(session).values if one.name == "contosodev")
    workspace = next(one for one in list_workspaces(session).values if one.name == "contoso-logs")
    plan = plan_logging(registry, list_settings(session, registry), workspace, logins=True)
    run(*shlex.split(plan.commands[0])[1:])
    (found,) = list_settings(session, registry).values
    assert (found.name, found.workspace_id, set(found.logs)) == (
        plan.setting.name,
        plan.setting.workspace_id,
        set(plan.setting.logs),
    )
    listed = run("monitor", "diagnostic-settings", "list", "--resource", registry.id)
    assert [one["name"] for one in listed] == [plan.setting.name]
