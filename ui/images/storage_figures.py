"""A registry's storage in a few figures: how they differ from Azure's, and what is not in them."""

import streamlit as st

from services.connection.parallel import Partial
from services.estate.potential import far_above
from services.images.repository_contents import RepositoryContents
from services.images.storage import RegistryStorage
from services.registries.registry import SoftDelete
from services.wording import counted
from ui.elements.errors import Part, show_partial
from ui.elements.metrics import Metric, show_metrics
from ui.elements.text import plain, size
from ui.loaders.contents import StorageCount
from ui.navigation import pages
from ui.navigation.links import link_to


def show_missing(read: Partial[RepositoryContents]) -> None:
    """Shows what could not be read, and what that means for the figures."""
    unread = tuple(refusal for repository in read.values for refusal in repository.unread)
    show_partial(
        Part(read, "repository", "repositories"),
        Part(Partial((), unread, sum(one.untried for one in read.values)), "manifest"),
    )
    if hidden := sum(one.hidden for one in read.values):
        st.info(
            f"{counted(hidden, 'manifest')} not listed: locked against listing, or changed while this was read.",
            icon=":material/info:",
        )
    if not (read.complete and all(one.complete for one in read.values)):
        st.markdown(
            "Totals are **at least** what is shown. What is unique, shared or untagged is unknown where manifests "
            "could not be read: these may share content, or refer to it."
        )


def show_figures(storage: RegistryStorage, used: int | None) -> None:
    """Shows Azure's `used` bytes beside what was counted."""
    lacks = "" if storage.complete else "not all could be read"
    show_metrics(
        [
            Metric(
                "Azure's usage",
                None if used is None else size(used),
                help="In the home region. Azure bills the same amount again for each replica.",
                beside="what Azure bills" if used is not None else "unknown",
                unknown="Azure's usage could not be read.",
            ),
            Metric(
                "In manifests",
                size(storage.total) if storage.complete or storage.total else None,
                help="Layers, configs and manifests, each once by its digest.",
                beside="each layer counted once",
                unknown="not all could be read.",
                lacks=lacks,
            ),
            Metric(
                "Shared",
                size(storage.shared) if storage.complete or storage.shared else None,
                help="Between repositories. Stays until none has it.",
                beside="between repositories",
                unknown="not all could be read.",
                lacks=lacks,
            ),
            Metric(
                "Untagged",
                size(storage.untagged) if storage.complete else None,
                help="Not reachable from any tag: not through an index, nor as a signature of something tagged.",
                beside="no tag leads to it" if storage.complete else "unknown",
                unknown="what was not read may refer to it.",
            ),
        ]
    )


def show_gap(used: int | None, count: StorageCount, soft_delete: SoftDelete) -> bool:
    """A warning where Azure's figure is far more than what was counted; returns whether it is."""
    if used is None or not count.storage.complete or not far_above(used, count.storage.total):
        return False
    _show_gap(used, count, soft_delete)
    return True


def show_difference(used: int | None, count: StorageCount, soft_delete: SoftDelete) -> None:
    """Why Azure's figure differs by a little from what was counted."""
    total, complete = count.storage.total, count.storage.complete
    if used is None:
        st.markdown("Azure's usage could not be read.")
    elif used < total:
        st.caption(f"Azure reports {size(total - used)} less than the manifests have: its usage follows with a delay.")
    elif used > total or not complete:
        also = "" if complete else ", and what could not be read here"
        st.caption(
            f"Azure reports {size(used - total)} more than the manifests have: its usage follows with a delay, and "
            f"includes layers that no manifest refers to{also}."
        )
    if notice := soft_delete.notice:
        st.info(f"{plain(notice)} Azure's usage includes it; it is not counted here.", icon=":material/auto_delete:")


def _show_gap(used: int, count: StorageCount, soft_delete: SoftDelete) -> None:
    total = count.storage.total
    hidden = sum(one.hidden for one in count.contents.values)
    causes = [
        f"Soft delete: what is deleted stays billed for {counted(soft_delete.days, 'day')}" if soft_delete.days else "",
        f"Soft delete, where it is on: unknown ({soft_delete.unread.rstrip('.')})" if soft_delete.days is None else "",
        f"{counted(hidden, 'manifest')} not listed" if hidden else "",
        "Deletions of the last hours: Azure's usage follows later",
        "Layers that no manifest refers to, as interrupted pushes leave them",
    ]
    step = (
        f"Read again in {counted(soft_delete.days, 'day')}, when what was deleted until now has expired."
        if soft_delete.days
        else "Read again tomorrow. If the difference stays, ask Azure support what it is: only Azure sees such layers."
    )
    listed = "\n".join(f"- {plain(cause)}" for cause in causes if cause)
    st.warning(
        f"**{size(used - total)} that Azure bills is in no manifest of this registry.** Azure's usage is {size(used)}, "
        f"the manifests add up to {size(total)}. Likely causes:\n\n{listed}\n\n**Next step**: {step}",
        icon=":material/warning:",
    )


def show_untagged(storage: RegistryStorage, registry: str) -> None:
    """A link to the clean-up of the repository with the most untagged bytes; nothing where none is known."""
    known = [one for one in storage.repositories if one.complete and one.untagged]
    if storage.complete and known:
        most = max(known, key=lambda one: one.untagged)
        label = f"Clean up {plain(most.name)}: {size(most.untagged)} untagged"
        link_to(pages.CLEAN_UP, label, registry=registry, repository=most.name, leftovers="true")
