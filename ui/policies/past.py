"""What a policy would have done with a registry at the end of each of the last months."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import streamlit as st

from services.connection.parallel import Partial
from services.policies.decisions import LastPulls
from services.policies.past import PastRun, month_ends, past_runs
from services.policies.policy import Policy
from services.policies.pulls import last_pulls
from services.pricing.bar_chart import Bar, BarChart
from services.pricing.estimates import GIB
from services.wording import counted, size
from ui.elements.bar_chart import show_bars
from ui.elements.columns import Sizes
from ui.elements.errors import Part, show_partial
from ui.elements.metrics import Metric, show_metrics
from ui.elements.page import empty
from ui.elements.table import show_rows
from ui.loaders.pulls import unread_pulls
from ui.policies.simulation import choose_registry, read_contents, read_policy_pulls

MONTHS = 6
_NOT_KNOWN = (
    "What was deleted since then is not in it: each month would have had more.",
    "What was updated since then, or whose tag was moved since, stays: what it was then is not known.",
    "What ran then is not known: nothing stays for it.",
)


def show_past(who: str, policy: Policy) -> None:
    """The months as bars and as a table, with what is not known of them."""
    registry = choose_registry(who, policy)
    if registry is None:
        return
    count = read_contents(who, registry)
    pulls = read_policy_pulls(who, registry, policy)
    unread = tuple(refusal for one in count.contents.values for refusal in one.unread)
    untried = sum(one.untried for one in count.contents.values)
    show_partial(
        Part(Partial((), count.contents.refused, count.contents.untried), "repository", "repositories"),
        Part(Partial((), unread, untried), "manifest"),
        unread_pulls(pulls),
    )
    key = (policy, registry.id, count.at, pulls)
    kept: tuple[object, tuple[PastRun, ...]] = st.session_state.get("past runs of a policy", (None, ()))
    if kept[0] != key:
        with st.spinner("Simulating the last months"):
            runs = past_runs(
                policy,
                count.contents,
                month_ends(count.at, MONTHS),
                registry=registry.name,
                pulls=last_pulls(pulls, count.contents.values),
                unknown_pulls=LastPulls(why=pulls.why),
            )
        kept = st.session_state["past runs of a policy"] = (key, runs)
    incomplete = [one for one in count.contents.values if not one.complete]
    _show(kept[1], len(count.contents.refused) + count.contents.untried + len(incomplete))


def _show(runs: Sequence[PastRun], unread: int) -> None:
    """`unread`: how many repositories were not read completely, of which nothing goes."""
    if not any(run.there for run in runs):
        if unread:
            st.markdown("Unknown what was there: not every repository could be read.")
            return
        empty(":material/history:", "Nothing from then", "All that the registry has is newer than the last month.")
        return
    lacks = f"{counted(unread, 'repository', 'repositories')} not read completely" if unread else ""
    deleted, freed = sum(run.deleted for run in runs), sum(run.freed for run in runs)
    show_metrics(
        [
            Metric("Manifests deleted", deleted, beside=f"in {counted(len(runs), 'month')}", lacks=lacks),
            Metric("Freed", None if unread else size(freed), unknown=lacks),
            Metric(
                "Manifests left",
                runs[-1].there - runs[-1].deleted,
                beside=f"at the end of {_month(runs[-1])}",
                lacks=lacks,
            ),
        ]
    )
    bars = tuple(Bar(_month(run), (Decimal(run.freed) / GIB,), size(run.freed)) for run in runs)
    if freed and not unread:
        show_bars(
            BarChart(
                f"{size(freed)} freed in {counted(len(runs), 'month')}, at the end of each", "GiB", ("Freed",), bars
            ),
            "Bytes that the policy would have freed at the end of each month. The table below has the numbers.",
        )
    show_rows(
        [
            {
                "Month": _month(run),
                "There": run.there,
                "Deleted": run.deleted,
                "Freed": None if unread else run.freed,
                "Updated since": run.unclear,
            }
            for run in runs
        ],
        "What the policy would have done at the end of each month",
        key="past months of a policy",
        columns={
            "There": st.column_config.NumberColumn(
                "Manifests known", help="There at the end of the month, and still there today"
            ),
            "Deleted": st.column_config.NumberColumn("Manifests deleted"),
            "Freed": Sizes(),
            "Updated since": st.column_config.NumberColumn(help="They stay: what they were then is not known"),
        },
    )
    with st.container(border=True):
        st.markdown("\n".join(("**What is not known**\n", *(f"- {one}" for one in _NOT_KNOWN))))


def _month(run: PastRun) -> str:
    return f"{run.at - timedelta(days=1):%Y-%m}"
