"""How often images of a registry were pulled and pushed, by Azure Monitor's metrics: without logs, and of the registry
as one, since no metric is of a repository.

https://learn.microsoft.com/azure/container-registry/monitor-container-registry-reference
"""

from dataclasses import dataclass
from datetime import timedelta

from services.connection.errors import as_service_error
from services.connection.session import AzureSession
from services.registries.registry import Registry

NAMESPACE = "Microsoft.ContainerRegistry/registries"
PULLS, PUSHES = "TotalPullCount", "TotalPushCount"


@dataclass(frozen=True)
class MonthCounts:
    """Pulls and pushes in the last 30 days, those that failed too."""

    pulls: int
    pushes: int

    @property
    def events(self) -> int:
        """What logging of the same would have written."""
        return self.pulls + self.pushes


def read_month(session: AzureSession, registry: Registry) -> MonthCounts:
    """The counts of one registry. Raises ServiceError: AuthorizationFailed where metrics of its subscription may not be
    read, BadAnswer where Azure leaves one out."""
    with as_service_error(f"Could not read the metrics of {registry.name}"):
        (found,) = session.metrics(registry.location).query_resources(
            resource_ids=[registry.id],
            metric_namespace=NAMESPACE,
            metric_names=[PULLS, PUSHES],
            timespan=timedelta(days=30),
            granularity=timedelta(days=1),
            aggregations=["Total"],
            retry_on_methods=["POST"],
        )
        counts = {
            metric.name: sum(point.total or 0 for series in metric.timeseries for point in series.data)
            for metric in found.metrics
        }
        return MonthCounts(round(counts[PULLS]), round(counts[PUSHES]))
