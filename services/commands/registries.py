"""The `az`, `docker` or `skopeo` line that does what the console does. Shown beside every action.

Lines are for a POSIX shell; every value is quoted where it needs to be.
"""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from datetime import date

from services.connection.names import image_name as _image  # Every public name here is a line.


def _line(*words: str) -> str:
    return " ".join(shlex.quote(word) for word in words)


def show_login_server(registry: str) -> str:
    """The registry's login server as ARM says it."""
    return _line("az", "acr", "show", "--name", registry, "--query", "loginServer", "--output", "tsv")


def show_resource_id(registry: str) -> str:
    """Sets ACR_ID, for the lines that need the registry's resource id."""
    return f"ACR_ID=$({_line('az', 'acr', 'show', '--name', registry, '--query', 'id', '--output', 'tsv')})"


def create_group(subscription_id: str, group: str, location: str) -> str:
    """Makes a resource group."""
    words = ("az", "group", "create", "--subscription", subscription_id, "--name", group, "--location", location)
    return _line(*words)


def delete_group(subscription_id: str, group: str) -> str:
    """Deletes a resource group with all that is in it; az asks before it does."""
    return _line("az", "group", "delete", "--subscription", subscription_id, "--name", group)


def list_locations(subscription_id: str) -> str:
    """Whether the provider of registries is registered, and where it offers them."""
    query = "{state: registrationState, locations: resourceTypes[?resourceType=='registries'].locations | [0]}"
    words = ("az", "provider", "show", "--subscription", subscription_id, "--namespace", "Microsoft.ContainerRegistry")
    return _line(*words, "--query", query)


def register_provider(subscription_id: str) -> str:
    """Lets a subscription have registries; waits for it."""
    words = ("az", "provider", "register", "--subscription", subscription_id)
    return _line(*words, "--namespace", "Microsoft.ContainerRegistry", "--wait")


def check_name(subscription_id: str, registry: str, *, name_scope: str = "Unsecure", group: str = "") -> str:
    """Whether a registry can have the name. `group` is asked for with the scope ResourceGroupReuse."""
    words = ["az", "acr", "check-name", "--subscription", subscription_id, "--name", registry]
    words += ["--dnl-scope", name_scope] if name_scope != "Unsecure" else []
    words += ["--resource-group", group] if name_scope == "ResourceGroupReuse" else []
    return _line(*words)


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
    return _line(*words)


def list_registries(subscription_id: str) -> str:
    """The registries of one subscription."""
    return _line("az", "acr", "list", "--subscription", subscription_id, "--output", "table")


def query_costs(subscription_id: str, first: date, last: date) -> str:
    """What registries of a subscription cost by meter, from Cost Management: az has no command of its own for it."""
    body = {
        "type": "ActualCost",
        "timeframe": "Custom",
        "timePeriod": {"from": f"{first}", "to": f"{last}"},
        "dataset": {
            "granularity": "Monthly",
            "aggregation": {"totalCost": {"name": "Cost", "function": "Sum"}},
            "grouping": [{"type": "Dimension", "name": "ResourceId"}, {"type": "Dimension", "name": "Meter"}],
            "filter": {
                "dimensions": {
                    "name": "ResourceType",
                    "operator": "In",
                    "values": ["microsoft.containerregistry/registries"],
                }
            },
        },
    }
    url = f"/subscriptions/{subscription_id}/providers/Microsoft.CostManagement/query?api-version=2025-03-01"
    return _line("az", "rest", "--method", "post", "--url", url, "--body", json.dumps(body))


def list_budgets(subscription_id: str) -> str:
    """The budgets of one subscription."""
    return _line("az", "consumption", "budget", "list", "--subscription", subscription_id)


def show_usage(registry: str) -> str:
    """What the registry uses of its SKU's limits."""
    return _line("az", "acr", "show-usage", "--name", registry, "--output", "table")


def sign_in(registry: str) -> str:
    """Needs a running docker; `sign_in_with_token` does not."""
    return _line("az", "acr", "login", "--name", registry)


def sign_in_with_token(registry: str, login_server: str) -> str:
    """`docker login` with a token that lives three hours, passed on standard input, so that no history keeps it."""
    return _with_token(registry, "docker", login_server)


