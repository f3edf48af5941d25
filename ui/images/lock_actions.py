"""The dialogs that set the locks of a repository, a tag or a manifest, and of several tags or repositories at once."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from services.commands import images as az_images
from services.connection.changes import Outcome
from services.connection.data_plane import RegistryClient
from services.connection.names import image_name
from services.connection.parallel import Partial
from services.images.locks import (
    Lockable,
    change_repository_locks,
    change_tag_locks,
    meaning,
    set_manifest_locks,
    set_repository_locks,
    set_tag_locks,
)
from services.images.repositories import Locks, get_manifest_row, get_repository, get_tag
from services.jobs.changes import Answer, Change
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.errors import Part, show_partial
from ui.elements.notices import dialog
from ui.elements.outcomes import ICONS, WORDS, results_list
from ui.elements.text import as_option, plain, short
from ui.elements.writing import PlainPlan, confirm, dialog_panel
from ui.loaders import images as image_loaders
from ui.loaders import registries as registry_loaders
from ui.runtime import connection
from ui.runtime.background import Reading
from ui.runtime.changes import confirm_and_run
from ui.runtime.session_runs import RunKind, begin, show

_SHOWN_NAMES = 10
_ACTIONS = {"delete": "Delete", "write": "Overwrite", "list": "Listing", "read": "Pull"}
_TOGGLES = {
    "delete": "Allow delete",
    "write": "Allow overwrite",
    "list": "Allow listing",
    "read": "Allow pull",
}


@dialog("Set locks")
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
            f"{registry.login_server}/{image_name(repository, reference) if reference else repository}",
            lambda _report: _set(client, what, repository, reference, wanted),
            lambda: _forget(who, registry, what, repository, reference),
            lambda found: (
                f"Locks of the {what} {plain(name)}: changed and verified "
                f"({f'locked against {found.label}' if found.any else 'not locked'})."
            ),
            ready=wanted != now,
            effect=now,
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
    image_loaders.forget_changed(who, server, repository)


@dataclass(frozen=True)
class _Change:
    """New locks for tags of `repository`, or with that "" for repositories."""

    registry: Registry
    repository: str
    names: tuple[str, ...]
    changes: Mapping[str, bool]

    @property
    def what(self) -> str:
        return counted(len(self.names), "tag") if self.repository else counted(len(self.names), *_REPOSITORIES)


_RUNS = RunKind[_Change, Partial[Locks]]("locks")
_REPOSITORIES = ("repository", "repositories")
_KEEP, _ALLOW, _LOCK = "No change", "Allow", "Lock"


@dialog("Set locks")
def change_many_locks(who: str, registry: Registry, repository: str, current: Mapping[str, Locks | None]) -> None:
    """Sets locks of several tags of `repository`, or with that "" of repositories. `current`: name → its locks now, as
    far as they are known."""
    names = tuple(current)
    what = counted(len(names), "tag") if repository else counted(len(names), *_REPOSITORIES)
    st.markdown(f"**{what}:** {_some(names)}")
    changes: dict[str, bool] = {}
    for lock, label in _ACTIONS.items():
        locked = sum(1 for locks in current.values() if locks and not getattr(locks, lock))
        chosen = st.segmented_control(
            f"{label} ({locked:,} of {len(names):,} locked)" if locked else label,
            (_KEEP, _ALLOW, _LOCK),
            default=_KEEP,
            required=True,
            key=f"locks of many: {lock}",
            format_func=as_option,
        )
        if chosen != _KEEP:
            changes[lock] = chosen == _ALLOW
    if changes:
        st.markdown(f"**Each will be:** {meaning(Locks(**changes), 'tag' if repository else 'repository')}")
    plan = _Change(registry, repository, names, changes)
    if confirm(PlainPlan(commands=_commands(plan)), f"Set locks of {what}", ready=bool(changes)):
        client = connection.session(who).registry(registry.login_server)

        def work(reading: Reading[Partial[Locks] | None]) -> Partial[Locks]:
            if repository:
                return change_tag_locks(client, repository, names, changes, progress=reading.report, stop=reading.stop)
            return change_repository_locks(client, names, changes, progress=reading.report, stop=reading.stop)

        at = f"{registry.login_server}/{repository}" if repository else registry.login_server
        begin(
            _RUNS,
            secrets.token_hex(8),
            plan,
            work,
            lambda: _forget_many(who, plan),
            Change("Set locks", at, _commands(plan)),
            _results,
            verb="Setting locks of",
        )


def _results(result: Partial[Locks]) -> Answer:
    changed = ((counted(len(result.values), "item"), Outcome.CHANGED),) if result.values else ()
    return results_list(changed, result.refused, untried=result.untried)


def show_lock_changes() -> None:
    """Shows the changes of many locks that this session started, item by item, until they are dismissed."""
    show(_RUNS, _show_end, stop="Stop")


def _show_end(plan: _Change, result: Partial[Locks]) -> None:
    if changed := len(result.values):
        icon = ICONS[Outcome.CHANGED]
        st.markdown(f"{icon} Locks of {changed:,} of {plan.what}: {WORDS[Outcome.CHANGED]}.")
    show_partial(Part(result, *(("tag",) if plan.repository else _REPOSITORIES)), verb="changed")


def _commands(plan: _Change) -> tuple[str, ...]:
    if not plan.changes:
        return ()
    if plan.repository:
        return tuple(az_images.lock(plan.registry.name, plan.repository, tag, **plan.changes) for tag in plan.names)
    return tuple(az_images.lock_repository(plan.registry.name, name, **plan.changes) for name in plan.names)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN_NAMES:,} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(map(plain, names[:_SHOWN_NAMES])) + more


def _forget_many(who: str, plan: _Change) -> None:
    if plan.repository:
        for tag in plan.names:
            image_loaders.tag.clear(who, plan.registry.login_server, plan.repository, tag)
        image_loaders.forget_changed(who, plan.registry.login_server, plan.repository)
    else:
        for name in plan.names:
            _forget(who, plan.registry, "repository", name, "")
