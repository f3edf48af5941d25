"""The two images that the URL names, read: what each is, and which platform of them is compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import streamlit as st

from services.compare.comparison import ComparedImage, common_platforms
from services.compare.sbom import Sbom
from services.compare.sbom_reading import FoundSbom, find_sbom
from services.connection.errors import ServiceError
from services.connection.names import image_name
from services.connection.parallel import Partial, Refusal
from services.images.evidence import Evidence
from services.images.manifests import Descriptor, ImageConfig, Kind, Manifest
from services.images.repositories import ManifestRow
from services.registries.registry import Registry
from ui.elements.text import plain, short
from ui.loaders import images as image_loaders
from ui.loaders import sboms
from ui.navigation import selection
from ui.navigation.url_choice import check_url

PLATFORM = "platform"
WITH, WITH_REGISTRY, WITH_REPOSITORY = "with", "with_registry", "with_repository"


@dataclass(frozen=True)
class Place:
    """Where an image is: `key` is its registry's in the URL."""

    registry: Registry
    key: str
    repository: str
    reference: str

    @property
    def url(self) -> dict[str, str]:
        """The query of its page."""
        return {"registry": self.key, "repository": self.repository, "reference": self.reference}

    @property
    def name(self) -> str:
        """Its full name, as docker pulls it."""
        return f"{self.registry.login_server}/{image_name(self.repository, self.reference)}"


@dataclass(frozen=True)
class Top:
    """What a reference leads to. `platforms` of an index, by name; `unread` why they could not be read."""

    place: Place
    row: ManifestRow
    manifest: Manifest
    platforms: Mapping[str, Descriptor]
    unread: tuple[Refusal, ...] = ()


def url_of(left: Place, right: Place) -> dict[str, str]:
    """The query of the page that compares them: what is the same is not repeated."""
    more = {}
    if right.registry.id != left.registry.id:
        more[WITH_REGISTRY] = right.key
    if more or right.repository != left.repository:
        more[WITH_REPOSITORY] = right.repository
    return {**left.url, WITH: right.reference, **more}


def labels_of(left: Place, right: Place) -> tuple[str, str]:
    """As short names for both as tell them apart."""
    forms = (
        (_reference(left), _reference(right)),
        tuple(f"{one.repository}:{_reference(one)}" for one in (left, right)),
        tuple(f"{one.registry.name}/{one.repository}:{_reference(one)}" for one in (left, right)),
    )
    wanted = 0 if left.repository == right.repository else 1
    wanted = wanted if left.registry.id == right.registry.id else 2
    first, second = forms[wanted]
    return (first, second) if first != second else (f"{first} (first)", f"{second} (second)")


def _reference(place: Place) -> str:
    return short(place.reference) if ":" in place.reference else place.reference


def other_registry(here: Registry, listed: Iterable[Registry]) -> Registry | None:
    """The registry of the second image, as the URL names it; `here` without one. None where there is no such."""
    key = st.query_params.get(WITH_REGISTRY, "")
    return selection.find(listed, key) if key else here


def read_top(who: str, place: Place) -> Top:
    """What the reference of a place leads to. Raises ServiceError."""
    server, repository, digest = place.registry.login_server, place.repository, place.reference
    if ":" not in digest:
        digest = image_loaders.tag(who, server, repository, digest).digest
    row = image_loaders.manifest_row(who, server, repository, digest).value
    manifest = image_loaders.manifest(who, server, repository, digest)
    platforms: Mapping[str, Descriptor] = {}
    refused: list[Refusal] = []
    if manifest.kind is Kind.INDEX:
        try:
            platforms = image_loaders.platforms(who, server, repository, digest)
        except ServiceError as error:
            refused.append(Refusal(f"the platforms of {place.reference}", error))
    return Top(place, row, manifest, platforms, tuple(refused))


