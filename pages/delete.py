"""The plan of deleting an image or a repository, and the button that runs it."""

import streamlit as st

from services.deletion.plan import plan_deletion
from services.deletion.repository import plan_repository_deletion
from services.images.repository_contents import RepositoryContents
from services.wording import counted
from ui.deletion import runs
from ui.deletion.plan import ask_running_images, contents_of, show_freed, show_plan
from ui.elements.errors import panel
from ui.elements.page import empty, header
from ui.elements.text import plain, short
from ui.elements.writing import confirm, counted_action
from ui.loaders import images as image_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, open_page, registry_steps, step
from ui.runtime import connection

who = connection.who()
registry = selection.registry_of_url(who)
name = selection.repository_of_url()
reference = st.query_params.get("reference", "")
url = {"registry": st.query_params["registry"], "repository": name}
title = f"{name}@{short(reference)}" if ":" in reference else f"{name}:{reference}" if reference else name
image = (
    (step(pages.IMAGE, short(reference) if ":" in reference else reference, **url, reference=reference),)
    if reference
    else ()
)
header(
    f"Delete {plain(title)}",
    f"In {plain(registry.name)}, nothing is deleted until you confirm",
    None,
    lambda: image_loaders.forget_repository(who, registry.login_server, name),
    (*registry_steps(registry.name, **url), *image, last_step(pages.DELETE.title)),
)


def delete_image(contents: RepositoryContents) -> None:
    digest = reference
    if ":" not in reference:
        digest = next((tag.digest for tag in contents.tags if tag.name == reference), "")
    plan = plan_deletion(contents, [digest], registry=registry.name, by_name=True, running=ask_running_images(contents))
    if not plan.items:
        empty(":material/delete:", "No such image", "It may have been deleted. Refresh, or go back.")
        return
    show_freed(who, registry, contents, plan.digests)
    show_plan(plan)
    with panel():
        if confirm(
            plan,
            counted_action("Delete", len(plan.unblocked), "manifest"),
            typed=name if len(plan.unblocked) > 1 else "",
            ready=bool(plan.unblocked),
            icon=":material/delete_forever:",
            in_dialog=False,
        ):
            record = runs.delete_manifests(who, registry, plan)
            open_page(pages.DELETIONS, record=record)


def delete_repository(contents: RepositoryContents) -> None:
    plan = plan_repository_deletion(contents, registry.name, ask_running_images(contents))
    st.markdown(
        f"**{counted(len(plan.digests), 'manifest')}** and **{counted(len(plan.tags), 'tag')}** will be deleted."
    )
    show_freed(who, registry, contents, plan.digests)
    with panel():
        if confirm(
            plan,
            "Delete repository",
            typed=name,
            icon=":material/delete_forever:",
            in_dialog=False,
        ):
            record = runs.delete_repository(who, registry, plan)
            open_page(pages.DELETIONS, record=record)


contents = contents_of(who, registry, name)
if reference:
    delete_image(contents)
else:
    delete_repository(contents)
