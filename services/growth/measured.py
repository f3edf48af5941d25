"""What a registry stored as Azure measured it, from before the console took snapshots: Azure Monitor keeps 93 days.

https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-containerregistry-registries-metrics
"""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

from azure.monitor.querymetrics import MetricsQueryResult

from services.arm.providers import location_name
from services.connection.errors import as_service_error
from services.connection.session import AzureSession
from services.pulls.metrics import NAMESPACE
from services.registries.registry import Registry

STORED = "StorageUsed"
# Measured each hour, and kept so long; asked a month at a time.
DAYS = 90
_AT_ONCE = timedelta(days=30)


def read_measured(session: AzureSession, registry: Registry, now: datetime) -> dict[date, int]:
    """The bytes stored in the registry's home region, by day the last that was measured; a day without a measurement
    is not in it. Not what `Snapshot` counts: soft deleted content is in it too, and it lags by hours.

    Raises ServiceError: AuthorizationFailed where metrics of its subscription may not be read, BadAnswer.
    """
    found: dict[date, tuple[datetime, int]] = {}
    begin = now - timedelta(days=DAYS)
    with as_service_error(f"Could not read what Azure measured of {registry.name}"):
        while begin < now:
            (result,) = session.metrics(registry.location).query_resources(
                resource_ids=[registry.id],
                metric_namespace=NAMESPACE,
                metric_names=[STORED],
                timespan=(begin, min(begin + _AT_ONCE, now)),
                granularity=timedelta(hours=1),
                aggregations=["Average"],
                filter="Geolocation eq '*'",
                retry_on_methods=["POST"],
            )
            for at, size in _points(result, registry.location):
                day = at.astimezone(UTC).date()
                if day not in found or found[day][0] <= at:
                    found[day] = (at, size)
            begin += _AT_ONCE
    return {day: size for day, (_, size) in sorted(found.items())}


def _points(result: MetricsQueryResult, home: str) -> list[tuple[datetime, int]]:
    """The measurements in the home region; where regions are not named, of the one that there is."""
    (metric,) = result.metrics
    series: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for one in metric.timeseries:
        where = next((value for name, value in one.metadata_values.items() if name.casefold() == "geolocation"), "")
        series[location_name(where or "")] += [
            (point.timestamp, round(point.average)) for point in one.data if point.average is not None
        ]
    if len(series) == 1:
        (only,) = series.values()
        return only
    if series and home not in series:
        raise ValueError("the home region is not among those that were measured")
    return series.get(home, [])
