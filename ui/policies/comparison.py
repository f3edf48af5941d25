"""Two policies over the same registry: what only one of them deletes."""

from collections.abc import Sequence

import streamlit as st

from services.deletion.running_images import RunningImages
from services.images.repository_contents import RepositoryContents
from services.policies.policy import Policy
from services.policies.simulation import compare
from services.policies.store import PolicyVersion
from services.wording import counted, size
from ui.elements.errors import show_partial
from ui.elements.metrics import Metric, show_metrics
from ui.elements.page import empty
from ui.elements.table import show_rows
from ui.elements.text import plain
from ui.loaders.pulls import unread_pulls
from ui.policies.simulation import choose_registry, read_contents, read_policy_pulls, simulated


def _without_running(_contents: RepositoryContents) -> RunningImages:
    return RunningImages()


def show_comparison(who: str, policy: Policy, others: Sequence[tuple[str, PolicyVersion]]) -> None:
    """What this policy and another one do differently with a registry. `others`: each with its label."""
    offered = {label: other for label, version in others if (other := version.policy)}
    if not offered:
        empty(":material/compare_arrows:", "Nothing to compare with", "Save this policy, or create another one.")
        return
    label = st.selectbox("Compare with", list(offered), key="compare", width=420)
    registry = choose_registry(who, policy)
    if registry is None:
        return
    count = read_contents(who, registry)
    pulls = read_policy_pulls(who, registry, policy, offered[label])
    show_partial(unread_pulls(pulls))
    first = simulated(policy, registry, count, _without_running, pulls)
    second = simulated(offered[label], registry, count, _without_running, pulls)
    found = compare(first, second)
    show_metrics(
        [
            Metric("This policy deletes", first.deleted, beside=f"frees {size(first.freed)}"),
            Metric(f"{plain(label)} deletes", second.deleted, beside=f"frees {size(second.freed)}"),
            Metric("Only this policy", sum(len(one.only_first) for one in found)),
            Metric(f"Only {plain(label)}", sum(len(one.only_second) for one in found)),
        ]
    )
    st.caption("Without running images, which stay under either.")
    if not found:
        st.success("Both delete the same manifests.", icon=":material/check_circle:")
        return
    st.markdown(f"**{counted(len(found), 'repository differs', 'repositories differ')}**")
    show_rows(
        [
            {
                "Repository": one.repository,
                "Only this policy": len(one.only_first),
                "Only the other": len(one.only_second),
                "Both": one.both,
            }
            for one in found
        ],
        "Repositories with which the policies do different things",
        key="differences of policies",
    )
