"""Cleans up one repository or several: choose tags or images by a rule or by name, see the plan, run it."""

from collections.abc import Callable

import streamlit as st

from services.commands import images as az_images
from services.deletion.cleanup_rules import Chosen, Rule, choose
from services.deletion.plan import DeletionPlan, Keeps, plan_deletion
from services.deletion.plan_rows import deleted_manifests, kept_manifests
from services.deletion.running_images import list_places
from services.deletion.several import plan_cleanup_of, plan_several
from services.images.repository_contents import RepositoryContents
from services.images.tagging import UntagPlan, plan_untag
from services.wording import counted
from ui.deletion import deletions
from ui.deletion.cleanup_form import ask_names, ask_rule
from ui.deletion.places import Places, confirm_deletion, make_places
from ui.deletion.plan import contents_of, contents_of_several, require_time_of_plan, time_of_plan
from ui.deletion.plan_view import show_deletion
from ui.deletion.repository_choice import choose_repository
from ui.deletion.running import offer_running, running_images
from ui.deletion.several import show_several, start_several
from ui.deletion.untag_view import show_untag
from ui.elements.page import az_lines, empty, header
from ui.elements.text import plain
from ui.elements.writing import counted_action
from ui.loaders import images as image_loaders
from ui.loaders import running as running_loader
from ui.navigation import pages, selection
from ui.navigation.links import last_step, open_page, registry_steps
from ui.navigation.url_choice import check_url
from ui.policies.starting import link_to_policy_of
from ui.runtime import connection

BY_RULE, BY_NAME = "By rule", "By name"
IMAGES, TAGS = "Delete images", "Remove tags only"
WHAT = ["Frees space, pulls of them fail", "Keeps the images, frees nothing"]
NO_PATTERN = "Type a tag pattern above, such as pr-*."
NOTHING_MATCHES = "No tag matches all of the above, or the newest to keep are all that do."
FAIL = "Pulls of these images fail afterwards, by tag and by digest."
STAY = "The images stay: pulls by these tags fail afterwards, by digest they still work. No space is freed."

who = connection.who()
registry = selection.ready_registry_of_url(who, pages.CLEAN_UP)
key = st.query_params["registry"]
names = list(dict.fromkeys(st.query_params.get_all("repository")))
if len(names) < 2:
    names = [choose_repository(who, registry)]


def refresh() -> None:
    for name in names:
        image_loaders.forget_repository(who, registry.login_server, name)


def cancel() -> None:
    if len(names) > 1:
        open_page(pages.REPOSITORIES, registry=key)
    open_page(pages.REPOSITORY, registry=key, repository=names[0])


def remove_tags(contents: RepositoryContents, chosen: Chosen, *, by_name: bool) -> None:
    tags = {tag.name: tag for tag in chosen.tags}
    tags_of = {row.digest: row.tags for row in contents.rows}
    seen = running_loader.seen_of(who, registry, contents.name)
    named = {tag: seen.by_tag[tag] for tag in tags if tag in seen.by_tag} if seen else {}
    kept = {} if by_name else {tag: f"Pods pull by it: {list_places(found)}." for tag, found in named.items()}
    plan = plan_untag(registry.name, contents.repository, tags, tags_of, kept)
    places = make_places()
    with places.notices:
        if by_name and named:
            where = "; ".join(f"{tag}: {list_places(found)}" for tag, found in named.items())
            st.warning(f"Pods pull by these tags, and new ones fail without. {plain(where)}", icon=":material/warning:")
    show_untag(places, plan, tags, contents)
    label = counted_action("Remove", len(plan.unblocked), "tag")
    confirm_one(
        places, contents, plan, label, STAY, lambda: deletions.remove_tags(who, registry, plan), by_name=by_name
    )


def delete_images(contents: RepositoryContents, chosen: Chosen, *, by_name: bool) -> None:
    places = make_places()
    running = running_images(places, who, registry, [contents], by_name=by_name)(contents)
    named = [tag.name for tag in chosen.tags]
    plan = plan_deletion(
        contents, chosen.digests, registry=registry.name, by_name=by_name, running=running, named=named
    )
    kept = kept_manifests(contents, plan, chosen.kept)
    if by_name:
        offer_running(places, sum(one.kind == Keeps.RUNS for one in kept))
    show_deletion(places, who, registry, contents, deleted_manifests(contents, plan.unblocked), kept)
    label = counted_action("Delete", len(plan.unblocked), "manifest")
    confirm_one(
        places, contents, plan, label, FAIL, lambda: deletions.delete_manifests(who, registry, plan), by_name=by_name
    )


