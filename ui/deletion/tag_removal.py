"""The dialog that removes tags of one repository: the images stay."""

import streamlit as st

from services.images.tagging import read_untag_plan
from services.registries.registry import Registry
from services.wording import counted
from ui.deletion import deletions
from ui.elements.notices import dialog
from ui.elements.text import plain
from ui.elements.writing import confirm, counted_action, dialog_panel
from ui.navigation import pages
from ui.navigation.links import open_page
from ui.running.tags import warn_of_pods
from ui.runtime import connection

# Tags named above the button; and reasons why some stay.
SHOWN = 10


@dialog("Remove tags", width="medium")
def remove_tags(who: str, registry: Registry, repository: str, names: list[str]) -> None:
    """Removes these tags in the background, after a plan; the result of each is under Deletions."""
    client = connection.session(who).registry(registry.login_server)
    with dialog_panel():
        with st.spinner("Reading the tags"):
            plan = read_untag_plan(client, registry.name, repository, names)
        tags = [item.tag for item in plan.unblocked]
        if tags:
            these = "this tag" if len(tags) == 1 else "these tags"
            more = f" and {len(tags) - SHOWN:,} more" if len(tags) > SHOWN else ""
            st.markdown(
                f"**{counted(len(tags), 'tag')}:** {', '.join(map(plain, tags[:SHOWN]))}{more}. "
                f"Pulls by {these} fail afterwards; by digest they still work. "
                "No space is freed."
            )
        warn_of_pods(who, registry, repository, tags)
        staying = [item for item in plan.items if item.blocker]
        if staying and tags:
            st.info(
                f"{counted(len(staying), 'tag stays', 'tags stay')}:  \n"
                + "  \n".join(f"{plain(item.tag)}: {plain(item.blocker)}" for item in staying[:SHOWN]),
                icon=":material/lock:",
            )
        if confirm(
            plan,
            counted_action("Remove", len(tags), "tag"),
            typed=repository if len(tags) > 1 else "",
            ready=bool(tags),
            effect=plan.unblocked,
        ):
            open_page(pages.DELETIONS, record=deletions.remove_tags(who, registry, plan))
