"""Reading what the checks need besides clusters, registries and assignments: names, endpoints, networks, an image.

Read as generic resources by id: https://learn.microsoft.com/rest/api/resources/resources/get-by-id
"""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from services.aks.clusters import Cluster
from services.arm.resources import get_resource, list_resources
from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError, as_service_error, if_there, says_gone
from services.connection.names import image_name
from services.connection.session import AzureSession
from services.images.manifest_reading import read_config, read_manifest
from services.images.manifests import Kind, Manifest
from services.images.platforms import DEEPEST, images_below
from services.images.repositories import ManifestRow, find_manifest_row, find_repository, find_tag
from services.pull_checks.identity import IdentityResource
from services.pull_checks.image import ImageFacts
from services.pull_checks.network import Resolved, host_of
from services.pull_checks.private_link import Endpoint, Networks, Zone, network_of, networks_of
from services.registries.registry import Registry

Lookup = Callable[[str], Resolved]


def look_up(host: str) -> Resolved:
    """The addresses of a name where the console runs. Raises ServiceError where it does not resolve."""
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    except OSError as exc:
        raise ServiceError(
            f"Could not look up {host}",
            exc.strerror or str(exc),
            "Check the DNS servers of the machine that the console runs on.",
            "Unresolved",
        ) from exc
    addresses = dict.fromkeys(str(one[4][0]) for one in found)
    canonical = next((one[3] for one in found if one[3]), "")
    return Resolved(tuple(addresses), "" if canonical == host else canonical)


def read_name(registry: Registry, lookup: Lookup = look_up) -> Resolved:
    """What the registry's login server resolves to. Raises ServiceError."""
    return lookup(host_of(registry.login_server))


def read_identity(session: AzureSession, cluster: Cluster) -> IdentityResource | None:
    """The kubelet identity as a resource; None where Azure reports none. Raises ServiceError: 404 if gone."""
    if not cluster.kubelet or not cluster.kubelet.resource_id:
        return None
    found = get_resource(session, cluster.kubelet.resource_id)
    properties = found.get("properties") or {}
    return IdentityResource(str(properties.get("principalId") or ""), str(properties.get("clientId") or ""))


def read_endpoints(session: AzureSession, registry: Registry) -> tuple[Endpoint, ...]:
    """The registry's approved private endpoints, with their DNS zones. Raises ServiceError."""
    approved = registry.network.approved_endpoints
    return tuple(_endpoint(session, endpoint.endpoint_id) for endpoint in approved if endpoint.endpoint_id)


def _endpoint(session: AzureSession, endpoint_id: str) -> Endpoint:
    document = get_resource(session, endpoint_id)
    groups = list_resources(session, f"{endpoint_id}/privateDnsZoneGroups")
    with as_service_error(f"Could not read the private endpoint {endpoint_id.rpartition('/')[2]}"):
        properties = document["properties"]
        network = network_of(properties["subnet"]["id"])
        addresses = {
            str(one["fqdn"]): tuple(one.get("ipAddresses") or ()) for one in properties.get("customDnsConfigs") or ()
        }
        zone_ids = [
            str(config["properties"]["privateDnsZoneId"])
            for group in groups
            for config in group["properties"].get("privateDnsZoneConfigs") or ()
        ]
    return Endpoint(endpoint_id, network, addresses, tuple(_zone(session, zone_id) for zone_id in zone_ids))


def _zone(session: AzureSession, zone_id: str) -> Zone:
    links, records = list_resources(session, f"{zone_id}/virtualNetworkLinks"), list_resources(session, f"{zone_id}/A")
    with as_service_error(f"Could not read the DNS zone {zone_id.rpartition('/')[2]}"):
        return Zone(
            zone_id.lower(),
            frozenset(str(link["properties"]["virtualNetwork"]["id"]).lower() for link in links),
            {
                str(record["name"]).lower(): tuple(
                    str(one["ipv4Address"]) for one in record["properties"].get("aRecords") or ()
                )
                for record in records
            },
        )


