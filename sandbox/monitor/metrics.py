"""Metrics of several registries of one subscription at once: metrics:getBatch, 2024-02-01.

https://learn.microsoft.com/rest/api/monitor/metrics-batch/batch
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from datetime import datetime, timedelta

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer
from sandbox.arm.registries import used_bytes
from sandbox.documents.errors import ArmError, Document
from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.storage.store import Store, timestamp

MOST = 50
_NAMES = {"TotalPullCount": "Pull", "TotalPushCount": "Push"}
STORED = "StorageUsed"
_DAYS = 30
# Azure keeps metrics so long, and measures the storage once an hour.
_KEPT = timedelta(days=93)
_HOUR = timedelta(hours=1)


def routes() -> list[Route]:
    return [Route("POST", "/subscriptions/{subscription}/metrics:getBatch", batch)]


def batch(call: Call) -> Response:
    """Totals by day of the last 30 days, or what is stored by hour. All resources must be registries of the
    subscription."""
    call.require("Microsoft.Insights/metrics/read", f"/subscriptions/{call.params['subscription']}")
    names = call.query.get("metricnames", "").split(",")
    ids = call.body.get("resourceids") if isinstance(call.body, dict) else None
    if not isinstance(ids, list) or not 0 < len(ids) <= MOST or any(name not in (*_NAMES, STORED) for name in names):
        raise ArmError(400, "BadRequest", f"From 1 to {MOST} resources, and metrics of {REGISTRY_TYPE}, are expected.")
    prefix = f"/subscriptions/{call.params['subscription']}/".lower()
    found = [call.store.get_resource(str(one)) for one in ids if str(one).lower().startswith(prefix)]
    registries = [one for one in found if one is not None]
    if len(registries) < len(ids):
        raise ArmError(404, "ResourceNotFound", "A resource was not found in the subscription.")
    now = call.state.clock()
    if STORED in names:
        if len(names) > 1 or call.query.get("interval") != "PT1H" or call.query.get("aggregation") != "Average":
            raise ArmError(400, "BadRequest", f"{STORED} is an average by the hour.")
        return answer({"values": [_stored(call, one, now) for one in registries]})
    return answer({"values": [_values(call.store, one, names, now) for one in registries]})


def _stored(call: Call, registry: Document, now: datetime) -> Document:
    """What is stored, hour by hour: as much less before as fewer of its images had been pushed."""
    begin = max(_time(call.query.get("starttime"), now - timedelta(days=1)), now - _KEPT)
    end = min(_time(call.query.get("endtime"), now), now)
    used, pushed = used_bytes(call, registry), call.store.blobs.push_times(registry["name"])
    data = []
    at = begin.replace(minute=0, second=0, microsecond=0) + _HOUR
    while at <= end:
        share = bisect_right(pushed, timestamp(at)) / len(pushed) if pushed else 1
        data.append({"timeStamp": timestamp(at), "average": float(round(used * share))})
        at += _HOUR
    where = {"name": {"value": "geolocation", "localizedValue": "geolocation"}, "value": registry["location"]}
    return {
        "starttime": timestamp(begin),
        "endtime": timestamp(end),
        "interval": "PT1H",
        "namespace": REGISTRY_TYPE,
        "resourceregion": registry["location"],
        "resourceid": registry["id"],
        "value": [_series(registry, STORED, "Bytes", [where], data)],
    }


def _time(text: str | None, default: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(text) if text else default
    except ValueError as exc:
        raise ArmError(400, "BadRequest", "The time is not in the form of ISO 8601.") from exc
    return found if found.tzinfo else found.replace(tzinfo=default.tzinfo)


def _values(store: Store, registry: Document, names: list[str], now: datetime) -> Document:
    begin = now - timedelta(days=_DAYS)
    return {
        "starttime": timestamp(begin),
        "endtime": timestamp(now),
        "interval": "P1D",
        "namespace": REGISTRY_TYPE,
        "resourceregion": registry["location"],
        "resourceid": registry["id"],
        "value": [_metric(store, registry, name, begin) for name in names],
    }


def _metric(store: Store, registry: Document, name: str, begin: datetime) -> Document:
    data = []
    for day in range(_DAYS):
        at = begin + timedelta(days=day)
        data.append({"timeStamp": timestamp(at), "total": _total(store, registry, name, at)})
    return _series(registry, name, "Count", [], data)


def _series(registry: Document, name: str, unit: str, where: list[Document], data: list[Document]) -> Document:
    return {
        "id": f"{registry['id']}/providers/Microsoft.Insights/metrics/{name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "displayDescription": name,
        "unit": unit,
        "timeseries": [{"metadatavalues": where, "data": data}],
        "errorCode": "Success",
    }


def _total(store: Store, registry: Document, name: str, at: datetime) -> float:
    """What was logged that day, and where nothing is logged as many pulls as follow from its name and the day."""
    logged = store.events.list(registry["id"], timestamp(at), timestamp(at + timedelta(days=1)))
    if logged or name != "TotalPullCount":
        return float(sum(event.operation == _NAMES[name] for event in logged))
    return float(zlib.crc32(f"{registry['name']} {at:%Y-%m-%d}".encode()) % 40)
