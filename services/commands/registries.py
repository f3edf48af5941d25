"""The `az`, `docker` or `skopeo` line that does what the console does. Shown beside every action.

Lines are for a POSIX shell; every value is quoted where it needs to be.
"""

from collections.abc import Sequence

from services.commands.shell import shell_line


def show_login_server(registry: str) -> str:
    """The registry's login server as ARM says it."""
    return shell_line("az", "acr", "show", "--name", registry, "--query", "loginServer", "--output", "tsv")


def show_resource_id(registry: str) -> str:
    """Sets ACR_ID, for the lines that need the registry's resource id."""
    return f"ACR_ID=$({shell_line('az', 'acr', 'show', '--name', registry, '--query', 'id', '--output', 'tsv')})"


def create_group(subscription_id: str, group: str, location: str) -> str:
    """Creates a resource group."""
    words = ("az", "group", "create", "--subscription", subscription_id, "--name", group, "--location", location)
    return shell_line(*words)


def delete_group(subscription_id: str, group: str) -> str:
    """Deletes a resource group with all that is in it; az asks before it does."""
    return shell_line("az", "group", "delete", "--subscription", subscription_id, "--name", group)


def list_locations(subscription_id: str) -> str:
    """Whether the provider of registries is registered, and where it offers them."""
    query = "{state: registrationState, locations: resourceTypes[?resourceType=='registries'].locations | [0]}"
    words = ("az", "provider", "show", "--subscription", subscription_id, "--namespace", "Microsoft.ContainerRegistry")
    return shell_line(*words, "--query", query)


def register_provider(subscription_id: str) -> str:
    """Lets a subscription have registries; waits for it."""
    words = ("az", "provider", "register", "--subscription", subscription_id)
    return shell_line(*words, "--namespace", "Microsoft.ContainerRegistry", "--wait")


def check_name(subscription_id: str, registry: str, *, name_scope: str = "Unsecure", group: str = "") -> str:
    """Whether a registry can have the name. `group` is asked for with the scope ResourceGroupReuse."""
    words = ["az", "acr", "check-name", "--subscription", subscription_id, "--name", registry]
    words += ["--dnl-scope", name_scope] if name_scope != "Unsecure" else []
    words += ["--resource-group", group] if name_scope == "ResourceGroupReuse" else []
    return shell_line(*words)


def create_registry(
    subscription_id: str,
    group: str,
    registry: str,
    sku: str,
    location: str,
    *,
    abac: bool = False,
    public_access: bool = True,
    name_scope: str = "Unsecure",
    tags: Sequence[tuple[str, str]] = (),
) -> str:
    """Creates a registry in a group that is there. It changes one that is there already, as every PUT does."""
    words = ["az", "acr", "create", "--subscription", subscription_id, "--resource-group", group, "--name", registry]
    words += ["--sku", sku, "--location", location]
    words += ["--role-assignment-mode", "rbac-abac" if abac else "rbac"]
    words += [] if public_access else ["--public-network-enabled", "false"]
    words += ["--dnl-scope", name_scope] if name_scope != "Unsecure" else []
    words += ["--tags", *(f"{name}={value}" for name, value in tags)] if tags else []
    return shell_line(*words)


def list_registries(subscription_id: str) -> str:
    """The registries of one subscription."""
    return shell_line("az", "acr", "list", "--subscription", subscription_id, "--output", "table")


def show_usage(registry: str) -> str:
    """What the registry uses of its SKU's limits."""
    return shell_line("az", "acr", "show-usage", "--name", registry, "--output", "table")


def check_health(registry: str, repository: str) -> str:
    """Looks at the way from this machine to the registry, and at what it grants the caller on a repository."""
    return shell_line("az", "acr", "check-health", "--name", registry, "--repository", repository)


def delete_registry(registry: str, group: str, subscription_id: str) -> str:
    """Deletes a registry and all images in it; az asks before it does. With its group and subscription: two registries
    may have one name where their login servers are made with a hash."""
    words = ("az", "acr", "delete", "--name", registry, "--resource-group", group)
    return shell_line(*words, "--subscription", subscription_id)


def show_registry(registry: str) -> str:
    """All that ARM says of the registry."""
    return shell_line("az", "acr", "show", "--name", registry)


def deploy_bicep(subscription_id: str, group: str, file: str) -> str:
    """Deploys a Bicep file to a resource group."""
    words = ("az", "deployment", "group", "create", "--subscription", subscription_id, "--resource-group", group)
    return shell_line(*words, "--template-file", file)


def deploy_bicep_to_subscription(subscription_id: str, location: str, file: str = "main.bicep") -> str:
    """Deploys a Bicep file that makes resource groups; the deployment is kept in `location`."""
    words = ("az", "deployment", "sub", "create", "--subscription", subscription_id, "--location", location)
    return shell_line(*words, "--template-file", file)
