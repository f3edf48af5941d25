"""The pages of the console: the navigation, every link and docs/permissions.md are built from this list."""

from dataclasses import dataclass, replace

from ui.navigation import permissions
from ui.navigation.permissions import Need


@dataclass(frozen=True)
class PageLink:
    """A page: its script in pages/, its title, its place in the navigation, its address and the roles it needs.

    `section` is the navigation's; a page with a `parent` is not listed there, but reached by links: the navigation
    marks the parent. A page that is `of_registry` opens on the registry of the sidebar where its URL names none.
    `url_path` is "" for the first page. People keep addresses: they stay when a title changes.
    """

    path: str
    title: str
    icon: str
    section: str
    url_path: str
    needs: tuple[Need, ...]
    parent: "PageLink | None" = None
    of_registry: bool = False


OVERVIEW = PageLink(
    "overview.py",
    "Overview",
    ":material/dashboard:",
    "",
    "",
    (
        permissions.SEE_REGISTRIES,
        permissions.SEE_BILLS,
        replace(permissions.READ_PULLS, use="See clusters that can't pull"),
        permissions.READ_MEMBERSHIPS,
        replace(permissions.READ_IMAGES[0], use="Measure clean-up potential, in a Legacy registry"),
        replace(permissions.READ_IMAGES[1], use="Measure clean-up potential, in an ABAC registry"),
    ),
)
SEARCH = PageLink("search.py", "Search", ":material/search:", "", "search", permissions.FIND_IMAGES)
INVENTORY = PageLink(
    "inventory.py",
    "Inventory",
    ":material/inventory_2:",
    "Registries",
    "inventory",
    (permissions.SEE_REGISTRIES, permissions.SEE_BILLS),
)
CREATE_REGISTRY = PageLink(
    "create.py",
    "Create registry",
    ":material/add_box:",
    "Registries",
    "create",
    permissions.CREATE_REGISTRY,
    parent=INVENTORY,
)
REPOSITORIES = PageLink(
    "repositories.py",
    "Repositories and tags",
    ":material/sell:",
    "Registries",
    "repositories",
    permissions.READ_IMAGES,
    of_registry=True,
)
PUSH = PageLink(
    "push.py",
    "Push and import",
    ":material/upload:",
    "Registries",
    "push",
    (*permissions.write_images("Push"), permissions.COPY_IMAGES),
    parent=REPOSITORIES,
    of_registry=True,
)
STORAGE = PageLink(
    "storage.py",
    "Storage",
    ":material/database:",
    "Registries",
    "storage",
    (*permissions.READ_IMAGES, permissions.SEE_MEASURED),
    of_registry=True,
)
DELETIONS = PageLink(
    "deletions.py",
    "Activity",
    ":material/history:",
    "Registries",
    "deletions",
    (
        Need("See", note="Nothing for the console's own records; the remaining tags are read as in Repositories"),
        *permissions.SEE_LOGS,
    ),
)
REGISTRY = PageLink(
    "registry.py",
    "Registry",
    ":material/inventory_2:",
    "Registries",
    "registry",
    (permissions.SEE_REGISTRY, permissions.SEE_METRICS),
    parent=INVENTORY,
    of_registry=True,
)
SIGN_IN = PageLink(
    "sign_in.py",
    "Sign in",
    ":material/login:",
    "Registries",
    "sign-in",
    (Need("See", note="Nothing for the commands; permissions are read as the signed-in identity"),),
    parent=INVENTORY,
    of_registry=True,
)
SETTINGS = PageLink(
    "settings.py",
    "Settings",
    ":material/tune:",
    "Registries",
    "settings",
    (permissions.SEE_REGISTRY, permissions.CHANGE_REGISTRY, permissions.READ_MEMBERSHIPS),
    parent=INVENTORY,
    of_registry=True,
)
DELETED = PageLink(
    "deleted.py",
    "Deleted images",
    ":material/restore_from_trash:",
    "Registries",
    "deleted",
    permissions.RESTORE_IMAGES,
    parent=INVENTORY,
    of_registry=True,
)
WEBHOOKS = PageLink(
    "webhooks.py",
    "Webhooks",
    ":material/webhook:",
    "Registries",
    "webhooks",
    (permissions.SEE_REGISTRY, permissions.CHANGE_REGISTRY),
    parent=INVENTORY,
    of_registry=True,
)
TASKS = PageLink(
    "tasks.py",
    "Tasks",
    ":material/event_repeat:",
    "Registries",
    "tasks",
    permissions.RUN_TASKS,
    parent=INVENTORY,
    of_registry=True,
)
REPLICAS = PageLink(
    "replicas.py",
    "Replicas",
    ":material/public:",
    "Registries",
    "replicas",
    (permissions.SEE_REGISTRY, permissions.CHANGE_REGISTRY),
    parent=INVENTORY,
    of_registry=True,
)
TOKENS = PageLink(
    "tokens.py",
    "Tokens",
    ":material/vpn_key:",
    "Registries",
    "tokens",
    (permissions.SEE_REGISTRY, permissions.CHANGE_REGISTRY),
    parent=INVENTORY,
    of_registry=True,
)
REPOSITORY = PageLink(
    "repository.py",
    "Repository",
    ":material/folder:",
    "Registries",
    "repository",
    (*permissions.READ_IMAGES[:2], *permissions.SET_LOCKS, *permissions.USE_LOGS),
    parent=REPOSITORIES,
)
IMAGE = PageLink(
    "image.py",
    "Image",
    ":material/deployed_code:",
    "Registries",
    "image",
    (
        *permissions.READ_IMAGES[:2],
        *permissions.write_images("Add or move a tag"),
        *permissions.SET_LOCKS,
        *permissions.remove_tags("Remove a tag"),
        permissions.COPY_IMAGES,
        *permissions.USE_LOGS,
    ),
    parent=REPOSITORIES,
)
COMPARE = PageLink(
    "compare.py",
    "Compare images",
    ":material/compare:",
    "Registries",
    "compare",
    permissions.READ_IMAGES[:2],
    parent=REPOSITORIES,
)
DELETE = PageLink(
    "delete.py",
    "Delete",
    ":material/delete:",
    "Registries",
    "delete",
    (*permissions.delete_images("Delete"), permissions.ASK_CLUSTERS, permissions.READ_APPS, permissions.SEE_LOGGED),
    parent=REPOSITORIES,
)
CLEAN_UP = PageLink(
    "clean_up.py",
    "Clean-up",
    ":material/cleaning_services:",
    "Registries",
    "cleanup",
    (
        *permissions.delete_images("Delete"),
        *permissions.remove_tags("Remove tags"),
        permissions.ASK_CLUSTERS,
        permissions.READ_APPS,
        permissions.SEE_LOGGED,
    ),
    of_registry=True,
)
POLICIES = PageLink(
    "policies.py",
    "Retention policies",
    ":material/policy:",
    "Registries",
    "policies",
    (
        Need("See and save", note="Nothing in Azure: policies are in the console's database, shared by all who use it"),
        *(replace(need, use=need.use.replace("Read", "Simulate", 1)) for need in permissions.READ_IMAGES[:2]),
        *permissions.USE_LOGS,
        *permissions.delete_images("Run"),
        Need("Run by schedule", note="The same roles, of the console's own identity: see hosting.md"),
    ),
)
SKU_COMPARISON = PageLink(
    "sku_comparison.py",
    "SKU comparison",
    ":material/compare_arrows:",
    "Cost",
    "skus",
    (
        permissions.SEE_REGISTRIES,
        Need("Change a SKU", ("Contributor",), permissions.REGISTRY, ("Microsoft.ContainerRegistry/registries/write",)),
    ),
)
COST_REVIEW = PageLink(
    "cost_review.py",
    "Cost review",
    ":material/receipt_long:",
    "Cost",
    "costs",
    (permissions.SEE_BILLS, permissions.CREATE_BUDGET),
    of_registry=True,
)
INTEGRATION_CHECKER = PageLink(
    "integration_checker.py",
    "Integration checker",
    ":material/hub:",
    "AKS",
    "aks",
    (
        permissions.READ_PULLS,
        permissions.READ_MEMBERSHIPS,
        permissions.READ_NAMES,
        permissions.assign_roles("Attach, detach"),
        Need(
            "Run a test pull",
            on="the cluster",
            actions=(
                "Microsoft.ContainerService/managedClusters/runcommand/action",
                "Microsoft.ContainerService/managedClusters/commandResults/read",
            ),
            note="Also pods in the namespace default, where the cluster uses Kubernetes RBAC",
        ),
    ),
    of_registry=True,
)
PULL_MATRIX = PageLink(
    "pull_matrix.py",
    "Pull matrix",
    ":material/grid_on:",
    "AKS",
    "matrix",
    (permissions.READ_PULLS, permissions.READ_MEMBERSHIPS, permissions.assign_roles("Attach")),
)
RUNNING = PageLink(
    "running_images.py",
    "Running images",
    ":material/deployed_code_alert:",
    "AKS",
    "running",
    (
        permissions.READ_PULLS,
        permissions.ASK_CLUSTERS,
        permissions.READ_APPS,
        permissions.SEE_LOGGED,
        *permissions.READ_IMAGES[:2],
    ),
)
ROLES = PageLink(
    "roles.py",
    "Roles",
    ":material/badge:",
    "Access",
    "roles",
    (
        Need(
            "See", note="Nothing for the console's own table; Reader on a registry for the roles as Azure defines them"
        ),
    ),
)
ACCESS_REVIEW = PageLink(
    "access_review.py",
    "Access review",
    ":material/admin_panel_settings:",
    "Access",
    "access",
    (
        Need("See", ("Reader",), permissions.SUBSCRIPTIONS),
        permissions.READ_NAMES,
    ),
    of_registry=True,
)
ASSIGN_ROLE = PageLink(
    "assign.py",
    "Assign role",
    ":material/person_add:",
    "Access",
    "assign",
    (permissions.assign_roles("Assign or remove a role"), permissions.SEARCH_DIRECTORY, permissions.READ_NAMES),
    parent=ACCESS_REVIEW,
    of_registry=True,
)

PAGES = (
    OVERVIEW,
    SEARCH,
    INVENTORY,
    REPOSITORIES,
    STORAGE,
    CLEAN_UP,
    POLICIES,
    DELETIONS,
    COST_REVIEW,
    SKU_COMPARISON,
    INTEGRATION_CHECKER,
    PULL_MATRIX,
    RUNNING,
    ACCESS_REVIEW,
    ROLES,
    CREATE_REGISTRY,
    PUSH,
    REGISTRY,
    SIGN_IN,
    SETTINGS,
    DELETED,
    WEBHOOKS,
    TASKS,
    REPLICAS,
    TOKENS,
    REPOSITORY,
    IMAGE,
    COMPARE,
    DELETE,
    ASSIGN_ROLE,
)
