"""Where a cloud is reached: its authority, its Resource Manager, its registries' audience."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AzureEndpoints:
    """One Azure. `ca_file` replaces the system's trust store; URLs carry no trailing slash.

    `retail_prices`: where anybody reads list prices; "" where nothing is known to. `graph`: the directory; ""
    where it is not asked. `logs`: the queries of Log Analytics, and the audience of their tokens. `metrics`: the
    audience of metrics; each region has a host of its own below it, or all are at this one where `metrics_by_region` is
    not set.
    """

    name: str
    authority: str
    resource_manager: str
    resource_manager_scope: str
    registry_audience: str
    ca_file: str | None = None
    instance_discovery: bool = True
    retail_prices: str = ""
    graph: str = ""
    logs: str = "https://api.loganalytics.io"
    metrics: str = "https://metrics.monitor.azure.com"
    metrics_by_region: bool = True


# https://learn.microsoft.com/azure/developer/identity/authentication-national-cloud and, for the registry's
# audience, azure-containerregistry's README ("Authenticate the client"). The directory's addresses:
# https://learn.microsoft.com/graph/deployments; of logs: azure-monitor-query's README ("Configure client for Azure
# sovereign cloud")
CLOUDS = {
    "public": AzureEndpoints(
        "Azure",
        "https://login.microsoftonline.com",
        "https://management.azure.com",
        "https://management.azure.com/.default",
        "https://containerregistry.azure.net",
        retail_prices="https://prices.azure.com",
        graph="https://graph.microsoft.com",
    ),
    "china": AzureEndpoints(
        "Azure China",
        "https://login.chinacloudapi.cn",
        "https://management.chinacloudapi.cn",
        "https://management.chinacloudapi.cn/.default",
        "https://containerregistry.azure.net",
        graph="https://microsoftgraph.chinacloudapi.cn",
        logs="https://api.loganalytics.azure.cn",
        metrics="https://metrics.monitor.azure.cn",
    ),
    "usgovernment": AzureEndpoints(
        "Azure US Government",
        "https://login.microsoftonline.us",
        "https://management.usgovcloudapi.net",
        "https://management.usgovcloudapi.net/.default",
        "https://containerregistry.azure.net",
        retail_prices="https://prices.azure.com",
        graph="https://graph.microsoft.us",
        logs="https://api.loganalytics.us",
        metrics="https://metrics.monitor.azure.us",
    ),
}
