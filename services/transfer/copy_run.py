"""Doing a planned copy: Azure is asked to begin, waited for, and the result is read back."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from azure.core.polling import LROPoller
from azure.core.rest import HttpRequest
from azure.mgmt.containerregistry import models

from services.connection.changes import Outcome, refused, write
from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError, as_service_error, says_gone
from services.connection.parallel import Partial, parallel_map
from services.connection.session import AzureSession
from services.images.repositories import find_manifest_row, find_tag
from services.transfer.copy_plan import CopyItem, CopyPlan
from services.transfer.copy_referrers import ReferrerItem, find_referrer

# How often Azure is asked, and so how soon a stop has an effect.
POLL_S = 0.2
# How often Azure is asked for an operation that another process began, as the SDK does.
_RETRY_AFTER_S = 2.0
_MAY_BE_COPYING = "Azure may be copying all the same: look at the target in a minute, then plan it again."

# Of an import, by the name of its first target: "" before Azure is asked for it, then the address of its operation.
Note = Callable[[str, str], None]


@dataclass(frozen=True)
class CopyResult:
    """The result of one item; `digest` as read back, '' where it could not be.

    CREATED, or CHANGED for a tag that moved: read back; with `compared`, at the source's digest, without it that digest
    is not known to this console. ALREADY_DONE: it was at the source's digest before, and nothing was requested.
    NOT_CONFIRMED: Azure says that it is done, and it is not there or can't be read back.
    """

    item: CopyItem
    digest: str
    outcome: Outcome
    compared: bool = True


@dataclass(frozen=True)
class ReferrerResult:
    """The result of one referrer: CREATED and ALREADY_DONE as read back; NOT_CONFIRMED where Azure says that it is
    imported and it can't be read back, or the wait was stopped."""

    item: ReferrerItem
    outcome: Outcome


@dataclass(frozen=True)
class Copied:
    """`finished` is False where the wait was stopped: Azure continues the copy, and nothing was read back.

    `referrers` has the signatures, SBOMs and attestations that were to be imported, each by itself.
    """

    finished: bool
    results: Partial[CopyResult]
    referrers: Partial[ReferrerResult] = field(default_factory=lambda: Partial[ReferrerResult](()))


def _note_nothing(_name: str, _url: str) -> None:
    """Imports that nobody continues."""


def apply_copy(
    session: AzureSession,
    plan: CopyPlan,
    *,
    force: bool = False,
    progress: Callable[[str, float], None] | None = None,
    stop: Event | None = None,
    note: Note = _note_nothing,
    on_copied: Callable[[Partial[CopyResult]], None] | None = None,
    on_referrer: Callable[[ReferrerItem, ReferrerResult | ServiceError], None] | None = None,
) -> Copied:
    """Has Azure copy what the plan says, then import each referrer; returns each as read back, in the plan's order.

    Tags are read again first: where one has changed since the plan, nothing is copied (ChangedMeanwhile). Tags
    that exist move only with `force`. `progress(state, seconds)`, `on_copied` (the image's results, before its
    referrers are imported) and `on_referrer` are called in the caller's thread. `stop` ends the
    waiting, not the copying. Raises ServiceError: Refused (by the plan, or tags that move without `force`), Conflict (a
    tag that appeared just before), AuthorizationFailed and LinkedAuthorizationFailed, InvalidParameters (Azure
    could not read the source), ConnectionLost and others with a remedy that says whether it is known what was done.
    """
    title = f"Could not copy {plan.source.name} to {plan.target.name}"
    client = session.registry(plan.target.login_server)
    _require_unchanged(plan, client, title, force=force)
    stop = stop or Event()
    failure: ServiceError | None = None
    try:
        finished = not plan.todo or _wait_for_import(
            session, plan, title, _parameters(plan), progress, stop, plan.todo[0].name, note
        )
    except ServiceError as error:
        # A new error without the old one behind it: that holds the request, and so the password.
        failure = _with_remedy(error)
    if failure:
        results = _results_though_lost(client, plan, failure)
    elif finished:
        results = read_back(client, plan.items, plan.digest)
    else:
        return Copied(False, Partial((), untried=len(plan.items)), Partial((), untried=len(plan.referrers_todo)))
    if on_copied:
        on_copied(results)
    return Copied(True, results, _import_referrers(session, client, plan, progress, stop, note, on_referrer))


