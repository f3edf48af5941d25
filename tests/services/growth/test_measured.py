"""What Azure measured by metrics: the home region by day, nothing for what was not measured; and in the sandbox."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.growth.measured import DAYS, read_measured
from services.registries.reading import list_registries
from tests.support.canned import Answer, Canned
from tests.support.own_sandbox import OwnSandbox
from tests.support.shell_lines import registry as a_registry

REGISTRY = a_registry()
BATCH = (
    f"https://{REGISTRY.location}.metrics.monitor.azure.com/subscriptions/{REGISTRY.id.split('/')[2]}/metrics:getBatch"
)
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def series(region: str | None, *points: tuple[str, float | None]) -> dict[str, Any]:
    where = [{"name": {"value": "geolocation", "localizedValue": "geolocation"}, "value": region}] if region else []
    data = [{"timeStamp": at, **({} if size is None else {"average": size})} for at, size in points]
    return {"metadatavalues": where, "data": data}


def answered(*found: dict[str, Any]) -> Answer:
    metric = {
        "id": "StorageUsed", "type": "Microsoft.Insights/metrics", "unit": "Bytes", "displayDescription": "",
        "name": {"value": "StorageUsed", "localizedValue": "Storage used"}, "timeseries": list(found),
        "errorCode": "Success",
    }  # fmt: skip
    value = {
        "starttime": "2026-08-31T00:00:00Z", "endtime": "2026-11-29T00:00:00Z", "interval": "PT1H",
        "namespace": "Microsoft.ContainerRegistry/registries", "resourceregion": REGISTRY.location,
        "resourceid": REGISTRY.id, "value": [metric],
    }  # fmt: skip
    return Answer(200, {"values": [value]})


def test_a_day_has_its_last_measurement_in_the_home_region(wire: Canned, azure: AzureSession) -> None:
    home = series(
        "East US" if REGISTRY.location == "eastus" else REGISTRY.location,
        ("2026-11-20T10:00:00Z", 10.0), ("2026-11-20T23:00:00Z", 12.4), ("2026-11-21T01:00:00Z", None),
        ("2026-11-22T01:00:00Z", 0.0),
    )  # fmt: skip
    wire.on("POST", BATCH, answered(series("northeurope", ("2026-11-20T10:00:00Z", 99.0)), home))
    assert read_measured(azure, REGISTRY, NOW) == {date(2026, 11, 20): 12, date(2026, 11, 22): 0}
    asked = [one.query for one in wire.sent]
    assert len(asked) == DAYS // 30
    assert {(one["interval"], one["aggregation"], one["filter"]) for one in asked} == {
        ("PT1H", "Average", "Geolocation eq '*'")
    }
    assert asked[0]["starttime"].startswith("2026-08-31T12:00") and asked[-1]["endtime"].startswith("2026-11-29T12:00")


def test_where_no_region_is_named_the_one_series_counts(wire: Canned, azure: AzureSession) -> None:
    wire.on("POST", BATCH, answered(series(None, ("2026-11-20T10:00:00Z", 5.0))))
    assert read_measured(azure, REGISTRY, NOW) == {date(2026, 11, 20): 5}


def test_nothing_measured_is_nothing(wire: Canned, azure: AzureSession) -> None:
    wire.on("POST", BATCH, answered())
    assert read_measured(azure, REGISTRY, NOW) == {}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (answered(series("northeurope"), series("westeurope2")), "BadAnswer"),
        (Answer(200, {"values": []}), "BadAnswer"),
        (Answer(403, {"error": {"code": "AuthorizationFailed", "message": "No"}}), "AuthorizationFailed"),
    ],
)
def test_what_is_not_known_is_no_zero(wire: Canned, azure: AzureSession, answer: Answer, code: str) -> None:
    wire.on("POST", BATCH, answer)
    with pytest.raises(ServiceError) as refused:
        read_measured(azure, REGISTRY, NOW)
    assert refused.value.code == code


def test_the_sandbox_measured_less_before_and_ends_with_what_is_used(
    session: AzureSession, reader_session: AzureSession
) -> None:
    hub = next(one for one in list_registries(session).values if one.name == "contosohub")
    found = read_measured(session, hub, datetime.now(UTC))
    sizes = list(found.values())
    assert len(found) in (DAYS, DAYS + 1) and list(found) == sorted(found)
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1] == hub.stored_bytes
    with pytest.raises(ServiceError) as refused:
        read_measured(reader_session, hub, datetime.now(UTC))
    assert refused.value.code == "AuthorizationFailed"


def test_the_sandbox_keeps_93_days_and_wants_hours(own: OwnSandbox) -> None:
    own.push("v1")
    registry = own.registry()
    begin = datetime.now(UTC) - timedelta(days=200)
    (found,) = own.session().metrics(registry.location).query_resources(
        resource_ids=[registry.id], metric_namespace="Microsoft.ContainerRegistry/registries",
        metric_names=["StorageUsed"], timespan=(begin, datetime.now(UTC)), granularity=timedelta(hours=1),
        aggregations=["Average"],
    )  # fmt: skip
    first = found.metrics[0].timeseries[0].data[0].timestamp
    assert timedelta(days=92) < datetime.now(UTC) - first <= timedelta(days=93)