def choose_platforms(left: Top, right: Top) -> tuple[str, str, str]:
    """The platform of each that is compared, '' of an image that is none of an index; and what to know of it."""
    both = common_platforms(left.platforms, right.platforms)
    if left.platforms and right.platforms:
        if not both:
            mine, other = next(iter(left.platforms)), next(iter(right.platforms))
            return mine, other, f"They have no platform in common: {mine} is compared with {other}."
        platform = _chosen(both)
        return platform, platform, ""
    if not left.platforms and not right.platforms:
        return "", "", ""
    index, image = (left, right) if left.platforms else (right, left)
    of_image = image.row.platform
    alike = [name for name in index.platforms if name == of_image or name.startswith(f"{of_image}/")]
    platform = alike[0] if of_image and alike else next(iter(index.platforms))
    why = "" if of_image and alike else f"{platform} is compared with an image for {of_image or 'an unknown platform'}."
    return (platform, "", why) if index is left else ("", platform, why)


def _chosen(platforms: tuple[str, ...]) -> str:
    if len(platforms) == 1:
        st.markdown(f"Platform: **{plain(platforms[0])}**")
        return platforms[0]
    check_url(PLATFORM, "platform", list(platforms))
    return st.selectbox("Platform", list(platforms), key=PLATFORM, bind="query-params", width=320)


def read_side(who: str, top: Top, platform: str) -> tuple[ComparedImage, tuple[Refusal, ...]]:
    """One side, and what of it could not be read."""
    place = top.place
    server, repository = place.registry.login_server, place.repository
    refused = list(top.unread)
    image: Manifest | None = None
    config: ImageConfig | None = None
    unread = no_config = ""
    if platform or top.manifest.kind is not Kind.INDEX:
        try:
            digest = top.platforms[platform].digest if platform else top.manifest.digest
            image = image_loaders.manifest(who, server, repository, digest)
        except ServiceError as error:
            unread = f"{place.reference}: {error.cause.rstrip('.')}"
            refused.append(Refusal(f"{place.reference} {platform}".strip(), error))
    else:
        unread = f"{place.reference} is an index of which no platform " + ("could be read" if refused else "is known")
    if image and image.is_schema_1:
        no_config = f"{place.reference} is an image of schema 1, which has no config of its own"
    elif image and image.kind is not Kind.IMAGE:
        no_config = f"{place.reference} is no image"
    elif image:
        try:
            config = image_loaders.config(who, server, repository, image.digest)
        except ServiceError as error:
            no_config = f"the config of {place.reference} could not be read: {error.cause.rstrip('.')}"
            refused.append(Refusal(f"the config of {place.reference}", error))
    subjects = list(dict.fromkeys([*([image.digest] if image else []), top.manifest.digest]))
    sbom, lacking = _read_sbom(who, place, subjects)
    total = _total(who, top) if top.platforms else None
    side = ComparedImage(
        top.manifest.digest,
        image,
        config,
        sbom,
        platform,
        tuple(top.platforms),
        total,
        top.row.created,
        unread,
        no_config,
    )
    return side, (*refused, *lacking)


def _read_sbom(who: str, place: Place, subjects: list[str]) -> tuple[FoundSbom, tuple[Refusal, ...]]:
    server, repository = place.registry.login_server, place.repository
    read = [image_loaders.evidence(who, server, repository, subject).value for subject in subjects]
    evidence: Partial[Evidence] = Partial(
        tuple(one for part in read for one in part.values),
        tuple(replace(one, what=f"{one.what} of {place.reference}") for part in read for one in part.refused),
        sum(part.untried for part in read),
    )
    failed: dict[str, ServiceError] = {}

    def read_one(digest: str) -> Sbom:
        try:
            return sboms.sbom(who, server, repository, digest)
        except ServiceError as error:
            failed[digest] = error
            raise

    found = find_sbom(evidence, subjects, read_one)
    lacking = [Refusal(f"an SBOM of {place.reference}", error) for error in failed.values()] if found.unknown else []
    return found, (*evidence.refused, *lacking)


def _total(who: str, top: Top) -> int | None:
    """The bytes of the layers of all platforms, each once; None where one of them is not known."""
    server, repository = top.place.registry.login_server, top.place.repository
    read = image_loaders.children(who, server, repository, top.manifest.digest).value
    attestations = {child.digest for child in top.manifest.children if child.attests}
    images = [one for one in read.values if one.digest not in attestations]
    if not read.complete or any(one.kind is Kind.INDEX for one in images):
        return None
    sizes = {layer.digest: layer.size for one in images for layer in one.layers}
    known = [size for size in sizes.values() if size is not None]
    return sum(known) if len(known) == len(sizes) else None
