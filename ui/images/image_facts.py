"""What an image is, at a glance: kind, signature, SBOM, size, age; the indexes that list it, and its base image."""

import streamlit as st

from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.estate.rebuilds import Rebuild
from services.images.base_image import BaseImage, base_image_of
from services.images.evidence import Evidence, Proof, has_proof, kind_label, makers_of
from services.images.manifests import Kind
from services.index.query import QueryError, parse
from services.pulls.pulls import PullsOfImage
from services.running.seen import SeenRunning
from services.wording import counted
from ui.elements.fact_row import Fact, show_fact_row
from ui.elements.text import ago, exact, plain, short, size
from ui.images.image_view import ImageView
from ui.loaders import index as index_loader
from ui.loaders import registries as registry_loaders
from ui.loaders.principals import PrincipalNames
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.navigation.selection import find, key_of
from ui.pulls.columns import CACHED, PullsOf, last_pull_words
from ui.pulls.events import caller_name
from ui.running.seen import seen_note

SHOWN_INDEXES = 5
SHOWN_PLATFORMS = 2
# Six of them fit beside each other.
_NARROWEST_PX = 130
# A signature that was not verified is no good news yet.
_ICONS = {Proof.SIGNATURE: ":gray[:material/draw:]", Proof.SBOM: ":green[:material/fact_check:]"}


def show_image_facts(
    view: ImageView, seen: SeenRunning | None = None, pulls: PullsOf | None = None, names: PrincipalNames | None = None
) -> None:
    """The row of facts. `seen`: where the repository's images were seen to run, None where no cluster was asked;
    `pulls`: when they were pulled, None where nothing is known of it; `names` of those who pulled."""
    facts = [
        _kind_fact(view),
        _proof_fact(view, Proof.SIGNATURE, "Found in the registry. This console does not verify signatures."),
        _proof_fact(view, Proof.SBOM, "A software bill of materials: the packages in the image."),
        _size_fact(view),
        _time_fact(view),
        *([_running_fact(view, seen)] if seen else []),
        *([_pull_fact(view, pulls, names or PrincipalNames())] if pulls else []),
    ]
    show_fact_row(facts, width=_NARROWEST_PX)


def _kind_fact(view: ImageView) -> Fact:
    label = kind_label(view.manifest)
    if view.manifest.kind is Kind.INDEX:
        names = list(view.platforms)
        beside = ", ".join(names) if len(names) <= SHOWN_PLATFORMS else counted(len(names), "platform")
    elif label == "Image":
        beside = view.config.platform if view.config else view.row.platform
    else:
        beside = view.manifest.artifact_type
    return Fact("Kind", label, beside=plain(beside))


def _time_fact(view: ImageView) -> Fact:
    row = view.row
    pushed = f"pushed {ago(row.created)}" if row.created else "time of push not reported"
    times = "  \n".join(
        f"{label} {exact(at)}" for label, at in (("Updated", row.updated), ("Pushed", row.created)) if at
    )
    return Fact("Last update", ago(row.updated) if row.updated else "Not reported", times, pushed)


def _running_fact(view: ImageView, seen: SeenRunning) -> Fact:
    """An index runs where one of its platforms does, and a platform where one of the indexes does that were read."""
    digests = {view.row.digest, *(child.digest for child in view.manifest.children)}
    digests |= {index.digest for index in view.indexes or ()}
    tags = (*view.row.tags, *(tag for index in view.indexes or () for tag in index.tags))
    places = tuple(dict.fromkeys(place for digest in sorted(digests) for place in seen.places(digest, *tags)))
    value = counted(len(places), "workload") if places else "Not seen"
    unread = "Itself not. The indexes that list it were not read." if view.indexes is None else ""
    return Fact("Runs in", value, "  \n".join(map(plain, places)) or unread, seen_note(seen))


def pulls_of_view(view: ImageView, pulls: PullsOf) -> PullsOfImage:
    """The pulls of an image, of its platforms, and by its tags."""
    digests = [view.row.digest, *(child.digest for child in view.manifest.children)]
    return pulls.pulls.of(pulls.repository, digests, view.row.tags)


def _pull_fact(view: ImageView, pulls: PullsOf, names: PrincipalNames) -> Fact:
    found = pulls_of_view(view, pulls)
    if not found.last:
        return Fact("Last pull", plain(last_pull_words(found, pulls.pulls)), CACHED)
    by = caller_name(found.last.identity, names)
    client = f"By {plain(by)} with {plain(found.last.agent or 'an unknown client')}"
    beside = f"{counted(found.month, 'pull')} in 30 days, last by {plain(by)}"
    return Fact("Last pull", ago(found.last.at), f"{exact(found.last.at)}  \n{client}  \n{CACHED}", beside)


def _size_fact(view: ImageView) -> Fact:
    shown = view.shown
    if shown is None:
        return Fact("Pull size", "–", "Unknown: no platform of it could be read.", "unknown")
    known = shown.layer_bytes
    if known is None:
        return Fact("Pull size", "–", "The manifest does not give the sizes of all layers.", "unknown")
    return Fact("Pull size", size(known), f"Compressed layers: {known:,} bytes", plain(view.platform))


