"""How sizes, times and digests are written, and how text from others is kept from being read as markdown."""

import re
from datetime import UTC, datetime

from services.wording import counted
from services.wording import size as size

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:$&^=])")
# What Streamlit replaces though it is escaped, since it looks at the text that is left: GitHub's autolinks (an e-mail
# address needs a dot behind the @, which no digest has), icons, and arrows that stand alone.
# https://github.github.com/gfm/#autolinks-extension- and Streamlit's StreamlitMarkdown.tsx.
_REPLACED = re.compile(
    r"(?<=www)(?=\.)|(?<=http:)(?=//)|(?<=https:)(?=//)|(?<=[-.\w+]@)(?=[-\w]+\.[-\w])"
    r"|(?<=:)(?=material/|streamlit:)"
    r"|(?<!\S)(?=(?:<->|->|<-|--|>=|<=|~=)(?!\S))",
    re.IGNORECASE | re.ASCII,
)
_WORD_JOINER = "\u2060"  # Invisible, and no line breaks there.
_SPANS = (
    (365 * 86400, "year"),
    (30 * 86400, "month"),
    (86400, "day"),
    (3600, "hour"),
    (60, "minute"),
)


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """'3 days ago', rounded as tables round it. '–' where unknown."""
    if moment is None:
        return "–"
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    for span, unit in _SPANS:
        if seconds >= span:
            return f"{counted(round(seconds / span), unit)} ago"
    return "just now"


def exact(moment: datetime | None) -> str:
    """The time to the second, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "–"


def short(digest: str) -> str:
    """The first twelve digits, as docker shows them."""
    return digest.removeprefix("sha256:")[:12]


def plain(text: str) -> str:
    """Text from others for a place that reads markdown: every character that markdown could read is escaped.

    What would become a link or a symbol all the same (www.…, https://…, an e-mail address, ->) has a word joiner in it.
    """
    return _MARKDOWN.sub(r"\\\1", _REPLACED.sub(_WORD_JOINER, text)).replace("\n", " ")


def as_option(label: object) -> str:
    """The label of an option among pills or segments, as markdown.

    Streamlit writes a selected option in the primary colour, which can't have enough contrast in the dark theme: it is
    also behind the white labels of buttons. The theme's violet is the colour of text, and nothing else uses it.
    """
    return f":violet[{label}]"


def shell(line: str) -> str:
    """A shell line as a markdown code block. The fence is longer than any run of backticks in the line."""
    fence = "`" * max(3, 1 + max((len(ticks) for ticks in re.findall("`+", line)), default=0))
    return f"{fence}\n{line}\n{fence}"
