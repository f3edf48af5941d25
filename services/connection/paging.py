"""The pages of a list, of either plane: a server may send the reader round in a circle, or on without end."""

from services.connection.errors import LimitExceeded

_REMEDY = "The server, or a proxy before it, answers wrongly: try again, then report it to Microsoft with the log."


class PageLinks:
    """The next pages that one list has named so far; `most`: how many pages it may have."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: set[str] = set()

    def follow(self, link: str) -> str:
        """`link`, where it may be asked for. Raises LimitExceeded: PagesRepeat, TooManyPages."""
        if link in self._seen:
            raise LimitExceeded("The list names a page as its next that was read already.", _REMEDY, "PagesRepeat")
        self._seen.add(link)
        if len(self._seen) > self._most:
            raise LimitExceeded(f"The list has more than {self._most:,} pages.", _REMEDY, "TooManyPages")
        return link