def _import_referrers(
    session: AzureSession,
    client: RegistryClient,
    plan: CopyPlan,
    progress: Callable[[str, float], None] | None,
    stop: Event,
    note: Note,
    on_referrer: Callable[[ReferrerItem, ReferrerResult | ServiceError], None] | None,
) -> Partial[ReferrerResult]:
    """Imports each referrer by digest; one that fails is refused by itself."""
    todo = plan.referrers_todo
    began = time.monotonic()
    count = 0

    def work(item: ReferrerItem) -> ReferrerResult:
        return _import_referrer(session, client, plan, item, stop, note)

    def done(index: int, result: ReferrerResult | ServiceError) -> None:
        nonlocal count
        count += 1
        if on_referrer:
            on_referrer(todo[index], result)
        if progress:
            progress(f"referrer {count} of {len(todo)}", time.monotonic() - began)

    return parallel_map(work, todo, name=lambda item: item.name, done=done, stop=stop)


def _import_referrer(
    session: AzureSession, client: RegistryClient, plan: CopyPlan, item: ReferrerItem, stop: Event, note: Note
) -> ReferrerResult:
    source, referrer = plan.source, item.referrer
    title = f"Could not copy {referrer.artifact_type} {referrer.digest} to {item.repository}"
    parameters = models.ImportImageParameters(
        source=models.ImportSource(
            resource_id=source.registry.id if source.registry else None,
            source_image=f"{source.repository}@{referrer.digest}",
        ),
        target_tags=[item.name] if referrer.tag else [],
        untagged_target_repositories=[] if referrer.tag else [item.repository],
        mode="NoForce",
    )

    def read() -> str:
        digest = find_referrer(client, item.repository, referrer)
        if digest is None:
            raise ServiceError(title, "It is not in the target.", "Copy it again.", "MANIFEST_UNKNOWN", 404)
        return digest

    found = write(
        title,
        lambda: _wait_for_import(session, plan, title, parameters, None, stop, item.name, note),
        read,
        lambda digest: digest == referrer.digest,
        says_gone,
    )
    return ReferrerResult(item, Outcome.CREATED if found else Outcome.NOT_CONFIRMED)


def _require_unchanged(plan: CopyPlan, client: RegistryClient, title: str, *, force: bool) -> None:
    """Raises ServiceError where the plan refuses, or a tag is not where it saw it."""
    reasons = list(plan.blockers)
    if plan.moves and not force:
        reasons.append(
            f"{', '.join(item.name for item in plan.moves)} exists, and is moved only when that is confirmed."
        )
    if reasons:
        raise refused(title, reasons[0])
    for item in plan.todo:
        if not item.tag or not item.known:
            continue
        current = find_tag(client, item.repository, item.tag)
        if (current.digest if current else None) != item.current_digest:
            then = f"pointed to {item.current_digest}" if item.current_digest else "was not there"
            now = f"points to {current.digest}" if current else "is gone"
            raise ServiceError(
                title,
                f"The tag {item.name} {then} when it was planned, and now {now}. Nothing was copied.",
                "Plan it again.",
                "ChangedMeanwhile",
            )


def _wait_for_import(
    session: AzureSession,
    plan: CopyPlan,
    title: str,
    parameters: models.ImportImageParameters,
    progress: Callable[[str, float], None] | None,
    stop: Event,
    name: str,
    note: Note,
) -> bool:
    """Whether Azure says that the import is done; False where the waiting was stopped. Raises ServiceError."""
    began = time.monotonic()
    registries = session.registries(plan.target.subscription_id).registries
    urls: list[str] = []

    def keep_url(response: Any) -> None:
        urls.append(response.http_response.headers.get("Location", ""))

    note(name, "")
    with as_service_error(title):
        poller: LROPoller[Any] = registries.begin_import_image(
            plan.target.resource_group, plan.target.name, parameters, raw_response_hook=keep_url
        )
    if url := next(filter(None, urls), ""):
        note(name, url)
    with as_service_error(title):
        while not poller.done():
            if stop.is_set():
                return False
            if progress:
                progress(poller.status(), time.monotonic() - began)
            poller.wait(POLL_S)
        poller.result()
    return True


def wait_for_operation(session: AzureSession, title: str, url: str, stop: Event) -> bool:
    """As the wait for an import, for one that another process began, by the address of its operation.

    Raises ServiceError: as Azure says that it failed; OperationNotFound where Azure no longer knows it.
    """
    if not url.startswith(f"{session.endpoints.resource_manager.rstrip('/')}/"):
        raise ServiceError(title, "The address of its operation is not Azure's.", "Plan it again.", "OtherHost")
    with as_service_error(title):
        while True:
            answer = session.resources().send_request(HttpRequest("GET", url))
            if answer.status_code != 202:
                answer.raise_for_status()
                return True
            if stop.wait(_RETRY_AFTER_S):
                return False


