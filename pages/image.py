"""One image or index: its platforms, layers, config and history, and what refers to it."""

import pandas as pd
import streamlit as st

from services import az_commands
from services.errors import ServiceError
from services.images import Kind, Manifest
from ui import connection, loaders, selection
from ui.errors import panel, show_error
from ui.page import az_lines, crumb, header
from ui.text import ago, count, exact, plain, short, size

who = connection.who()
registry = selection.registry_of_url(who)
repository = selection.repository_of_url()
server = registry.login_server
reference = st.query_params.get("reference", "latest")
url = {"registry": st.query_params["registry"], "repository": repository}
crumb("repository.py", repository, **url)


def refresh() -> None:
    loaders.tag.clear(who, server, repository, reference)
    loaders.manifest_row.clear()
    loaders.referrers.clear()


title = f"{repository}@{short(reference)}" if ":" in reference else f"{repository}:{reference}"
try:
    digest = reference if ":" in reference else loaders.tag(who, server, repository, reference).digest
    row = loaders.manifest_row(who, server, repository, digest)
    manifest = loaders.manifest(who, server, repository, digest)
except ServiceError as error:
    header(plain(title), f"In {plain(registry.name)}", None, refresh)
    show_error(error)
    st.stop()

header(plain(title), f"`{server}/{repository}`", None, refresh)
st.code(digest, language=None)
with st.container(horizontal=True):
    st.badge(manifest.kind.value, icon=":material/deployed_code:", color="blue")
    for platform in manifest.platforms or ((row.platform,) if row.platform else ()):
        st.badge(plain(platform), icon=":material/memory:", color="gray")
    for tag in row.tags:
        st.badge(plain(tag), icon=":material/sell:", color="green")
    if row.locks.any:
        st.badge(f"locked: {row.locks.words}", icon=":material/lock:", color="orange")
st.table(
    {
        "Media type": plain(manifest.media_type),
        "Last update": f"{ago(row.updated)} ({exact(row.updated)})",
        "Pushed": f"{ago(row.created)} ({exact(row.created)})",
        "Manifest size": size(manifest.size),
    },
    border="horizontal",
)


def open_digest(other: str) -> None:
    st.switch_page("image.py", query_params={**url, "reference": other})


def show_children(index: Manifest) -> None:
    st.subheader(f"In this index ({len(index.children)})", anchor=False)
    rows = [
        {
            "What": "attestation" if child.attests else "platform",
            "Platform": child.platform,
            "Digest": short(child.digest),
            "For": short(child.attests),
            "Media type": child.media_type,
        }
        for child in index.children
    ]
    table = pd.DataFrame(rows, columns=["What", "Platform", "Digest", "For", "Media type"])
    selected = st.dataframe(
        table,
        key=f"children {index.digest}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        alt="What the index points to",
    )
    if selected.selection.rows:
        open_digest(index.children[selected.selection.rows[0]].digest)
    st.caption("Select a row to open it.")


def show_layers(image: Manifest) -> None:
    st.subheader(f"Layers ({len(image.layers)}, {size(image.layer_bytes)} compressed)", anchor=False)
    largest = max((layer.size for layer in image.layers), default=1) or 1
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Layer": short(layer.digest),
                    "Size": size(layer.size),
                    "Share": layer.size / largest,
                    "Type": layer.media_type,
                }
                for layer in image.layers
            ]
        ),
        hide_index=True,
        alt="Layers from the base up",
        column_config={"Share": st.column_config.ProgressColumn(format=" ", min_value=0, max_value=1)},
    )


def show_config(image: Manifest) -> None:
    config = loaders.config(who, server, repository, image.digest)
    st.subheader("Runs", anchor=False)
    st.table(
        {
            "Built": plain(config.created) or "not said",
            "Platform": plain(config.platform),
            "Command": plain(config.command) or "not set",
            "User": plain(config.user) or "root",
            "Ports": plain(", ".join(config.ports)) or "none",
        },
        border="horizontal",
    )
    if config.history:
        st.subheader(f"History ({count(len(config.history), 'step')})", anchor=False)
        st.dataframe(
            pd.DataFrame(
                [
                    {
                        "Step": step.command,
                        "Made a layer": not step.empty,
                        "When": step.created,
                        "Comment": step.comment,
                    }
                    for step in config.history
                ]
            ),
            hide_index=True,
            alt="How the image was built, from the base up",
            column_config={"Step": st.column_config.TextColumn(width="large")},
        )
    show_pairs("Labels", config.labels)


def show_pairs(title: str, pairs: tuple[tuple[str, str], ...]) -> None:
    if pairs:
        st.subheader(title, anchor=False)
        st.dataframe(pd.DataFrame(pairs, columns=["Name", "Value"]), hide_index=True, alt=title)


if manifest.kind is Kind.INDEX:
    show_children(manifest)
else:
    show_layers(manifest)
if manifest.kind is Kind.IMAGE:
    with panel():
        show_config(manifest)
show_pairs("Annotations", manifest.annotations)
with panel():
    referrers = loaders.referrers(who, server, repository, digest)
    st.subheader(f"Referrers ({len(referrers)})", anchor=False)
    if referrers:
        rows = [
            {"Type": found.artifact_type, "Digest": short(found.digest), "Size": size(found.size)}
            for found in referrers
        ]
        selected = st.dataframe(
            pd.DataFrame(rows),
            key=f"referrers {digest}",
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            alt="Signatures, SBOMs and attestations of this manifest",
        )
        if selected.selection.rows:
            open_digest(referrers[selected.selection.rows[0]].digest)
    else:
        st.markdown("Nothing refers to it: no signature, SBOM or attestation beside the index's own.")
az_lines(
    az_commands.pull(server, repository, reference),
    az_commands.show_manifest(registry.name, repository, reference),
    az_commands.list_referrers(registry.name, repository, digest),
)