def podman_sign_in(registry: str, login_server: str) -> str:
    """As `sign_in_with_token`, for podman."""
    return _with_token(registry, "podman", login_server)


def helm_sign_in(registry: str, login_server: str) -> str:
    """As `sign_in_with_token`, for charts: helm keeps its sign-in apart from docker's."""
    return _with_token(registry, "helm registry", login_server)


def oras_sign_in(registry: str, login_server: str) -> str:
    """As `sign_in_with_token`, for oras."""
    return _with_token(registry, "oras", login_server)


def _with_token(registry: str, client: str, login_server: str) -> str:
    token = _line("az", "acr", "login", "--name", registry, "--expose-token", "--query", "accessToken")
    # The user name is the null UUID: https://learn.microsoft.com/azure/container-registry/container-registry-authentication
    user = "00000000-0000-0000-0000-000000000000"
    sign_in = _line(*client.split(), "login", login_server, "--username", user)
    return f"{token} --output tsv | {sign_in} --password-stdin"


def check_health(registry: str, repository: str) -> str:
    """Looks at the way from this machine to the registry, and at what it grants the caller on a repository."""
    return _line("az", "acr", "check-health", "--name", registry, "--repository", repository)


def make_pull_token(registry: str, token_name: str, repository: str) -> str:
    """A registry's own token that pulls from one repository. Its password, told once, goes into TOKEN_PASSWORD."""
    words = ("az", "acr", "token", "create", "--registry", registry, "--name", token_name, "--repository", repository)
    asked = ("content/read", "metadata/read", "--query", "credentials.passwords[0].value", "--output", "tsv")
    return f"TOKEN_PASSWORD=$({_line(*words, *asked)})"


def make_pull_secret(login_server: str, token_name: str) -> str:
    """A secret for pods to pull with, of the password in TOKEN_PASSWORD."""
    words = ("kubectl", "create", "secret", "docker-registry", token_name)
    user = (f"--docker-server={login_server}", f"--docker-username={token_name}")
    return f'{_line(*words, *user)} --docker-password="$TOKEN_PASSWORD"'


def make_identity(identity: str, subscription_id: str, group: str) -> str:
    """A managed identity for a pipeline to sign in as. The answer has its client id and its object id (principalId)."""
    words = ("az", "identity", "create", "--name", identity, "--resource-group", group)
    return _line(*words, "--subscription", subscription_id)


def trust_github(identity: str, subscription_id: str, group: str, subject: str) -> str:
    """Lets a workflow on GitHub sign in as the identity without a secret. `subject`: the repository and branch."""
    words = ["az", "identity", "federated-credential", "create", "--name", "github", "--identity-name", identity]
    words += ["--resource-group", group, "--subscription", subscription_id]
    words += ["--issuer", "https://token.actions.githubusercontent.com", "--subject", subject]
    return _line(*words, "--audiences", "api://AzureADTokenExchange")


def show_admin_credential(registry: str) -> str:
    """The admin account's name and its two passwords."""
    return _line("az", "acr", "credential", "show", "--name", registry)


def list_repositories(registry: str) -> str:
    """The registry's repositories."""
    return _line("az", "acr", "repository", "list", "--name", registry)


def show_repository(registry: str, repository: str) -> str:
    """A repository's counts, times and locks."""
    return _line("az", "acr", "repository", "show", "--name", registry, "--repository", repository)


def show_tags(registry: str, repository: str) -> str:
    """A repository's tags with their digests, the newest first."""
    words = ("az", "acr", "repository", "show-tags", "--name", registry, "--repository", repository)
    return _line(*words, "--orderby", "time_desc", "--detail")


def show_manifest(registry: str, repository: str, reference: str) -> str:
    """`reference` is a tag, or a digest with its algorithm."""
    return _line("az", "acr", "manifest", "show", "--registry", registry, "--name", _image(repository, reference))


def list_manifests(registry: str, repository: str) -> str:
    """A repository's manifests, tagged or not."""
    return _line("az", "acr", "manifest", "list-metadata", "--registry", registry, "--name", repository)


def list_referrers(registry: str, repository: str, digest: str) -> str:
    """What refers to a digest: signatures, SBOMs, attestations."""
    name = f"{repository}@{digest}"
    return _line("az", "acr", "manifest", "list-referrers", "--registry", registry, "--name", name)


