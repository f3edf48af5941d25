"""What a plan of a deletion knows of running images: what clusters answered and when, and what nobody knows."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from services.commands import aks as az_aks
from services.deletion.running_images import RunningImages, list_places, running_digests
from services.images.repository_contents import RepositoryContents
from services.registries.registry import Registry
from services.running.images import HostKind
from services.running.join import PlacedImage
from services.running.known import RunningKnown
from services.running.unasked import Unasked
from services.wording import counted
from ui.deletion.places import Places
from ui.elements.columns import ago_column
from ui.elements.table import UTC, show_rows
from ui.elements.text import ago, plain, shell
from ui.loaders import clusters as cluster_loaders
from ui.loaders import running as running_loader
from ui.running.asking import show_asking, start_asking
from ui.runtime.background import show_progress

RunningOf = Callable[[RepositoryContents], RunningImages]
_DELETE_RUNNING = "delete what runs too"
# Names in a sentence; the rest is counted.
_SHOWN = 3


def running_images(
    places: Places, who: str, registry: Registry, contents: Sequence[RepositoryContents], *, by_name: bool
) -> RunningOf:
    """Shows what is known of running images, and asks for what is not: a question to the clusters, a decision of the
    person, or what kubectl prints. Returns what runs of each repository."""
    reading = cluster_loaders.pulls(who)
    with places.notices:
        show_progress(reading, f"clusters that may pull from {registry.id}", stop="")
        show_progress(running_loader.apps(who), f"apps that may pull from {registry.id}", stop="")
        known = running_loader.known_of(who, registry)
        show_asking(who)
        accepted = _ask_about(who, known, by_name=by_name) if known.unasked else False
    with places.folded:
        pasted = _show_known(who, known, contents)
    delete_running = by_name and bool(st.session_state.get(_DELETE_RUNNING))

    def of(one: RepositoryContents) -> RunningImages:
        found = known.of(one)
        more = dict.fromkeys(running_digests(pasted, one), ())
        return replace(found, places={**more, **found.places}, accept_unasked=accepted, delete_running=delete_running)

    return of


def offer_running(places: Places, kept: int) -> None:
    """Offers to delete by name what runs too, where it keeps `kept` manifests or the person chose that before."""
    if kept or st.session_state.get(_DELETE_RUNNING):
        with places.notices:
            st.checkbox(
                "Delete what runs too",
                key=_DELETE_RUNNING,
                help="Pods that run go on. New ones, also after a restart of a node, can't pull the image.",
            )


def _ask_about(who: str, known: RunningKnown, *, by_name: bool) -> bool:
    """Says which clusters and apps are unknown, with a button that asks those clusters; returns whether a rule may
    delete all the same."""
    accepted = False
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":orange[:material/help:] **Unknown what runs** in {_names(known.unasked)}", width="content")
        ask = [one.cluster for one in known.unasked if one.cluster]
        if ask and st.button("Ask clusters", icon=":material/deployed_code_alert:"):
            start_asking(who, ask)
        if not (by_name or known.reading):
            accepted = st.checkbox(
                "Delete all the same",
                key=f"accept {sorted(one.label for one in known.unasked)}",
                help="Images that run there are deleted too if the rule chooses them. For this plan alone.",
            )
    return accepted


def _names(unasked: Sequence[Unasked]) -> str:
    names = ", ".join(plain(one.name) for one in unasked[:_SHOWN])
    more = len(unasked) - _SHOWN
    return f"{names} and {more:,} more" if more > 0 else names


def _found(workloads: int, known: RunningKnown) -> str:
    if workloads:
        return f"{counted(workloads, 'workload')} found"
    if known.unasked:
        return "unknown"
    return "no workload found" if known.may_pull or known.apps.found.values else "no cluster may pull by its roles"


def _apps_line(known: RunningKnown, here: Sequence[PlacedImage]) -> str:
    """How many apps were read and when, and which of them run images of the plan's repositories."""
    running = {one.host.id: one.place for one in here if one.host.kind is not HostKind.CLUSTER}
    number, unread = len(known.apps.found.values), len(known.apps.found.refused) + known.apps.found.untried
    found = f"{counted(len(running), 'workload')}: {plain(list_places([*running.values()]))}" if running else "none"
    of = f" of {number + unread:,}" if unread else ""
    more = f", {unread:,} unknown" if unread else ""
    read = f"Container Apps and Container Instances: {number:,}{of} read {ago(known.apps.at)}"
    return f"{read}. Of them run images of this plan's repositories: {found}{more}."


def _show_known(who: str, known: RunningKnown, contents: Sequence[RepositoryContents]) -> str:
    """Shows in a closed expander which clusters answered when, and what of these repositories runs there. Returns what
    was pasted for others."""
    here = [
        one for repository in contents for one in known.placed.get((known.registry.login_server, repository.name), ())
    ]
    answers = running_loader.answers(who)
    asked = [one for one in known.may_pull if one.id.lower() in answers]
    label = f"Running images: {_found(len({one.place for one in here}), known)}"
    with st.expander(label, icon=":material/deployed_code_alert:"):
        rows = [
            {
                "Cluster": cluster.name,
                "Asked": answer.at if (answer := answers.get(cluster.id.lower())) else None,
                "Workloads": None
                if answer is None or answer.error
                else len({one.place for one in here if one.host.id == cluster.id}),
                "State": "Not asked" if answer is None else answer.error.cause if answer.error else "Answered",
            }
            for cluster in known.may_pull
        ]
        if rows:
            show_rows(
                rows,
                "Clusters that may pull from the registry",
                key="clusters of the plan",
                columns={
                    "Asked": ago_column(),
                    "Workloads": st.column_config.NumberColumn(help="That run images of this plan's repositories"),
                },
                types={"Asked": UTC},
            )
            if st.button("Ask clusters again", icon=":material/refresh:", disabled=not asked):
                start_asking(who, known.may_pull)
        if not (known.apps.reading or known.apps.error):
            st.markdown(_apps_line(known, here))
        st.markdown(
            "Clusters of other tenants, and those that pull with a token as a secret, are not listed, nor is App "
            "Service. Paste the output "
            f"of this line for each: images in it are not deleted.\n\n{shell(az_aks.running_images())}"
        )
        text = st.text_area("Output for other clusters", placeholder="contoso.azurecr.io/app@sha256:…", key="running")
        if text:
            found = frozenset(digest for one in contents for digest in running_digests(text, one))
            number = len(found & {row.digest for one in contents for row in one.rows})
            where = "this repository" if len(contents) == 1 else "these repositories"
            st.markdown(f"{counted(len(found), 'digest')} found, {number:,} of them in {where}.")
    return text or ""
