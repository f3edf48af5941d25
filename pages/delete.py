"""The plan of deleting images, a repository or several, and the button that runs it."""

import streamlit as st

from services.deletion.plan import Keeps, plan_deletion
from services.deletion.plan_rows import NOT_CHOSEN, deleted_manifests, kept_manifests, plan_all
from services.deletion.repository import plan_repository_deletion
from services.deletion.several import plan_repository_of, plan_several
from services.images.repository_contents import RepositoryContents
from services.wording import counted
from ui.deletion import deletions
from ui.deletion.places import confirm_deletion, make_places
from ui.deletion.plan import contents_of, contents_of_several
from ui.deletion.plan_view import show_deletion
from ui.deletion.running import offer_running, running_images
from ui.deletion.several import show_several, start_several
from ui.elements.page import empty, header
from ui.elements.text import plain, short
from ui.elements.writing import counted_action
from ui.loaders import images as image_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, open_page, registry_steps, step
from ui.runtime import connection

# Names in a sentence; the rest is counted.
SHOWN = 10

who = connection.who()
registry = selection.registry_of_url(who, pages.DELETE)
name = selection.repository_of_url()
names = list(dict.fromkeys(st.query_params.get_all("repository")))
references = st.query_params.get_all("reference")
url = {"registry": st.query_params["registry"], "repository": name}
titles = [f"{name}@{short(one)}" if ":" in one else f"{name}:{one}" for one in references]
title = counted(len(titles), "image") if len(titles) > 1 else "".join(titles) or name
if len(names) > 1 and not references:
    title = counted(len(names), "repository", "repositories")
image = tuple(
    step(pages.IMAGE, short(one) if ":" in one else one, **url, reference=one)
    for one in references
    if len(references) == 1
)


def refresh() -> None:
    for one in names:
        image_loaders.forget_repository(who, registry.login_server, one)


header(
    f"Delete {plain(title)}",
    f"Registry {plain(registry.name)}. Nothing is deleted until you confirm.",
    None,
    refresh,
    (
        *registry_steps(registry.name, url["registry"], "" if len(names) > 1 else name),
        *image,
        last_step(pages.DELETE.title),
    ),
)


ALL_FAIL = "Every image of {} is deleted: pulls fail afterwards, by tag and by digest."
KEEPERS = ("manifest keeps the repository", "manifests keep the repository")


def cancel() -> None:
    """Back to the image, where there is one, else to the repository or the list."""
    if len(names) > 1:
        open_page(pages.REPOSITORIES, registry=url["registry"])
    if len(references) == 1:
        open_page(pages.IMAGE, **url, reference=references[0])
    open_page(pages.REPOSITORY, **url)


def delete_images(contents: RepositoryContents) -> None:
    digests = {tag.name: tag.digest for tag in contents.tags} | {row.digest: row.digest for row in contents.rows}
    if missing := [one for one in references if one not in digests]:
        more = f" and {len(missing) - SHOWN:,} more" if len(missing) > SHOWN else ""
        st.warning(f"No such image: {plain(', '.join(missing[:SHOWN]))}{more}.", icon=":material/warning:")
    listed = {row.digest for row in contents.rows}
    chosen = [digests[one] for one in references if digests.get(one) in listed]
    if not chosen:
        empty(":material/delete:", "No such image", "It may have been deleted. Refresh, or go back.")
        return
    places = make_places()
    running = running_images(places, who, registry, [contents], by_name=True)(contents)
    plan = plan_deletion(contents, chosen, registry=registry.name, by_name=True, running=running, named=references)
    kept = [one for one in kept_manifests(contents, plan) if one.kind != NOT_CHOSEN]
    offer_running(places, sum(one.kind == Keeps.RUNS for one in kept))
    show_deletion(places, who, registry, contents, deleted_manifests(contents, plan.unblocked), kept)
    confirm_deletion(
        places,
        plan,
        counted_action("Delete", len(plan.unblocked), "manifest"),
        "Pulls of these images fail afterwards, by tag and by digest.",
        lambda: open_page(pages.DELETIONS, record=deletions.delete_manifests(who, registry, plan)),
        cancel,
        typed=name if len(plan.unblocked) > 1 or plan.notes else "",
        ready=bool(plan.unblocked),
        effect=plan.unblocked,
    )


def delete_repository(contents: RepositoryContents) -> None:
    places = make_places()
    running = running_images(places, who, registry, [contents], by_name=True)(contents)
    plan = plan_repository_deletion(contents, registry.name, running)
    everything = plan_all(contents, registry.name, running)
    kept = [one for one in kept_manifests(contents, everything) if one.kind in (Keeps.LOCK, Keeps.RUNS)]
    offer_running(places, sum(one.kind == Keeps.RUNS for one in kept))
    show_deletion(places, who, registry, contents, deleted_manifests(contents, everything.items), kept, KEEPERS)
    confirm_deletion(
        places,
        plan,
        "Delete repository",
        ALL_FAIL.format("the repository"),
        lambda: open_page(pages.DELETIONS, record=deletions.delete_repository(who, registry, plan)),
        cancel,
        typed=name,
        effect=contents.tags,
    )


def delete_repositories() -> None:
    contents = contents_of_several(who, registry, names)
    if not contents:
        return
    places = make_places()
    running = running_images(places, who, registry, contents, by_name=True)
    plan = plan_several(plan_repository_of(one, registry.name, running(one)) for one in contents)
    every = (*plan.parts, *plan.staying)
    offer_running(places, sum(one.kind == Keeps.RUNS for part in every for one in part.kept))
    show_several(places, who, registry, plan)
    several = counted(len(plan.parts), "repository", "repositories")
    only = plan.parts[0].name if len(plan.parts) == 1 else ""
    confirm_deletion(
        places,
        plan,
        f"Delete {several}" if plan.parts else "Delete repositories",
        ALL_FAIL.format(plain(only) or f"{several} in {plain(registry.name)}"),
        lambda: start_several(who, registry, plan),
        cancel,
        typed=only or several,
        effect=[part.plan for part in plan.parts],
    )


if len(names) > 1 and not references:
    delete_repositories()
elif references:
    delete_images(contents_of(who, registry, name))
else:
    delete_repository(contents_of(who, registry, name))