def pull(login_server: str, repository: str, reference: str) -> str:
    """`reference` is a tag, or a digest with its algorithm."""
    return _line("docker", "pull", f"{login_server}/{_image(repository, reference)}")


def tag_for_registry(image: str, login_server: str, repository: str, tag: str) -> str:
    """Gives an image that docker has the name under which it is pushed."""
    return _line("docker", "tag", image, f"{login_server}/{repository}:{tag}")


def push(login_server: str, repository: str, tag: str) -> str:
    """Pushes what `tag_for_registry` named."""
    return _line("docker", "push", f"{login_server}/{repository}:{tag}")


def skopeo_sign_in(registry: str, login_server: str) -> str:
    """As `sign_in_with_token`, for skopeo, which needs no docker."""
    return _with_token(registry, "skopeo", login_server)


def skopeo_copy(archive: str, login_server: str, repository: str, tag: str) -> str:
    """Pushes an archive without docker, all platforms of it. `archive` with its kind: oci-archive:image.tar."""
    return _line("skopeo", "copy", "--all", archive, f"docker://{login_server}/{repository}:{tag}")


def add_tag(
    registry: str,
    login_server: str,
    repository: str,
    digest: str,
    tag: str,
    *,
    move: bool = False,
) -> str:
    """Copies the manifest within its registry, to another tag; with `move` also where the tag exists.

    Not `docker pull`, `tag`, `push`: docker pulls one platform of an index, and what it pushes has another digest.
    """
    source = f"{login_server}/{repository}@{digest}"
    words = ("az", "acr", "import", "--name", registry, "--source", source, "--image", f"{repository}:{tag}")
    return _line(*words, *(("--force",) if move else ()))


def import_image(
    registry: str,
    source: str,
    *images: str,
    repositories: tuple[str, ...] = (),
    resource_id: str = "",
    user: str = "",
    force: bool = False,
) -> str:
    """Copies an image into `registry`, inside Azure, to `images` (repository:tag) and, without a tag, `repositories`.

    `source` has the address of its registry before it; with the `resource_id` of an Azure registry it has none. The
    password of `user` is taken from SOURCE_PASSWORD, so that no history keeps it.
    """
    words = ["az", "acr", "import", "--name", registry, "--source", source]
    words += ["--registry", resource_id] if resource_id else []
    words += [word for image in images for word in ("--image", image)]
    words += [word for repository in repositories for word in ("--repository", repository)]
    words += ["--force"] if force else []
    login = f' {_line("--username", user)} --password "$SOURCE_PASSWORD"' if user else ""
    return f"{_line(*words)}{login}"


def save(login_server: str, repository: str, reference: str, file: str) -> str:
    """Writes an image that docker has pulled into an archive: one platform of it."""
    return _line("docker", "save", "--output", file, f"{login_server}/{_image(repository, reference)}")


def copy_to_archive(login_server: str, repository: str, reference: str, file: str) -> str:
    """Pulls an image with all its platforms into an OCI archive, without docker."""
    source = f"docker://{login_server}/{_image(repository, reference)}"
    name = "" if ":" in reference else f":{reference}"
    return _line("skopeo", "copy", "--all", source, f"oci-archive:{file}{name}")


def untag(registry: str, repository: str, tag: str) -> str:
    """Removes a tag; the manifest stays, and can be pulled by its digest."""
    return _line("az", "acr", "repository", "untag", "--name", registry, "--image", f"{repository}:{tag}")


def delete_image(registry: str, repository: str, reference: str) -> str:
    """Deletes a manifest with all its tags, given one of them or its digest; az asks before it does."""
    words = ("az", "acr", "repository", "delete", "--name", registry, "--image", _image(repository, reference))
    return _line(*words)


def delete_repository(registry: str, repository: str) -> str:
    """Deletes a repository and all images under it; az asks before it does."""
    return _line("az", "acr", "repository", "delete", "--name", registry, "--repository", repository)


