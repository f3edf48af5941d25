"""Choices that the URL names and a page does not have: said, with the nearest offered. Nothing is silently replaced."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TypeVar

import streamlit as st

from ui.elements.text import as_option, plain

Kept = TypeVar("Kept")

_PAGE = "the page whose address was checked"
_WRONG = "what the address names and the page does not have"
_KEPT = "what does not change during a visit of the page"
_SUBJECT = "what the address named in the last run"
# What an address names beside filters and tabs.
_NAMES = (
    *("registry", "repository", "reference", "with", "with_registry", "with_repository"),
    *("token", "webhook", "record", "cluster", "principal", "proposal"),
)


def enter_page(address: str) -> None:
    """Forgets what belongs to the visit of another page."""
    if st.session_state.get(_PAGE) != address:
        st.session_state[_PAGE] = address
        st.session_state.pop(_WRONG, None)
        st.session_state.pop(_KEPT, None)


def confirm_url() -> None:
    """Sends the query to the browser where what it names changed.

    Streamlit's browser part sends with each widget the query that it got last from here. A link to the page that is
    open, or the browser's Back, changes the address without that: the next button would run the page for the former
    one.
    """
    named = {name: given for name in _NAMES if (given := st.query_params.get_all(name))}
    before = st.session_state.get(_SUBJECT)
    st.session_state[_SUBJECT] = named
    if before not in (None, named):
        st.query_params.update()


def keep_for_visit(key: Hashable, value: Kept) -> Kept:
    """The first `value` that was given under `key` since the page was entered: what does not change while a person is
    on it."""
    kept: dict[Hashable, Kept] = st.session_state.setdefault(_KEPT, {})
    return kept.setdefault(key, value)


def check_url(name: str, what: str, options: Sequence[str], *, bound: bool = True) -> bool:
    """Whether `?name=` is one of `options`; else says that it is not, and offers the nearest. For a widget with the key
    `name` that is bound to the URL, before it is shown: Streamlit drops a value that it does not know. `what` says what
    is named: "tab". `bound`: whether Streamlit keeps the widget in the URL, or the page does."""
    return _check(name, what, lambda one: one in options, lambda wrong: nearest(wrong, options), bound=bound)


def widget_key(name: str, shown: object) -> str:
    """The key of the widget `name` whose default is `shown`, a value that more than the widget itself changes: another
    widget takes its place where something else did.

    A value that is set through the session reaches the browser after what the browser sent in between, or not at all:
    what a person chooses at that moment is undone, or an empty box counts as a choice.
    """
    number, before = st.session_state.get(f"{name}: number and default", (0, shown))
    if st.session_state.get(f"{name} {number}", before) != shown:
        number += 1
    st.session_state[f"{name}: number and default"] = number, shown
    return f"{name} {number}"


def choice_box(
    label: str,
    options: Sequence[str],
    shown: str,
    on_choice: Callable[[str], None],
    *,
    name: str,
    nothing: str,
    placeholder: str,
    tip: str | None,
) -> None:
    """A box of `options` that shows one of them, "" for none, for a value that more than the box changes: it is in the
    URL, or kept for the session. `on_choice` is called with what was chosen, "" for `nothing`, before the page runs
    for it. Streamlit's own cross is no choice: a box that the browser has not filled yet sends the same."""
    key = widget_key(name, shown or None)
    offered = ["", *options] if shown else list(options)
    st.selectbox(
        label,
        offered,
        offered.index(shown) if shown else None,
        format_func=lambda one: one or nothing,
        key=key,
        placeholder=placeholder,
        on_change=lambda: on_choice(st.session_state[key] or ""),
        help=tip,
    )


def choose_pills(name: str, what: str, labels: Mapping[str, str], *, tip: str | None = None) -> list[str]:
    """The options, of option → label (markdown), that `?name=` has and that can be changed here. `what`: of what they
    are, "Findings". Streamlit itself would write the labels to the URL, which change with the counts in them."""
    check_url(name, what.lower(), list(labels), bound=False)
    chosen = [option for option in st.query_params.get_all(name) if option in labels]
    key = widget_key(name, chosen)

    def remember() -> None:
        st.query_params[name] = st.session_state[key]

    def write(option: str) -> str:
        # Streamlit's tint of a chosen option is hardly seen in the dark theme.
        label = labels.get(option, option)
        return as_option(f"**{label}**" if option in chosen else label)

    return st.pills(
        what,
        list(labels),
        selection_mode="multi",
        default=chosen,
        key=key,
        on_change=remember,
        format_func=write,
        help=tip,
    )


def check_number(name: str, what: str, low: int, high: int) -> bool:
    """As `check_url`, for a whole number from `low` to `high`."""

    def fits(text: str) -> bool:
        return text.isascii() and text.isdecimal() and low <= int(text) <= high

    return _check(name, what, fits, lambda _wrong: None)


def _check(
    name: str, what: str, fits: Callable[[str], bool], like: Callable[[str], str | None], *, bound: bool = True
) -> bool:
    wrong: dict[str, str] = st.session_state.setdefault(_WRONG, {})
    given = st.query_params.get_all(name)
    if unknown := [one for one in given if not fits(one)]:
        wrong[name] = unknown[0]
    elif given:
        wrong.pop(name, None)
    if name not in wrong:
        return True

    def choose(option: str) -> None:
        wrong.pop(name, None)
        if not bound:
            st.query_params[name] = option
            return
        several = isinstance(st.session_state.get(name), list)
        st.session_state[name] = [option] if several else option

    def ignore() -> None:
        wrong.pop(name, None)
        if not bound:
            st.query_params.pop(name, None)

    st.warning(
        f"The address names the {what} {plain(wrong[name][:80])}, which does not exist.", icon=":material/link_off:"
    )
    if near := like(wrong[name]):
        st.button(f"Show {plain(near)}", icon=":material/arrow_forward:", on_click=choose, args=(near,), key=f"{name}?")
    else:
        st.button("Ignore it", icon=":material/close:", on_click=ignore, key=f"{name}?")
    return False


def nearest(wrong: str, names: Iterable[str]) -> str | None:
    """The name that is most like `wrong`, whatever its case; None where none is like it."""
    by_fold = {name.casefold(): name for name in names}
    found = get_close_matches(wrong.casefold(), list(by_fold), 1, 0.6)
    return by_fold[found[0]] if found else None


def offer_nearest(parameter: str, wrong: str, names: Iterable[str]) -> None:
    """A button that opens the same page with the nearest of `names` in place of `wrong`."""
    near = nearest(wrong, names)
    if near and st.button(f"Open {plain(near)}", icon=":material/arrow_forward:", key=f"nearest {parameter}"):
        st.query_params[parameter] = near
        st.rerun()
