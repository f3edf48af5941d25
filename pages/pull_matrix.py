"""Which cluster can pull from which registry: all pairs, each with its reason."""

import pyarrow as pa
import streamlit as st

from services.commands.aks import check_acr
from services.connection.parallel import Partial
from services.pull_checks.matrix import Answer, Pair, pull_matrix
from services.wording import counted
from ui.aks.attach_many import attach_many
from ui.aks.cluster_choice import cluster_key
from ui.aks.matrix_chart import SIGNS, matrix_figure
from ui.elements.chart_theme import pick_in_chart, theme_now
from ui.elements.errors import show_error, show_refused
from ui.elements.page import az_lines, empty, header
from ui.elements.selectable_table import selectable_many
from ui.elements.text import plain
from ui.loaders import clusters
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.navigation.selection import key_of
from ui.navigation.url_choice import check_url
from ui.runtime import connection
from ui.runtime.background import show_progress

# More squares are too small to read: the reader filters first.
SQUARES = 3000
CAPTION = "Which cluster can pull from which registry"

who = connection.who()
reading = clusters.pulls(who)

header(
    pages.PULL_MATRIX.title,
    CAPTION,
    None if reading.running else reading.at,
    lambda: clusters.pulls.clear(who),
)
show_progress(reading, "pulls")
if reading.error:
    show_error(reading.error)
pulls = reading.value
show_refused(pulls.registries, "subscription's registries", "subscriptions' registries")
show_refused(pulls.clusters, "subscription's clusters", "subscriptions' clusters")
show_refused(pulls.access, "subscription's role assignments", "subscriptions' role assignments")
show_refused(pulls.addresses, "public address", "public addresses")
show_refused(Partial((), pulls.memberships.refused), "identity's groups", "identities' groups")
show_refused(Partial((), pulls.private_links.refused), "private path", "private paths")
if unread := pulls.memberships.unread_names:
    st.info(f"Names of groups could not be read: {plain(unread.cause)} Ids are shown instead.", icon=":material/badge:")
if not pulls.clusters.values or not pulls.registries.values:
    if not (reading.running or reading.error):
        what, part = ("clusters", pulls.clusters) if pulls.registries.values else ("registries", pulls.registries)
        if part.refused:
            empty(
                ":material/grid_on:", f"{what.capitalize()} unknown", "Not every subscription could be read: see above."
            )
        else:
            empty(
                ":material/grid_on:", f"No {what} found", f"You need Reader on a subscription to see its {what} here."
            )
    st.stop()

pairs = pull_matrix(pulls)
numbers = {answer: sum(1 for pair in pairs if pair.answer is answer) for answer in Answer}
found_in = sorted({pair.cluster.subscription for pair in pairs})
check_url("subscription", "subscription", found_in)
check_url("answer", "answer", [answer.value for answer in Answer])
with st.container(horizontal=True, vertical_alignment="bottom"):
    search = st.text_input(
        "Search", key="search", type="search", placeholder="Cluster or registry", bind="query-params"
    )
    subscriptions = st.multiselect("Subscription", found_in, key="subscription", bind="query-params")
answers = st.pills(
    "Answer",
    [answer.value for answer in Answer],
    selection_mode="multi",
    format_func=lambda answer: f"{SIGNS[Answer(answer)]} {answer.capitalize()} · {numbers[Answer(answer)]}",
    key="answer",
    bind="query-params",
)


def matches(pair: Pair) -> bool:
    text = (search or "").casefold().strip()
    return (
        (text in pair.cluster.name.casefold() or text in pair.registry.name.casefold())
        and (not subscriptions or pair.cluster.subscription in subscriptions)
        and (not answers or pair.answer in answers)
    )


def _puller(pair: Pair) -> str | None:
    """Where the directory did not say the object id of a service principal, its client id is still known."""
    if pair.registry.access.anonymous_pull:
        return "anonymous"
    return pair.principal_id or pair.cluster.puller.client_id or None


shown = [pair for pair in pairs if matches(pair)]
if not shown:
    empty(":material/filter_alt_off:", "No pair matches", "Clear the search or a filter above.")
    st.stop()
# The rows are sent before the chart, which takes the browser longer to draw.
above, bar = st.container(), st.container(horizontal=True, vertical_alignment="center")
selected = selectable_many(
    shown,
    lambda pair: {
        "Cluster": pair.cluster.name,
        "Registry": pair.registry.name,
        "Answer": f"{SIGNS[pair.answer]} {pair.answer}",
        "Reason": pair.reason,
        "Pulls as": _puller(pair),
        "Mode": pair.registry.access.mode.value,
        "Cluster's subscription": pair.cluster.subscription,
        "Registry's subscription": pair.registry.subscription,
    },
    "pairs",
    "Pairs of a cluster and a registry, one per row",
    columns={
        "Reason": st.column_config.TextColumn(width="large"),
    },
    types={"Pulls as": pa.string()},
    identity=lambda pair: (pair.cluster.id, pair.registry.id),
)
clicked: list[Pair] = []
if len(shown) <= SQUARES:
    with above:
        squares = pick_in_chart(
            matrix_figure(shown, theme_now()),
            "Pull matrix: a row for each cluster, a column for each registry. The table below has the reasons too.",
            key="squares",
        )
    clicked = [shown[number] for number in squares if number < len(shown)]
for pair in clicked:
    above.markdown(
        f"**{plain(pair.cluster.name)}** from **{plain(pair.registry.name)}**: {SIGNS[pair.answer]} {pair.answer}. "
        f"{plain(pair.reason)}"
    )
picked = clicked or selected
if picked:
    with bar:
        if st.button(f"Attach {counted(len(picked), 'pair')}", icon=":material/link:"):
            attach_many(who, picked)
        if len(picked) == 1:
            chosen = {
                "cluster": cluster_key(picked[0].cluster, pulls.clusters.values),
                "registry": key_of(picked[0].registry, [one for one in pulls.registries.values if one.login_server]),
            }
            link_to(pages.INTEGRATION_CHECKER, "Check this pair", **chosen)
st.caption(
    f"{counted(len(shown), 'pair')} shown. Click a square or select rows to check or attach. "
    "Unknown means not read: the reason says what.",
    help="A new role assignment takes minutes to take effect, and up to an hour where kubelet still has an old token",
)
az_lines(*(check_acr(pair.cluster.name, pair.cluster.resource_group, pair.registry.login_server) for pair in shown[:3]))
