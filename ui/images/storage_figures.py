"""A registry's storage in a few figures: how they differ from Azure's, and what is not in them."""

import streamlit as st

from services.connection.parallel import Partial
from services.images.repository_contents import RepositoryContents
from services.images.storage import RegistryStorage
from services.wording import counted
from ui.elements.errors import Part, show_partial
from ui.elements.metrics import Metric, show_metrics
from ui.elements.text import plain, size
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
                unknown="Azure's usage could not be read.",
            ),
            Metric(
                "Counted here",
                size(storage.total) if storage.complete or storage.total else None,
                help="Layers, configs and manifests, each once by its digest.",
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
                unknown="what was not read may refer to it.",
            ),
        ]
    )
    st.markdown(_difference(used, storage))


def show_untagged(storage: RegistryStorage, registry: str) -> None:
    """A link to the clean-up of the repository with the most untagged bytes; nothing where none is known."""
    known = [one for one in storage.repositories if one.complete and one.untagged]
    if storage.complete and known:
        most = max(known, key=lambda one: one.untagged)
        label = f"Clean up {plain(most.name)}: {size(most.untagged)} untagged"
        link_to(pages.CLEAN_UP, label, registry=registry, repository=most.name, leftovers="true")


def _difference(used: int | None, storage: RegistryStorage) -> str:
    """Why Azure's figure differs."""
    if used is None:
        return "Azure's usage could not be read."
    if used == storage.total and storage.complete:
        return "Azure's usage and what is counted here are the same."
    if used < storage.total:
        return (
            f"Azure reports {size(storage.total - used)} less than is counted here: its usage is updated with a delay."
        )
    also = "" if storage.complete else ", and what could not be read here"
    return (
        f"Azure reports {size(used - storage.total)} more than is counted here: its usage is updated with a delay, and "
        f"includes layers that no manifest points to and, where soft delete is on, what that keeps{also}."
    )
