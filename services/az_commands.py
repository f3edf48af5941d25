"""The `az`, `docker` or `skopeo` line that does what the console does. Shown beside every action.

Lines are for a POSIX shell; every value is quoted where it needs to be.
"""

import json
import re
import shlex
from datetime import date

from services.names import image_name as _image  # Every public name here is a line.
from services.repositories import Locks


def _line(*words: str) -> str:
    return " ".join(shlex.quote(word) for word in words)


def show_login_server(registry: str) -> str:
    """The registry's login server as ARM says it."""
    return _line("az", "acr", "show", "--name", registry, "--query", "loginServer", "--output", "tsv")


def show_resource_id(registry: str) -> str:
    """Sets ACR_ID, for the lines that need the registry's resource id."""
    return f"ACR_ID=$({_line('az', 'acr', 'show', '--name', registry, '--query', 'id', '--output', 'tsv')})"


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


def _with_token(registry: str, client: str, login_server: str) -> str:
    token = _line("az", "acr", "login", "--name", registry, "--expose-token", "--query", "accessToken")
    # The user name is the null UUID: https://learn.microsoft.com/azure/container-registry/container-registry-authentication
    user = "00000000-0000-0000-0000-000000000000"
    return f"{token} --output tsv | {_line(client, 'login', login_server, '--username', user)} --password-stdin"


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


def lock(registry: str, repository: str, reference: str, locks: Locks) -> str:
    """Sets the locks of a tag, or of a manifest where `reference` is a digest."""
    words = ("az", "acr", "repository", "update", "--name", registry, "--image", _image(repository, reference))
    return _line(*words, *_enabled(locks))


def lock_repository(registry: str, repository: str, locks: Locks) -> str:
    """Sets the locks of a repository; those of its tags and manifests stay."""
    words = ("az", "acr", "repository", "update", "--name", registry, "--repository", repository)
    return _line(*words, *_enabled(locks))


def _enabled(locks: Locks) -> list[str]:
    return [
        word
        for name in ("delete", "write", "list", "read")
        for word in (f"--{name}-enabled", "true" if getattr(locks, name) else "false")
    ]


def update_registry(registry: str, *options: str) -> str:
    """Changes a registry: `options` are those of `az acr update`."""
    return _line("az", "acr", "update", "--name", registry, *options)


def enable_retention(registry: str, days: int) -> str:
    """Deletes manifests `days` after they lose their last tag (Premium)."""
    words = ("az", "acr", "config", "retention", "update", "--registry", registry, "--status", "enabled")
    return _line(*words, "--days", str(days), "--type", "UntaggedManifests")


def refuse_arm_audience_tokens(registry: str) -> str:
    """The registry then takes only tokens made for registries."""
    words = ("az", "acr", "config", "authentication-as-arm", "update", "--registry", registry)
    return _line(*words, "--status", "disabled")


def show_registry(registry: str) -> str:
    """All that ARM says of the registry."""
    return _line("az", "acr", "show", "--name", registry)


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


def deploy_bicep(subscription_id: str, group: str, file: str = "attach.bicep") -> str:
    """Deploys a Bicep file to a resource group."""
    words = ("az", "deployment", "group", "create", "--subscription", subscription_id, "--resource-group", group)
    return _line(*words, "--template-file", file)
