"""The plan of a deletion, as a page shows it before anything is deleted."""

from collections.abc import Iterable

import pyarrow as pa
import streamlit as st

from services.commands import aks as az_aks
from services.deletion.plan import DeletionItem, DeletionPlan
from services.deletion.running_images import running_digests
from services.images.repository_contents import RepositoryContents
from services.images.storage import freed_bytes
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.columns import Sizes
from ui.elements.errors import show_error
from ui.elements.skeleton import Shape
from ui.elements.table import TEXTS, show_rows
from ui.elements.text import ago, plain, shell, short, size
from ui.loaders import contents as contents_loader
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.runtime.background import show_progress


def contents_of(who: str, registry: Registry, name: str) -> RepositoryContents:
    """The contents of the repository, read with progress shown. Stops the page while that runs, and where it fails."""
    reading = contents_loader.repository(who, registry.login_server, name)
    show_progress(reading, f"contents of {registry.id}/{name}", shape=None if reading.value else Shape.PLAN)
    if reading.error:
        show_error(reading.error)
    elif reading.value is None and not reading.running:
        st.info("Stopped before the repository was read: refresh to read it again.", icon=":material/stop_circle:")
    if reading.error or reading.value is None:
        st.stop()
    return reading.value


def ask_running_images(contents: RepositoryContents) -> frozenset[str]:
    """Asks for the digests that run in clusters. The console does not read a cluster's pods."""
    with st.expander("Running images", icon=":material/deployed_code_alert:"):
        st.markdown(
            "The registry does not know which images run. Paste the output of this line for each cluster: images in "
            f"it are not deleted.\n\n{shell(az_aks.running_images())}"
        )
        text = st.text_area("Output for all clusters", placeholder="contoso.azurecr.io/app@sha256:…", key="running")
        running = running_digests(text or "", contents)
        here = len(running & {row.digest for row in contents.rows})
        if text:
            st.markdown(f"{counted(len(running), 'digest')} found, {here:,} of them in this repository.")
    return running


def show_plan(plan: DeletionPlan) -> None:
    """Shows every manifest of the plan, with what is deleted with it or why it stays."""
    staying = len(plan.items) - len(plan.unblocked)
    if staying:
        st.info(f"{counted(staying, 'manifest stays', 'manifests stay')}: the table shows why.", icon=":material/lock:")
    show_rows(
        [_row(item) for item in plan.items],
        "What is deleted, what Azure deletes with it, and what stays",
        key="plan of the deletion",
        columns={
            "Deleted tags": st.column_config.ListColumn(width="medium"),
            "Size": Sizes(),
            "Kept because": st.column_config.TextColumn(width="large"),
            "Breaks": st.column_config.ListColumn(
                width="small", help="Indexes that can't be pulled completely without it"
            ),
        },
        types={"Deleted tags": TEXTS, "Kept because": pa.string(), "Breaks": TEXTS},
    )


def _row(item: DeletionItem) -> dict[str, object]:
    return {
        "Manifest": short(item.digest),
        "Why": f"{item.why} ({short(item.of)})" if item.of else item.why.value,
        "Deleted tags": [] if item.blocker else list(item.tags),
        "Size": item.size,
        "Kept because": item.blocker or None,
        "Breaks": [short(digest) for digest in item.breaks],
        "Digest": item.digest,
    }


def show_freed(who: str, registry: Registry, contents: RepositoryContents, digests: Iterable[str]) -> None:
    """Shows the bytes that deleting these manifests frees, and when. Layers used elsewhere in the registry stay."""
    policy = registry_loaders.soft_delete(who, registry)
    if policy.notice:
        st.info(plain(policy.notice), icon=":material/auto_delete:")
    frees = f"After {counted(policy.days, 'day')} it frees" if policy.days else "Frees"
    unblocked = {contents.name: frozenset(digests)}
    if not unblocked[contents.name]:
        return
    count = contents_loader.last_count(who, registry.login_server)
    if count is None:
        freed = freed_bytes([contents], unblocked)
        st.markdown(f"{frees} at most **{size(freed)}**: layers that other repositories use too stay.")
        link_to(pages.STORAGE, "Read the registry for the exact size", registry=st.query_params["registry"])
        return
    others = [other for other in count.contents.values if other.name != contents.name]
    freed = freed_bytes([contents, *others], unblocked)
    complete = count.contents.complete and all(other.complete for other in others)
    st.markdown(
        f"{frees} **{size(freed)}**. The other repositories were read {ago(count.at)}."
        if complete
        else f"{frees} at most **{size(freed)}**: not all of the registry could be read."
    )