def read_networks(session: AzureSession, cluster: Cluster) -> Networks | None:
    """The networks of the cluster's pools; None where no pool names one. Raises ServiceError."""
    ids = networks_of(cluster)
    if not ids:
        return None
    documents = {network_id: get_resource(session, network_id) for network_id in sorted(ids)}
    with as_service_error(f"Could not read the networks of {cluster.name}"):
        return Networks(
            {one: frozenset(_peers(document["properties"])) for one, document in documents.items()},
            any((document["properties"].get("dhcpOptions") or {}).get("dnsServers") for document in documents.values()),
        )


def _peers(properties: dict[str, Any]) -> list[str]:
    return [
        str(peering["properties"]["remoteVirtualNetwork"]["id"]).lower()
        for peering in properties.get("virtualNetworkPeerings") or ()
        if peering["properties"].get("peeringState") == "Connected"
    ]


def read_image(session: AzureSession, registry: Registry, repository: str, reference: str) -> ImageFacts:
    """What the registry holds under a tag or digest, read in parallel. Raises ServiceError."""
    client = session.registry(registry.login_server)
    name = image_name(repository, reference)
    with ThreadPoolExecutor(4, "image") as pool:
        reading = pool.submit(read_manifest, client, repository, reference)
        tagged = None if ":" in reference else pool.submit(find_tag, client, repository, reference)
        found = find_repository(client, repository)
        tag = tagged.result() if tagged else None
        digest = reference if ":" in reference else tag.digest if tag else ""
        row = find_manifest_row(client, repository, digest) if found and digest else None
        if not found or not row:
            return ImageFacts(name, "")
        locked = (("the repository", found.locks), ("the tag", tag.locks if tag else None), ("the manifest", row.locks))
        unreadable = tuple(what for what, locks in locked if locks and not locks.read)
        if unreadable:  # Then the console can't read the manifest either.
            return ImageFacts(name, digest, unreadable=unreadable)
        manifest = reading.result()
        if manifest.digest != digest:  # The tag was moved in between.
            manifest = read_manifest(client, repository, digest)
        if manifest.kind is not Kind.INDEX:
            platforms = _platforms(client, repository, manifest, row)
            return ImageFacts(name, digest, platforms, len(manifest.layers), schema_1=manifest.is_schema_1)

        def read(digest: str) -> Manifest | None:
            return if_there(lambda: read_manifest(client, repository, digest), says_gone)

        below: dict[str, Manifest | None] = {}
        level = [child.digest for child in manifest.children]
        for _ in range(DEEPEST):
            below |= zip(level, pool.map(read, level), strict=True)
            listed = [child.digest for digest in level if (index := below[digest]) for child in index.children]
            level = [digest for digest in dict.fromkeys(listed) if digest not in below]
    images = images_below(manifest, {one.digest: one for one in below.values() if one and one.kind is Kind.INDEX})
    # An index that is missing or was not followed may have any platform.
    known = all(image.kind is not Kind.INDEX for image in images)
    return ImageFacts(
        name,
        digest,
        tuple(dict.fromkeys(image.platform for image in images if image.platform)) if known else (),
        max((len(one.layers) for one in below.values() if one), default=0),
        missing=tuple(digest for digest, one in below.items() if one is None),
    )


def _platforms(client: RegistryClient, repository: str, manifest: Manifest, row: ManifestRow) -> tuple[str, ...]:
    """The platform of an image, as the list of manifests has it; of Windows with its build, which the config has."""
    if row.platform and row.os.lower() != "windows":
        return (row.platform,)
    try:
        config = read_config(client, repository, manifest) if manifest.config and manifest.kind is Kind.IMAGE else None
    except ServiceError:
        if not row.platform:
            raise
        config = None
    platform = (config.platform if config else "") or row.platform
    return (platform,) if platform else ()
