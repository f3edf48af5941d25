"""The queries of a registry's log of its repositories.

https://learn.microsoft.com/azure/azure-monitor/reference/tables/containerregistryrepositoryevents

Left out of pulls are those by this console, which reads manifests as pulls do, those that failed, and those by
Microsoft Defender's scanner. Microsoft documents no identity for the scanner (MicrosoftDocs/azure-docs#102952): it is
recognised where its user agent or identity has the word "defender". One that is not recognised counts as a pull, so
that its image is kept.
"""

from datetime import timedelta

from services.arm.logs import Row, query_logs
from services.connection.session import AzureSession
from services.registries.registry import Registry

# How the user agent of the console begins.
OWN_AGENT = "acr-console/"
# Rows of a list; one more tells that there are more.
MOST_EVENTS = 10_000
_PROJECT = (
    "| project TimeGenerated, OperationName, Repository, Tag, Digest, Identity, CallerIpAddress, UserAgent, "
    "ResultDescription\n"
    f"| top {MOST_EVENTS + 1} by TimeGenerated desc"
)
# Each digest by the tag that was asked for, with its last pull and by whom.
PULLS = f"""ContainerRegistryRepositoryEvents
| where OperationName == "Pull" and ResultDescription !startswith "4" and ResultDescription !startswith "5"
| where UserAgent !startswith "{OWN_AGENT}"
| where UserAgent !contains "defender" and Identity !contains "defender"
| summarize Pulls30 = countif(TimeGenerated > ago(30d)), arg_max(TimeGenerated, Identity, UserAgent)\
 by Repository, Tag, Digest"""
# The first and the last event of any kind.
LOGGED = """ContainerRegistryRepositoryEvents
| summarize First = min(TimeGenerated), Last = max(TimeGenerated), Events = count()"""
CHANGES = f'ContainerRegistryRepositoryEvents\n| where OperationName != "Pull"\n{_PROJECT}'
EVENTS = f"ContainerRegistryRepositoryEvents\n{_PROJECT}"
_ASK_LOGS_ROLE = (
    "Log Analytics Reader on the workspace allows it; so does Reader on the registry where the workspace's access mode "
    "allows access by resource."
)


def run_query(session: AzureSession, registry: Registry, query: str, span: timedelta | None = None) -> list[Row]:
    """The rows of a query over a registry's logs, as `query_logs`."""
    return query_logs(session, registry.id, f"Could not read the logs of {registry.name}", query, span, _ASK_LOGS_ROLE)
