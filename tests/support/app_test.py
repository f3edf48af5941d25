"""The pages in Streamlit's AppTest: how a test opens one, reads it, and works its dialogs."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Button, TextInput

from services.connection.write_permission import WritePermission
from ui.jobs import runs
from ui.loaders import registries as registry_loaders
from ui.runtime import connection

SHELL = str(Path(__file__).parents[2] / "pages" / "shell.py")
# What a caller from elsewhere has.
REFUSED = WritePermission("This console was reached from another machine, and it has no sign-in.")
# The fixture `open_view`: script, session and query parameters in, the page out.
Open = Callable[..., AppTest]


def wait_for_inventory(who: str) -> None:
    """Waits until the inventory is read: pages show it without progress then."""
    assert registry_loaders.inventory(who).finished.wait(30)


def wait_for_job(at: AppTest, *actions: str) -> None:
    """Waits until the jobs with these actions that the page shows are over; there is at least one."""
    keys = [key for action in actions if (key := f"jobs: {action}") in at.session_state]
    shown = [job for key in keys for job in at.session_state[key]]
    assert shown
    for job in shown:
        reading = runs.under_way(connection.who(), job)
        assert reading
        assert reading.finished.wait(30)


def texts(at: AppTest) -> str:
    """All text on the page, one element a line; without warnings and successes."""
    elements = [*at.title, *at.subheader, *at.markdown, *at.text, *at.caption, *at.code, *at.error, *at.info]
    return "\n".join(str(element.value) for element in elements)


def figures(at: AppTest) -> dict[str, tuple[str, str]]:
    """By name, each figure of the page and the words below it."""
    return {metric.label: (metric.value, "; ".join(notes)) for metric, notes in _tiles(at.main)}


def _tiles(block: Block) -> Iterator[tuple[Any, list[str]]]:
    children = list(block.children.values())
    if children and children[0].type == "metric":
        yield children[0], [str(note.value).replace("\\", "") for note in children[1:]]
    for child in children:
        if isinstance(child, Block):
            yield from _tiles(child)


def keyed(elements: Iterable[Any], name: str) -> Any:
    """The one widget of `elements` whose key `widget_key` made for `name`."""
    (found,) = [one for one in elements if str(one.key).rpartition(" ")[0] == name]
    return found


def boxes(at: AppTest) -> list[Any]:
    """The select boxes of the page and its dialog, without the sidebar's."""
    sidebar = {one.key for one in at.sidebar.selectbox}
    return [one for one in at.selectbox if one.key not in sidebar]


def button(at: AppTest, label: str) -> Button:
    return next(button for button in at.button if button.label == label)


def refresh_button(at: AppTest) -> Button:
    """The icon in the page's header."""
    return next(button for button in at.button if str(button.key).startswith("refresh "))


def confirm_button(at: AppTest, label: str) -> Button:
    """The button that does what a plan shows, beside the one of the same label that opened its dialog."""
    return at.button(key=f"do {label}")


def confirm_field(at: AppTest) -> TextInput:
    """Where the name is typed that confirms a plan."""
    return next(field for field in at.text_input if field.label == "Type the name to confirm")


def select_rows(at: AppTest, table: int, *rows: int) -> None:
    """Selects rows of the table of that number, for the next run: AppTest forgets them after it."""
    _, _, key = at.dataframe[table].proto.id.split("-", 2)
    at.session_state[key] = {"selection": {"rows": list(rows)}}


def reopen(at: AppTest, opener: str) -> None:
    """Presses what opens a dialog, a button or an option of a menu. AppTest closes a dialog with each run; a browser
    keeps it open."""
    menu = next((menu for menu in at.menu_button if opener in menu.options), None)
    if menu:
        menu.click(opener)
    else:
        button(at, opener).click()


def open_dialog(at: AppTest, opener: str) -> AppTest:
    """The page after `opener` was pressed."""
    reopen(at, opener)
    return at.run()


def actions(at: AppTest) -> list[str]:
    """The options of all menus of a page."""
    return [option for menu in at.menu_button for option in menu.options]


def facts(at: AppTest) -> dict[str, str]:
    """The tables of facts: each name with its value."""
    return {str(name): str(row.iloc[0]) for table in at.table for name, row in table.value.iterrows()}


def everything(at: AppTest) -> str:
    """All that the browser was sent, and all that the session keeps, widgets without a key among it."""
    sent = [str(getattr(node, "proto", "")) for node in at._tree]
    return f"{sent} {object.__getattribute__(at.session_state, '_state')!r}"
