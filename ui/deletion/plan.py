"""What a deletion would do, as a page shows it before anything is done."""

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
from ui.elements.table import TEXTS, show_rows
from ui.elements.text import ago, shell, short, size
from ui.loaders import contents as whole
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.runtime.background import show_progress


def contents_of(who: str, registry: Registry, name: str) -> RepositoryContents:
    """The repository read whole, with its progress shown. Stops the page while that runs, and where it fails."""
    reading = whole.repository(who, registry.login_server, name)
    show_progress(reading, f"contents of {registry.id}/{name}")
    if reading.error:
        show_error(reading.error)
    elif reading.value is None and not reading.running:
        st.info("Stopped before the repository was read: refresh to read it again.", icon=":material/stop_circle:")
    if reading.error or reading.value is None:
        st.stop()
    return reading.value


def ask_what_runs(contents: RepositoryContents) -> frozenset[str]:
    """The digests that are said to run in a cluster. The console does not look into clusters by itself."""
    with st.expander("What runs in your clusters", icon=":material/deployed_code_alert:"):
        st.markdown(
            "The registry does not know what runs. Paste what this prints, for each cluster: "
            f"what is in it is not deleted.\n\n{shell(az_aks.running_images())}"
        )
        text = st.text_area("Images that run", placeholder="contoso.azurecr.io/app@sha256:…", key="running")
        running = running_digests(text or "", contents)
        here = len(running & {row.digest for row in contents.rows})
        if text:
            st.markdown(f"{counted(len(running), 'digest')} found, {here:,} of them in this repository.")
    return running


def show_plan(plan: DeletionPlan) -> None:
    """Every manifest of the plan, with what is deleted with it or why it stays."""
    staying = len(plan.items) - len(plan.going)
    if staying:
        st.info(
            f"{counted(staying, 'manifest stays', 'manifests stay')}: see why in the table.", icon=":material/lock:"
        )
    show_rows(
        [_row(item) for item in plan.items],
        "What is deleted, what Azure deletes with it, and what stays",
        key="plan of the deletion",
        columns={
            "Deleted tags": st.column_config.ListColumn(width="medium"),
            "Size": Sizes(),
            "Kept because": st.column_config.TextColumn(width="large"),
            "Breaks": st.column_config.ListColumn(width="small", help="Indexes that can't be pulled whole without it"),
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
    """The bytes that go with these manifests: layers that anything else of the registry has stay."""
    going = {contents.name: frozenset(digests)}
    counted = whole.counted(who, registry.login_server)
    if counted is None:
        freed = freed_bytes([contents], going)
        st.markdown(
            f"At most **{size(freed)}** is freed: layers that other repositories of the registry have too stay."
        )
        link_to(pages.STORAGE, "Read the whole registry to know", registry=st.query_params["registry"])
        return
    others = [other for other in counted.contents.values if other.name != contents.name]
    freed = freed_bytes([contents, *others], going)
    complete = counted.contents.complete and all(other.complete for other in others)
    st.markdown(
        f"**{size(freed)}** is freed, as far as the other repositories were read {ago(counted.at)}."
        if complete
        else f"At most **{size(freed)}** is freed: not all of the registry could be read."
    )
