"""One run of a schedule: what it proposed, what has changed since, and its approval by a plan that is made now."""

from collections.abc import Sequence

import streamlit as st

from services.deletion.by_policy import PolicyRun
from services.deletion.plan import Keeps
from services.deletion.running_images import list_places
from services.deletion.several import SeveralPlan
from services.policies.policy import Policy, matches
from services.policies.run_record import policy_run
from services.policies.simulation import Simulation
from services.policies.store import PolicyVersion
from services.registries.registry import Registry
from services.schedules.decisions import MOST_REASON, approve_run, approves_all, begin_job, decline_run
from services.schedules.planning import NOT_OF_POLICY
from services.schedules.runs import ProposedPart, RunState, ScheduledRun, find_run, read_parts
from services.wording import counted
from ui.deletion.activity_log import name_of
from ui.deletion.several import start_several
from ui.elements.metrics import Metric, show_metrics
from ui.elements.notices import dialog, say_done
from ui.elements.page import empty
from ui.elements.selectable_table import openable
from ui.elements.styled_table import Worded
from ui.elements.table import TEXTS, show_rows
from ui.elements.text import ago, exact, plain, short, size
from ui.elements.writing import PlainPlan, close_button, confirm, dialog_panel, may_write
from ui.jobs.follow import rerun_on_change
from ui.loaders import contents, images
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import change_query, open_page
from ui.navigation.selection import keys_of
from ui.policies.simulation import show_run
from ui.runtime import connection
from ui.runtime.background import show_progress
from ui.runtime.changes import require_permission
from ui.runtime.database import database
from ui.schedules.names import BADGES, find_registry, name_of_registry, state_words

_LISTED = 500


def sees(run: ScheduledRun, registries: Sequence[Registry]) -> bool:
    """Whether whoever sees the page may see what a run found: where each asks Azure as themselves, only of a registry
    that they see there."""
    shared = connection.is_shared() or not connection.has_sign_in()
    return shared or find_registry(run.registry, registries) is not None


def _seen_parts(who: str, run: ScheduledRun, registry: Registry | None) -> tuple[ProposedPart, ...]:
    """What a run would delete, of the repositories that whoever sees the page may list."""
    parts = read_parts(database(), run.id)
    if connection.is_shared() or not connection.has_sign_in():
        return parts
    if registry is None or not registry.login_server:
        return ()
    catalogue = registry_loaders.catalogue(who, registry.login_server)
    show_progress(catalogue, f"catalogue of the proposal {registry.id}")
    names = frozenset(catalogue.value.names)
    return tuple(one for one in parts if one.repository in names)


def show_proposal(
    who: str, version: PolicyVersion, policy: Policy, registries: Sequence[Registry], *, reading: bool
) -> None:
    """The run that the URL names; one that waits with what it would delete now, and what approves and declines it.
    `reading`: the registries are not all read yet."""
    run = find_run(database(), st.query_params["proposal"])
    if st.button("All runs", icon=":material/arrow_back:", type="tertiary"):
        change_query(proposal="", repository="")
    if run is None or run.policy != version.id:
        empty(":material/schedule:", "No such run", "It may have been removed.")
        return
    registry = find_registry(run.registry, registries)
    colour, sign = BADGES.get(run.state, ("gray", ":material/schedule:"))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f":{colour}-badge[{sign} {plain(state_words(run))}] "
            f"**{plain(name_of_registry(run.registry, registries))}** · due {ago(run.due)}",
            help=exact(run.due),
            width="content",
        )
        seen = sees(run, registries)
        if (
            seen
            and run.waits
            and not run.jobs
            and st.button("Decline proposal", icon=":material/close:", disabled=not may_write())
        ):
            _ask_decline(who, run)
    if not seen:
        st.info(
            "You don't see this registry in Azure, and so not what the run found.", icon=":material/visibility_off:"
        )
        return
    if run.state in (RunState.QUEUED, RunState.PLANNING):
        st.markdown("It is being planned: the registry is read completely.")
        rerun_on_change(lambda: _state_of(run.id), _state_of(run.id))
        return
    if run.error:
        st.error(plain(run.error), icon=":material/error:")
    if run.state is RunState.FAILED:
        st.markdown("Nothing is known of what the policy would delete.")
        return
    if not run.waits:
        _show_past(who, run, registry)
        return
    if run.state is RunState.APPROVED:
        st.warning(_begun_words(run), icon=":material/sync_problem:")
    _show_line(run)
    if run.version != version.version:
        st.warning(
            f"It was planned with version {run.version} of the policy, which has version {version.version} now. "
            "Decline it: the next run follows the new version.",
            icon=":material/sync_problem:",
        )
        _show_past(who, run, registry)
    elif registry is None:
        if not reading:
            st.error(
                "You don't see this registry now: to approve, it is planned again as you.", icon=":material/error:"
            )
            _show_past(who, run, registry)
    elif not matches(registry.name, policy.registries):
        st.error(NOT_OF_POLICY, icon=":material/error:")
        _show_past(who, run, registry)
    else:
        st.query_params["registry"] = keys_of(registries)[registry.id]
        count = contents.last_count(who, registry.login_server)
        if count and run.planned and count.at < run.planned:  # It is compared with what there is now.
            contents.forget(who, registry.login_server)
        parts = _seen_parts(who, run, registry)
        show_run(
            who,
            policy,
            registry,
            lambda plan, above: _approve(
                who, run, registry, plan, policy_run(policy, (version.id, version.version), above, run=run.id)
            ),
            show_before=lambda found: _show_changes(run, parts, found),
            parts_alone=False,
            verb="Approve and delete",
            leave=run.begun,
        )