def purge(registry: str, repository: str, pattern: str, days: int, keep: int, *, untagged: bool = False) -> str:
    """Lists what `acr purge` would delete by a glob of tags. It runs in the registry, as a task.

    With --dry-run: without it, purge deletes at once, and asks nobody.
    """
    of_tags = "^" + "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in pattern) + "$"
    filtered = shlex.quote(f"{re.escape(repository)}:{of_tags}")
    more = f"{f' --keep {keep}' if keep else ''}{' --untagged' if untagged else ''}"
    purging = f"acr purge --filter {filtered} --ago {days}d{more} --dry-run"
    return _line("az", "acr", "run", "--registry", registry, "--cmd", purging, "/dev/null")


def running_images() -> str:
    """Every image that runs in the current cluster, with its digest."""
    path = '{range .items[*].status.containerStatuses[*]}{.image}{" "}{.imageID}{"\\n"}{end}'
    return _line("kubectl", "get", "pods", "--all-namespaces", "--output", f"jsonpath={path}")


def lock(registry: str, repository: str, reference: str, *, delete: bool, write: bool, list: bool, read: bool) -> str:
    """Sets what is enabled on a tag, or on a manifest where `reference` is a digest."""
    words = ("az", "acr", "repository", "update", "--name", registry, "--image", _image(repository, reference))
    return _line(*words, *_enabled(delete=delete, write=write, list=list, read=read))


def lock_repository(registry: str, repository: str, *, delete: bool, write: bool, list: bool, read: bool) -> str:
    """Sets what is enabled on a repository; its tags and manifests keep their own."""
    words = ("az", "acr", "repository", "update", "--name", registry, "--repository", repository)
    return _line(*words, *_enabled(delete=delete, write=write, list=list, read=read))


def _enabled(**attributes: bool) -> Iterator[str]:
    for name, enabled in attributes.items():
        yield from (f"--{name}-enabled", "true" if enabled else "false")


def update_registry(registry: str, *options: str) -> str:
    """Changes a registry: `options` are those of `az acr update`."""
    return _line("az", "acr", "update", "--name", registry, *options)


def enable_retention(registry: str, days: int) -> str:
    """Deletes manifests `days` after they lose their last tag (Premium)."""
    words = ("az", "acr", "config", "retention", "update", "--registry", registry, "--status", "enabled")
    return _line(*words, "--days", str(days), "--type", "UntaggedManifests")


def disable_retention(registry: str) -> str:
    """Keeps untagged manifests from then on."""
    words = ("az", "acr", "config", "retention", "update", "--registry", registry, "--status", "disabled")
    return _line(*words, "--type", "UntaggedManifests")


def add_network_rule(registry: str, address: str) -> str:
    """Lets an IPv4 address, or a range in CIDR notation, reach the registry (Premium)."""
    return _line("az", "acr", "network-rule", "add", "--name", registry, "--ip-address", address)


def remove_network_rule(registry: str, address: str) -> str:
    """Removes the rule that is written as `address` is."""
    return _line("az", "acr", "network-rule", "remove", "--name", registry, "--ip-address", address)


def refuse_arm_audience_tokens(registry: str) -> str:
    """The registry then takes only tokens made for registries."""
    words = ("az", "acr", "config", "authentication-as-arm", "update", "--registry", registry)
    return _line(*words, "--status", "disabled")


def accept_arm_audience_tokens(registry: str) -> str:
    """The registry then takes tokens made for Azure Resource Manager too."""
    words = ("az", "acr", "config", "authentication-as-arm", "update", "--registry", registry)
    return _line(*words, "--status", "enabled")


def delete_registry(registry: str, group: str, subscription_id: str) -> str:
    """Deletes a registry and all images in it; az asks before it does. With its group and subscription: two registries
    may have one name where their login servers are made with a hash."""
    words = ("az", "acr", "delete", "--name", registry, "--resource-group", group)
    return _line(*words, "--subscription", subscription_id)


def show_registry(registry: str) -> str:
    """All that ARM says of the registry."""
    return _line("az", "acr", "show", "--name", registry)


def list_webhooks(registry: str) -> str:
    """The registry's webhooks, without their addresses."""
    return _line("az", "acr", "webhook", "list", "--registry", registry, "--output", "table")