def confirm_one(
    places: Places,
    contents: RepositoryContents,
    plan: UntagPlan | DeletionPlan,
    label: str,
    meaning: str,
    begin: Callable[[], str],
    *,
    by_name: bool,
) -> None:
    def start() -> None:
        if not by_name:
            require_time()
        open_page(pages.DELETIONS, record=begin())

    confirm_deletion(
        places,
        plan,
        label,
        meaning,
        start,
        cancel,
        typed=contents.name if len(plan.unblocked) > 1 or (isinstance(plan, DeletionPlan) and plan.notes) else "",
        ready=bool(plan.unblocked),
        effect=plan.unblocked,
    )


def require_time() -> None:
    require_time_of_plan(who, registry, f"Could not begin to clean up {registry.name}", time_of_plan())


def clean_up_one() -> None:
    contents = contents_of(who, registry, names[0])
    check_url("how", "selection", (BY_RULE, BY_NAME))
    check_url("do", "action", (IMAGES, TAGS))
    with st.container(horizontal=True, gap="large"):
        what = st.radio("Action", [IMAGES, TAGS], captions=WHAT, horizontal=True, key="do", bind="query-params")
        how = st.radio("Selection", [BY_RULE, BY_NAME], horizontal=True, key="how", bind="query-params")
    rule = ask_rule([contents]) if how == BY_RULE else Rule()
    if rule is None:
        return
    chosen = choose(contents, rule, time_of_plan()) if how == BY_RULE else ask_names(registry, contents)
    if not chosen.tags and (what == TAGS or not chosen.digests):
        show_nothing(rule)
    elif what == TAGS:
        remove_tags(contents, chosen, by_name=how == BY_NAME)
    else:
        delete_images(contents, chosen, by_name=how == BY_NAME)
    if what == IMAGES and how == BY_RULE:
        link_to_policy_of(registry.name, names, rule)
    if what == IMAGES:
        show_dry_run(rule)


def clean_up_several() -> None:
    contents = contents_of_several(who, registry, names)
    rule = ask_rule(contents)
    if rule is None:
        return
    now = time_of_plan()
    places = make_places()
    running = running_images(places, who, registry, contents, by_name=False)
    plan = plan_several(plan_cleanup_of(one, rule, now, registry.name, running(one)) for one in contents)
    if not plan.parts and not plan.blockers:
        show_nothing(rule)
        return
    show_several(places, who, registry, plan)

    def start() -> None:
        require_time()
        start_several(who, registry, plan)

    number = sum(len(part.deleted) for part in plan.parts)
    within = counted(len(plan.parts), "repository", "repositories")
    confirm_deletion(
        places,
        plan,
        counted_action("Delete", number, "manifest"),
        f"{counted(number, 'manifest')} of {within} in {plain(registry.name)}. {FAIL}",
        start,
        cancel,
        typed=counted(number, "manifest"),
        ready=bool(plan.parts),
        effect=[part.plan for part in plan.parts],
    )
    link_to_policy_of(registry.name, names, rule)
    show_dry_run(rule)


def show_nothing(rule: Rule) -> None:
    empty(":material/cleaning_services:", "Nothing chosen", NOTHING_MATCHES if rule.pattern else NO_PATTERN)


def show_dry_run(rule: Rule) -> None:
    if rule.pattern:
        az_lines(
            *(
                az_images.purge(
                    registry.name, name, rule.pattern, rule.older_than.days, rule.keep, untagged=rule.leftovers
                )
                for name in names
            ),
            label="Dry run with acr purge, which ignores platforms and running images",
        )


several = len(names) > 1
title = counted(len(names), "repository", "repositories") if several else names[0]
header(
    f"{pages.CLEAN_UP.title} of {plain(title)}",
    f"Registry {plain(registry.name)}. Nothing is deleted until you confirm.",
    None,
    refresh,
    (*registry_steps(registry.name, key, "" if several else names[0]), last_step(pages.CLEAN_UP.title)),
)
if several:
    clean_up_several()
else:
    clean_up_one()
