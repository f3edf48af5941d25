"""The lines about what a registry holds: repositories, tags, manifests, locks, pushes, pulls and copies."""

import re
import shlex
from collections.abc import Iterator

from services.commands.shell import shell_line
from services.connection.names import image_name as _image  # Every public name here is a line.


def list_repositories(registry: str) -> str:
    """The registry's repositories."""
    return shell_line("az", "acr", "repository", "list", "--name", registry)


def show_repository(registry: str, repository: str) -> str:
    """A repository's counts, times and locks."""
    return shell_line("az", "acr", "repository", "show", "--name", registry, "--repository", repository)


def show_tags(registry: str, repository: str) -> str:
    """A repository's tags with their digests, the newest first."""
    words = ("az", "acr", "repository", "show-tags", "--name", registry, "--repository", repository)
    return shell_line(*words, "--orderby", "time_desc", "--detail")


def show_manifest(registry: str, repository: str, reference: str) -> str:
    """`reference` is a tag, or a digest with its algorithm."""
    return shell_line("az", "acr", "manifest", "show", "--registry", registry, "--name", _image(repository, reference))


def list_manifests(registry: str, repository: str) -> str:
    """A repository's manifests, tagged or not."""
    return shell_line("az", "acr", "manifest", "list-metadata", "--registry", registry, "--name", repository)


def list_referrers(registry: str, repository: str, digest: str) -> str:
    """What refers to a digest: signatures, SBOMs, attestations."""
    name = f"{repository}@{digest}"
    return shell_line("az", "acr", "manifest", "list-referrers", "--registry", registry, "--name", name)


def pull(login_server: str, repository: str, reference: str) -> str:
    """`reference` is a tag, or a digest with its algorithm."""
    return shell_line("docker", "pull", f"{login_server}/{_image(repository, reference)}")


def helm_pull(login_server: str, repository: str, reference: str) -> str:
    """Pulls a Helm chart. `reference` is a tag, which is the chart's version, or a digest with its algorithm."""
    if ":" in reference:
        return shell_line("helm", "pull", f"oci://{login_server}/{repository}@{reference}")
    return shell_line("helm", "pull", f"oci://{login_server}/{repository}", "--version", reference)


def oras_pull(login_server: str, repository: str, reference: str) -> str:
    """Pulls the files of an artifact that is no image. `reference` is a tag, or a digest with its algorithm."""
    return shell_line("oras", "pull", f"{login_server}/{_image(repository, reference)}")


def tag_for_registry(image: str, login_server: str, repository: str, tag: str) -> str:
    """Gives an image that docker has the name under which it is pushed."""
    return shell_line("docker", "tag", image, f"{login_server}/{repository}:{tag}")


def push(login_server: str, repository: str, tag: str) -> str:
    """Pushes what `tag_for_registry` named."""
    return shell_line("docker", "push", f"{login_server}/{repository}:{tag}")


def skopeo_copy(archive: str, login_server: str, repository: str, tag: str) -> str:
    """Pushes an archive without docker, all platforms of it. `archive` with its kind: oci-archive:image.tar."""
    return shell_line("skopeo", "copy", "--all", archive, f"docker://{login_server}/{repository}:{tag}")


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
    return shell_line(*words, *(("--force",) if move else ()))


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
    login = f' {shell_line("--username", user)} --password "$SOURCE_PASSWORD"' if user else ""
    return f"{shell_line(*words)}{login}"


def save(login_server: str, repository: str, reference: str, file: str) -> str:
    """Writes an image that docker has pulled into an archive: one platform of it."""
    return shell_line("docker", "save", "--output", file, f"{login_server}/{_image(repository, reference)}")


def copy_to_archive(login_server: str, repository: str, reference: str, file: str) -> str:
    """Pulls an image with all its platforms into an OCI archive, without docker."""
    source = f"docker://{login_server}/{_image(repository, reference)}"
    name = "" if ":" in reference else f":{reference}"
    return shell_line("skopeo", "copy", "--all", source, f"oci-archive:{file}{name}")