def _begun_words(run: ScheduledRun) -> str:
    """What an approval has begun whose process ended before it began all."""
    if not run.jobs:
        return "It was approved, and no deletion was started. Approve it again, or decline it."
    begun = list_places([f"{one.repository} ({one.state})" for one in run.jobs])
    left = f"{len(run.jobs):,} of {counted(run.wanted, 'deletion')}"
    return f"It was approved, and only {left} was started: {plain(begun)}. Approve the others; see Activity for these."


def _state_of(run: str) -> object:
    found = find_run(database(), run)
    return found and state_words(found)


def _show_line(run: ScheduledRun) -> None:
    """When and what was proposed, and what is to be known of it."""
    if (figures := run.figures) is None:
        return
    least = "" if figures.exact else "≤ "
    st.markdown(
        f"Proposed {ago(run.planned)} by version {run.version}: "
        f"{counted(figures.manifests, 'manifest')} with {counted(figures.tags, 'tag')} of "
        f"{counted(figures.repositories, 'repository', 'repositories')}, {least}{size(figures.freed)}. "
        "Below: what it deletes now, as you."
    )
    for above in figures.above:
        st.warning(plain(above), icon=":material/vertical_align_top:")


def _show_changes(run: ScheduledRun, parts: Sequence[ProposedPart], found: Simulation) -> None:
    """What the plan of now deletes beyond what was proposed, and what it does not any more."""
    read = frozenset(one.name for one in found.repositories)
    # What the console found in a repository is not for whoever can't read it.
    parts = [one for one in parts if one.repository in read]
    unread = (run.figures.repositories if run.figures else 0) - len(parts)
    if unread > 0:
        st.warning(
            f"{counted(unread, 'repository', 'repositories')} of the proposal could not be read by you, or is gone: "
            "nothing of that is deleted now, and your approval does not count towards runs without one.",
            icon=":material/visibility_off:",
        )
    proposed = {(part.repository, one.digest): one.tags for part in parts for one in part.deleted}
    planned = {(one.name, item.digest): item.tags for one in found.repositories for item in one.plan.unblocked}
    more, fewer = planned.keys() - proposed.keys(), proposed.keys() - planned.keys()
    # Whether these are deleted is the question above: it was proposed with the same.
    asked = {
        (one.name, each.row.digest) for one in found.repositories for each in one.manifests if each.by == Keeps.UNASKED
    }
    fewer -= asked
    if not more and not fewer:
        if not asked and unread <= 0:
            st.success("Nothing has changed since it was proposed.", icon=":material/check_circle:")
        return
    words = [f"{len(more):,} more" if more else "", f"{len(fewer):,} no longer deleted" if fewer else ""]
    reasons = {(one.name, each.row.digest): each.reason for one in found.repositories for each in one.manifests}
    with st.expander(f"Changed since: {', '.join(filter(None, words))}", icon=":material/difference:"):
        rows = [(key, planned[key], "Deleted too") for key in sorted(more)]
        rows += [
            (key, proposed[key], f"Stays: {reasons[key]}" if key in reasons else "Not there any more")
            for key in sorted(fewer)
        ]
        show_rows(
            [
                {"Repository": name, "Manifest": short(digest), "Tags": list(tags), "Now": now}
                for (name, digest), tags, now in rows[:_LISTED]
            ],
            "What has changed since the proposal",
            key="changes since the proposal",
            columns={"Now": st.column_config.TextColumn(width="large")},
            types={"Tags": TEXTS},
        )
        if len(rows) > _LISTED:
            st.caption(f"The first {_LISTED:,} of {len(rows):,}.")


