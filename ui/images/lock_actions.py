"""The dialog that sets the locks of a repository, a tag or a manifest."""

import streamlit as st

from services.commands import images as az_images
from services.connection.data_plane import RegistryClient
from services.images.locks import Lockable, meaning, set_manifest_locks, set_repository_locks, set_tag_locks
from services.images.repositories import Locks, get_manifest_row, get_repository, get_tag
from services.registries.registry import Registry
from ui.elements.text import plain, short
from ui.elements.writing import PlainPlan, confirm_and_run, dialog_panel
from ui.loaders import images as image_loaders
from ui.loaders import registries as registry_loaders
from ui.runtime import connection

_TOGGLES = {
    "delete": "Allow delete",
    "write": "Allow overwrite",
    "list": "Allow listing",
    "read": "Allow pull",
}


@st.dialog("Set locks")
def change_locks(who: str, registry: Registry, repository: str, reference: str = "") -> None:
    """Sets the locks of the repository, or with `reference` those of that tag or, for a digest, that manifest."""
    client = connection.session(who).registry(registry.login_server)
    what: Lockable = "repository" if not reference else "manifest" if ":" in reference else "tag"
    name = repository if not reference else short(reference) if what == "manifest" else reference
    with dialog_panel():
        now = _read(client, what, repository, reference)
        st.markdown(
            f"The {what} **{plain(name)}** is " + (f"locked against {now.label}." if now.any else "not locked.")
        )
        # The key has the current locks: where somebody else changes them meanwhile, the toggles show it.
        allowed = {
            lock: st.toggle(label, getattr(now, lock), key=f"{what} {repository} {reference} {lock} {now.label}")
            for lock, label in _TOGGLES.items()
        }
        wanted = Locks(**allowed)
        st.markdown(f"**{'After the change' if wanted != now else 'Now'}:** {meaning(wanted, what)}")
        line = (
            az_images.lock(registry.name, repository, reference, **allowed)
            if reference
            else az_images.lock_repository(registry.name, repository, **allowed)
        )
        confirm_and_run(
            PlainPlan(commands=(line,)),
            "Set locks",
            lambda _report: _set(client, what, repository, reference, wanted),
            lambda: _forget(who, registry, what, repository, reference),
            lambda found: (
                f"Locks of the {what} {plain(name)}: changed and verified "
                f"({f'locked against {found.label}' if found.any else 'not locked'})."
            ),
            ready=wanted != now,
        )


def _read(client: RegistryClient, what: Lockable, repository: str, reference: str) -> Locks:
    if what == "repository":
        return get_repository(client, repository).locks
    if what == "tag":
        return get_tag(client, repository, reference).locks
    return get_manifest_row(client, repository, reference).locks


def _set(client: RegistryClient, what: Lockable, repository: str, reference: str, locks: Locks) -> Locks:
    if what == "repository":
        return set_repository_locks(client, repository, locks)
    if what == "tag":
        return set_tag_locks(client, repository, reference, locks)
    return set_manifest_locks(client, repository, reference, locks)


def _forget(who: str, registry: Registry, what: Lockable, repository: str, reference: str) -> None:
    """Drops what a change of locks makes stale: it also changes the time of the last update."""
    server = registry.login_server
    if what == "repository":
        registry_loaders.catalogue.clear(who, server)
    elif what == "tag":
        image_loaders.tag.clear(who, server, repository, reference)
    else:
        image_loaders.manifest_row.clear(who, server, repository, reference)
    image_loaders.forget_repository(who, server, repository)
