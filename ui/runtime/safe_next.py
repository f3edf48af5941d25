"""Where a browser may go after its sign-in: to a page of this console alone."""

import re
from posixpath import normpath
from urllib.parse import unquote

# Visible ASCII: browsers drop tabs and line ends from addresses, and take \ for /.
_PLACE = re.compile(r"/(?!/)[!-\[\]-~]*")


def safe_next(place: str) -> str:
    """`place` where it is a path of this console, with its query; else the first page."""
    path = unquote(place.partition("?")[0].partition("#")[0])
    return place if _PLACE.fullmatch(place) and not normpath(path).startswith("/auth") else "/"
