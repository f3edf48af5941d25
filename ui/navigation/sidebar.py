"""The sidebar: the sections with their pages, the one that is open marked, and who is signed in."""

from collections.abc import Sequence

import streamlit as st

from services.connection.session import Identity
from services.connection.version import VERSION
from ui.elements.text import plain
from ui.navigation.pages import PAGES, PageLink
from ui.navigation.place import query_of

SANDBOX = "Sandbox"
# The console asks Azure as the identity of the machine that it runs on.
SIGN_OUT = "Run `az logout` where the console runs, or remove its `AZURE_…` variables, and start it again"


def show_navigation(who: str, current: PageLink) -> None:
    """A link to each listed page, by section, on the remembered registry. Streamlit marks the open
    page; of one that is not listed, its parent is bold."""
    parent = current.parent or current
    section = ""
    for page in (one for one in PAGES if not one.parent):
        if page.section != section:
            section = page.section
            st.markdown(f":small[{section}]")
        label = f":primary[**{page.title}**]" if page is parent else page.title
        st.page_link(page.path, label=label, icon=page.icon, width="stretch", query_params=query_of(who, page) or None)


def show_identity(
    identity: Identity, cloud: str, *, has_sign_in: bool, asking: Identity | None = None, roles: Sequence[str] = ()
) -> None:
    """Who is signed in and to which cloud; the ids and how to sign out on demand. `asking`: as whom Azure is asked,
    where that is not who is signed in."""
    with st.popover(plain(identity.name or "No name"), icon=":material/account_circle:", width="stretch"):
        facts = {
            "Signed in as": plain(identity.name or "An identity without a name"),
            **({"Sign-in name": plain(identity.login)} if identity.login else {}),
            **({"App role": plain(", ".join(roles))} if roles else {}),
            **({"Azure is asked as": plain(f"{asking.name} ({asking.object_id})")} if asking else {}),
            **({"Rights": "Your own roles in Azure"} if has_sign_in and not asking else {}),
            "Cloud": plain(cloud),
            "Tenant id": plain(identity.tenant_id),
            "Object id": plain(identity.object_id),
        }
        if cloud != SANDBOX and not has_sign_in:
            facts["Sign out"] = SIGN_OUT
        st.table(facts, border="horizontal")
        # In a popover of the sidebar a button's plain text would have the page's colour.
        if has_sign_in and st.button(":primary[:material/logout: Sign out]", width="stretch"):
            st.logout()  # By the console's own route /auth/logout.
            st.stop()
    if asking:
        name = plain(asking.name or "the console's identity")
        st.markdown(f":small[Azure is asked as {name}, for everyone]")
    st.markdown(f":small[{plain(cloud)} · ACR Console {VERSION}]")


def show_sample_data(cloud: str) -> None:
    """Says on every page that what is shown is the sandbox's."""
    if cloud == SANDBOX:
        st.markdown(":small[:material/science: Sandbox: sample data]")
