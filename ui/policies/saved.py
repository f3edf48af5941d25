"""The policies that are saved: their list, the versions of one, and saving and deleting one."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import streamlit as st

from services.connection.errors import ServiceError
from services.policies.policy import DeleteRule, KeepRule, Policy
from services.policies.store import PolicyVersion, create_policy, delete_policy, save_policy
from services.wording import counted
from ui.elements.columns import ago_column
from ui.elements.errors import show_error
from ui.elements.notices import dialog, say_done
from ui.elements.page import empty
from ui.elements.selectable_table import openable, selectable
from ui.elements.table import UTC
from ui.elements.text import plain
from ui.elements.writing import PlainPlan, confirm, dialog_panel, may_write
from ui.navigation import pages
from ui.navigation.links import change_query, open_page
from ui.policies.draft import Draft, discard_draft
from ui.policies.starting import STARTING
from ui.runtime.changes import require_permission
from ui.runtime.database import database


def show_list(saved: Sequence[PolicyVersion], schedules: Mapping[str, str]) -> None:
    """The table of all policies; a name opens its policy. `schedules`: when each runs by itself, by its id."""
    if not saved:
        empty(
            ":material/policy:",
            "No retention policies",
            "A policy is a list of rules: which images stay, and which of the others are deleted. Nothing is deleted "
            "until you run one.",
        )
        return
    opened = openable(
        saved,
        lambda one: {
            "Policy": one.name,
            **_summary(one.policy),
            "Schedule": schedules.get(one.id),
            "Saved": one.saved,
            "Saved by": one.login or None,
        },
        "retention policies",
        "Retention policies",
        columns={"Saved": ago_column(), "Rules": st.column_config.TextColumn(width="medium")},
        types={"Saved": UTC, "Schedule": pa.string()},
        identity=lambda one: one.id,
    )
    if opened:
        open_page(pages.POLICIES, policy=opened.id)


def _summary(policy: Policy | None) -> dict[str, str | None]:
    if policy is None:
        return {"Registries": None, "Rules": "Not understood by this version of the console"}
    keep = sum(isinstance(rule, KeepRule) for rule in policy.rules)
    delete = sum(isinstance(rule, DeleteRule) for rule in policy.rules)
    untagged = len(policy.rules) - keep - delete
    parts = (
        f"{keep} keep" if keep else "",
        f"{delete} delete" if delete else "",
        f"{untagged} delete untagged" if untagged else "",
    )
    everywhere = "*" in policy.registries
    return {
        "Registries": "All" if everywhere else ", ".join(policy.registries),
        "Rules": f"{counted(len(policy.rules), 'rule')}: {', '.join(part for part in parts if part)}",
    }


def save(who: str, draft: Draft) -> None:
    """Saves the draft as a new version, or as a new policy, and opens it. Shows why where that fails."""
    try:
        require_permission(who, "save retention policy", draft.policy.name if draft.policy else "")
        if draft.base:
            saved = save_policy(database(), who, draft.base, draft.text)
        else:
            saved = create_policy(database(), who, draft.text)
    except ServiceError as error:
        show_error(error)
        return
    discard_draft(draft.id)
    say_done(f"{plain(saved.name)} saved as version {saved.version}.")
    change_query(policy=saved.id, **dict.fromkeys(STARTING, ""))


@dialog("Delete retention policy")
def ask_deletion(who: str, base: PolicyVersion) -> None:
    """Asks whether a policy is to be deleted, and deletes it."""
    with dialog_panel():
        st.markdown(f"**{plain(base.name)}** is removed from the list for everyone. It deletes no images.")
        if confirm(PlainPlan(), "Delete policy", effect=base):
            require_permission(who, "delete retention policy", base.name)
            delete_policy(database(), who, base)
            discard_draft(base.id)
            say_done(f"{plain(base.name)} deleted.")
            open_page(pages.POLICIES)


def show_history(draft: Draft, versions: Sequence[PolicyVersion]) -> None:
    """The versions of a policy, the newest first, and the text of one of them."""
    if draft.base is None:
        st.info("A policy has versions once it is saved.", icon=":material/history:")
        return
    chosen = selectable(
        versions,
        lambda one: {"Version": f"{one.version}", "Name": one.name, "Saved": one.saved, "Saved by": one.login or None},
        f"versions of {draft.id}",
        "Versions of the policy, the newest first",
        columns={"Saved": ago_column()},
        types={"Saved": UTC},
        identity=lambda one: one.version,
    )
    if chosen is None:
        return
    st.code(chosen.text, language="yaml")
    same = chosen.text == draft.text
    if st.button(f"Edit version {chosen.version}", icon=":material/restore:", disabled=same or not may_write()):
        draft.write(chosen.text)
        st.session_state["show"] = "Rules"
        st.rerun()
