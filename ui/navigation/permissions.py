"""What an identity needs in Azure for what each page does."""

from dataclasses import dataclass, replace

from services.images.tagging import UNTAG_RULE


@dataclass(frozen=True)
class Need:
    """What one use of a page requires.

    `roles`: any one of them is enough; "A and B" means both; none where `note` says why. `on`: the scope of the role.
    `actions`: what a custom role must allow.
    """

    use: str
    roles: tuple[str, ...] = ()
    on: str = ""
    actions: tuple[str, ...] = ()
    note: str = ""


REGISTRY = "the registry"
SUBSCRIPTIONS = "the subscriptions"

SEE_REGISTRIES = Need("See", ("Reader",), f"{SUBSCRIPTIONS}, or single registries")
SEE_REGISTRY = Need("See", ("Reader",), REGISTRY)
SEE_ACTIVITY_LOG = Need(
    "Read Azure's Activity Log",
    ("Reader",),
    SUBSCRIPTIONS,
    ("Microsoft.Insights/eventtypes/values/read",),
)
CHANGE_REGISTRY = Need("Change", ("Contributor",), REGISTRY)
SEE_BILLS = Need(
    "See bills",
    ("Cost Management Reader", "Reader"),
    SUBSCRIPTIONS,
    note="Reader sees costs where the billing account allows it. Without bills, estimates are shown",
)
CREATE_BUDGET = Need(
    "Create a budget",
    ("Cost Management Contributor", "Contributor"),
    "the subscription or resource group",
    ("Microsoft.Consumption/budgets/read", "Microsoft.Consumption/budgets/write"),
)
READ_IMAGES = (
    Need("Read, in a Legacy registry", ("AcrPull", "Reader"), REGISTRY),
    Need("Read, in an ABAC registry", ("Container Registry Repository Reader",), REGISTRY),
    Need(
        "List repositories, in an ABAC registry",
        ("Container Registry Repository Catalog Lister",),
        REGISTRY,
        note="Without it the name of a repository can be typed",
    ),
)

CREATE_REGISTRY = (
    Need(
        "Create in an existing resource group",
        ("Contributor",),
        "the resource group",
        ("Microsoft.ContainerRegistry/registries/write",),
    ),
    Need(
        "Create a resource group with it",
        ("Contributor",),
        "the subscription",
        ("Microsoft.Resources/subscriptions/resourceGroups/write",),
    ),
    Need(
        "Check Azure Policy before",
        ("Reader",),
        "the resource group, or the subscription for a new one",
        ("Microsoft.PolicyInsights/checkPolicyRestrictions/read", "Microsoft.Authorization/policyAssignments/read"),
        "Without it the plan says that policies were not read",
    ),
    Need(
        "Register the resource provider",
        ("Contributor",),
        "the subscription",
        ("Microsoft.ContainerRegistry/register/action",),
    ),
)
FIND_IMAGES = (
    replace(SEE_REGISTRIES, use="Find registries"),
    *(replace(need, use=need.use.replace("Read", "Find images", 1)) for need in READ_IMAGES[:2]),
    READ_IMAGES[2],
)


def write_images(use: str) -> tuple[Need, Need]:
    """The needs of `use`, which pushes or tags."""
    return (
        Need(f"{use}, in a Legacy registry", ("AcrPush",), REGISTRY),
        Need(f"{use}, in an ABAC registry", ("Container Registry Repository Writer",), REGISTRY),
    )


def delete_images(use: str) -> tuple[Need, Need]:
    """The needs of `use`, which deletes manifests."""
    return (
        Need(f"{use}, in a Legacy registry", ("AcrPull and AcrDelete",), REGISTRY),
        Need(f"{use}, in an ABAC registry", ("Container Registry Repository Contributor",), REGISTRY),
    )


def remove_tags(use: str) -> tuple[Need, ...]:
    """The needs of `use`, which removes tags and keeps their manifests."""
    return tuple(replace(need, note=UNTAG_RULE) for need in delete_images(use))


_REGISTRIES = "Microsoft.ContainerRegistry/registries"
_DELETED = f"{_REGISTRIES}/deleted"
RESTORE_IMAGES = (
    Need("See what is deleted", ("Reader",), REGISTRY, (f"{_DELETED}/read",), "AcrPull is not enough"),
    Need(
        "Restore",
        ("Contributor",),
        REGISTRY,
        (f"{_DELETED}/read", f"{_DELETED}/restore/action"),
        "Also pull, by which what is restored is read back",
    ),
)


RUN_TASKS = (
    Need("See tasks and runs", ("Reader",), REGISTRY, (f"{_REGISTRIES}/tasks/read", f"{_REGISTRIES}/runs/read")),
    Need(
        "Read logs of runs",
        ("Container Registry Tasks Contributor", "Contributor"),
        REGISTRY,
        (f"{_REGISTRIES}/runs/listLogSasUrl/action",),
        "Reader is not enough. The log is read from a storage account of Azure's",
    ),
    Need(
        "Create, run, change and delete",
        ("Container Registry Tasks Contributor", "Contributor"),
        REGISTRY,
        (f"{_REGISTRIES}/tasks/write", f"{_REGISTRIES}/tasks/delete", f"{_REGISTRIES}/scheduleRun/action"),
        "In an ABAC registry the task's own identity also needs Container Registry Repository Contributor and "
        "Container Registry Repository Catalog Lister",
    ),
)