def _parameters(plan: CopyPlan) -> models.ImportImageParameters:
    source = plan.source
    login = models.ImportSourceCredentials(username=source.user or None, password=source.password)
    return models.ImportImageParameters(
        source=models.ImportSource(
            resource_id=source.registry.id if source.registry else None,
            registry_uri=None if source.registry else source.server,
            credentials=login if source.password and not source.registry else None,
            source_image=plan.source_image,
        ),
        target_tags=[item.name for item in plan.todo if item.tag],
        untagged_target_repositories=[item.repository for item in plan.todo if not item.tag],
        mode="Force" if plan.moves else "NoForce",
    )


def _with_remedy(error: ServiceError) -> ServiceError:
    """Azure's refusals of an import, with what to do about them; a new error, with nothing behind it."""
    said = error.cause.casefold()
    if error.code == "Conflict":
        remedy = "The tag appeared since the copy was planned: plan it again, and see what it points to."
    elif error.code == "LinkedAuthorizationFailed":
        remedy = "The identity may copy into the target, and may not pull from the source: it needs AcrPull there."
    elif error.code == "AuthorizationFailed":
        remedy = (
            "Copying into a registry needs importImage/action on it: Contributor, or Container Registry Data Importer "
            "and Data Reader. AcrPush is not enough."
        )
    elif "toomanyrequests" in said:
        remedy = "The source limits pulls by those who do not sign in (Docker Hub does): give a user name and password."
    elif "unauthorized" in said or "denied" in said:
        remedy = "The source refuses: check the user name and the password, and that they may pull this repository."
    elif "manifest_unknown" in said or "name_unknown" in said:
        remedy = "The source has no such image, or no longer: check its name."
    elif "disallowed" in said:
        remedy = "A lock forbids it: see the locks of the source and of the target repository and tag."
    elif error.code == "InvalidParameters":
        remedy = "Azure could not copy it: check the source's address and name, and that Azure can reach it."
    else:
        remedy = error.remedy
    return replace(error, remedy=remedy)


def _results_though_lost(client: RegistryClient, plan: CopyPlan, failure: ServiceError) -> Partial[CopyResult]:
    """What is there, where an answer was lost on the way and the digest proves the copy. Raises `failure` where not."""
    if failure.code != "ConnectionLost" and (failure.status or 0) < 500 and failure.status != 429:
        raise failure  # Azure refused it.
    unsure = replace(
        failure,
        remedy=_MAY_BE_COPYING,
    )
    try:
        results = read_back(client, plan.items, plan.digest)
    except ServiceError:
        raise unsure from None
    if results.complete and all(result.digest == plan.digest != "" for result in results.values):
        return results
    raise unsure


def may_be_copying(error: ServiceError) -> bool:
    """Whether `apply_copy` raised it, and Azure may be copying all the same."""
    return error.remedy == _MAY_BE_COPYING


def read_back(client: RegistryClient, items: Iterable[CopyItem], digest: str) -> Partial[CopyResult]:
    """The result of each item once Azure says that `digest` is copied, "" where that is not known. Raises nothing."""

    def read(item: CopyItem) -> CopyResult:
        if item.there:
            return CopyResult(item, digest, Outcome.ALREADY_DONE)
        if not item.known:
            return CopyResult(item, "", Outcome.NOT_CONFIRMED)
        found = find_digest(client, item, digest)
        if found and digest and found != digest:
            raise ServiceError(
                f"Copied to {item.name}, and found it elsewhere",
                f"The source is {digest}, and the registry has the tag at {found}.",
                "Somebody else may have moved it in the same moment: look where the tag points now.",
                "DigestChanged",
            )
        if not found:
            return CopyResult(item, "", Outcome.NOT_CONFIRMED)
        outcome = Outcome.CHANGED if item.current_digest else Outcome.CREATED
        return CopyResult(item, found, outcome, compared=bool(digest))

    return parallel_map(read, items, server=client.login_server, name=lambda item: item.name)


def find_digest(client: RegistryClient, item: CopyItem, digest: str) -> str:
    """The digest at an item; '' where there is none, or an untagged manifest's digest is not known."""
    if item.tag:
        tag = find_tag(client, item.repository, item.tag)
        return tag.digest if tag else ""
    if not digest:
        return ""
    row = find_manifest_row(client, item.repository, digest)
    return row.digest if row else ""