def add_webhook(
    registry: str,
    webhook: str,
    service_uri: str,
    actions: tuple[str, ...],
    location: str,
    *,
    scope: str = "",
    enabled: bool = True,
    header_names: tuple[str, ...] = (),
) -> str:
    """Adds a webhook. The value of a header such as X-Key is taken from HEADER_X_KEY, so that no history keeps it."""
    words = [*_webhook("create", registry, webhook), "--uri", service_uri, "--actions", *actions]
    words += ["--location", location, *(["--scope", scope] if scope else [])]
    words += [] if enabled else ["--status", "disabled"]
    values = (f'{shlex.quote(f"{name}=")}"$HEADER_{re.sub("[^A-Z0-9]", "_", name.upper())}"' for name in header_names)
    headers = f" --headers {' '.join(values)}" if header_names else ""
    return f"{_line(*words)}{headers}"


def set_webhook_status(registry: str, webhook: str, status: str) -> str:
    """`status` is enabled or disabled."""
    return _line(*_webhook("update", registry, webhook), "--status", status)


def ping_webhook(registry: str, webhook: str) -> str:
    """Has Azure call the webhook's address once."""
    return _line(*_webhook("ping", registry, webhook))


def list_webhook_events(registry: str, webhook: str) -> str:
    """The webhook's last calls, and what its address answered."""
    return _line(*_webhook("list-events", registry, webhook))


def show_webhook_config(registry: str, webhook: str) -> str:
    """Where the webhook calls, and its headers with their values."""
    return _line(*_webhook("get-config", registry, webhook))


def remove_webhook(registry: str, webhook: str) -> str:
    """Removes a webhook; az does not ask."""
    return _line(*_webhook("delete", registry, webhook))


def _webhook(verb: str, registry: str, webhook: str) -> tuple[str, ...]:
    return ("az", "acr", "webhook", verb, "--registry", registry, "--name", webhook)


def list_replicas(registry: str) -> str:
    """The registry's regions and their state."""
    return _line("az", "acr", "replication", "list", "--registry", registry, "--output", "table")


def add_replica(registry: str, region: str) -> str:
    """Copies the registry to another region (Premium)."""
    return _line("az", "acr", "replication", "create", "--registry", registry, "--location", region)


def remove_replica(registry: str, replica: str) -> str:
    """Gives a region up; az does not ask."""
    return _line("az", "acr", "replication", "delete", "--registry", registry, "--name", replica)


def list_tokens(registry: str) -> str:
    """The registry's tokens, without their passwords."""
    return _line("az", "acr", "token", "list", "--registry", registry, "--output", "table")


def list_scope_maps(registry: str) -> str:
    """What tokens may do in which repositories, those of the registry itself among it."""
    return _line("az", "acr", "scope-map", "list", "--registry", registry, "--output", "table")


def add_scope_map(
    registry: str, scope_map: str, repositories: tuple[str, ...], rights: tuple[str, ...], description: str
) -> str:
    """The same `rights` (content/read and the like) in each of the repositories."""
    words = ["az", "acr", "scope-map", "create", "--registry", registry, "--name", scope_map]
    words += [word for repository in repositories for word in ("--repository", repository, *rights)]
    return _line(*words, "--description", description)


def remove_scope_map(registry: str, scope_map: str) -> str:
    """Removes a scope map; az asks before it does."""
    return _line("az", "acr", "scope-map", "delete", "--registry", registry, "--name", scope_map)


def add_token(registry: str, token: str, scope_map: str) -> str:
    """A token that has no password yet."""
    return _line(*_token("create", registry, token), "--scope-map", scope_map, "--no-passwords", "true")


def generate_token_password(registry: str, token: str, password: str, days: int | None) -> str:
    """`password` is password1 or password2: the one that is there under this name ends. `days` None: no end."""
    words = ("az", "acr", "token", "credential", "generate", "--registry", registry, "--name", token, f"--{password}")
    return _line(*words, *(("--expiration-in-days", str(days)) if days else ()))


def sign_in_as_token(token: str, login_server: str) -> str:
    """The password is taken from TOKEN_PASSWORD, and goes in by standard input: no history keeps it."""
    line = _line("docker", "login", login_server, "--username", token, "--password-stdin")
    return f'printf %s "$TOKEN_PASSWORD" | {line}'


