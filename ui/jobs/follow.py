"""Runs a page again as jobs go on, wherever they run."""

from collections.abc import Callable

from ui.elements.errors import panel
from ui.elements.notices import ticking

# Between two looks at the database.
FOLLOW_S = 2


@ticking(FOLLOW_S)
def rerun_on_change(read: Callable[[], object], shown: object) -> bool:
    """Runs the page again once `read` returns something else than what is `shown`."""
    with panel():
        return read() != shown
    return False
