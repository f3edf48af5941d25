"""A sandbox of a test's own behind the pages, and how dialogs are worked in AppTest."""

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button


def button(at: AppTest, label: str) -> Button:
    return next(button for button in at.button if button.label == label)


def reopen(at: AppTest, opener: str) -> None:
    """AppTest closes a dialog with each run; a browser keeps it open."""
    if opener.startswith("Locks of this"):
        at.menu_button[0].click(opener)
    else:
        button(at, opener).click()


def facts(at: AppTest) -> dict[str, str]:
    """What the tables of facts say."""
    return {str(name): str(row.iloc[0]) for table in at.table for name, row in table.value.iterrows()}


def everything(at: AppTest) -> str:
    """All that the browser was sent, and all that the session keeps, widgets without a key among it."""
    sent = [str(getattr(node, "proto", "")) for node in at._tree]
    return f"{sent} {object.__getattribute__(at.session_state, '_state')!r}"
