"""A change whose process dies goes on in another: once, and with the end that it would have had."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from sandbox.arm.groups import GROUP_TYPE
from sandbox.arm.policies import policy
from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.rbac import ASSIGNMENTS
from sandbox.seeds.resources import group
from sandbox.seeds.walkthrough import SUBSCRIPTION
from services.aks.attach import read_attach_plan
from services.aks.attach_jobs import AttachPlans, attach_items, run_attach
from services.aks.clusters import list_clusters
from services.arm import settling
from services.arm.subscriptions import list_subscriptions
from services.child_resources.replica_jobs import replica_items, run_replica, run_replica_removal
from services.child_resources.replications import (
    ReplicaPlan,
    list_replications,
    plan_replica_removal,
    read_replica_plan,
)
from services.connection.changes import Outcome
from services.images.repositories import get_repositories, repository_names
from services.jobs.plans import details_of, plan_of
from services.registries.skus import Sku
from services.registry_lifecycle import creation
from services.registry_lifecycle.creation_jobs import creation_items, run_creation
from services.registry_lifecycle.creation_plan import CreationPlan, RegistrySpec, read_creation_plan
from services.registry_lifecycle.removal import RemovalPlan, plan_removal
from services.registry_lifecycle.removal_jobs import removal_items, run_removal
from services.registry_lifecycle.settings import settings_of
from services.registry_lifecycle.settings_change import SettingsPlan, plan_settings
from services.registry_lifecycle.settings_jobs import run_settings, settings_items
from services.registry_lifecycle.sku_change import SkuPlan, read_sku_plan, run_sku_change, sku_items
from tests.support.killed import (
    Change,
    Killed,
    Planned,
    assert_the_same_wherever_it_is_killed,
    continue_job,
    found,
    killed_at,
    run_once,
)
from tests.support.own_sandbox import REGISTRY, OwnSandbox

HUB = "contosohub"
REGION = "northeurope"
SPEC = RegistrySpec(SUBSCRIPTION, "contoso-new-rg", True, "contosonew01", Sku.STANDARD, "eastus")

# A poller waits in a thread, which dies with its process.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation of the sandbox ends after so many looks, not after a time."""
    monkeypatch.setattr(settling, "POLL_S", 0.01)
    monkeypatch.setattr(creation, "_POLL_S", 0.01)


def change_document(own: OwnSandbox, name: str = REGISTRY, sku: str = "", **properties: Any) -> None:
    """As somebody else changes a registry."""
    document = own.sandbox.store.find_resource(REGISTRY_TYPE, name)
    assert document
    document["properties"].update(properties)
    if sku:
        document["sku"] = {"name": sku, "tier": sku}
    own.sandbox.store.put_resource(document)


def _plan_sku(own: OwnSandbox) -> Planned:
    plan = read_sku_plan(own.session(), own.registry().id, Sku.PREMIUM)
    return sku_items(plan), details_of(SkuPlan, plan, plan.commands)


SKU_CHANGE = Change(
    "Change SKU",
    run_sku_change,
    lambda own: change_document(own, sku="Standard"),
    _plan_sku,
    lambda own: own.registry().sku,
)


def _reset_settings(own: OwnSandbox) -> None:
    change_document(
        own,
        sku="Premium",
        adminUserEnabled=True,
        publicNetworkAccess="Enabled",
        networkRuleSet={"defaultAction": "Allow", "ipRules": []},
    )


def _plan_settings(own: OwnSandbox) -> Planned:
    registry = own.registry()
    wanted = replace(settings_of(registry), admin_user=False, default_action="Deny", ip_rules=("203.0.113.7",))
    plan = plan_settings(registry, wanted)
    assert len(plan.differences) == 3
    return settings_items(plan), details_of(SettingsPlan, plan, plan.commands)


SETTINGS = Change(
    "Change settings", run_settings, _reset_settings, _plan_settings, lambda own: settings_of(own.registry())
)


def _without_replicas(own: OwnSandbox) -> None:
    if own.sandbox.store.find_resource(REGISTRY_TYPE, HUB) is None:
        own.make_registry(HUB)
    for one in own.sandbox.store.list_resources(REGISTRY_TYPE + "/replications"):
        own.sandbox.store.delete_resource(one["id"])
    regions(own)  # The operation of a test before is over then.


def _with_replica(own: OwnSandbox) -> None:
    _without_replicas(own)
    registry = own.registry(HUB)
    client = own.session().registries(registry.subscription_id).replications
    client.begin_create(registry.resource_group, HUB, REGION, {"location": REGION}).result()


def regions(own: OwnSandbox) -> list[str]:
    return [one.region for one in list_replications(own.session(), own.registry(HUB)).values]


def _plan_replica(own: OwnSandbox) -> Planned:
    plan = read_replica_plan(own.session(), own.registry(HUB).id, REGION)
    return replica_items(plan), details_of(ReplicaPlan, plan, plan.commands)


def _plan_replica_removal(own: OwnSandbox) -> Planned:
    registry = own.registry(HUB)
    there = list_replications(own.session(), registry).values
    plan = plan_replica_removal(registry, there, REGION, (), None, 30)
    return replica_items(plan), details_of(ReplicaPlan, plan, plan.commands)


