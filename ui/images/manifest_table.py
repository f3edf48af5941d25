"""A repository's manifests as a tree in a table."""

from collections import Counter

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from services.images.tree import Node, Role
from services.wording import counted
from ui.elements.columns import Sizes, ago_column
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import empty
from ui.elements.selectable_table import openable
from ui.elements.table import TEXTS, UTC, indented
from ui.elements.text import short
from ui.loaders import images as image_loaders
from ui.pulls.columns import LAST, PullsOf, pull_cells, pull_columns
from ui.runtime.background import show_progress

# The column Kind, by role.
MEANING = {
    Role.INDEX: "index of platforms",
    Role.IMAGE: "image",
    Role.ARTIFACT: "artifact",
    Role.PLATFORM: "platform of the index above",
    Role.ATTESTATION: "attestation of the image above",
    Role.REFERRER: "refers to the one above",
    Role.UNTAGGED: "untagged: nothing points to it",
    Role.MISSING: "missing: the index above is broken",
    Role.UNREAD: "untagged: what points to it was not read",
}
PLURALS = {
    Role.INDEX: "indexes",
    Role.IMAGE: "images",
    Role.ARTIFACT: "artifacts",
    Role.PLATFORM: "platforms",
    Role.ATTESTATION: "attestations",
    Role.REFERRER: "referrers",
}


def show_tree(
    who: str,
    login_server: str,
    repository: str,
    manifest_count: int,
    notice: DeltaGenerator,
    pulls: PullsOf | None,
    *unread: Part,
) -> str | None:
    """Shows the tree, and in `notice` what could not be read, `unread` among it; returns the digest of the row that was
    opened. `pulls`: when manifests were pulled, None where nothing is known of it."""
    asked = f"tree of {login_server}/{repository}"
    if manifest_count > image_loaders.LARGE and not st.session_state.get(asked):
        st.markdown(f"{counted(manifest_count, 'manifest')}: reading them all takes a while, and can be stopped.")
        if not st.button("Read all manifests", icon=":material/account_tree:"):
            return None
        st.session_state[asked] = True
    reading = image_loaders.tree(who, login_server, repository)
    show_progress(reading, asked)
    if reading.error:
        show_error(reading.error)
        return None
    tree = reading.value
    with notice:
        show_partial(Part(tree.read, "manifest"), *unread)
    if reading.running:
        st.markdown(f"{counted(len(tree.rows), 'manifest')} found so far.")
        return None
    if not tree.nodes:
        empty(":material/account_tree:", "No manifests", "The repository is empty.")
        return None
    _summary(tree.nodes, manifest_count)
    node = openable(
        tree.nodes,
        lambda node: _row(node, pulls),
        asked,
        "Manifests as a tree: an index, then its platforms, attestations and what refers to them",
        columns={
            "Manifest": st.column_config.TextColumn(width="medium"),
            "Kind": st.column_config.TextColumn(width="medium"),
            "Tags": st.column_config.ListColumn(width="small"),
            "Size": Sizes(),
            "Last update": ago_column(),
            **({LAST: pull_columns(pulls.pulls)[LAST]} if pulls else {}),
        },
        types={"Tags": TEXTS, "Last update": UTC},
        identity=lambda node: (node.digest, node.depth),
    )
    return node.digest if node else None


def _summary(nodes: tuple[Node, ...], manifest_count: int) -> None:
    counts = Counter(node.role for node in nodes)
    parts = [counted(number, role, PLURALS.get(role, role)) for role, number in counts.most_common()]
    st.markdown(" · ".join(parts))
    listed = len({node.digest for node in nodes if node.row})
    if listed < manifest_count:
        hidden = counted(manifest_count - listed, "manifest")
        st.info(f"{hidden} not listed: locked against listing, or changed while this was read.", icon=":material/info:")
    if counts[Role.MISSING]:
        st.warning(f"{counted(counts[Role.MISSING], 'manifest')} of an index missing.", icon=":material/warning:")


def _row(node: Node, pulls: PullsOf | None) -> dict[str, object]:
    row = node.row
    return {
        "Manifest": indented(short(node.digest), node.depth),
        "Kind": MEANING[node.role],
        "Platform or type": node.label,
        "Size": row.size if row else None,
        "Tags": list(row.tags) if row else [],
        **({LAST: pull_cells(pulls, [node.digest], row.tags if row else ())[LAST]} if pulls else {}),
        "Last update": row.updated if row else None,
        "Locked": row.locks.label if row else "",
        "Digest": node.digest,
    }
