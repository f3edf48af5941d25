"""The registry that the session is at: the sidebar shows it, pages open on it, and a URL that names one changes it.

It is kept by session, so that two tabs may be at two registries, and by who is signed in.
"""

import streamlit as st

from ui.elements.notices import ticking
from ui.elements.text import plain
from ui.loaders import registries as registry_loaders
from ui.loaders.registries import Inventory
from ui.navigation.links import open_page
from ui.navigation.pages import CLEAN_UP, PageLink
from ui.navigation.selection import find, keys_of, not_offered, with_login_server
from ui.navigation.url_choice import choice_box
from ui.runtime.background import Reading

BOX = "registry of the sidebar"
_CHOSEN = "registry chosen in the sidebar"
# What of a page's URL stays when another registry is chosen there; the rest names something within the registry.
_KEPT = ("show", "cluster", "month", "by", "may")


def remembered(who: str) -> str:
    """The key of the registry that this session is at; "" where it is at none."""
    return str(st.session_state.get(f"registry of {who}", ""))


def follow_url(who: str, page: PageLink) -> None:
    """Remembers the registry that the URL of `page` names. Where it names none and the page is of one, the URL gets the
    remembered one, or the only one that there is."""
    _open_chosen(who, page)
    reading = registry_loaders.inventory(who)
    registries = reading.value.registries
    known = not reading.running and not reading.error and registries.complete
    if named := st.query_params.get("registry", ""):
        found = find(registries.values, named)
        if found or not known:
            _remember(who, keys_of(registries.values)[found.id] if found else named)
            if repository := st.query_params.get("repository", ""):
                st.session_state[f"repository of {who}"] = repository
    elif page.of_registry:
        only = with_login_server(registries) if known else []
        if here := remembered(who) or (only[0].name if len(only) == 1 else ""):
            st.query_params["registry"] = here


def query_of(who: str, page: PageLink) -> dict[str, str]:
    """The query with which the navigation opens `page`: the remembered registry, where the page is of one."""
    here = remembered(who)
    if not (here and page.of_registry):
        return {}
    repository = _repository(who, here) if page is CLEAN_UP else ""
    return {"registry": here, "repository": repository} if repository else {"registry": here}


def _repository(who: str, here: str) -> str:
    """The repository that was looked at last in the registry `here`; "" where none was, or it is no longer there."""
    repository = str(st.session_state.get(f"repository of {who}", ""))
    inventory = registry_loaders.inventory(who).value
    registry = find(inventory.registries.values, here)
    # A catalogue that was not read says nothing.
    catalogue = inventory.catalogues.get(registry.id) if registry else None
    if catalogue is not None and repository not in catalogue:
        return ""
    return repository


def _remember(who: str, key: str) -> None:
    if key != remembered(who):
        st.session_state[f"registry of {who}"] = key
        st.session_state.pop(f"repository of {who}", None)


def _open_chosen(who: str, page: PageLink) -> None:
    """Opens the page on the registry that was chosen in the sidebar. From a page within a registry it leads to the
    page above it, and a page that is of no registry stays as it is."""
    chosen = st.session_state.pop(_CHOSEN, None)
    if chosen is None:
        return
    _remember(who, chosen)
    target = page if page.of_registry or not page.parent else page.parent
    if not (target.of_registry or "registry" in st.query_params):
        return
    rest = [name for name in st.query_params if name not in (*_KEPT, "registry")]
    typed = [name for name in rest if isinstance(st.session_state.get(name), str)]
    if target is not page or typed:
        # A text field that is bound to the URL would keep its text without it.
        st.session_state.update(dict.fromkeys(typed, ""))
        open_page(target, **({"registry": chosen} if chosen else {}))
    # The page's widgets keep what they have in the URL: Streamlit lets nobody else set it.
    if chosen:
        st.query_params["registry"] = chosen
    else:
        st.query_params.pop("registry", None)
    for name in rest:
        if name not in st.session_state:
            del st.query_params[name]


def show_box(who: str) -> None:
    """The box in the sidebar that shows and changes the registry. Its list is read in the background."""
    reading = registry_loaders.inventory(who)
    ticking(1.0 if reading.running else None)(_box)(who, reading)


def _box(who: str, reading: Reading[Inventory]) -> bool:
    here, listed = remembered(who), reading.value.registries
    registries = with_login_server(listed)
    keys = list(keys_of(registries).values())
    known = not reading.error and listed.complete
    gone = here and here not in keys and not reading.running

    def choose(key: str) -> None:
        st.session_state[_CHOSEN] = key

    choice_box(
        "Registry" if reading.running or known else "Registry (list incomplete)",
        keys if here in keys or not here else [here, *keys],
        here,
        choose,
        name=BOX,
        nothing="No registry",
        placeholder="Reading registries…" if reading.running and not keys else "Choose one",
        tip=not_offered(listed) or None,
    )
    if gone:
        why = "was not found: it may have been deleted" if known else "is not among the registries that could be read"
        st.markdown(f":small[:material/error: {plain(here)} {why}]")
    if _CHOSEN in st.session_state:
        st.rerun()
    return False