ADD_REPLICA = Change("Add replica", run_replica, _without_replicas, _plan_replica, regions)
DELETE_REPLICA = Change("Delete replica", run_replica_removal, _with_replica, _plan_replica_removal, regions)


def _without_new(own: OwnSandbox) -> None:
    store = own.sandbox.store
    if document := store.find_resource(REGISTRY_TYPE, SPEC.name):
        store.delete_resource(document["id"])
    for one in store.list_resources(GROUP_TYPE):
        if one["name"] == SPEC.group:
            store.delete_resource(one["id"])


def _plan_creation(own: OwnSandbox) -> Planned:
    plan = read_creation_plan(own.session(), SPEC)
    assert not plan.blockers
    return creation_items(SPEC), details_of(CreationPlan, plan, plan.commands)


def _created(own: OwnSandbox) -> object:
    groups = {one["name"] for one in own.sandbox.store.list_resources(GROUP_TYPE)}
    document = own.sandbox.store.find_resource(REGISTRY_TYPE, SPEC.name)
    return SPEC.group in groups, document and document["sku"]["name"]


CREATION = Change("Create registry", run_creation, _without_new, _plan_creation, _created)


def _with_hub(own: OwnSandbox) -> None:
    if own.sandbox.store.find_resource(REGISTRY_TYPE, HUB) is None:
        own.make_registry(HUB)
    own.registry(HUB)  # The operation of a test before is over then.


def _plan_removal(own: OwnSandbox) -> Planned:
    registry = own.registry(HUB)
    client = own.session().registry(registry.login_server)
    names = [name for page in repository_names(client) for name in page]
    plan = plan_removal(registry, names, get_repositories(client, names), None, None)
    assert not plan.blockers
    return removal_items(plan), details_of(RemovalPlan, plan, plan.commands)


REMOVAL = Change(
    "Delete registry",
    run_removal,
    _with_hub,
    _plan_removal,
    lambda own: own.sandbox.store.find_resource(REGISTRY_TYPE, HUB),
)


def _detached(own: OwnSandbox) -> None:
    if own.sandbox.store.find_resource(REGISTRY_TYPE, HUB) is None:
        own.make_registry(HUB)
    for one in own.sandbox.store.list_resources(ASSIGNMENTS):
        if "/registries/" in one["id"]:
            own.sandbox.store.delete_resource(one["id"])


def _plan_attach(own: OwnSandbox) -> Planned:
    session = own.session()
    cluster = list_clusters(session, list_subscriptions(session).values).values[0]
    plans = tuple(read_attach_plan(session, cluster, own.registry(name)) for name in (REGISTRY, HUB))
    assert not any(plan.blockers or plan.nothing_to_do for plan in plans)
    return attach_items(plans), details_of(AttachPlans, plans)


def _assigned(own: OwnSandbox) -> object:
    return sorted(one["id"] for one in own.sandbox.store.list_resources(ASSIGNMENTS) if "/registries/" in one["id"])


ATTACH = Change("Assign roles", run_attach, _detached, _plan_attach, _assigned)

ALL = [SKU_CHANGE, SETTINGS, ADD_REPLICA, DELETE_REPLICA, CREATION, REMOVAL, ATTACH]


@pytest.mark.parametrize("change", ALL, ids=lambda change: change.action)
def test_wherever_it_is_killed_the_end_is_the_same(database: Engine, own: OwnSandbox, change: Change) -> None:
    assert_the_same_wherever_it_is_killed(database, own, change)


@pytest.mark.long
@pytest.mark.parametrize("change", ALL, ids=lambda change: change.action)
def test_killed_at_each_request_the_end_is_the_same(database: Engine, own: OwnSandbox, change: Change) -> None:
    assert_the_same_wherever_it_is_killed(database, own, change, every=True)


def _changed_sku(own: OwnSandbox) -> None:
    change_document(own, sku="Basic")


def _changed_rules(own: OwnSandbox) -> None:
    rules = [{"action": "Allow", "value": "198.51.100.9"}]
    change_document(own, networkRuleSet={"defaultAction": "Allow", "ipRules": rules})


def _other_registry(own: OwnSandbox) -> None:
    own.sandbox.store.put_resource(group(SUBSCRIPTION, SPEC.group, "eastus"))
    before = own.registry().id.rpartition("/")[0]
    own.make_registry(SPEC.name, "Basic")
    document = own.sandbox.store.find_resource(REGISTRY_TYPE, SPEC.name)
    assert document
    own.sandbox.store.delete_resource(document["id"])
    place = before.replace(own.registry().resource_group, SPEC.group)
    own.sandbox.store.put_resource({**document, "id": f"{place}/{SPEC.name}"})


def _filled(own: OwnSandbox) -> None:
    own.sandbox.store.add_repository(HUB, "team/new", own.sandbox.state.stamp())


