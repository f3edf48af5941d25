"""Azure's Activity Log of a change: by its correlation id, and who can grant it where it is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from services.arm.activity_log import read_events
from services.arm.resources import list_resources
from services.connection.changes import SentChange, collect_sent
from services.connection.errors import ServiceError
from services.registries.reading import list_registries
from services.registries.registry import Registry
from tests.support.own_sandbox import OwnSandbox


@pytest.fixture
def registry(own: OwnSandbox) -> Registry:
    return next(one for one in list_registries(own.session()).values if one.name == "casaacr01")


def changed(own: OwnSandbox, registry: Registry) -> SentChange:
    sent: list[SentChange] = []
    with collect_sent(sent):
        client = own.session().registries(registry.subscription_id).registries
        client.begin_update(registry.resource_group, registry.name, {"tags": {"a": "b"}}).result()
    return sent[0]


def test_a_change_is_found_by_its_correlation_id_alone(own: OwnSandbox, registry: Registry) -> None:
    now = datetime.now(UTC)
    one, other = changed(own, registry), changed(own, registry)
    (event,) = read_events(own.session(), registry.subscription_id, one.correlation_id, now, now)
    assert event.operation == "Microsoft.ContainerRegistry/registries/write"
    assert event.correlation_id == one.correlation_id != other.correlation_id
    assert event.resource_id.lower() == registry.id.lower()
    assert event.status in ("Succeeded", "Accepted")
    assert event.caller
    before = now - timedelta(days=3)
    assert read_events(own.session(), registry.subscription_id, one.correlation_id, before, before) == ()


def test_where_it_is_refused_it_says_who_can_grant_it(own: OwnSandbox, registry: Registry) -> None:
    own.break_({"path": "/eventtypes/management/values$", "status": 403, "body": "no"})
    with pytest.raises(ServiceError) as refused:
        read_events(own.session(), registry.subscription_id, "1-2", datetime.now(UTC))
    assert refused.value.status == 403
    assert "Reader on the subscription" in refused.value.remedy


@pytest.mark.parametrize("given", ["", "x' or correlationId eq 'y", "a b"])
def test_what_is_no_correlation_id_is_not_asked_for(own: OwnSandbox, registry: Registry, given: str) -> None:
    with pytest.raises(ServiceError) as refused:
        read_events(own.session(), registry.subscription_id, given, datetime.now(UTC))
    assert refused.value.code == "InvalidCorrelationId"


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "correlationId eq 'x'",
        "eventTimestamp ge '2026-01-01T00:00:00Z' and caller eq 'x'",
        "eventTimestamp ge 'now'",
    ],
)
def test_the_sandbox_takes_the_filters_of_azure_alone(own: OwnSandbox, registry: Registry, wanted: str) -> None:
    values = f"/subscriptions/{registry.subscription_id}/providers/Microsoft.Insights/eventtypes/management/values"
    with pytest.raises(ServiceError) as refused:
        list_resources(own.session(), values, filter=wanted)
    assert refused.value.status == 400