def untag(registry: str, repository: str, tag: str) -> str:
    """Removes a tag; the manifest stays, and can be pulled by its digest."""
    return shell_line("az", "acr", "repository", "untag", "--name", registry, "--image", f"{repository}:{tag}")


def delete_image(registry: str, repository: str, reference: str) -> str:
    """Deletes a manifest with all its tags, given one of them or its digest; az asks before it does."""
    words = ("az", "acr", "repository", "delete", "--name", registry, "--image", _image(repository, reference))
    return shell_line(*words)


def delete_repository(registry: str, repository: str) -> str:
    """Deletes a repository and all images under it; az asks before it does."""
    return shell_line("az", "acr", "repository", "delete", "--name", registry, "--repository", repository)


def list_deleted_repositories(registry: str) -> str:
    """The repositories that are soft deleted as such."""
    return shell_line("az", "acr", "repository", "list-deleted", "--name", registry)


def list_deleted_tags(registry: str, repository: str) -> str:
    """The soft deleted tags of a repository, and until when each can be restored."""
    return shell_line("az", "acr", "manifest", "list-deleted-tags", "--registry", registry, "--name", repository)


def list_deleted_manifests(registry: str, repository: str) -> str:
    """The soft deleted manifests of a repository, and until when each can be restored."""
    return shell_line("az", "acr", "manifest", "list-deleted", "--registry", registry, "--name", repository)


def restore(registry: str, repository: str, tag: str, digest: str, *, force: bool = False) -> str:
    """Restores a soft deleted manifest with a tag; with `force` also where the tag points elsewhere now."""
    name = f"{repository}:{tag}"
    words = ("az", "acr", "manifest", "restore", "--registry", registry, "--name", name, "--digest", digest)
    return shell_line(*words, *(("--force",) if force else ()))


def restore_untagged(registry: str, repository: str, digest: str) -> str:
    """Restores a soft deleted manifest without a tag."""
    words = ("az", "acr", "manifest", "restore", "--registry", registry, "--name", repository, "--digest", digest)
    return shell_line(*words)


def purge(registry: str, repository: str, pattern: str, days: int, keep: int, *, untagged: bool = False) -> str:
    """Lists what `acr purge` would delete by a glob of tags. It runs in the registry, as a task.

    With --dry-run: without it, purge deletes at once, and asks nobody.
    """
    of_tags = "^" + "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in pattern) + "$"
    filtered = shlex.quote(f"{re.escape(repository)}:{of_tags}")
    more = f"{f' --keep {keep}' if keep else ''}{' --untagged' if untagged else ''}"
    purging = f"acr purge --filter {filtered} --ago {days}d{more} --dry-run"
    return shell_line("az", "acr", "run", "--registry", registry, "--cmd", purging, "/dev/null")


def run_purge(registry: str, purge_command: str) -> str:
    """Lists what a command of `acr purge` would delete, in the registry, as a task. As `purge`, with --dry-run."""
    words = ("az", "acr", "run", "--registry", registry, "--cmd", f"{purge_command} --dry-run", "/dev/null")
    return shell_line(*words)


def lock(registry: str, repository: str, reference: str, **enabled: bool) -> str:
    """Sets what is enabled (delete, write, list, read) on a tag, or on a manifest where `reference` is a digest; the
    rest stays as it is."""
    words = ("az", "acr", "repository", "update", "--name", registry, "--image", _image(repository, reference))
    return shell_line(*words, *_enabled(**enabled))


def lock_repository(registry: str, repository: str, **enabled: bool) -> str:
    """Sets what is enabled on a repository, as `lock`; its tags and manifests keep their own."""
    words = ("az", "acr", "repository", "update", "--name", registry, "--repository", repository)
    return shell_line(*words, *_enabled(**enabled))


def _enabled(**attributes: bool) -> Iterator[str]:
    for name, enabled in attributes.items():
        yield from (f"--{name}-enabled", "true" if enabled else "false")