@pytest.mark.parametrize(
    ("change", "meanwhile", "cause"),
    [
        (SKU_CHANGE, _changed_sku, "It is Basic now, no longer Standard."),
        (SETTINGS, _changed_rules, "IP rules: 198.51.100.9 now, no longer none."),
        (CREATION, _other_registry, "Its SKU is Basic, not Standard"),
        (REMOVAL, _filled, "It has repositories that the plan did not show: team/new."),
    ],
    ids=lambda one: getattr(one, "action", ""),
)
def test_what_somebody_else_changed_meanwhile_is_refused(
    database: Engine, own: OwnSandbox, change: Change, meanwhile: Callable[[OwnSandbox], None], cause: str
) -> None:
    job = change.begin(database, own)
    with killed_at(1, answered=True), pytest.raises(Killed):
        run_once(database, own.session(), change.run, job)
    meanwhile(own)
    there = change.shows(own)
    ended = continue_job(database, own.session(), change.run, job)
    refused = [result for result in ended.results.values() if result.outcome == Outcome.REFUSED]
    assert any(cause in result.cause for result in refused), ended
    assert ended.state in ("Failed", "Incomplete")
    assert change is SETTINGS or change.shows(own) == there


def test_of_settings_only_what_somebody_else_changed_is_refused(database: Engine, own: OwnSandbox) -> None:
    job = SETTINGS.begin(database, own)
    with killed_at(1, answered=True), pytest.raises(Killed):
        run_once(database, own.session(), run_settings, job)
    _changed_rules(own)
    ended = continue_job(database, own.session(), run_settings, job)
    assert {name: result.outcome for name, result in ended.results.items()} == {
        "Admin user": Outcome.CHANGED,
        "Networks": Outcome.CHANGED,
        "IP rules": Outcome.REFUSED,
    }
    assert settings_of(own.registry()).ip_rules == ("198.51.100.9",)


@pytest.mark.parametrize("change", ALL, ids=lambda change: change.action)
@pytest.mark.parametrize("again", [False, True])
def test_after_a_stop_nothing_is_sent(database: Engine, own: OwnSandbox, change: Change, again: bool) -> None:
    job = change.begin(database, own)
    before, there = own.writes(), change.shows(own)
    if again:
        with killed_at(1, answered=True), pytest.raises(Killed):
            run_once(database, own.session(), change.run, job)
        ended = continue_job(database, own.session(), change.run, job, stop=True)
    else:
        run_once(database, own.session(), change.run, job, stop=True)
        ended = found(database, job)
    assert (ended.state, ended.results) == ("Stopped", {})
    assert own.writes() == before
    assert change.shows(own) == there


def test_the_group_that_is_left_empty_is_in_the_record_whoever_ended_it(database: Engine, own: OwnSandbox) -> None:
    job = CREATION.begin(database, own)
    # Killed once the group is there: with the answer to its PUT.
    for number in range(1, 40):
        job = CREATION.begin(database, own)
        with killed_at(number, answered=True), pytest.raises(Killed):
            run_once(database, own.session(), run_creation, job)
        if CREATION.shows(own) == (True, None):
            break
    document = policy(f"/subscriptions/{SUBSCRIPTION}", "skus", "Allowed SKUs", {"sku": ["Premium"]})
    own.sandbox.store.put_resource(document)
    ended = continue_job(database, own.session(), run_creation, job)
    assert CREATION.shows(own) == (True, None)
    assert ended.state == "Incomplete"
    assert "The resource group contoso-new-rg exists since" in ended.answer
    assert f"az group delete --subscription {SUBSCRIPTION} --name contoso-new-rg" in ended.answer


def test_a_group_without_anything_else_is_in_the_record_of_a_removal(database: Engine, own: OwnSandbox) -> None:
    _without_new(own)
    own.sandbox.store.put_resource(group(SUBSCRIPTION, SPEC.group, "eastus"))
    job = CREATION.begin(database, own)
    run_once(database, own.session(), run_creation, job)
    registry = own.registry(SPEC.name)
    plan = plan_removal(registry, (), get_repositories(own.client, []), None, None)
    removal = replace(
        REMOVAL, reset=lambda _own: None, plan=lambda _own: (removal_items(plan), details_of(RemovalPlan, plan))
    )
    job = removal.begin(database, own)
    run_once(database, own.session(), run_removal, job)
    ended = found(database, job)
    assert ended.state == "Completed"
    assert "The resource group contoso-new-rg is empty now" in ended.answer


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (SKU_CHANGE, SkuPlan),
        (SETTINGS, SettingsPlan),
        (ADD_REPLICA, ReplicaPlan),
        (CREATION, CreationPlan),
        (REMOVAL, RemovalPlan),
        (ATTACH, AttachPlans),
    ],
    ids=lambda one: getattr(one, "action", ""),
)
def test_a_plan_is_the_same_once_it_is_read_back(
    database: Engine, own: OwnSandbox, change: Change, kind: type[Any]
) -> None:
    job = change.begin(database, own)
    plan = plan_of(kind, found(database, job))
    assert details_of(kind, plan) == details_of(kind, plan_of(kind, replace(job, details=details_of(kind, plan))))
    assert details_of(kind, plan)["plan"] == found(database, job).details["plan"]
