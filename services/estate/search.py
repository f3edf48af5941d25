"""Search over what is known: registries, clusters, repositories of the catalogues that were read, manifests of the
registries whose contents were read. Nothing is read here.

A text is a name or words of it, or what people paste (`services.estate.references`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from enum import StrEnum
from heapq import nlargest, nsmallest

from services.aks.clusters import Cluster
from services.connection.names import is_digest
from services.connection.resource_ids import same_id
from services.estate.references import (
    ImageReference,
    ResourceReference,
    digest_prefix,
    image_reference,
    is_address,
    is_short_digest,
    resource_reference,
)
from services.registries.registry import REGISTRY_KIND, Registry

MOST_HITS = 8
_MOST_NEAREST = 3
# Of a text that is named in a sentence: a pasted one may be a page long.
_MOST_CHARACTERS = 40
# What is less alike than this is another name, not a slip of the keyboard.
_ALIKE = 0.6
_BREAKS = "/-._ "


class HitKind(StrEnum):
    """What a hit is, in the order in which equally good ones are shown."""

    REGISTRY = "Registry"
    CLUSTER = "AKS cluster"
    REPOSITORY = "Repository"
    IMAGE = "Image"


@dataclass(frozen=True)
class KnownManifest:
    """A manifest that was read. `registry_id` as Resource Manager writes it."""

    registry_id: str
    repository: str
    digest: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What can be found. `repositories`: registry id → its catalogue; a registry that is not in it has none that was
    read whole."""

    registries: tuple[Registry, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    repositories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    manifests: tuple[KnownManifest, ...] = ()


@dataclass(frozen=True)
class Hit:
    """Something found. `title` is its name, `where` what it is in. A registry has `registry`, so have its repositories
    and images; a cluster has `cluster`. `reference` is a tag or a digest."""

    kind: HitKind
    title: str
    where: str
    registry: Registry | None = None
    cluster: Cluster | None = None
    repository: str = ""
    reference: str = ""


@dataclass(frozen=True)
class Found:
    """What a text finds, the best first.

    `certain`: the first is what the text names, whatever else may still be read. `missing` says that what the text
    names is not there; `hits` are then the nearest. `needs`: the registry whose catalogue has to be read to tell.
    `exact`: the first is the only one with this name.
    """

    hits: tuple[Hit, ...] = ()
    certain: bool = False
    missing: str = ""
    needs: Registry | None = None
    exact: bool = False

    @property
    def only(self) -> Hit | None:
        """What is opened without asking; None where several may be meant, or what is named is not there."""
        return self.hits[0] if not self.missing and (self.certain or self.exact or len(self.hits) == 1) else None


def find(known: Known, text: str, most: int = MOST_HITS) -> Found:
    """What `text` finds among what is known: at most `most`, the best first. Pure."""
    text = text.strip()
    if not text:
        return Found()
    if resource := resource_reference(text):
        return _resource(known, resource)
    if prefix := digest_prefix(text):
        hits = (*by_name(known, text, most), *_by_digest(known, prefix))[:most]
        if not hits and is_digest(prefix):
            return Found(missing="No image has this digest in the registries whose contents were read.")
        return Found(hits) if hits else _nothing(known, text)
    if is_short_digest(text):
        return Found(missing="A digest needs at least 7 hexadecimal characters.")
    servers = {name.lower() for one in known.registries for name in (one.name, one.login_server) if name}
    image = image_reference(text, servers)
    if is_address(text) and not (image and image.server):
        return Found(missing=f"{shortened(text)} is not an address that is known here.")
    if image is None:
        hits = by_name(known, text, most)
        if not hits:
            return _nothing(known, text)
        exact = [text.casefold() in _names(hit) for hit in hits]
        return Found(hits, certain=_is_certain(hits[0], text), exact=exact[0] and sum(exact) == 1)
    found = _image(known, image)
    if not found.certain:
        # A repository may be named as a server is: team.app/api.
        path = "/".join(part for part in (image.server, image.repository) if part).casefold()
        hits = tuple(hit for hit in _repositories(known) if hit.repository.casefold() == path)[:most]
        if hits:
            return Found(tuple(_with_reference(hit, image.reference) for hit in hits))
    return found


def shortened(text: str) -> str:
    """`text` as it is named in a sentence."""
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def _nothing(known: Known, text: str) -> Found:
    return Found(_nearest(_everything(known), text), missing=f"Nothing found for {shortened(text)}.")


def _is_certain(best: Hit, text: str) -> bool:
    """Names of registries are unique in Azure; a repository of the same name may be in a catalogue still unread."""
    return best.kind in (HitKind.REGISTRY, HitKind.CLUSTER) and text.casefold() in _names(best)


def _names(hit: Hit) -> tuple[str, ...]:
    server = hit.registry.login_server if hit.registry and hit.kind is HitKind.REGISTRY else ""
    return (hit.title.casefold(), server.casefold())


def _registry_hit(registry: Registry) -> Hit:
    return Hit(HitKind.REGISTRY, registry.name, f"{registry.resource_group}, {registry.subscription}", registry)


def _cluster_hit(cluster: Cluster) -> Hit:
    where = f"{cluster.resource_group}, {cluster.subscription}"
    return Hit(HitKind.CLUSTER, cluster.name, where, cluster=cluster)


def _repository_hit(registry: Registry, name: str) -> Hit:
    return Hit(HitKind.REPOSITORY, name, registry.name, registry, repository=name)


def _with_reference(hit: Hit, reference: str) -> Hit:
    if not reference:
        return hit
    mark = "@" if ":" in reference else ":"
    shown = reference[:19] if ":" in reference else reference
    return replace(hit, kind=HitKind.IMAGE, title=f"{hit.repository}{mark}{shown}", reference=reference)


def _repositories(known: Known) -> Iterator[Hit]:
    for registry in known.registries:
        for name in known.repositories.get(registry.id, ()):
            yield _repository_hit(registry, name)


def _everything(known: Known) -> Iterator[Hit]:
    yield from map(_registry_hit, known.registries)
    yield from map(_cluster_hit, known.clusters)
    yield from _repositories(known)


def by_name(known: Known, text: str, most: int) -> tuple[Hit, ...]:
    """The registries, clusters and repositories whose names have `text`, or all of its words: at most `most`, the best
    first. Pure."""
    wanted, words = text.casefold(), text.casefold().split()
    ranked: list[tuple[int, int, int, str, str, HitKind, object]] = []
    # Only the best become hits: a catalogue has thousands of names.
    for kind, things in (
        (HitKind.REGISTRY, ((one.name, one.login_server, one) for one in known.registries)),
        (HitKind.CLUSTER, ((one.name, one.resource_group, one) for one in known.clusters)),
        (
            HitKind.REPOSITORY,
            ((name, one.name, one) for one in known.registries for name in known.repositories.get(one.id, ())),
        ),
    ):
        order = list(HitKind).index(kind)
        for name, beside, thing in things:
            rank = _rank(wanted, words, name.casefold(), beside.casefold(), is_server=kind is HitKind.REGISTRY)
            if rank is not None:
                ranked.append((rank, order, len(name), name, beside, kind, thing))
    best = nsmallest(most, ranked, key=lambda one: one[:5])
    return tuple(_hit(kind, name, thing) for *_, name, _, kind, thing in best)


def _hit(kind: HitKind, name: str, thing: object) -> Hit:
    if isinstance(thing, Cluster):
        return _cluster_hit(thing)
    assert isinstance(thing, Registry)
    return _registry_hit(thing) if kind is HitKind.REGISTRY else _repository_hit(thing, name)


def _rank(wanted: str, words: list[str], name: str, beside: str, *, is_server: bool) -> int | None:
    """How well a name fits, 0 the best; None where it does not. `beside` is the name of what it is in."""
    if wanted == name or (is_server and wanted == beside):
        return 0
    if wanted in name:
        if name.endswith(wanted) and name[-len(wanted) - 1] in _BREAKS:
            return 1  # The last part of a path: orders of api/orders.
        if name.startswith(wanted):
            return 2
        return 3 if name[name.index(wanted) - 1] in _BREAKS else 4
    if is_server and beside.startswith(wanted):
        return 2
    if len(words) > 1 and all(word in name or word in beside for word in words):
        return 5
    return None


def _by_digest(known: Known, prefix: str) -> Iterator[Hit]:
    registries = {registry.id: registry for registry in known.registries}
    for manifest in known.manifests:
        registry = registries.get(manifest.registry_id)
        if registry and manifest.digest.startswith(prefix):
            yield _with_reference(_repository_hit(registry, manifest.repository), manifest.digest)


def _image(known: Known, image: ImageReference) -> Found:
    if not image.server:
        nearest = _nearest(_repositories(known), image.repository)
        return Found(nearest, missing=f"No repository {shortened(image.repository)} in the catalogues that were read.")
    server = image.server.casefold()
    named = [one for one in known.registries if server in (one.login_server.casefold(), one.name.casefold())]
    if not named:
        missing = f"No registry {shortened(image.server)} among those that were read."
        name = server.partition(".")[0]
        hits = [
            replace(hit, title=f"Open {hit.title} in {registry.name}")
            for registry in known.registries
            if registry.name.casefold() == name and image.repository
            for hit in _of_registry(known, registry, image.repository, image.reference)
        ]
        return Found(tuple(hits) or _nearest(map(_registry_hit, known.registries), name), missing=missing)
    if len(named) > 1:  # Registries with a domain name label may share a name.
        return Found(tuple(map(_registry_hit, named)))
    registry = named[0]
    if not image.repository:
        return Found((_registry_hit(registry),), certain=True)
    return _within(known, registry, image.repository, image.reference)


def _of_registry(known: Known, registry: Registry, repository: str, reference: str) -> tuple[Hit, ...]:
    """The image in this registry; nothing where its catalogue has no such repository."""
    found = _within(known, registry, repository, reference)
    return () if found.missing else found.hits


def _within(known: Known, registry: Registry, repository: str, reference: str) -> Found:
    hit = _with_reference(_repository_hit(registry, repository), reference)
    catalogue = known.repositories.get(registry.id)
    if catalogue is None:
        return Found((hit,), needs=registry)
    if repository in catalogue:
        return Found((hit,), certain=True)
    nearest = _nearest((_repository_hit(registry, name) for name in catalogue), repository)
    return Found(
        nearest or (_registry_hit(registry),), missing=f"{registry.name} has no repository {shortened(repository)}."
    )


def _resource(known: Known, resource: ResourceReference) -> Found:
    if resource.parts.kind == REGISTRY_KIND:
        registry = next((one for one in known.registries if same_id(one.id, resource.resource_id)), None)
        if registry and resource.repository:
            return _within(known, registry, resource.repository, "")
        if registry:
            return Found((_registry_hit(registry),), certain=True)
    cluster = next((one for one in known.clusters if same_id(one.id, resource.resource_id)), None)
    if cluster:
        return Found((_cluster_hit(cluster),), certain=True)
    kind = resource.parts.kind.rpartition("/")[2]
    return Found(
        _nearest(_everything(known), resource.parts.name),
        missing=f"{shortened(resource.parts.name)} ({shortened(kind)}) "
        "is not among the registries and clusters that were read.",
    )


def without_reference(hit: Hit, tags: Iterable[str]) -> Found:
    """What is offered instead of an image that is not in its repository: the tags most like it, and the repository."""
    assert hit.registry
    repository = _repository_hit(hit.registry, hit.repository)
    what = "digest" if ":" in hit.reference else "tag"
    nearest = nearest_names(hit.reference, tags) if what == "tag" else ()
    return Found(
        (*(_with_reference(repository, tag) for tag in nearest), repository),
        missing=f"{shortened(hit.repository)} has no {what} {shortened(hit.reference)}.",
    )


def nearest_names(wrong: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names most like `wrong`, the most alike first; none where none is."""
    wanted = wrong.casefold()
    pairs = {wanted[at : at + 2] for at in range(len(wanted) - 1)}
    # Comparing costs 50 µs a name: only those that share most pairs of characters are compared.
    shared = nlargest(60, ((sum(pair in name.casefold() for pair in pairs), name) for name in names))
    matcher = SequenceMatcher(b=wanted, autojunk=False)
    alike = []
    for number, name in shared:
        if number:
            matcher.set_seq1(name.casefold())
            alike.append((matcher.ratio(), name))
    return tuple(name for ratio, name in sorted(alike, key=lambda one: (-one[0], one[1])) if ratio >= _ALIKE)[
        :_MOST_NEAREST
    ]


def _nearest(hits: Iterable[Hit], wrong: str) -> tuple[Hit, ...]:
    by_title: dict[str, Hit] = {}
    for hit in hits:
        by_title.setdefault(hit.title, hit)
    return tuple(by_title[name] for name in nearest_names(wrong, by_title))