def _approve(who: str, run: ScheduledRun, registry: Registry, plan: SeveralPlan, policy: PolicyRun) -> None:
    """Records the approval, and starts the deletions as `who`. Raises ServiceError."""
    require_permission(who, "approve scheduled run", registry.name)
    left = [one for one in read_parts(database(), run.id) if one.repository not in run.begun]
    everything = approves_all(left, plan)
    approve_run(database(), who, run, len(plan.parts), everything=everything)
    start_several(
        who,
        registry,
        plan,
        within=lambda repository: lambda db, job: begin_job(db, run, repository, job),
        policy=policy,
    )


@dialog("Decline proposal")
def _ask_decline(who: str, run: ScheduledRun) -> None:
    with dialog_panel():
        st.markdown("Nothing is deleted. The next run of the schedule proposes again.")
        reason = st.text_input("Reason", max_chars=MOST_REASON, key=f"reason {run.id}")
        if confirm(PlainPlan(), "Decline proposal", ready=bool(reason.strip()), effect=run.id):
            require_permission(who, "decline scheduled run", run.registry)
            decline_run(database(), who, run, reason.strip())
            say_done("The proposal was declined.")
            st.rerun()


def _show_past(who: str, run: ScheduledRun, registry: Registry | None) -> None:
    """What a run would have deleted, or began to delete, and what was decided."""
    figures = run.figures
    if figures is None:
        return
    if run.decided:
        by = plain(name_of(run.decided_by, run.decided_login))
        reason = f": {plain(run.reason)}" if run.reason else ""
        st.markdown(f"{run.state} {ago(run.decided)} by {by}{reason}", help=exact(run.decided))
    if run.state is RunState.APPROVED and not run.approved_all:
        st.caption("Not all that was proposed was deleted: it does not count towards runs without approval.")
    for known in (*figures.above, *figures.unknown):
        st.warning(plain(known), icon=":material/help:")
    show_metrics(
        [
            Metric("Manifests", figures.manifests, beside=f"with {counted(figures.tags, 'tag')}"),
            Metric("Repositories", figures.repositories),
            Metric(
                "Frees", f"{'' if figures.exact else '≤ '}{size(figures.freed)}", beside=f"of {size(figures.total)}"
            ),
            Metric("Stay", sum(number for _, number in figures.stays), beside=_stays(run)),
        ]
    )
    states = {one.repository: one for one in run.jobs}
    parts = _seen_parts(who, run, registry)
    if len(parts) < figures.repositories:
        st.caption(f"{counted(figures.repositories - len(parts), 'repository', 'repositories')} that you don't see.")
    if not parts:
        return
    opened = openable(
        parts,
        lambda one: {
            "Repository": one.repository,
            "Manifests": len(one.deleted),
            "Tags": sum(len(each.tags) for each in one.deleted),
            "Frees": one.freed,
            "Deletion": begun.state if (begun := states.get(one.repository)) else None,
        },
        f"parts of {run.id}",
        "What the run deletes of each repository, the most bytes first",
        columns={"Frees": Worded(size, "If this repository alone is cleaned up")},
        identity=lambda one: one.repository,
    )
    if opened:
        begun = states.get(opened.repository)
        if begun and (run.decided_by == who or connection.sees_everyones_activity()):
            open_page(pages.DELETIONS, record=begun.job)
        _show_manifests(who, registry, opened)


@dialog("Manifests of the proposal", width="large")
def _show_manifests(who: str, registry: Registry | None, part: ProposedPart) -> None:
    with dialog_panel():
        st.markdown(f"**{plain(part.repository)}**")
        if registry and not connection.is_shared() and connection.has_sign_in():
            # Its tags and digests were read by the console's identity: they are for whoever may read them too.
            images.newest_tags(who, registry.login_server, part.repository)
        show_rows(
            [{"Manifest": short(one.digest), "Tags": list(one.tags)} for one in part.deleted[:_LISTED]],
            "Manifests that would be deleted",
            types={"Tags": TEXTS},
        )
        if len(part.deleted) > _LISTED:
            st.caption(f"The first {_LISTED:,} of {len(part.deleted):,}.")
        close_button()


def _stays(run: ScheduledRun) -> str:
    """'12 locked, 3 running in a cluster', the most first."""
    stays = run.figures.stays if run.figures else ()
    return ", ".join(f"{number:,} {by}" for by, number in stays[:2]) + (" …" if len(stays) > 2 else "")
