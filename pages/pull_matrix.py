"""Which cluster can pull from which registry: all pairs, each with its reason."""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import streamlit as st

from services.aks.puller import UnknownCause
from services.commands.aks import check_acr
from services.connection.parallel import Partial, Refusal
from services.pull_checks.matrix import Answer, Pair, pull_matrix
from services.wording import counted
from ui.aks.attach_many import attach_label, attach_many, show_attachments
from ui.aks.cluster_choice import cluster_key
from ui.aks.matrix_chart import LABELS, MEANS, SIGNS, answer_label, matrix_figure
from ui.elements.chart_theme import Meaning, pick_in_chart, theme_now
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import az_lines, empty, header
from ui.elements.selectable_table import selectable_many
from ui.elements.skeleton import Shape
from ui.elements.text import plain
from ui.loaders import clusters
from ui.loaders.principals import names_at
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.navigation.selection import key_of
from ui.navigation.url_choice import check_url, choose_pills
from ui.runtime import connection
from ui.runtime.background import show_progress

# More squares are too small to read: the reader filters first.
SQUARES = 3000
# As wide as the page has beside the names and the answer.
REASON_PX = 520
BADGES = {Meaning.GOOD: "green", Meaning.ATTENTION: "orange", Meaning.BAD: "red", Meaning.UNKNOWN: "gray"}
# What is wrong first, then what is not known.
ROWS = (Answer.CANNOT, Answer.NETWORK, Answer.UNKNOWN, Answer.SOME, Answer.CAN, Answer.NO_ROLE)


def _choice(pair: Pair) -> str:
    """What a pair is filtered by: its answer, where that is unknown the cause."""
    return (pair.cause or pair.answer).value


def _choice_label(choice: str) -> str:
    """The label of a filter, with the sign and the colour that its squares have."""
    answer = Answer(choice) if choice in set(Answer) else Answer.UNKNOWN
    words = LABELS.get(answer, answer.capitalize()) if choice == answer else f"Unknown: {choice}"
    sign = f":{BADGES[MEANS[answer]]}-badge[{SIGNS[answer]}]" if answer in MEANS else SIGNS[answer]
    return f"{sign} {words}"


def _expand_unknown(choices: Sequence[str]) -> None:
    """A link to all unknown pairs names each cause that there is."""
    given = st.query_params.get_all("answer")
    if Answer.UNKNOWN in given and Answer.UNKNOWN not in choices:
        causes = [choice for choice in choices if choice in set(UnknownCause)]
        st.session_state["answer"] = [*(one for one in given if one in choices), *causes]
        st.query_params["answer"] = st.session_state["answer"]


who = connection.who()
top = st.container()
show_attachments(who)  # Before anything is read: a role that has just been assigned makes it stale.
reading = clusters.pulls(who)
with top:
    header(
        pages.PULL_MATRIX.title,
        "",
        None if reading.running else reading.at,
        lambda: clusters.pulls.clear(who),
    )
show_progress(reading, "pulls", shape=None if reading.value.registries.values else Shape.PAGE)
if reading.error:
    show_error(reading.error)
pulls = reading.value
names = names_at(who, pulls, None)
unread = pulls.memberships.unread_names
show_partial(
    *clusters.parts_by_subscription(pulls.registries, pulls.clusters, pulls.access),
    Part(pulls.addresses, "public address", "public addresses"),
    Part(Partial((), pulls.memberships.refused), "identity's groups", "identities' groups"),
    Part(Partial((), pulls.private_links.refused), "private path"),
    Part(Partial((), (Refusal("names of groups", unread),)) if unread else names.partial, "directory", "directories"),
)
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
counts = Counter(_choice(pair) for pair in pairs)
choices = [*(answer.value for answer in Answer if answer is not Answer.UNKNOWN)]
choices += [cause.value for cause in UnknownCause if counts[cause.value]] or [Answer.UNKNOWN.value]
_expand_unknown(choices)
found_in = sorted({pair.cluster.subscription for pair in pairs})
check_url("subscription", "subscription", found_in)
with st.container(horizontal=True, vertical_alignment="bottom"):
    search = st.text_input(
        "Search", key="search", type="search", placeholder="Cluster or registry", bind="query-params"
    )
    subscriptions = st.multiselect("Subscription", found_in, key="subscription", bind="query-params")
answers = choose_pills(
    "answer", "Answer", {choice: f"{_choice_label(choice)} · {counts[choice]}" for choice in choices}
)


def matches(pair: Pair) -> bool:
    text = (search or "").casefold().strip()
    return (
        (text in pair.cluster.name.casefold() or text in pair.registry.name.casefold())
        and (not subscriptions or pair.cluster.subscription in subscriptions)
        and (not answers or _choice(pair) in answers)
    )


def _puller(pair: Pair) -> str | None:
    """Where the directory did not report the object id of a service principal, its client id is still known."""
    if pair.registry.access.anonymous_pull:
        return "anonymous"
    return names.directory_label(pair.principal_id) if pair.principal_id else pair.cluster.puller.client_id or None


shown = [pair for pair in pairs if matches(pair)]
if not shown:
    empty(":material/filter_alt_off:", "No pair matches", "Clear the search or a filter above.")
    st.stop()
# The rows are sent before the chart, which takes the browser longer to draw.
above, bar = st.container(), st.container(horizontal=True, vertical_alignment="center")
selected = selectable_many(
    sorted(shown, key=lambda pair: ROWS.index(pair.answer)),
    lambda pair: {
        "Cluster": pair.cluster.name,
        "Registry": pair.registry.name,
        "Answer": f"{SIGNS[pair.answer]} {pair.answer}",
        "Reason": names.with_names(pair.reason),
        "Pulls as": _puller(pair),
        "Mode": pair.registry.access.mode.value,
        "Cluster's subscription": pair.cluster.subscription,
        "Registry's subscription": pair.registry.subscription,
        "Object id": pair.principal_id or None,
    },
    "pairs",
    "Pairs of a cluster and a registry, one per row",
    columns={
        "Reason": st.column_config.TextColumn(width=REASON_PX),
    },
    types={"Pulls as": pa.string(), "Object id": pa.string()},
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
        f"**{plain(pair.cluster.name)}** from **{plain(pair.registry.name)}**: {SIGNS[pair.answer]} "
        f"{plain(answer_label(pair).lower())}. {plain(names.with_names(pair.reason))}"
    )
picked = clicked or selected
if picked:
    with bar:
        if st.button(attach_label(len(picked)), icon=":material/link:"):
            attach_many(who, picked)
        if len(picked) == 1:
            chosen = {
                "cluster": cluster_key(picked[0].cluster, pulls.clusters.values),
                "registry": key_of(picked[0].registry, [one for one in pulls.registries.values if one.login_server]),
            }
            link_to(pages.INTEGRATION_CHECKER, "Check this pair", **chosen)
st.caption(
    f"{counted(len(shown), 'pair')} shown. Click a square or select rows for the reason, to check or attach.",
    help="A new role assignment takes minutes to take effect, and up to an hour where kubelet still has an old token",
)
az_lines(*(check_acr(pair.cluster.name, pair.cluster.resource_group, pair.registry.login_server) for pair in shown[:3]))
