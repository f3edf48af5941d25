"""The `az` and `kubectl` lines about clusters and what runs in them."""

from services.commands.shell import shell_line


def running_images() -> str:
    """Every image that runs in the current cluster, with its digest."""
    path = '{range .items[*].status.containerStatuses[*]}{.image}{" "}{.imageID}{"\\n"}{end}'
    return shell_line("kubectl", "get", "pods", "--all-namespaces", "--output", f"jsonpath={path}")


def invoke(cluster: str, cluster_group: str, script: str) -> str:
    """Runs the script in that file in a cluster, by a pod there."""
    return shell_line(
        *_cluster("command invoke", cluster, cluster_group), "--command", f"sh {script}", "--file", script
    )


def show_kubelet_identity(cluster: str, cluster_group: str) -> str:
    """Sets CLIENT_ID to that of the identity as which a cluster's nodes pull."""
    words = (*_cluster("show", cluster, cluster_group), "--query", "identityProfile.kubeletidentity.clientId")
    return f"CLIENT_ID=$({shell_line(*words, '--output', 'tsv')})"


def _cluster(verb: str, cluster: str, cluster_group: str) -> tuple[str, ...]:
    return ("az", "aks", *verb.split(), "--name", cluster, "--resource-group", cluster_group)


def show_identities(cluster: str, cluster_group: str) -> str:
    """Both identities of a cluster: its control plane's, and that of its nodes."""
    query = "{controlPlane: identity, kubelet: identityProfile.kubeletidentity}"
    return shell_line(*_cluster("show", cluster, cluster_group), "--query", query)


def check_acr(cluster: str, cluster_group: str, login_server: str) -> str:
    """Asks from a pod on a node; needs kubectl, and a way to the API server."""
    return shell_line(*_cluster("check-acr", cluster, cluster_group), "--acr", login_server)
