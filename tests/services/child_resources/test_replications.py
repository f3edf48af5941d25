"""Replicas: added and given up again, on a sandbox that refuses what Azure refuses."""

from dataclasses import replace
from decimal import Decimal

import pytest

from services.child_resources.replications import (
    ReplicaPlan,
    apply_replica,
    apply_replica_removal,
    list_replications,
    plan_replica,
    plan_replica_removal,
    replica_regions,
)
from services.connection.errors import ServiceError
from services.pricing.price_snapshot import snapshot
from services.registries.registry import PrivateEndpoint, Registry, Usage
from tests.support.own_sandbox import OwnSandbox
from tests.support.shell_lines import registry as a_registry
from tests.support.shell_lines import replica

HUB = "contosohub"
LIST = snapshot("eastus")
GIB = 2**30


@pytest.fixture
def own(own: OwnSandbox) -> OwnSandbox:
    own.make_registry(HUB)
    return own


def plan(own: OwnSandbox, region: str, name: str = HUB) -> ReplicaPlan:
    session, registry = own.session(), own.registry(name)
    there, offered = list_replications(session, registry).values, replica_regions(session, registry)
    return plan_replica(registry, there, region, offered, LIST, 30)


def removal(own: OwnSandbox, region: str, hooks: tuple[str, ...] | None = ()) -> ReplicaPlan:
    registry = own.registry(HUB)
    return plan_replica_removal(registry, list_replications(own.session(), registry).values, region, hooks, LIST, 30)


def regions(own: OwnSandbox) -> list[str]:
    return [one.region for one in list_replications(own.session(), own.registry(HUB)).values]


def test_a_region_is_added_and_given_up_again_read_back_each_time(own: OwnSandbox) -> None:
    states: list[str] = []
    planned = plan(own, "northeurope")
    assert (planned.blockers, planned.warnings) == ((), ())
    assert apply_replica(own.session(), planned, states.append) == "created"
    assert states == ["checking again", "adding northeurope"]
    home, away = list_replications(own.session(), own.registry(HUB)).values
    assert (home.region, home.home, away.region, away.home) == ("eastus", True, "northeurope", False)
    assert (away.status, away.provisioning_state, away.routed) == ("Ready", "Succeeded", True)
    assert apply_replica_removal(own.session(), removal(own, "northeurope"), states.append) == "deleted"
    assert states[2:] == ["checking again", "deleting northeurope"]
    assert regions(own) == []
    gone = replace(removal(own, "northeurope"), blockers=())
    assert apply_replica_removal(own.session(), gone) == "already done"


def test_regions_are_those_of_the_provider_in_the_form_of_locations(own: OwnSandbox) -> None:
    offered = replica_regions(own.session(), own.registry(HUB))
    assert "northeurope" in offered
    assert "eastus2" in offered
    assert all(region.isalnum() and region.islower() for region in offered)


def test_what_azure_would_not_take_is_said_before_and_nothing_is_sent(own: OwnSandbox) -> None:
    apply_replica(own.session(), plan(own, "northeurope"))
    writes = own.writes()
    refused = {
        "eastus": "The registry is at home in eastus.",
        "northeurope": "There is a replica in northeurope already.",
        "atlantis": "Azure offers no replicas in atlantis.",
    }
    for region, blocker in refused.items():
        planned = plan(own, region)
        assert planned.blockers == (blocker,)
        with pytest.raises(ServiceError) as raised:
            apply_replica(own.session(), planned)
        assert raised.value.code == "Refused"
    assert plan(own, "westus", "casaacr01").blockers == ("Standard has no replicas: change the SKU to Premium first.",)
    for region, blocker in {
        "eastus": "eastus is the home region: it is deleted only with the registry.",
        "westus": "There is no replica in westus.",
    }.items():
        gone = removal(own, region)
        assert gone.blockers == (blocker,)
        with pytest.raises(ServiceError) as raised:
            apply_replica_removal(own.session(), gone)
        assert raised.value.code == "Refused"
    assert own.writes() == writes


def test_a_region_that_somebody_added_meanwhile_is_said(own: OwnSandbox) -> None:
    late = plan(own, "northeurope")
    apply_replica(own.session(), plan(own, "northeurope"))
    with pytest.raises(ServiceError, match="There is a replica in northeurope already") as raised:
        apply_replica(own.session(), late)
    assert raised.value.code == "ChangedMeanwhile"


def test_answers_that_are_lost_after_the_deed_are_no_failures(own: OwnSandbox) -> None:
    planned = plan(own, "northeurope")
    own.break_({"method": "PUT", "path": "/replications/", "reset": True, "late": True})
    assert apply_replica(own.session(), planned) == "created"
    own.break_({"method": "DELETE", "path": "/replications/", "reset": True, "late": True})
    assert apply_replica_removal(own.session(), removal(own, "northeurope")) == "deleted"


def test_a_failure_before_the_deed_is_one(own: OwnSandbox) -> None:
    planned = plan(own, "northeurope")
    own.break_({"method": "PUT", "path": "/replications/", "status": 409})
    with pytest.raises(ServiceError, match="a fault of the sandbox"):
        apply_replica(own.session(), planned)
    assert regions(own) == []


def test_a_reader_is_refused_and_told_so(own: OwnSandbox) -> None:
    with pytest.raises(ServiceError) as raised:
        apply_replica(own.session(as_reader=True), plan(own, "northeurope"))
    assert raised.value.code == "AuthorizationFailed"
    assert raised.value.request_id


def stored(gib: int, **changes: object) -> Registry:
    return a_registry(location="eastus", usages=(Usage("Size", gib * GIB, 500 * GIB, "Bytes"),), **changes)


def test_one_more_region_costs_its_fee_and_all_that_is_stored_once_more() -> None:
    planned = plan_replica(stored(200), (), "northeurope", ("northeurope",), LIST, 30)
    assert planned.before
    assert planned.after
    assert LIST.replica_day
    assert LIST.replica_gib
    more = planned.after.total - planned.before.total
    assert more == 30 * LIST.replica_day + 200 * LIST.replica_gib
    assert more > Decimal(50)
    there = replica("northeurope")
    registry = replace(stored(200), replicas=(replica("northeurope"),))
    less = plan_replica_removal(registry, (there,), "northeurope", (), LIST, 30)
    assert less.before
    assert less.after
    assert less.before.total - less.after.total == more
    assert plan_replica(stored(200), (), "northeurope", ("northeurope",), None, 30).after is None


def test_what_a_region_needs_of_networks_and_webhooks_is_said_before() -> None:
    private = stored(1, data_endpoints=("contosoacr.eastus.data.azurecr.io",))
    private = replace(
        private, network=replace(private.network, private_endpoints=(PrivateEndpoint("/pe", "Approved"),))
    )
    dns, firewall = plan_replica(private, (), "northeurope", ("northeurope",), None, 30).warnings
    assert "a DNS record for the data endpoint in northeurope (*.northeurope.data.azurecr.io)" in dns
    assert "must be let through" in firewall
    there = replica("northeurope")
    hooks = plan_replica_removal(stored(1), (there,), "northeurope", ("deployhook",), None, 30).warnings
    assert "Webhooks in northeurope hear nothing any more: deployhook." in hooks
    unread = plan_replica_removal(stored(1), (there,), "northeurope", None, None, 30).warnings
    assert "Whether there are webhooks in northeurope could not be read." in unread
