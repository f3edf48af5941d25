"""Which images run where, as clusters answered: from which registry, how old, and whether they can be pulled again."""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import streamlit as st

from services.aks.clusters import Cluster
from services.running.images import ClusterImages, HostKind
from services.running.standing import Standing, StandingImage
from services.wording import counted
from ui.elements.columns import ago_column
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.metrics import Metric, show_metrics
from ui.elements.page import empty, header
from ui.elements.selectable_table import openable
from ui.elements.skeleton import Shape
from ui.elements.table import UTC, show_rows
from ui.elements.text import ago, plain, short
from ui.loaders import clusters, running
from ui.navigation import pages
from ui.navigation.links import open_page
from ui.navigation.selection import key_of
from ui.navigation.url_choice import check_url, choose_pills
from ui.running.asking import show_asking, start_asking
from ui.runtime import connection
from ui.runtime.background import show_progress

# What is wrong first, then what is not known.
SIGNS = {
    Standing.GONE: "✕",
    Standing.INVALID: "✕",
    Standing.UNKNOWN: "?",
    Standing.MOVED: "↷",
    Standing.CURRENT: "✓",
    Standing.OUTSIDE: "↗",
}
COLOURS = {
    Standing.GONE: "red",
    Standing.INVALID: "red",
    Standing.UNKNOWN: "gray",
    Standing.MOVED: "orange",
    Standing.CURRENT: "green",
    Standing.OUTSIDE: "gray",
}
NONE_ASKED = "A cluster is asked by a pod that lists its images. Choose which ones by Ask clusters."
PLURAL = "Container Apps, jobs and Container Instances groups"
UNSAVED = "What clusters answered is in the memory of this process alone, until the database can be written to."

who = connection.who()
reading = clusters.pulls(who)
pulls = reading.value


def refresh() -> None:
    clusters.pulls.clear(who)
    running.apps.clear(who)


actions = header(pages.RUNNING.title, "", None if reading.running else reading.at, refresh)
show_progress(reading, "clusters", shape=None if pulls.clusters.values else Shape.PAGE)
if reading.error:
    show_error(reading.error)
pulls = reading.value
if reading.running or reading.error:
    st.stop()
with actions:
    if st.button("Ask clusters", icon=pages.RUNNING.icon, type="primary", disabled=not pulls.clusters.values):
        start_asking(who, pulls.clusters.values)
notice = st.container()
reading_apps = running.apps(who)
show_progress(reading_apps, "container apps", stop="")
if any(one.container_insights for one in pulls.clusters.values):
    show_progress(running.logged(who, reading.at), "logs of clusters", stop="")
apps = running.known_apps(who)
known = running.find_answers(who)
answers = known.by_cluster
show_asking(who)
parts = (
    *clusters.parts_by_subscription(pulls.registries, pulls.clusters, pulls.access),
    Part(apps.found, "app's containers", "apps' containers"),
    Part(known.logged, "cluster's logs", "clusters' logs"),
)
if apps.error:
    show_error(apps.error)
if known.error:
    show_error(known.error)
if known.unsaved:
    st.warning(f"{UNSAVED} {plain(known.unsaved.cause)}", icon=":material/database_off:")
if apps.reading:
    st.stop()
if not (known.seen or apps.found.values):
    with notice:
        show_partial(*parts)
    if apps.error or known.error:
        st.stop()
    if pulls.clusters.values:
        empty(pages.RUNNING.icon, "No cluster asked", NONE_ASKED)
    elif pulls.clusters.refused:
        empty(pages.RUNNING.icon, "Clusters unknown", "Not every subscription could be read: see above.")
    else:
        empty(pages.RUNNING.icon, "No clusters found", "You need Reader on a subscription to see its clusters here.")
    st.stop()

looking = running.standings(who, running.asked_when(who), reading.at, apps.at)
show_progress(looking, "running images", shape=None if looking.value.images else Shape.TABLE)
if looking.error:
    show_error(looking.error)
    st.stop()
with notice:
    show_partial(*parts, Part(looking.value.partial, "image"))
if looking.running:
    st.stop()


def name_of(one: StandingImage) -> str:
    """As its registry calls it, without the login server where it is one of ours; else as the pod names it."""
    named, registry = one.placed.named, one.placed.registry
    if not named or not registry:
        return one.placed.image.reference
    reference = f":{named.tag}" if named.tag else ""
    return f"{registry.name}/{named.repository}{reference}"


def workload_of(one: StandingImage) -> str:
    """The owner of its pods, or the app."""
    owner = one.placed.image.owner
    return owner.label if one.placed.host.kind is HostKind.CLUSTER else owner.name


def show_figures(images: Sequence[StandingImage]) -> None:
    good = [one for one in answers.values() if not one.error]
    unasked = len(pulls.clusters.values) - len(good)
    unlisted = len(pulls.clusters.refused) + pulls.clusters.untried
    subscriptions = f"{counted(unlisted, 'subscription')} not listed" if unlisted else ""
    unknown = f"{counted(unasked, 'cluster')} not known" if unasked else ""
    unread = "apps not known" if apps.error or apps.found.refused else ""
    lacks = "; ".join(filter(None, (unknown, subscriptions, unread)))
    counts = Counter(one.standing for one in images)
    about = {
        "Can't be pulled again": "Its registry has it no more, or no sound manifest of it. AKS tells who may pull."
    }
    numbers = {
        "Workloads": len({one.placed.place for one in images}),
        "Can't be pulled again": counts[Standing.GONE] + counts[Standing.INVALID],
        "Tag moved on": counts[Standing.MOVED],
    }
    listed = f"of {len(pulls.clusters.values):,} listed"
    asked = Metric("Clusters known", len(good), beside=listed, lacks=subscriptions)
    show_metrics(
        [
            asked,
            *(
                Metric(label, number, about.get(label, ""), lacks=lacks)
                if images or good
                else Metric(label, None, unknown=lacks)
                for label, number in numbers.items()
            ),
        ]
    )


