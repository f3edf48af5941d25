"""Changes: whether this console allows them, what is shown before one, and its button."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from services.connection.errors import ServiceError
from services.wording import counted
from ui.elements import write_permission
from ui.elements.errors import show_error
from ui.elements.page import az_lines
from ui.elements.text import plain

# The most that is shown of a plan with thousands.
SHOWN_COMMANDS = 20
SHOWN_BLOCKERS = 3
LISTED_BLOCKERS = 100
# The width of the box where a name is typed.
NAME_PX = 320
_CONFIRMED = "what was shown when a button of a plan was pressed"


class Plan(Protocol):
    """What every plan of a change has. Nothing is sent while there are `blockers`."""

    @property
    def blockers(self) -> tuple[str, ...]:
        """Why the change can't be made."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before it is made."""

    @property
    def commands(self) -> tuple[str, ...]:
        """The shell lines that do the same."""


@dataclass(frozen=True)
class PlainPlan:
    """The plan of a change that needs no plan type of its own."""

    blockers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


def may_write(*, access: bool = False) -> bool:
    """Whether this session may change anything; with `access`, whether it may change who may do what."""
    permission = write_permission.current()
    return not permission.access_reason if access else permission.allowed


def show_read_only(*, access: bool = False) -> None:
    """Says why this session may not change anything, or with `access` nobody's access, where that is so."""
    permission = write_permission.current()
    if not permission.allowed:
        st.info(f"Read-only. {plain(permission.refusal)}".strip(), icon=":material/lock:")
    elif access and permission.access_reason:
        st.info(plain(f"{permission.access_reason} {permission.remedy}"), icon=":material/lock:")


def show_objections(blockers: Iterable[str], warnings: Iterable[str] = ()) -> None:
    """Shows a plan's blockers, further ones folded, then its warnings."""
    blockers = tuple(blockers)
    for blocker in blockers[:SHOWN_BLOCKERS]:
        st.error(plain(blocker), icon=":material/block:")
    if further := blockers[SHOWN_BLOCKERS:]:
        with st.expander(counted(len(further), "more reason"), icon=":material/block:"):
            st.markdown("\n".join(f"- {plain(blocker)}" for blocker in further[:LISTED_BLOCKERS]))
            if len(further) > LISTED_BLOCKERS:
                st.markdown(f"{len(further) - LISTED_BLOCKERS:,} more, not shown.")
    for warning in warnings:
        st.warning(plain(warning), icon=":material/warning:")


def confirm(
    plan: Plan,
    label: str,
    *,
    typed: str = "",
    ready: bool = True,
    icon: str | None = None,
    in_dialog: bool = True,
    notices: DeltaGenerator | None = None,
    commands: DeltaGenerator | None = None,
    cancel: Callable[[], None] | None = None,
    effect: object = None,
    access: bool = False,
) -> bool:
    """Shows what `plan` says and the button `label`; returns whether it was pressed for this plan.

    The run of the click plans again. Where its label, warnings, commands or `effect` (what the commands do not say,
    such as the digest that a tag is removed from) are not those that the button was shown with, nothing is confirmed:
    the new plan is shown.
    `typed`: a name that has to be typed first. `ready`: whether everything else is filled in. On a page, where
    `in_dialog` is False, Cancel calls `cancel`, and there is none without it; the commands are in a closed expander.
    `access`: it changes who may do what. `notices`, `commands`: where blockers and warnings, and the commands, are
    shown, where that is not here.
    """
    with notices or st.container():
        show_objections(plan.blockers, plan.warnings)
    if in_dialog:
        _show_commands(plan.commands)
    show_read_only(access=access)
    kept = f"{_CONFIRMED} {'in a dialog' if in_dialog else 'on a page'}"
    shown = (label, plan.warnings, plan.commands, effect)
    disabled = not ready or bool(plan.blockers) or not may_write(access=access)
    if typed:
        st.markdown(f"Type **{plain(typed)}** to confirm")
    with st.container(horizontal=True):
        if typed:
            # The name is no part of the label, which would be read aloud with the escapes of markdown.
            answer = st.text_input(
                "Type the name to confirm",
                key=f"confirm {typed}{_again(typed, shown)}",
                label_visibility="collapsed",
                placeholder=typed,
                width=NAME_PX,
            )
            disabled |= answer.strip() != typed
        pressed = st.button(
            label,
            key=f"do {label}",
            type="primary",
            icon=icon,
            disabled=disabled,
            on_click=st.session_state.__setitem__,
            args=(kept, shown),
        )
        if in_dialog:
            close_button()
        elif cancel and st.button("Cancel", key=f"cancel {label}"):
            cancel()
    # A dialog has one button of a plan, whose label may have changed with it; a page may have several.
    confirmed = st.session_state.pop(kept, None) if pressed or in_dialog else None
    changed = (pressed or confirmed is not None) and confirmed != shown
    if changed:
        st.warning("Changed meanwhile. Nothing was done: check the new plan.", icon=":material/sync_problem:")
    if not in_dialog and plan.commands:
        with commands or st.container():
            az_lines(*_first_commands(plan.commands))
    return pressed and not changed and not disabled


def pressed_in_dialog() -> bool:
    """Whether the button of a dialog's plan was pressed in this run, asked before `confirm`: to read anew what it
    confirms."""
    return f"{_CONFIRMED} in a dialog" in st.session_state


def _again(typed: str, shown: object) -> str:
    """Another text for each further plan that the name `typed` is asked for: what was typed for one confirms no
    other."""
    key = f"the plan that {typed} confirms"
    number, last = st.session_state.get(key, (0, shown))
    if last != shown:
        number += 1
    st.session_state[key] = number, shown
    return f" {number}" if number else ""


def close_button(label: str = "Cancel", key: str = "cancel") -> None:
    """The button that closes a dialog: Cancel where a change could still be made, else Close."""
    if st.button(label, key=key):
        st.rerun()


@contextmanager
def dialog_panel() -> Iterator[None]:
    """As `panel`, for a dialog: where it can't show its buttons, it still has the one that closes it."""
    try:
        yield
    except ServiceError as error:
        show_error(error)
        close_button(key="cancel after an error")


def counted_action(verb: str, number: int, one: str) -> str:
    """The label of a button: Delete 3 manifests; Delete manifests where there is none to delete."""
    return f"{verb} {counted(number, one)}" if number else f"{verb} {one}s"


def _first_commands(commands: Sequence[str]) -> list[str]:
    more = [f"# … and {len(commands) - SHOWN_COMMANDS:,} more"] if len(commands) > SHOWN_COMMANDS else []
    return [*commands[:SHOWN_COMMANDS], *more]


def _show_commands(commands: Sequence[str]) -> None:
    """Shows the commands, only the first of them where there are many."""
    if commands:
        st.code("\n".join(_first_commands(commands)), language=None, wrap_lines=True)
