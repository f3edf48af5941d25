"""Where a browser may go after its sign-in: to a page of this console alone."""

import re

# Visible ASCII: browsers drop tabs and line ends from addresses, and take \ for /.
_PLACE = re.compile(r"/(?!/)[!-\[\]-~]*")


def safe_next(place: str) -> str:
    """`place` where it is a path of this console, with its query; else the first page."""
    return place if _PLACE.fullmatch(place) and not place.startswith("/auth/") else "/"