def filtered(images: Sequence[StandingImage]) -> list[StandingImage]:
    names = sorted({one.placed.host.name for one in images if one.placed.host.kind is HostKind.CLUSTER})
    kinds = [kind.value for kind in HostKind if any(one.placed.host.kind is kind for one in images)]
    check_url("cluster", "cluster", names)
    check_url("where", "kind", kinds)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search", key="search", type="search", placeholder="Image, workload or digest", bind="query-params"
        )
        where = st.multiselect("Where", kinds, key="where", bind="query-params")
        chosen = st.multiselect("Cluster", names, key="cluster", bind="query-params") if names else []
    counts = Counter(one.standing for one in images)
    labels = {one.value: f":{COLOURS[one]}-badge[{SIGNS[one]}] {one} · {counts[one]}" for one in SIGNS if counts[one]}
    states = choose_pills("state", "State", labels)
    words = (text or "").casefold().strip()
    return [
        one
        for one in images
        if words in f"{one.placed.image.reference} {one.placed.place} {one.digest}".casefold()
        and (not where or one.placed.host.kind.value in where)
        and (not chosen or one.placed.host.name in chosen)
        and (not states or one.standing.value in states)
    ]


def show_table(images: Sequence[StandingImage]) -> None:
    order = list(SIGNS)
    opened = openable(
        sorted(images, key=lambda one: (order.index(one.standing), name_of(one), one.placed.place)),
        lambda one: {
            "Image": name_of(one),
            "State": f"{SIGNS[one.standing]} {one.standing}",
            "Where": one.placed.host.kind.value,
            "Cluster or group": one.placed.host.inside,
            "Workload": workload_of(one),
            "Replicas": one.placed.image.replicas,
            "Pushed": one.pushed,
            "Digest": f"{short(one.digest)}{' by tag' if one.placed.by_tag else ''}" if one.digest else None,
            "Reason": one.why,
            "Asked": one.placed.at,
        },
        "running images",
        "Images that run, one per row: what can't be pulled again first",
        columns={
            "Pushed": ago_column("When the image was pushed that runs"),
            "Asked": ago_column("When the cluster was asked, the app was read, or Container insights last saw it"),
            "Where": st.column_config.TextColumn(width=140),
            "Cluster or group": st.column_config.TextColumn(help="The cluster, or the resource group of an app"),
            "Replicas": st.column_config.NumberColumn(help="0: scaled to zero, suspended, or kept for rollback"),
        },
        types={"Pushed": UTC, "Asked": UTC, "Digest": pa.string()},
        identity=lambda one: (one.placed.place, one.placed.image.reference, one.placed.image.digest),
    )
    if opened and opened.placed.registry and opened.placed.named:
        open_page(
            pages.IMAGE,
            registry=key_of(opened.placed.registry, pulls.registries.values),
            repository=opened.placed.named.repository,
            reference=opened.digest or opened.placed.named.tag,
        )


def state_of(cluster: Cluster, answer: ClusterImages | None) -> str:
    if answer and not answer.error:
        return "Answered"
    state = answer.error.cause if answer and answer.error else "Not asked"
    return f"{state}; some by Container insights" if cluster.id.lower() in logged else state


def asked_words() -> str:
    """How many of the clusters were asked: of at least so many, where some could not be listed."""
    listed = pulls.clusters
    if not listed.values and not listed.complete:
        return "Clusters: unknown, as they could not be listed"
    least = "" if listed.complete else "at least "
    return f"Clusters: {len(answers):,} of {least}{len(listed.values):,} asked"


found = looking.value.images
show_figures(found)
errors = sorted({one.error.cause for one in answers.values() if one.error})
silent = bool(pulls.clusters.values) and all(one.error for one in answers.values())
if silent and found:
    said = f"No cluster answered. {plain(' '.join(errors))}" if errors else f"No cluster asked. {NONE_ASKED}"
    st.info(said, icon=pages.RUNNING.icon)
shown = filtered(found)
if shown:
    show_table(shown)
elif found:
    empty(":material/filter_alt_off:", "No image matches", "Clear the search or a filter above.")
elif errors:
    what = "No cluster answered" if silent else "No images in the clusters that answered"
    empty(":material/hub:", what, plain(" ".join(errors)))
else:
    empty(":material/hub:", "No images run", "The clusters that were asked run none.")
if not apps.error:
    number, unread = len(apps.found.values), len(apps.found.refused) + apps.found.untried
    of = f"{number:,} of " if unread else ""
    st.caption(
        f"{of}{counted(number + unread, 'Container App, job or Container Instances group', PLURAL)} read "
        f"{ago(apps.at)} by Azure Resource Graph, which lags behind changes by minutes. App Service is not read."
    )
logged = {one.cluster.id.lower() for one in known.logged.values}
by = any(answer.by for answer in answers.values())
with st.expander(asked_words(), icon=":material/hub:"):
    show_rows(
        [
            {
                "Cluster": one.name,
                "Asked": answer.at if answer else None,
                **({"Asked by": answer.by if answer else ""} if by else {}),
                "State": state_of(one, answer),
                "Subscription": one.subscription,
            }
            for one in pulls.clusters.values
            for answer in (answers.get(one.id.lower()),)
        ],
        "Clusters, and when each was asked",
        key="clusters that were asked",
        columns={"Asked": ago_column()},
        types={"Asked": UTC},
    )