def set_token_status(registry: str, token: str, scope_map: str, status: str) -> str:
    """`status` is enabled or disabled. Without its scope map named, az would take it from the token."""
    return _line(*_token("update", registry, token), "--scope-map", scope_map, "--status", status)


def remove_token(registry: str, token: str) -> str:
    """Removes a token with its passwords; az asks before it does."""
    return _line(*_token("delete", registry, token))


def _token(verb: str, registry: str, token: str) -> tuple[str, ...]:
    return ("az", "acr", "token", verb, "--registry", registry, "--name", token)


def show_kubelet_identity(cluster: str, cluster_group: str) -> str:
    """Sets CLIENT_ID to that of the identity as which a cluster's nodes pull."""
    words = (*_cluster("show", cluster, cluster_group), "--query", "identityProfile.kubeletidentity.clientId")
    return f"CLIENT_ID=$({_line(*words, '--output', 'tsv')})"


def _cluster(verb: str, cluster: str, cluster_group: str) -> tuple[str, ...]:
    return ("az", "aks", verb, "--name", cluster, "--resource-group", cluster_group)


def show_identities(cluster: str, cluster_group: str) -> str:
    """Both identities of a cluster: its control plane's, and that of its nodes."""
    query = "{controlPlane: identity, kubelet: identityProfile.kubeletidentity}"
    return _line(*_cluster("show", cluster, cluster_group), "--query", query)


def list_assignments_of(principal_id: str, scope: str) -> str:
    """What a principal holds at a scope and above it, itself and by groups."""
    words = ("az", "role", "assignment", "list", "--assignee", principal_id, "--scope", scope)
    return _line(*words, "--include-inherited", "--include-groups", "--output", "table")


def list_deny_assignments(scope: str) -> str:
    """The deny assignments that reach a scope: az has no command of its own for them."""
    url = f"{scope}/providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01&$filter=atScope()"
    return _line("az", "rest", "--method", "get", "--url", url)


def show_role(role: str) -> str:
    """What a role gives. `role` is a name or a GUID."""
    return _line("az", "role", "definition", "list", "--name", role)


def assign_role(client_id: str, role: str, scope: str) -> str:
    """az looks up the object id of the client id in the directory."""
    return _line("az", "role", "assignment", "create", "--assignee", client_id, "--role", role, "--scope", scope)


def assign_role_by_object_id(
    principal_id: str,
    role: str,
    scope: str,
    assignment_name: str | None,
    *,
    condition: str = "",
    principal_type: str = "ServicePrincipal",
) -> str:
    """Asks no directory. `role` is a name or a GUID; the same `assignment_name` is the same assignment, with None az
    names it. `principal_type`: ServicePrincipal (managed identities too), User or Group."""
    words = ["az", "role", "assignment", "create", *(() if assignment_name is None else ("--name", assignment_name))]
    words += ["--assignee-object-id", principal_id, "--assignee-principal-type", principal_type]
    words += ["--role", role, "--scope", scope]
    words += ["--condition", condition, "--condition-version", "2.0"] if condition else []
    return _line(*words)


def list_role_assignments(scope: str) -> str:
    """The role assignments at a scope, and those above that reach it."""
    return _line("az", "role", "assignment", "list", "--scope", scope, "--include-inherited", "--output", "table")


def remove_assignment(assignment_id: str) -> str:
    """Removes one role assignment, by its resource id."""
    return _line("az", "role", "assignment", "delete", "--ids", assignment_id)


def check_acr(cluster: str, cluster_group: str, login_server: str) -> str:
    """Asks from a pod on a node; needs kubectl, and a way to the API server."""
    return _line(*_cluster("check-acr", cluster, cluster_group), "--acr", login_server)


def deploy_bicep(subscription_id: str, group: str, file: str) -> str:
    """Deploys a Bicep file to a resource group."""
    words = ("az", "deployment", "group", "create", "--subscription", subscription_id, "--resource-group", group)
    return _line(*words, "--template-file", file)


def deploy_bicep_to_subscription(subscription_id: str, location: str, file: str = "main.bicep") -> str:
    """Deploys a Bicep file that makes resource groups; the deployment is kept in `location`."""
    words = ("az", "deployment", "sub", "create", "--subscription", subscription_id, "--location", location)
    return _line(*words, "--template-file", file)
