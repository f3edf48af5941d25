"""Metrics of several registries of one subscription at once: metrics:getBatch, 2024-02-01.

https://learn.microsoft.com/rest/api/monitor/metrics-batch/batch
"""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer
from sandbox.documents.errors import ArmError, Document
from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.storage.store import Store, timestamp

MOST = 50
_NAMES = {"TotalPullCount": "Pull", "TotalPushCount": "Push"}
_DAYS = 30


def routes() -> list[Route]:
    return [Route("POST", "/subscriptions/{subscription}/metrics:getBatch", batch)]


def batch(call: Call) -> Response:
    """Totals by day of the last 30 days. All resources must be registries of the subscription."""
    call.require("Microsoft.Insights/metrics/read", f"/subscriptions/{call.params['subscription']}")
    names = call.query.get("metricnames", "").split(",")
    ids = call.body.get("resourceids") if isinstance(call.body, dict) else None
    if not isinstance(ids, list) or not 0 < len(ids) <= MOST or any(name not in _NAMES for name in names):
        raise ArmError(400, "BadRequest", f"From 1 to {MOST} resources, and metrics of {REGISTRY_TYPE}, are expected.")
    prefix = f"/subscriptions/{call.params['subscription']}/".lower()
    found = [call.store.get_resource(str(one)) for one in ids if str(one).lower().startswith(prefix)]
    registries = [one for one in found if one is not None]
    if len(registries) < len(ids):
        raise ArmError(404, "ResourceNotFound", "A resource was not found in the subscription.")
    now = call.state.clock()
    return answer({"values": [_values(call.store, one, names, now) for one in registries]})


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
    return {
        "id": f"{registry['id']}/providers/Microsoft.Insights/metrics/{name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "displayDescription": name,
        "unit": "Count",
        "timeseries": [{"metadatavalues": [], "data": data}],
        "errorCode": "Success",
    }


def _total(store: Store, registry: Document, name: str, at: datetime) -> float:
    """What was logged that day, and where nothing is logged as many pulls as follow from its name and the day."""
    logged = store.events.list(registry["id"], timestamp(at), timestamp(at + timedelta(days=1)))
    if logged or name != "TotalPullCount":
        return float(sum(event.operation == _NAMES[name] for event in logged))
    return float(zlib.crc32(f"{registry['name']} {at:%Y-%m-%d}".encode()) % 40)