def _proof_fact(view: ImageView, proof: Proof, meaning: str) -> Fact:
    found, makers, why = _proof(view, proof)
    explained = f"{why}  \n{meaning}" if why else meaning
    if found:
        beside = "not verified here" if proof is Proof.SIGNATURE else ""
        return Fact(proof.value, f"{_ICONS[proof]} {plain(', '.join(makers))}", explained, beside)
    if found is None:
        return Fact(proof.value, "–", explained, "unknown")
    return Fact(proof.value, "None", explained, "of its own" if why else "")


def _proof(view: ImageView, proof: Proof) -> tuple[bool | None, tuple[str, ...], str]:
    """Whether the image has it, itself or as a platform of an index; who made it, and what else to know."""
    own = has_proof(view.evidence, proof)
    if own:
        return True, makers_of(view.evidence, proof), ""
    about = [
        _about(one, view, index.digest) for one, index in zip(view.index_evidence, view.indexes or (), strict=False)
    ]
    for one in about:
        if has_proof(one, proof):
            return True, makers_of(one, proof), "From the index that lists it."
    unread = own is None or any(has_proof(one, proof) is None for one in about)
    if unread:
        return None, (), "Not everything that refers to it could be read, or says what it is."
    if view.reading:
        return None, (), "The indexes that list it are being read."
    if view.indexes is None:
        return False, (), "None of its own. The indexes that list it were not read."
    if len(view.indexes) > len(about):
        return False, (), f"None of its own, nor of the first {len(about)} indexes that list it."
    return False, (), ""


def _about(evidence: Partial[Evidence], view: ImageView, index: str) -> Partial[Evidence]:
    """Of an index's evidence that about the index itself or this platform."""
    values = tuple(one for one in evidence.values if one.subject in (index, view.digest))
    return Partial(values, evidence.refused, evidence.untried)


def show_indexes(view: ImageView, url: dict[str, str]) -> bool:
    """Links to the indexes that list the manifest; where not read, a button. Returns whether it was pressed."""
    if view.manifest.kind is Kind.ARTIFACT or view.reading:
        return False
    if view.indexes is None:
        return st.button("Find its indexes", icon=":material/account_tree:", help="Reads every index of the repository")
    if not view.indexes:
        return False
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("Listed in", width="content")
        for row in view.indexes[:SHOWN_INDEXES]:
            name = row.tags[0] if row.tags else short(row.digest)
            link_to(pages.IMAGE, plain(name), **url, reference=row.tags[0] if row.tags else row.digest)
        if len(view.indexes) > SHOWN_INDEXES:
            st.markdown(
                f"and {counted(len(view.indexes) - SHOWN_INDEXES, 'more index', 'more indexes')}", width="content"
            )
    return False


def show_base_image(who: str, view: ImageView) -> None:
    """The image that this one was built from, where its builder wrote that, a link where it is in a known registry; and
    whether its tag has moved on since, as the index has it."""
    shown = view.shown
    labels = view.config.labels if view.config else ()
    base = base_image_of(view.manifest.annotations, shown.annotations if shown else (), labels)
    if base is None:
        return
    name = base.name or base.digest
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("Base image", width="content")
        registry = _known_registry(who, base)
        if registry and base.repository and base.reference:
            link_to(pages.IMAGE, plain(name), registry=registry, repository=base.repository, reference=base.reference)
        else:
            st.markdown(f"**{plain(name)}**", width="content", help=plain(base.digest) or None)
        _show_rebuild(who, view, base)
        if query := _images_on(base):
            link_to(pages.SEARCH, "Images on this base", q=query)


def _images_on(base: BaseImage) -> str:
    """The search for what names the same base, or has its layers; "" where no search can name it."""
    of = base.name or base.digest
    query = f'base:"{of}"'
    try:
        (term,) = parse(query).terms
    except (QueryError, ValueError):
        return ""
    if term.value != of:
        return ""
    return query if any(one.isspace() for one in of) else f"base:{of}"


def _show_rebuild(who: str, view: ImageView, base: BaseImage) -> None:
    layers = tuple(layer.digest for layer in view.shown.layers) if view.shown else ()
    try:
        found = index_loader.rebuild(who, base, layers, view.row.created)
    except ServiceError as error:
        found = Rebuild(None, f"the index could not be read. {error.cause}")
    as_of = f", as of {ago(found.as_of)}" if found.as_of else ""
    tip = f"{plain(base.tag)} points to {short(found.now)}{as_of}" if found.now else ""
    if found.needed:
        st.badge(
            "Rebuild needed", icon=":material/update:", color="orange", help=f"{tip}: it was built on another image"
        )
    elif found.needed is False:
        st.badge("On its base's latest", icon=":material/check:", color="green", help=tip)
    else:
        st.badge("Rebuild: unknown", icon=":material/help:", color="gray", help=f"Unknown: {plain(found.why)}")


def _known_registry(who: str, base: BaseImage) -> str:
    """The key of the registry that has the base image; "" where it is none that was read."""
    if not base.server:
        return ""
    registries = registry_loaders.inventory(who).value.registries.values
    found = find(registries, base.server)
    return key_of(found, registries) if found and found.login_server.casefold() == base.server.casefold() else ""
