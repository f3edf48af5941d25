"""A shell script run in a cluster by a pod there, as `az aks command invoke` does: also in private clusters.

It needs no kubeconfig and no way to the API server. Azure gives the pod a minute to start, and cuts what it prints at
512 kB: https://learn.microsoft.com/azure/aks/access-private-cluster
"""

from collections.abc import Iterator
from dataclasses import dataclass

from azure.mgmt.containerservice import models

from services.aks.clusters import Cluster
from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession

# The audience of tokens that API servers of clusters with Microsoft Entra ID accept.
ENTRA_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"


@dataclass(frozen=True)
class CommandOutput:
    """What a script printed, and the code that it ended with, None where Azure does not report it."""

    logs: str
    exit_code: int | None


def run_command_blockers(cluster: Cluster) -> tuple[str, ...]:
    """Why no command can run in the cluster, each a sentence; empty where one can."""
    return tuple(_blockers(cluster))


def _blockers(cluster: Cluster) -> Iterator[str]:
    if not cluster.run_command:
        yield "Run command is switched off for this cluster (disableRunCommand)."
    if cluster.power not in ("Running", ""):
        yield f"The cluster is {cluster.power.lower()}: no command can run in it."


def run_command(session: AzureSession, cluster: Cluster, script: str, title: str) -> CommandOutput:
    """Runs the script in the cluster, with the caller's own token where the cluster uses Entra ID.

    Raises ServiceError under `title` where Azure refuses the command, or its pod did not run it (CommandFailed).
    """
    with as_service_error(title):
        token = session.credential.get_token(f"{ENTRA_SERVER}/.default").token if cluster.managed_entra else ""
        request = models.RunCommandRequest(command=script, context="", cluster_token=token)
        client = session.clusters(cluster.subscription_id).managed_clusters
        result = client.begin_run_command(cluster.resource_group, cluster.name, request).result()
        found = result.properties or models.CommandResultProperties()
        state, reason, logs = (str(text or "") for text in (found.provisioning_state, found.reason, found.logs))
        exit_code = found.exit_code
    if state.casefold() != "succeeded":
        reason = reason or "Azure gave no reason."
        raise ServiceError(title, reason, "Try again; the command's own pod may not have started.", "CommandFailed")
    return CommandOutput(logs, exit_code)
