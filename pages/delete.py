"""The plan of deleting images or a repository, and the button that runs it."""

import streamlit as st

from services.deletion.plan import Keeps, plan_deletion
from services.deletion.plan_rows import NOT_CHOSEN, deleted_manifests, kept_manifests, plan_all
from services.deletion.repository import plan_repository_deletion
from services.images.repository_contents import RepositoryContents
from services.wording import counted
from ui.deletion import runs
from ui.deletion.plan import ask_running_images, contents_of
from ui.deletion.plan_view import show_deletion
from ui.elements.errors import panel
from ui.elements.page import empty, header
from ui.elements.text import plain, short
from ui.elements.writing import confirm, counted_action
from ui.loaders import images as image_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, open_page, registry_steps, step
from ui.runtime import connection

# Names in a sentence; the rest is counted.
SHOWN = 10

who = connection.who()
registry = selection.registry_of_url(who)
name = selection.repository_of_url()
references = st.query_params.get_all("reference")
url = {"registry": st.query_params["registry"], "repository": name}
titles = [f"{name}@{short(one)}" if ":" in one else f"{name}:{one}" for one in references]
title = counted(len(titles), "image") if len(titles) > 1 else "".join(titles) or name
image = tuple(
    step(pages.IMAGE, short(one) if ":" in one else one, **url, reference=one)
    for one in references
    if len(references) == 1
)
header(
    f"Delete {plain(title)}",
    f"In {plain(registry.name)}, nothing is deleted until you confirm",
    None,
    lambda: image_loaders.forget_repository(who, registry.login_server, name),
    (*registry_steps(registry.name, **url), *image, last_step(pages.DELETE.title)),
)


KEEPERS = ("manifest keeps the repository", "manifests keep the repository")


def delete_images(contents: RepositoryContents) -> None:
    digests = {tag.name: tag.digest for tag in contents.tags} | {row.digest: row.digest for row in contents.rows}
    if missing := [one for one in references if one not in digests]:
        more = f" and {len(missing) - SHOWN:,} more" if len(missing) > SHOWN else ""
        st.warning(f"No such image: {plain(', '.join(missing[:SHOWN]))}{more}.", icon=":material/warning:")
    chosen = [digests[one] for one in references if one in digests]
    notices, view = st.container(), st.container()
    running = ask_running_images(contents)
    plan = plan_deletion(contents, chosen, registry=registry.name, by_name=True, running=running)
    if not plan.items:
        empty(":material/delete:", "No such image", "It may have been deleted. Refresh, or go back.")
        return
    with view:
        kept = [one for one in kept_manifests(contents, plan) if one.kind != NOT_CHOSEN]
        show_deletion(who, registry, contents, deleted_manifests(contents, plan.unblocked), kept)
    with panel():
        if confirm(
            plan,
            counted_action("Delete", len(plan.unblocked), "manifest"),
            typed=name if len(plan.unblocked) > 1 else "",
            ready=bool(plan.unblocked),
            icon=":material/delete_forever:",
            in_dialog=False,
            notices=notices,
            effect=plan.unblocked,
        ):
            record = runs.delete_manifests(who, registry, plan)
            open_page(pages.DELETIONS, record=record)


def delete_repository(contents: RepositoryContents) -> None:
    notices, view = st.container(), st.container()
    running = ask_running_images(contents)
    plan = plan_repository_deletion(contents, registry.name, running)
    with view:
        everything = plan_all(contents, registry.name, running)
        kept = [one for one in kept_manifests(contents, everything) if one.kind in (Keeps.LOCK, Keeps.RUNS)]
        show_deletion(who, registry, contents, deleted_manifests(contents, everything.items), kept, KEEPERS)
    with panel():
        if confirm(
            plan,
            "Delete repository",
            typed=name,
            icon=":material/delete_forever:",
            in_dialog=False,
            notices=notices,
            effect=contents.tags,
        ):
            record = runs.delete_repository(who, registry, plan)
            open_page(pages.DELETIONS, record=record)


contents = contents_of(who, registry, name)
if references:
    delete_images(contents)
else:
    delete_repository(contents)
