"""Restoring what a plan names: each manifest by itself, its bytes read back against their digest."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from services.connection.changes import Outcome, changed, write
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError, says_gone
from services.connection.names import require_digest, require_tag
from services.connection.parallel import Partial, Refusal
from services.images.manifest_reading import read_manifest
from services.images.manifests import Manifest
from services.images.repositories import find_manifest_row, find_tag
from services.restore.plan import RestoreItem, RestorePlan
from services.wording import counted

# An index within an index is unusual, one within that unseen.
_DEEPEST = 8


@dataclass(frozen=True)
class RestoreResult:
    """What became of one item. RESTORED: its bytes have the digest, and its tag points to it. ALREADY_DONE: so it was.
    NOT_CONFIRMED: accepted, and not visible yet; or an index of which `missing` platforms could not be restored."""

    item: RestoreItem
    outcome: Outcome
    missing: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """What is missing, as a sentence; "" where nothing is."""
        if not self.missing:
            return ""
        number = counted(len(self.missing), "platform")
        return f"Restored, but {number} of it can't be: {', '.join(self.missing[:3])}."


OnResult = Callable[[RestoreItem, RestoreResult | ServiceError], None]


def apply_restore(
    client: RegistryClient,
    plan: RestorePlan,
    *,
    on_result: OnResult | None = None,
    stop: Event | None = None,
) -> Partial[RestoreResult]:
    """Restores `plan.unblocked`, one after the other; each has its own result or its own ServiceError.

    Where what an index lists is not known before, it is restored after it. What is refused is tried again once others
    were restored: it may refer to one of them. A tag that is not where the plan saw it is refused (ChangedMeanwhile).
    After `stop` the rest is untried.
    """
    stop = stop or Event()
    results: dict[RestoreItem, RestoreResult | ServiceError] = {}

    def end(item: RestoreItem, result: RestoreResult | ServiceError) -> None:
        results[item] = result
        if on_result:
            on_result(item, result)

    left = list(plan.unblocked)
    while left:
        refused: dict[RestoreItem, ServiceError] = {}
        for item in left:
            if stop.is_set():
                break
            result = _restore_or_error(client, plan.repository, item)
            if isinstance(result, ServiceError):
                refused[item] = result
            else:
                end(item, result)
        if len(refused) == len(left) or stop.is_set():
            for item, error in refused.items():
                end(item, error)
            break
        left = list(refused)
    values = tuple(one for one in results.values() if isinstance(one, RestoreResult))
    errors = tuple(Refusal(item.name, one) for item, one in results.items() if isinstance(one, ServiceError))
    return Partial(values, errors, len(plan.unblocked) - len(results))


def _restore_or_error(client: RegistryClient, repository: str, item: RestoreItem) -> RestoreResult | ServiceError:
    try:
        return _restore(client, repository, item)
    except ServiceError as error:
        return error


def _restore(client: RegistryClient, repository: str, item: RestoreItem) -> RestoreResult:
    title = f"Could not restore {repository}{':' if item.tag else '@'}{item.name}"
    require_digest(title, item.digest)
    if item.tag:
        require_tag(title, item.tag)
        current = find_tag(client, repository, item.tag)
        now = current.digest if current else None
        if now == item.digest:
            return RestoreResult(item, Outcome.ALREADY_DONE, _restore_children(client, repository, item.digest, title))
        if now != item.current_digest:
            then = f"pointed to {item.current_digest}" if item.current_digest else "was not there"
            now_at = f"points to {now}" if now else "is gone"
            raise changed(title, f"The tag {item.tag} {then} when it was planned, and now {now_at}.")
    elif find_manifest_row(client, repository, item.digest):
        return RestoreResult(item, Outcome.ALREADY_DONE, _restore_children(client, repository, item.digest, title))
    found = _send(client, repository, item.digest, item.tag, title, force=item.moves)
    if found is None:
        return RestoreResult(item, Outcome.NOT_CONFIRMED)
    missing = _restore_children(client, repository, item.digest, title)
    return RestoreResult(item, Outcome.NOT_CONFIRMED if missing else Outcome.RESTORED, missing)


def _send(
    client: RegistryClient, repository: str, digest: str, tag: str, title: str, *, force: bool = False
) -> Manifest | None:
    """Restores one manifest, and reads it back by its bytes. None where it was accepted and does not show."""
    query = {"force": "true" if force else "false"}
    path = path_of("/acr/v1/_deleted/{repository}/_manifests/{digest}", query, repository=repository, digest=digest)
    body = json.dumps({"tag": tag or None}).encode()

    def read() -> tuple[Manifest, str]:
        manifest = read_manifest(client, repository, digest)  # Checks the bytes against the digest.
        found = find_tag(client, repository, tag) if tag else None
        return manifest, found.digest if found else ""

    found = write(
        title,
        lambda: client.send("POST", path, content=body, headers={"Content-Type": "application/json"}),
        read,
        lambda read: not tag or read[1] == digest,
        says_gone,
    )
    return found[0] if found else None


def _restore_children(
    client: RegistryClient, repository: str, digest: str, title: str, depth: int = 0
) -> tuple[str, ...]:
    """Restores the platforms of an index that are not there; returns those that can't be."""
    missing = []
    for child in read_manifest(client, repository, digest).children:
        if find_manifest_row(client, repository, child.digest) is None:
            try:
                found = _send(client, repository, child.digest, "", title)
            except ServiceError as error:
                if not says_gone(error):
                    raise
                found = None
            if found is None:
                missing.append(child.digest)
                continue
        if depth < _DEEPEST and child.kind == "index":
            missing += _restore_children(client, repository, child.digest, title, depth + 1)
    return tuple(missing)
