"""The tabs of an image: its platforms, layers and history, configuration, what refers to it, its manifest."""

import shlex
from collections.abc import Callable, Mapping

import streamlit as st

from services.connection.parallel import Partial
from services.images.evidence import Evidence
from services.images.manifests import Descriptor, ImageConfig, Kind, Manifest, parse_time
from services.redaction.texts import hide_in_command, hide_in_words, hide_pairs
from services.wording import counted
from ui.elements.columns import Sizes, ago_column
from ui.elements.page import empty
from ui.elements.selectable_table import openable
from ui.elements.table import UTC, show_facts, show_rows
from ui.elements.text import ago, exact, plain, short, size
from ui.navigation import pages
from ui.navigation.links import open_page

# Longer ones are of machines: the browser would show them slowly, and nobody reads them.
LONGEST_MANIFEST = 100_000


def show_platforms(index: Manifest, read: Partial[Manifest], open_digest: Callable[[str], None]) -> None:
    """Shows what the index lists: platforms first, then attestations, each a link to its page."""
    sizes = {manifest.digest: manifest.layer_bytes for manifest in read.values}
    names = {child.digest: child.platform for child in index.children}
    child = openable(
        sorted(index.children, key=lambda child: bool(child.attests)),
        lambda child: {
            "Platform": (names.get(child.attests) or short(child.attests) if child.attests else child.platform)
            or child.artifact_type
            or _kind(child),
            "Kind": _kind(child),
            "Size": None if child.attests else sizes.get(child.digest),
            "Digest": short(child.digest),
        },
        f"children {index.digest}",
        "Manifests that the index points to",
        columns={"Size": Sizes("Compressed layers of each platform")},
        identity=lambda child: child.digest,
    )
    if read.untried:
        st.caption(f"The sizes of {counted(read.untried, 'manifest')} were not read: the index lists too many.")
    if child:
        open_digest(child.digest)


def _kind(child: Descriptor) -> str:
    if child.attests:
        return "attestation"
    return "platform" if child.platform and child.kind is not Kind.INDEX else child.kind.value


def show_layers(image: Manifest) -> None:
    """Shows the layers from the base up, each with its size relative to the largest; of an artifact its content."""
    title = "Layers" if image.kind is Kind.IMAGE else "Content"
    known = image.layer_bytes
    sizes = f"{size(known)} compressed" if known is not None else "sizes unknown: the manifest does not give them all"
    st.subheader(f"{title} ({len(image.layers)}, {sizes})", anchor=False)
    largest = max((layer.size or 0 for layer in image.layers), default=1) or 1
    opened = openable(
        image.layers,
        lambda layer: {
            "Layer": short(layer.digest),
            "Size": layer.size,
            "Share": layer.size / largest if layer.size is not None else None,
            "Type": layer.media_type,
        },
        f"layers of {image.digest}",
        f"{title} from the base up" if image.kind is Kind.IMAGE else title,
        columns={
            "Layer": st.column_config.TextColumn(help="Opens the images that contain it, in Search"),
            "Size": Sizes(),
            "Share": st.column_config.ProgressColumn(
                format=" ", min_value=0, max_value=1, help="Relative to the largest layer"
            ),
        },
        identity=lambda layer: layer.digest,
    )
    if opened:
        open_page(pages.SEARCH, q=f"layer:{opened.digest}")


def show_history(config: ImageConfig) -> None:
    """Shows how the image was built, step by step. The texts come from its builder."""
    st.subheader(f"History ({counted(len(config.history), 'step')})", anchor=False)
    if not config.history:
        st.markdown("The config of the image has no history.")
        return
    show_rows(
        [
            {
                "Step": hide_in_command(step.command),
                "Layer": not step.empty,
                "Created": parse_time(step.created),
                "Comment": hide_in_command(step.comment),
            }
            for step in config.history
        ],
        "How the image was built, from the base up",
        columns={
            "Step": st.column_config.TextColumn(width="large"),
            "Layer": st.column_config.CheckboxColumn(help="Whether the step made a layer"),
            "Created": ago_column(),
        },
        types={"Created": UTC},
    )


def show_config(config: ImageConfig) -> None:
    """Shows what the image runs, its environment and its labels. What looks like a secret is hidden."""
    built = parse_time(config.created)
    show_facts(
        {
            "Entrypoint": _line(config.entrypoint),
            "Command": _line(config.cmd),
            "User": plain(config.user) or "root (none set)",
            "Working directory": plain(config.working_dir) or "/ (none set)",
            "Ports": plain(", ".join(config.ports)) or "None",
            "Platform": plain(config.platform) or "Not stated",
            "Built": f"{ago(built)} ({exact(built)})" if built else plain(config.created) or "Not recorded",
        },
    )
    show_pairs("Environment", config.env)
    show_pairs("Labels", config.labels)


def _line(words: tuple[str, ...]) -> str:
    return plain(shlex.join(hide_in_words(words))) if words else "Not set"


def show_pairs(title: str, pairs: tuple[tuple[str, str], ...]) -> None:
    """Variables, labels or annotations, those that look like a secret by name alone; nothing where there are none."""
    if pairs:
        st.subheader(f"{title} ({len(pairs):,})", anchor=False)
        show_rows([{"Name": name, "Value": value} for name, value in hide_pairs(pairs)], title)


def show_evidence(
    evidence: Partial[Evidence],
    referrers: Mapping[str, Descriptor] | None,
    subject: str,
    open_digest: Callable[[str], None],
) -> None:
    """Shows what refers to the manifest, each a link to its page. `referrers` by digest; None where they were not
    read."""
    if not evidence.values:
        if evidence.complete:
            empty(":material/link_off:", "No referrers", "No signature, SBOM or attestation refers to this manifest.")
        else:
            st.markdown("Unknown: what refers to this manifest could not be read.")
        return

    def row(one: Evidence) -> dict[str, object]:
        referrer = (referrers or {}).get(one.digest)
        return {
            "What": one.proof.value,
            "By": one.maker,
            "Digest": short(one.digest),
            "About": "this manifest" if one.subject == subject else f"platform {short(one.subject)}",
            "Type": referrer.artifact_type if referrer else None,
            "Size": referrer.size if referrer else None,
        }

    found = openable(
        evidence.values,
        row,
        f"referrers {subject}",
        "Signatures, SBOMs and attestations of this manifest",
        columns={"Size": Sizes("Of the manifest that refers to it")},
        identity=lambda one: (one.digest, one.proof),
    )
    if found:
        open_digest(found.digest)


def show_manifest(manifest: Manifest, text: str) -> None:
    """Shows the manifest's own facts, its annotations, and its JSON."""
    show_facts({"Media type": plain(manifest.media_type), "Manifest size": f"{manifest.size:,} bytes"})
    show_pairs("Annotations", manifest.annotations)
    st.subheader("Content", anchor=False)
    st.code(text[:LONGEST_MANIFEST], language=None, height=480 if text.count("\n") > 24 else "content")
    if len(text) > LONGEST_MANIFEST:
        st.caption(f"The first {LONGEST_MANIFEST:,} of {len(text):,} characters.")
