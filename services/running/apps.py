"""Images of Container Apps, their jobs, and Container Instances, by one Resource Graph query. Nothing is started.

An app's row has the template of its newest revision alone: where older ones may run, they are read by Resource Manager.
Where a property is not as documented the containers are unknown: never none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.arm.resource_graph import query_resources
from services.arm.resources import list_resources
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, parallel_map
from services.connection.resource_ids import parse_id
from services.connection.session import AzureSession
from services.running.images import Host, HostKind, RunningImage

QUERY = (
    "resources"
    " | where type in~ ('microsoft.app/containerapps', 'microsoft.app/jobs',"
    " 'microsoft.containerinstance/containergroups')"
    " | project id, name, type, subscriptionId, template = properties.template, containers = properties.containers,"
    " initContainers = properties.initContainers, revisionsMode = properties.configuration.activeRevisionsMode,"
    " latest = properties.latestRevisionName, ready = properties.latestReadyRevisionName"
    " | order by id asc"
)
TITLE = "Container Apps and Container Instances could not be read"
_KINDS = {
    "microsoft.app/containerapps": HostKind.APP,
    "microsoft.app/jobs": HostKind.APP_JOB,
    "microsoft.containerinstance/containergroups": HostKind.CONTAINER_GROUP,
}


@dataclass(frozen=True)
class HostImages:
    """The images of an app, a job or a container group: of its template, whether anything runs now or not."""

    host: Host
    images: tuple[RunningImage, ...]


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_NONE_READ: Partial[HostImages] = Partial(())


@dataclass(frozen=True)
class KnownApps:
    """The apps as they were read `at` a time. `error`: why none could be read; `reading`: they are being read."""

    found: Partial[HostImages] = _NONE_READ
    at: datetime = _NEVER
    error: ServiceError | None = None
    reading: bool = False


NO_APPS = KnownApps()


class _Unreadable(Exception):
    """Why the containers of a row are unknown."""


def read_apps(session: AzureSession) -> Partial[HostImages]:
    """The apps, jobs and container groups that the caller may read; a Refusal for each whose containers are unknown.

    Raises ServiceError where the query is refused, throttled, or cut: then nothing is known.
    """
    rows = query_resources(session, QUERY, TITLE)
    return parallel_map(lambda row: _read(session, row), rows, name=_name)


def known_apps(session: AzureSession) -> KnownApps:
    """As `read_apps`, with the time; what refused it is a value."""
    at = datetime.now(UTC)
    try:
        return KnownApps(read_apps(session), at)
    except ServiceError as error:
        return KnownApps(at=at, error=error)


def _read(session: AzureSession, row: Any) -> HostImages:
    try:
        host = _host(row)
        containers = [*_containers(host, row)]
        replicas = _replicas(host, row)
        if host.kind is HostKind.APP and not _newest_alone(row):
            containers += _of_revisions(session, host)
    except _Unreadable as error:
        raise ServiceError(
            f"The containers of {_name(row)} could not be read",
            f"{error}",
            "See the app in the Azure portal, and report its form with the log.",
            "NotUnderstood",
        ) from None
    images = {RunningImage("", host.kind.value, host.name, image, "", replicas) for image in containers}
    return HostImages(host, tuple(sorted(images)))


def _name(row: Any) -> str:
    return str(row.get("name") or "an app") if isinstance(row, dict) else "an app"


def _host(row: Any) -> Host:
    match row:
        case {"id": str(id_), "name": str(name), "type": str(kind)} if kind.casefold() in _KINDS and name:
            where = parse_id(id_)
            if where.group:
                subscription = where.subscription
                return Host(id_, name, _KINDS[kind.casefold()], where.group, subscription)
    raise _Unreadable("Its id, name or type is not as Resource Graph documents it.")


def _containers(host: Host, row: Mapping[str, Any]) -> Iterator[str]:
    if host.kind is HostKind.CONTAINER_GROUP:
        # Each has its properties below it, as in Resource Manager.
        listed = [*_list(row, "containers", needed=True), *_list(row, "initContainers")]
        for one in listed:
            yield _image(one.get("properties") if isinstance(one, dict) else None)
    else:
        yield from _of_template(row.get("template"))


def _of_template(template: Any) -> Iterator[str]:
    if not isinstance(template, dict):
        raise _Unreadable("It has no template.")
    for one in (*_list(template, "containers", needed=True), *_list(template, "initContainers")):
        yield _image(one)


def _list(parent: Mapping[str, Any], member: str, *, needed: bool = False) -> Sequence[Any]:
    found = parent.get(member)
    if isinstance(found, list) and (found or not needed):
        return found
    if found is None and not needed:
        return ()
    raise _Unreadable(f"Its {member} are not a list with entries.")


def _image(container: Any) -> str:
    match container:
        case {"image": str(image)} if image:
            return image
    raise _Unreadable("A container has no image.")


def _replicas(host: Host, row: Mapping[str, Any]) -> int:
    """The fewest that the template asks for: 0 where it may be scaled to zero, or starts when it is asked to."""
    if host.kind is HostKind.CONTAINER_GROUP:
        return 1
    match row.get("template"):
        case {"scale": {"minReplicas": int(fewest)}} if host.kind is HostKind.APP:
            return fewest
    return 0


def _newest_alone(row: Mapping[str, Any]) -> bool:
    """Whether only the newest revision runs: one revision at a time, and that is ready."""
    mode, latest = str(row.get("revisionsMode") or ""), row.get("latest")
    return mode.casefold() == "single" and bool(latest) and latest == row.get("ready")


def _of_revisions(session: AzureSession, host: Host) -> Iterator[str]:
    """The images of an app's active revisions. Raises ServiceError."""
    title = f"The revisions of {host.name} could not be read"
    for revision in list_resources(session, f"{host.id}/revisions", title):
        match revision:
            case {"properties": {"active": bool(active), "template": template}}:
                if active:
                    yield from _of_template(template)
            case _:
                raise _Unreadable("A revision of it is not as Resource Manager documents it.")
