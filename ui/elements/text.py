"""How sizes, times and digests are written, and how text from others is kept from being read as markdown."""

import math
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
_MINUTE, _HOUR, _DAY, _MONTH = 60, 3600, 86400, 146097 / 4800 * 86400
# Each unit with its seconds, and the count of it from which the next one is used, as the format "distance" of tables
# has them: https://momentjs.com/docs/#/displaying/fromnow/
_UNITS = (
    ("minute", _MINUTE, 45),
    ("hour", _HOUR, 22),
    ("day", _DAY, 26),
    ("month", _MONTH, 11),
    ("year", 12 * _MONTH, math.inf),
)


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """'3 days ago', 'a year ago': the words and the rounding that tables have. '–' where unknown."""
    if moment is None:
        return "–"
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds < _MINUTE * 0.75:
        return "just now"
    unit, number = next(
        (unit, number) for unit, span, end in _UNITS if (number := math.floor(seconds / span + 0.5)) < end
    )
    one = "an hour" if unit == "hour" else f"a {unit}"
    return f"{counted(number, unit) if number > 1 else one} ago"


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
