"""Whether a cluster can pull, as one sentence with what it rests on."""

import streamlit as st

from services.access import permission
from services.pull_matrix import Answer
from services.registry_permissions import Permission
from ui.clusters import Checked
from ui.text import plain

_HEADS = {
    Answer.CAN: "can pull from",
    Answer.SOME: "can pull some repositories of",
    Answer.CANNOT: "can't pull from",
    Answer.NETWORK: "may pull from, if the network lets it,",
    Answer.UNKNOWN: "may pull from, which can't be told,",
}


def show_answer(checked: Checked) -> None:
    """The verdict, never green on what could not be told; then every assignment that bears on it."""
    pair, cluster, registry = checked.pair, checked.cluster, checked.registry
    words = f"**{plain(cluster.name)}** {_HEADS[pair.answer]} **{plain(registry.name)}**. {plain(pair.reason)}"
    show, icon = {
        Answer.CAN: (st.success, ":material/check_circle:"),
        Answer.CANNOT: (st.error, ":material/cancel:"),
    }.get(pair.answer, (st.warning, ":material/help:"))
    show(words, icon=icon)
    if not cluster.puller.object_id:
        return
    decision = permission(
        checked.held.access.records,
        cluster.puller.object_id,
        registry,
        Permission.PULL,
        groups=checked.held.access.groups,
    )
    for name, reasons in (
        ("Gives it", decision.because),
        ("Can't be told", decision.untold),
        ("Ignored", decision.ignored),
    ):
        for reason in reasons:
            why = f": {reason.why.removeprefix(f'{name}: ')}" if reason.why else ""
            st.markdown(f"- **{name}**: {plain(reason.words)}{plain(why)}")
    for refusal in checked.held.access.unread:
        st.caption(f"Not read: {plain(refusal.what)}. {plain(refusal.error.cause)}")
