"""Pulls and pushes of a month by metrics: as Azure answers, and in the sandbox."""

from typing import Any

import pytest

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.connection.write_permission import only_reads
from services.pulls.metrics import MonthCounts, read_month
from services.registries.reading import list_registries
from tests.support.canned import Answer, Canned
from tests.support.shell_lines import registry as a_registry

REGISTRY = a_registry()
BATCH = (
    f"https://{REGISTRY.location}.metrics.monitor.azure.com/subscriptions/{REGISTRY.id.split('/')[2]}/metrics:getBatch"
)


def metric(name: str, *totals: float | None) -> dict[str, Any]:
    points = [{"timeStamp": "2026-11-20T00:00:00Z", **({} if one is None else {"total": one})} for one in totals]
    return {
        "id": name,
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "displayDescription": name,
        "unit": "Count",
        "timeseries": [{"metadatavalues": [], "data": points}],
        "errorCode": "Success",
    }


def answered(*metrics: dict[str, Any]) -> Answer:
    value = {
        "starttime": "2026-10-29T00:00:00Z",
        "endtime": "2026-11-28T00:00:00Z",
        "interval": "P1D",
        "namespace": "Microsoft.ContainerRegistry/registries",
        "resourceregion": REGISTRY.location,
        "resourceid": REGISTRY.id,
        "value": list(metrics),
    }
    return Answer(200, {"values": [value]})


def test_the_days_are_added(wire: Canned, azure: AzureSession) -> None:
    wire.on("POST", BATCH, answered(metric("TotalPullCount", 3.0, None, 39.0), metric("TotalPushCount", 2.0)))
    assert read_month(azure, REGISTRY) == MonthCounts(42, 2)
    sent = wire.sent[0].query
    assert (sent["metricnames"], sent["interval"], sent["aggregation"]) == (
        "TotalPullCount,TotalPushCount",
        "P1D",
        "Total",
    )


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (answered(metric("TotalPullCount", 3.0)), "BadAnswer"),
        (Answer(200, {"values": []}), "BadAnswer"),
        (Answer(403, {"error": {"code": "AuthorizationFailed", "message": "No"}}), "AuthorizationFailed"),
    ],
)
def test_a_count_that_is_not_there_is_no_zero(wire: Canned, azure: AzureSession, answer: Answer, code: str) -> None:
    wire.on("POST", BATCH, answer)
    with pytest.raises(ServiceError) as refused:
        read_month(azure, REGISTRY)
    assert refused.value.code == code


def test_the_sandbox_counts_what_it_logged(session: AzureSession, reader_session: AzureSession) -> None:
    hub = next(one for one in list_registries(session).values if one.name == "contosohub")
    found = read_month(session, hub)
    assert found.pulls > found.pushes > 0
    with pytest.raises(ServiceError) as refused:
        read_month(reader_session, hub)
    assert refused.value.code == "AuthorizationFailed"


def test_asking_is_no_change() -> None:
    assert only_reads("POST", "/subscriptions/s1/metrics:getBatch")
    assert only_reads("POST", f"/v1{REGISTRY.id}/query")
    assert not only_reads("POST", f"{REGISTRY.id}/importImage")
