"""Another SKU, on a sandbox that refuses what Azure refuses."""

from dataclasses import replace

import pytest

from sandbox.arm.registries import CONNECTED_TYPE
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.pricing.price_snapshot import snapshot
from services.registries.skus import Sku
from services.registry_lifecycle.sku_change import (
    PREMIUM_ONLY_UNREAD,
    apply_sku_change,
    count_connected,
    plan_sku_change,
)
from tests.support.own_sandbox import OwnSandbox

LIST = snapshot("eastus")


def plan(own: OwnSandbox, target: Sku, name: str = "casaacr01"):  # type: ignore[no-untyped-def]
    registry = own.registry(name)
    return plan_sku_change(registry, target, count_connected(own.session(), registry), LIST, 30)


def patches(own: OwnSandbox) -> list[int]:
    return [request.status for request in own.sandbox.requests if request.method == "PATCH"]


def sku(own: OwnSandbox, name: str = "casaacr01") -> str:
    return own.registry(name).sku


def test_up_and_down_again_read_back_each_time(own: OwnSandbox) -> None:
    states: list[str] = []
    up = plan(own, Sku.PREMIUM)
    assert (up.blockers, up.warnings) == ((), ())
    assert up.before and up.after
    assert str(up.after.total - up.before.total) == "30.0000"
    assert apply_sku_change(own.session(), up, states.append) == "changed"
    assert states == ["checking again", "changing", "verifying"]
    assert sku(own) == "Premium"
    assert apply_sku_change(own.session(), plan(own, Sku.BASIC)) == "changed"
    assert sku(own) == "Basic"
    assert patches(own) == [201, 201]


def test_what_a_smaller_sku_lacks_blocks_and_nothing_is_sent(own: OwnSandbox) -> None:
    own.make_registry(
        "contosohub", dataEndpointEnabled=True, dataEndpointHostNames=["contosohub.eastus.data.azurecr.io"]
    )
    down = plan(own, Sku.STANDARD, "contosohub")
    assert down.blockers == ("Standard has no dedicated data endpoints.",)
    with pytest.raises(ServiceError, match="dedicated data endpoints") as raised:
        apply_sku_change(own.session(), down)
    assert raised.value.code == "Refused"
    assert patches(own) == []


def test_the_same_sku_and_a_registry_in_trouble_are_refused(own: OwnSandbox) -> None:
    assert plan(own, Sku.STANDARD).blockers == ("It is Standard already.",)
    failed = replace(own.registry(), provisioning_state="Failed")
    assert (
        "The last operation did not succeed (state: Failed)."
        in plan_sku_change(failed, Sku.BASIC, 0, LIST, 30).blockers
    )
    no_state = replace(own.registry(), provisioning_state="")
    assert "State not reported." in plan_sku_change(no_state, Sku.BASIC, 0, LIST, 30).blockers
    unread = replace(own.registry(), usages=None)
    assert plan_sku_change(unread, Sku.BASIC, 0, LIST, 30).blockers == ("What it uses could not be read: usage.",)


def test_connected_registries_block_a_smaller_sku(own: OwnSandbox) -> None:
    registry = own.make_registry("contosohub")
    child = {"id": f"{registry.id}/connectedRegistries/edge", "name": "edge", "type": CONNECTED_TYPE, "properties": {}}
    own.sandbox.store.put_resource(child)
    assert count_connected(own.session(), registry) == 1
    assert plan(own, Sku.BASIC, "contosohub").blockers == ("Basic has no connected registries: 1.",)
    assert count_connected(own.session(), own.registry()) == 0


def test_what_could_not_be_told_is_a_warning_and_azure_refuses(own: OwnSandbox) -> None:
    registry = own.make_registry("contosohub")
    own.sandbox.store.put_resource(
        {"id": f"{registry.id}/connectedRegistries/edge", "name": "edge", "type": CONNECTED_TYPE, "properties": {}}
    )
    own.break_({"path": "/connectedRegistries$", "status": 403})
    down = plan(own, Sku.BASIC, "contosohub")
    assert (down.blockers, down.warnings) == ((), (PREMIUM_ONLY_UNREAD,))
    with pytest.raises(ServiceError, match="connected registries") as raised:
        apply_sku_change(own.session(), down)
    assert raised.value.code == "SkuUpdateNotAllowed"
    assert sku(own, "contosohub") == "Premium"


def test_a_registry_that_has_changed_since_is_left_as_it_is(own: OwnSandbox) -> None:
    down = plan(own, Sku.BASIC)
    apply_sku_change(own.session(), plan(own, Sku.PREMIUM))
    with pytest.raises(ServiceError, match="It is Premium now") as raised:
        apply_sku_change(own.session(), down)
    assert raised.value.code == "ChangedMeanwhile"
    assert sku(own) == "Premium"


def test_a_need_that_came_up_since_the_plan_stops_it(own: OwnSandbox) -> None:
    registry = own.make_registry("contosohub")
    down = plan(own, Sku.BASIC, "contosohub")
    document = own.sandbox.store.get_resource(registry.id)
    assert document
    document["properties"]["policies"]["retentionPolicy"] = {"status": "enabled", "days": 7}
    own.sandbox.store.put_resource(document)
    with pytest.raises(ServiceError, match="retention policy") as raised:
        apply_sku_change(own.session(), down)
    assert raised.value.code == "ChangedMeanwhile"
    assert patches(own) == []


def test_a_reader_is_refused_and_told_so(own: OwnSandbox) -> None:
    with pytest.raises(ServiceError) as raised:
        apply_sku_change(own.session(as_reader=True), plan(own, Sku.BASIC))
    assert raised.value.code == "AuthorizationFailed"
    assert raised.value.request_id
    assert sku(own) == "Standard"


def test_an_answer_that_is_lost_after_the_deed_is_no_failure(own: OwnSandbox) -> None:
    up = plan(own, Sku.PREMIUM)
    own.break_({"method": "PATCH", "path": "/casaacr01$", "reset": True, "late": True})
    assert apply_sku_change(own.session(), up) == "changed"
    assert sku(own) == "Premium"


def test_a_failure_before_the_deed_is_one(own: OwnSandbox) -> None:
    up = plan(own, Sku.PREMIUM)
    own.break_({"method": "PATCH", "path": "/casaacr01$", "status": 409})
    with pytest.raises(ServiceError, match="a fault of the sandbox"):
        apply_sku_change(own.session(), up)
    assert sku(own) == "Standard"


def test_a_change_that_can_not_be_read_back_is_not_confirmed(own: OwnSandbox) -> None:
    up = plan(own, Sku.PREMIUM)
    session: AzureSession = own.session()

    def broken_after_the_change(state: str) -> None:
        if state == "verifying":
            own.break_({"method": "GET", "path": "/casaacr01$", "status": 403})

    assert apply_sku_change(session, up, broken_after_the_change) == "not confirmed"
    own.break_()
    assert sku(own) == "Premium"
