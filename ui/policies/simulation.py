"""A policy simulated over a registry, and run there: what goes, what stays and why, and what that saves."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import pyarrow as pa
import streamlit as st

from services.connection.changes import changed
from services.connection.parallel import Partial
from services.deletion.plan import Keeps
from services.deletion.several import SeveralPlan
from services.estate.potential import saving_of
from services.policies.decisions import LastPulls, RepositoryDecisions
from services.policies.policy import Policy, describe_rule, matches, policy_warnings
from services.policies.pulls import last_pulls, newly_pulled, rules_by_pull, waits_for_pulls
from services.policies.run_record import policy_run
from services.policies.simulation import Simulation, above_ceiling, plan_run, simulate
from services.pricing.money import money
from services.pulls.pulls import RegistryPulls, read_pulls
from services.registries.registry import Registry
from services.wording import counted
from ui.deletion.places import Places, confirm_deletion, make_places
from ui.deletion.plan import require_time_of_plan, time_of_plan
from ui.deletion.running import RunningOf, running_images
from ui.deletion.several import show_several, start_several
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.notices import dialog
from ui.elements.page import empty
from ui.elements.skeleton import Shape
from ui.elements.table import show_rows
from ui.elements.text import ago, plain
from ui.elements.writing import PlainPlan, confirm, counted_action, dialog_panel
from ui.images.registry_contents import registry_contents
from ui.loaders import contents as contents_loader
from ui.loaders import registries as registry_loaders
from ui.loaders.pulls import registry_pulls, unread_pulls
from ui.navigation import pages
from ui.navigation.links import change_query, open_page
from ui.navigation.place import remembered
from ui.navigation.selection import find, key_of, keys_of, with_login_server
from ui.navigation.url_choice import check_url
from ui.policies.many import prices_by_region, show_many
from ui.pulls.columns import CACHED
from ui.pulls.logging import offer_logging
from ui.runtime import connection
from ui.runtime.background import show_progress

# Runs a plan, of which this is above the policy's ceiling, a sentence each.
Begin = Callable[[SeveralPlan, tuple[str, ...]], None]
# Where no rule asks for them, they are not read.
NO_PULLS = RegistryPulls(why=LastPulls().why)
_FAIL = "Pulls of these images fail afterwards, by tag and by digest."
ONE, MANY = "One registry", "Several registries"
_NEXT = "what the policy is simulated over next"


def choose_registry(who: str, policy: Policy) -> Registry | None:
    """The registry that is chosen among those that the policy is for; None where there is none, or it is not known."""
    reading = registry_loaders.inventory(who)
    show_progress(reading, "inventory", shape=None if reading.value.registries.values else Shape.LINE)
    listed = reading.value.registries
    found = [one for one in with_login_server(listed) if matches(one.name, policy.registries)]
    keys = keys_of(listed.values)
    by_key = {keys[one.id]: one for one in sorted(found, key=_largest_first)}
    if reading.error:
        show_error(reading.error)
        return None
    if not by_key:
        if reading.running:
            return None
        show_partial(Part(listed, "subscription"))
        if listed.complete:
            empty(":material/inventory_2:", "No registry of this policy", "Its patterns match none that you see.")
        else:
            st.markdown("Unknown which registries the policy is for: not every subscription could be read.")
        return None
    named = st.query_params.get("registry", "")
    known = find(by_key.values(), named or remembered(who))
    # Another registry in place of one that may be there would be shown as that one.
    unread = bool(named) and known is None and not listed.complete
    first = list(by_key).index(keys[known.id]) if known else None if unread else 0

    def remember() -> None:
        st.query_params["registry"] = st.session_state["registry of the policy"]
        st.query_params.pop("repository", None)

    chosen = st.selectbox(
        "Registry", list(by_key), first, key="registry of the policy", on_change=remember, width=420,
        help="Those that the policy is for", placeholder="Choose one",
    )  # fmt: skip
    if listed.refused:
        show_partial(Part(listed, "subscription"))
    if chosen is None:
        st.markdown(f"Unknown whether {plain(named)} is there: not every subscription could be read.")
        return None
    if named != chosen:
        st.query_params["registry"] = chosen
    return by_key[chosen]


def _largest_first(registry: Registry) -> tuple[int, str, str]:
    return -(registry.stored_bytes or 0), registry.name.casefold(), registry.id


def read_contents(who: str, registry: Registry) -> contents_loader.StorageCount:
    """The contents of the registry. Stops the page until they are read."""
    catalogue = registry_loaders.catalogue(who, registry.login_server)
    show_progress(catalogue, f"catalogue {registry.id}", shape=Shape.PLAN)
    if catalogue.error:
        show_error(catalogue.error)
    if catalogue.error or catalogue.running:
        st.stop()
    return registry_contents(who, registry, catalogue.value)


def show_simulation(who: str, policy: Policy, saved: tuple[str, int] | None, *, edited: bool) -> None:
    """The simulation of the policy over the chosen registry, with the button that runs it; or over many registries.
    `saved` and `edited` as in `policy_run`."""
    if wanted := st.session_state.pop(_NEXT, None):
        st.session_state["over"] = wanted
    check_url("over", "choice", (ONE, MANY))
    over = st.radio(
        "Simulate over", (ONE, MANY), horizontal=True, key="over", bind="query-params", label_visibility="collapsed"
    )
    if over == MANY:
        if opened := show_many(who, policy):
            st.session_state[_NEXT] = ONE
            change_query(registry=key_of(opened, registry_loaders.inventory(who).value.registries.values))
        return
    registry = choose_registry(who, policy)
    if registry is None:
        return
    show_run(
        who,
        policy,
        registry,
        lambda plan, above: start_several(who, registry, plan, policy=policy_run(policy, saved, above, edited=edited)),
    )


def show_run(
    who: str,
    policy: Policy,
    registry: Registry,
    begin: Begin,
    *,
    show_before: Callable[[Simulation], None] = lambda _found: None,
    parts_alone: bool = True,
    verb: str = "Delete",
    leave: Collection[str] = (),
) -> None:
    """The simulation of the policy over a registry, with the button `verb` that runs it by `begin`. `show_before` shows
    what is to be known of it first; `parts_alone`: whether one repository alone may be run; `leave`: repositories of
    which it deletes nothing."""
    count = read_contents(who, registry)
    places = make_places()
    running = running_images(places, who, registry, count.contents.values, by_name=False)
    pulls = read_policy_pulls(who, registry, policy)
    with places.notices:
        unread = tuple(refusal for one in count.contents.values for refusal in one.unread)
        untried = sum(one.untried for one in count.contents.values)
        show_partial(
            Part(Partial((), count.contents.refused, count.contents.untried), "repository", "repositories"),
            Part(Partial((), unread, untried), "manifest"),
            unread_pulls(pulls),
        )
        _warn(policy, pulls)
        if waits_for_pulls(policy):
            offer_logging(who, registry, registry_pulls(who, registry))
    found = simulated(policy, registry, count, running, pulls)
    with places.notices:
        show_before(found)
    _show(places, who, registry, policy, found, count.at, pulls, begin, parts_alone=parts_alone, verb=verb, leave=leave)


def read_policy_pulls(who: str, registry: Registry, *policies: Policy) -> RegistryPulls:
    """The last pulls, where a rule of the policies asks for them. Stops the page until they are read."""
    if not any(map(waits_for_pulls, policies)):
        return NO_PULLS
    reading = registry_pulls(who, registry)
    show_progress(reading, f"pulls of {registry.id}", stop="", shape=Shape.PLAN)
    if reading.error:
        show_error(reading.error)
    if reading.error or reading.running:
        st.stop()
    return reading.value


def simulated(
    policy: Policy,
    registry: Registry,
    count: contents_loader.StorageCount,
    running: RunningOf,
    pulls: RegistryPulls,
) -> Simulation:
    """The simulation over what was read of a registry. The last ones are kept for the session, as long as nothing of it
    changes."""
    now = time_of_plan()
    runs = {one.name: running(one) for one in count.contents.values}
    facts = tuple((tuple(one.places), one.unasked, one.accept_unasked) for one in runs.values())
    key = (policy, registry.id, count.at, facts, now, pulls)
    kept: dict[object, Simulation] = st.session_state.setdefault("simulations", {})
    if key not in kept:
        while len(kept) > 1:
            kept.pop(next(iter(kept)))
        kept[key] = simulate(
            policy,
            count.contents,
            now,
            registry=registry.name,
            running=lambda one: runs[one.name],
            pulls=last_pulls(pulls, count.contents.values),
            unknown_pulls=LastPulls(why=pulls.why),
        )
    return kept[key]


def _warn(policy: Policy, pulls: RegistryPulls) -> None:
    for warning in policy_warnings(policy):
        st.warning(plain(warning), icon=":material/warning:")
    if (waiting := rules_by_pull(policy)) and not pulls.since:
        st.info(f"{plain(pulls.why)} So {plain(', '.join(waiting))} deletes nothing by its last pull.",
                icon=":material/help:")  # fmt: skip
    elif waiting:
        st.caption(f"Pulls are logged since {pulls.since:%Y-%m-%d}. {CACHED}")


def _show(
    places: Places,
    who: str,
    registry: Registry,
    policy: Policy,
    found: Simulation,
    at: datetime,
    pulls: RegistryPulls,
    begin: Begin,
    *,
    parts_alone: bool,
    verb: str,
    leave: Collection[str],
) -> None:
    only = st.query_params.get("repository", "")
    decisions = [one for one in found.repositories if one.name not in leave and (not only or one.name == only)]
    if only:
        with places.notices, st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Repository **{plain(only)}** alone", width="content")
            if st.button("Show all repositories", type="tertiary"):
                change_query(repository="")
    plan = plan_run(decisions)
    show_several(places, who, registry, plan)
    with places.figures:
        _show_line(who, registry, found, at)
    with places.folded:
        _show_rules(policy, found)
    number = sum(len(part.deleted) for part in plan.parts)
    if not number:
        with places.question:
            _show_nothing(decisions)
        return
    if only and not parts_alone:
        return
    above = above_ceiling(found, policy.ceiling)

    def start() -> None:
        require_time_of_plan(who, registry, f"Could not begin the run on {registry.name}", time_of_plan())
        if waits_for_pulls(policy):
            _check_pulls(who, registry, plan, pulls)
        if above:
            _ask_again(plan, above, begin)
        else:
            begin(plan, above)

    confirm_deletion(
        places,
        plan,
        counted_action(verb, number, "manifest"),
        f"{counted(number, 'manifest')} of {counted(len(plan.parts), 'repository', 'repositories')} in "
        f"{plain(registry.name)}. {_FAIL}",
        start,
        lambda: open_page(pages.POLICIES),
        typed=counted(number, "manifest"),
        ready=bool(plan.parts),
        effect=[part.plan for part in plan.parts],
    )


def _check_pulls(who: str, registry: Registry, plan: SeveralPlan, pulls: RegistryPulls) -> None:
    """Reads the logs again. Raises ServiceError where what would be deleted was pulled since, or pulls are unknown."""
    title = f"Could not begin the run on {registry.name}"
    now = read_pulls(connection.session(who), registry)
    registry_pulls.clear(who, registry)
    if now.since is None:
        raise changed(title, now.why)
    deleted = {part.name: [(one.item.digest, one.item.tags) for one in part.deleted] for part in plan.parts}
    if found := newly_pulled(pulls, now, deleted):
        more = f" and {len(found) - 1:,} more" if len(found) > 1 else ""
        raise changed(title, f"Pulled since it was simulated: {found[0]}{more}.")


def _show_nothing(decisions: Sequence[RepositoryDecisions]) -> None:
    """Says that nothing is deleted, and what keeps those that the rules choose."""
    reasons = set(map(str, Keeps))
    kept = Counter(one.by for repository in decisions for one in repository.manifests if one.rule and one.by in reasons)
    if kept:
        words = ", ".join(f"{number:,} {by}" for by, number in kept.most_common())
        st.warning(f"Nothing to delete. Chosen by the rules, and kept: {words}.", icon=":material/block:")
    else:
        st.info("Nothing to delete: every manifest stays.", icon=":material/check_circle:")


def _show_line(who: str, registry: Registry, found: Simulation, at: datetime) -> None:
    """The saving of a month, and when what is simulated was read."""
    parts = [_saved_words(who, registry, found)] if found.deleted else []
    runs = sum(number for by, number in found.by_reason if by == Keeps.RUNS)
    if runs:
        parts.append(f"{counted(runs, 'manifest stays, since it runs', 'manifests stay, since they run')}")
    st.markdown(" · ".join((*parts, f":gray[Registry read {ago(at)}]")))


def _saved_words(who: str, registry: Registry, found: Simulation) -> str:
    """'**EUR 1.60** saved a month', or why nothing is, or why that is unknown."""
    prices, _, reading = prices_by_region(who, (registry,))
    saving = saving_of(registry, found.freed, prices.get(registry.location))
    if reading:
        return "Saving: prices are being read"
    if saving.amount is None:
        return f"Saving unknown: {plain(saving.why)}"
    if not saving.amount:
        return f"Nothing saved: {plain(saving.why.lower())}"
    return f"**{'' if found.exact else 'At most '}{money(saving.amount, saving.currency)}** saved a month"


def _show_rules(policy: Policy, found: Simulation) -> None:
    words = {rule.name: describe_rule(rule) for rule in policy.rules}
    with st.expander("By rule", icon=":material/rule:", expanded=True):
        if not found.exact:
            st.markdown("Unknown by rule: not every repository and manifest could be read.")
            return
        show_rows(
            [
                {
                    "Rule": one.rule or "No rule",
                    "Does": words.get(one.rule),
                    "Deletes": one.deleted,
                    "Stay": one.kept,
                }
                for one in found.by_rule
            ],
            "What each rule deletes and what stays by it",
            key="rules of the simulation",
            columns={
                "Does": st.column_config.TextColumn(width="large"),
                "Deletes": st.column_config.NumberColumn("Manifests deleted"),
                "Stay": st.column_config.NumberColumn(
                    "Manifests that stay",
                    help="Those that it keeps, and those that it chose and that stay anyway",
                ),
            },
            types={"Does": pa.string()},
        )


@dialog("More than the policy's ceiling")
def _ask_again(plan: SeveralPlan, above: tuple[str, ...], begin: Begin) -> None:
    with dialog_panel():
        number = sum(len(part.deleted) for part in plan.parts)
        label = counted_action("Delete", number, "manifest")
        if confirm(PlainPlan(warnings=above), f"{label} anyway", effect=[part.plan for part in plan.parts]):
            begin(plan, above)