SET_LOCKS = (
    Need(
        "Set locks, in a Legacy registry",
        ("Contributor",),
        REGISTRY,
        ("Microsoft.ContainerRegistry/registries/metadata/write",),
        "AcrPush is not enough",
    ),
    Need("Set locks, in an ABAC registry", ("Container Registry Repository Writer",), REGISTRY),
)


COPY_IMAGES = Need(
    "Copy between registries",
    ("Contributor", "Container Registry Data Importer and Data Reader"),
    "the target",
    ("Microsoft.ContainerRegistry/registries/importImage/action",),
    "Also pull on the source. AcrPush is not enough",
)
READ_PULLS = Need(
    "See",
    ("Reader",),
    f"{SUBSCRIPTIONS} of clusters and registries",
    note="Reads role assignments, deny assignments, and networks by their ids",
)
ASK_CLUSTERS = Need(
    "Ask clusters which images run",
    on="each cluster",
    actions=(
        "Microsoft.ContainerService/managedClusters/runcommand/action",
        "Microsoft.ContainerService/managedClusters/commandResults/read",
    ),
    note="Also get and list on pods, Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs and CronJobs, where the "
    "cluster uses Kubernetes RBAC. Without it what runs is unknown",
)
SEE_PULLS = Need(
    "See last pulls, and who pushed and deleted",
    ("Log Analytics Reader", "Reader"),
    "the workspace, or the registry where the workspace allows access by resource",
    (
        "Microsoft.OperationalInsights/workspaces/query/read",
        "Microsoft.Insights/logs/ContainerRegistryRepositoryEvents/read",
        "Microsoft.Insights/diagnosticSettings/read",
    ),
    "Without it they are unknown. Where people sign in, the application also needs Data.Read of the Log Analytics API",
)
SEE_LOGGED = Need(
    "See what ran in clusters that were not asked",
    ("Log Analytics Reader", "Reader"),
    "the workspace of Container insights, or the cluster where the workspace allows access by resource",
    (
        "Microsoft.OperationalInsights/workspaces/query/read",
        "Microsoft.Insights/logs/ContainerInventory/read",
        "Microsoft.Insights/logs/KubePodInventory/read",
    ),
    "Without it what runs there is unknown",
)
LOG_PULLS = Need(
    "Turn on logging",
    ("Contributor", "Monitoring Contributor and Log Analytics Contributor"),
    "the registry and the workspace",
    (
        "Microsoft.Insights/diagnosticSettings/write",
        "Microsoft.OperationalInsights/workspaces/read",
        "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
    ),
    "Its cost is estimated by Microsoft.Insights/metrics/read on the subscription",
)
READ_APPS = Need(
    "See what Container Apps and Container Instances run",
    ("Reader",),
    "their subscriptions",
    (
        "Microsoft.App/containerApps/read",
        "Microsoft.App/containerApps/revisions/read",
        "Microsoft.App/jobs/read",
        "Microsoft.ContainerInstance/containerGroups/read",
    ),
    "By Azure Resource Graph, which leaves out what the caller may not read",
)
SEE_MEASURED = Need(
    "See what Azure measured (Growth)",
    ("Reader", "Monitoring Reader"),
    "the subscription",
    ("Microsoft.Insights/metrics/read",),
    "Without it that is unknown",
)
SEE_METRICS = Need(
    "See how often it is pulled",
    ("Reader", "Monitoring Reader"),
    "the subscription",
    ("Microsoft.Insights/metrics/read",),
    "Without it that is unknown",
)
USE_LOGS = (SEE_PULLS, LOG_PULLS)
SEE_LOGS = (SEE_ACTIVITY_LOG, *USE_LOGS)
READ_MEMBERSHIPS = Need(
    "See who can pull through a group, or as a service principal",
    ("Directory Readers",),
    "the directory",
    ("Microsoft Graph Directory.Read.All",),
    "Without it that is shown as unknown",
)


READ_NAMES = Need(
    "See names beside ids",
    ("Directory Readers",),
    "the directory",
    ("Microsoft Graph Directory.Read.All",),
    "Without it ids are shown",
)
SEARCH_DIRECTORY = Need(
    "Search for a principal by name",
    ("Directory Readers",),
    "the directory",
    ("Microsoft Graph Directory.Read.All",),
    "Without it an object id can be pasted",
)


def assign_roles(use: str) -> Need:
    """The need of `use`, which writes or removes role assignments on a registry."""
    return Need(
        use,
        ("Owner", "User Access Administrator", "Role Based Access Control Administrator"),
        REGISTRY,
        ("Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete"),
        "Contributor is not enough",
    )
