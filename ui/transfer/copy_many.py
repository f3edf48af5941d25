"""Copying several images of one repository at once: one plan and one job."""

from collections.abc import Mapping, Sequence

import streamlit as st

from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.registries.registry import Registry
from services.transfer.copy_plan import CopyPlan, Source, read_copy_plan
from services.wording import counted
from ui.elements.errors import Part, show_partial
from ui.elements.notices import dialog
from ui.elements.writing import PlainPlan, close_button, confirm, counted_action, dialog_panel
from ui.runtime import connection
from ui.transfer.copy import (
    begin_copies,
    choose_registry,
    confirm_moves,
    effect_of,
    item_sentence,
)

# The plan of each image costs several requests, and Azure copies one after the other.
MOST_IMAGES = 50
_PLANS = "plans to copy several images"


def copy_images(who: str, registry: Registry, repository: str, tags: Mapping[str, Sequence[str]]) -> None:
    """Opens the dialog that copies images of `repository`: digest → its tags, which it keeps. Azure copies: no layer
    passes through this console."""
    st.session_state.pop(_PLANS, None)  # Each opening reads anew; while the dialog is open its plans stay.
    _ask_and_copy(who, registry, repository, tags)


@dialog("Copy images", width="medium")
def _ask_and_copy(who: str, registry: Registry, repository: str, tags: Mapping[str, Sequence[str]]) -> None:
    if len(tags) > MOST_IMAGES:
        st.info(f"Select at most {MOST_IMAGES} images to copy at once.", icon=":material/info:")
        close_button()
        return
    target = choose_registry("Target registry", who, registry)
    if target is None:
        close_button()
        return
    same = target.id == registry.id
    name = st.text_input("Repository", f"{repository}-copy" if same else repository, key=f"copy many to {target.id}")
    name = (name or "").strip()
    if not name:
        close_button()
        return
    with dialog_panel():
        read = _read_plans(who, registry, repository, target, name, tags)
        plans = read.values
        show_partial(Part(read, "image"))
        for plan in plans:
            st.markdown("\n".join(f"- {item_sentence(item, plan)}" for item in plan.items))
        todo = [plan for plan in plans if not plan.blockers and (plan.todo or plan.referrers_todo)]
        ready = confirm_moves(todo)
        if confirm(
            _joint(plans, todo),
            counted_action("Copy", len(todo), "image"),
            ready=bool(todo) and ready,
            icon=":material/content_copy:",
            effect=tuple(map(effect_of, todo)),
        ):
            begin_copies(who, todo)


def _read_plans(
    who: str, registry: Registry, repository: str, target: Registry, name: str, tags: Mapping[str, Sequence[str]]
) -> Partial[CopyPlan]:
    """The plans of all images, read once for each target: `apply_copy` reads again before it copies. An image that
    can't be read is refused by itself."""
    asked = (registry.id, repository, target.id, name, *((digest, *names) for digest, names in tags.items()))
    if st.session_state.get(_PLANS, (None,))[0] != asked:
        session = connection.session(who)
        plans: list[CopyPlan] = []
        refused: list[Refusal] = []
        with st.spinner(f"Reading {counted(len(tags), 'image')} and the target"):
            for digest, names in tags.items():
                source = Source(registry.login_server, repository, digest, registry)
                try:
                    plans.append(read_copy_plan(session, source, target, [(name, tag) for tag in names]))
                except ServiceError as error:
                    refused.append(Refusal(", ".join(names), error))
        st.session_state[_PLANS] = asked, Partial(tuple(plans), tuple(refused))
    found: Partial[CopyPlan] = st.session_state[_PLANS][1]
    return found


def _joint(plans: Sequence[CopyPlan], todo: Sequence[CopyPlan]) -> PlainPlan:
    """What all plans say, each thing once. What blocks one image blocks the others only where none is left."""
    blockers = dict.fromkeys(blocker for plan in plans for blocker in plan.blockers)
    warnings = dict.fromkeys(warning for plan in plans for warning in plan.warnings)
    return PlainPlan(
        () if todo else tuple(blockers),
        (*(tuple(blockers) if todo else ()), *warnings),
        tuple(command for plan in todo for command in plan.commands),
    )
