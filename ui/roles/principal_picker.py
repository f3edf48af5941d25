"""Choosing a principal by name: the directory is searched, and the identities of clusters by the cluster's name."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from services.access.directory import Named
from services.connection.names import is_guid
from services.connection.parallel import Partial
from services.roles.planned_assignment import PrincipalType
from ui.elements.errors import Part, show_partial
from ui.elements.selectable_table import selectable
from ui.elements.text import as_option, plain
from ui.loaders.principals import PrincipalNames, search

KINDS: tuple[PrincipalType, ...] = get_args(PrincipalType)
KIND_WORDS: dict[PrincipalType, str] = {
    "User": "user",
    "Group": "group",
    "ServicePrincipal": "service principal",
}
_TYPES: dict[str, PrincipalType] = {
    "user": "User",
    "group": "Group",
    "service principal": "ServicePrincipal",
    "managed identity": "ServicePrincipal",
}
_SEARCH = "principal to search"


@dataclass(frozen=True)
class _Candidate:
    """A principal that can be chosen. `more`: what tells it from another of its name."""

    id: str
    name: str
    kind: str
    more: str


def choose_principal(who: str, names: PrincipalNames, below: DeltaGenerator) -> tuple[str, PrincipalType]:
    """The object id and kind that the URL names, with a way to change them; a search where it names none, with what it
    finds `below`, and then "" for the id."""
    principal = st.query_params.get("principal", "").strip()
    if not principal:
        text = _ask_text()
        if text:
            with below:
                _show_found(who, names, text)
        return "", "ServicePrincipal"
    return principal, _show_chosen(principal, names)


def _show_chosen(principal: str, names: PrincipalNames) -> PrincipalType:
    known = names.directory.by_id.get(principal.lower())
    st.markdown(":small[Principal]")
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        sign_in = names.sign_in(principal)
        kind_of_it = names.role_in_clusters(principal) or names.kind(principal)
        details = f"{kind_of_it} · {sign_in}" if known and known.kind == "user" else kind_of_it
        ids = [f"Object id: `{principal}`"] + ([f"Client id: `{sign_in}`"] if is_guid(sign_in) else [])
        st.markdown(f"**{plain(names.label(principal))}**  \n{plain(details)}", help="  \n".join(ids), width="content")
        st.button("Change", icon=":material/edit:", on_click=_forget)
    if not is_guid(principal):
        st.error("Not an object id: search for the principal by its name instead.", icon=":material/error:")
    if known and known.kind in _TYPES:
        return _TYPES[known.kind]
    asked = st.query_params.get("kind", "")
    kind = st.segmented_control(
        "Kind",
        KINDS,
        default=asked if asked in KINDS else "ServicePrincipal",
        format_func=lambda kind: as_option(KIND_WORDS[kind].capitalize()),
        required=True,
        key="kind to assign to",
        help="Managed identities are service principals.",
    )
    return kind or "ServicePrincipal"


def _forget() -> None:
    st.query_params.pop("principal", None)
    st.query_params.pop("kind", None)
    st.session_state.pop("kind to assign to", None)


def _choose(candidate: _Candidate) -> None:
    st.query_params["principal"] = candidate.id
    st.query_params["kind"] = _TYPES.get(candidate.kind, "ServicePrincipal")
    st.session_state.pop("kind to assign to", None)


def _ask_text() -> str:
    text = st.text_input(
        "Principal",
        key=_SEARCH,
        type="search",
        placeholder="Name, e-mail, cluster, client id or object id",
        help="Searches users, groups, service principals and managed identities, and the identities of clusters.",
    )
    return (text or "").strip()


def _show_found(who: str, names: PrincipalNames, text: str) -> None:
    result = search(who, text).value
    show_partial(Part(Partial((), result.refused), "part of the directory", "parts of the directory"))
    found = _candidates(result.found, names, text)
    if found:
        selectable(
            found,
            lambda one: {
                "Name": one.name,
                "Kind": one.kind,
                "Sign-in name or client id": one.more,
                "Object id": one.id,
            },
            "principals found",
            "Principals that the search finds, one per row",
            identity=lambda one: one.id,
            on_select=_choose,
        )
        if result.more:
            st.caption("The directory has more: type more of the name.")
    elif not result.refused:
        st.info(f"The directory has nobody that “{plain(text)}” finds.", icon=":material/person_off:")
    if is_guid(text) and text.lower() not in {one.id.lower() for one in found}:
        unread = " It could not be looked up." if result.refused else " It is not in the directory."
        st.markdown(f"An object id can be used as it is.{unread}")
        st.button("Use this object id", on_click=_choose, args=(_Candidate(text, "", "", ""),))
    elif result.refused:
        st.caption("Paste an object id to choose a principal without the directory.")


def _candidates(found: Iterable[Named], names: PrincipalNames, text: str) -> list[_Candidate]:
    of_clusters = [
        _Candidate(one, names.name(one), names.role_in_clusters(one), names.sign_in(one))
        for one, whose in names.of_clusters.items()
        if text.casefold() in whose.casefold() or text.casefold() == one
    ]
    listed = {one.id for one in of_clusters}
    return of_clusters + [
        _Candidate(one.id, one.name or names.label(one.id), one.kind, one.sign_in)
        for one in found
        if one.id.lower() not in listed
    ]
