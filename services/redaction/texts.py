"""What is shown of values and commands of others: as they are, with what looks like a secret hidden. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from services.redaction.names import is_harmless, is_secret_name
from services.redaction.values import Span, is_variable, secret_forms

HIDDEN = "(hidden: looks like a secret)"
# What is longer is not looked through, and hidden as a whole.
MOST_CHARACTERS = 65_536

# A word of a shell: parts in quotes, escaped, and bare; quotes that are never closed go to the end.
_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*(?:"|$)|'[^']*(?:'|$)|\\.|[^\s;&|"'\\])+""", re.DOTALL)
# One string, or bare, with the scheme of an Authorization header.
_STRING = re.compile(
    r"""(?:(?i:bearer|basic|token)\s+)?(?:\\"(?:(?!\\").)*|"(?:\\.|[^"\\])*(?:"|$)|'[^']*(?:'|$)|[^\s;&|"'\\]+)""",
    re.DOTALL,
)
_IN_DOUBLE, _IN_SINGLE = re.compile(r"""(?:\\.|[^"\\])+""", re.DOTALL), re.compile(r"[^']+")
_NAME = r"([A-Za-z_][\w.-]*)"
# A name, and what its value looks like, which begins behind it. Within the value of one name may be another's
# (JAVA_OPTS=-Dpassword=…).
_NAMED = (
    # NAME=value, --name=value, Name = value; (unlike $NAME = x, which compares); within quotes to the end of these.
    (re.compile(rf"(?<![\w.$\"'-])-{{0,2}}{_NAME}\s*=(?!=)\s*"), _WORD),
    (re.compile(rf'"-{{0,2}}{_NAME}='), _IN_DOUBLE),
    (re.compile(rf"'-{{0,2}}{_NAME}="), _IN_SINGLE),
    # --name value, also as words of a list.
    (re.compile(rf"""(?<![\w.-])-{{1,2}}{_NAME}["']?,?\s+(?!["']?-)"""), _WORD),
    # name: value, "name": "value".
    (re.compile(rf"""(?<![\w.-]){_NAME}\\?["']?\s*:(?:\s+|(?=["'\\]))"""), _STRING),
)
_AUTHORIZATION = {"authorization", "proxy-authorization"}
# Commands that take a password in an option that others use for anything.
_BY_COMMAND = (
    re.compile(r"\bsshpass\s+-p\s*"),
    re.compile(r"\blogin\b[^;&|\n]{0,300}?\s-p\s*"),
    re.compile(r"\b(?:curl|wget)\b[^;&|\n]{0,300}?\s-u\s*"),
    re.compile(r"\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^;&|\n]{0,300}?\s-p(?=\S)"),
)
_CHPASSWD = re.compile(r"""\becho\s+["']?[^\s:"']+:([^\n|]{1,200}?)\s*\|\s*(?:\S{0,40}/)?chpasswd""")
# Builders write the values of ENV, ARG and LABEL without quotes: where a blank is in one, its end is not known.
_UNQUOTED = re.compile(r"^(?:/bin/sh -c #\(nop\)\s+)?(?:ENV|ARG|LABEL)\s", re.IGNORECASE)
_BUILD_ARGUMENTS = re.compile(r"^(?:RUN\s+)?\|\d+\s")
_SHELL = re.compile(r"\s/\S*sh\s+-\S*c\s")
_OLD_FORM = re.compile(rf"^(?:/bin/sh -c #\(nop\)\s+)?ENV\s+{_NAME}\s+(?!=)(.+)$", re.IGNORECASE | re.DOTALL)
_OPTION_WORD = re.compile(r"-{1,2}[A-Za-z][A-Za-z-]*(?:=.*)?", re.DOTALL)
_OWN_WORD = re.compile(rf"-{{0,2}}{_NAME}=(.*)", re.DOTALL)


def hide_value(name: str, value: str) -> str:
    """The value of a variable, a label or an annotation; `HIDDEN` where its name or its form says that it is a secret,
    or holds one, or where it is longer than `MOST_CHARACTERS`."""
    if is_secret_name(name) and not is_harmless(name, value):
        return HIDDEN
    return HIDDEN if len(value) > MOST_CHARACTERS or any(_spans(value)) else value


def hide_pairs(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Names and values, each as `hide_value` has it."""
    return tuple((name, hide_value(name, value)) for name, value in pairs)


def hide_in_command(text: str) -> str:
    """A command, or a step of a build, with `HIDDEN` in place of each part that looks like a secret; `HIDDEN` alone
    where it is longer than `MOST_CHARACTERS`."""
    if len(text) > MOST_CHARACTERS:
        return HIDDEN
    spans = [*_spans(text), *_unquoted(text)]
    return _replaced(text, spans)


def hide_in_words(words: Iterable[str]) -> tuple[str, ...]:
    """The words of an entrypoint or a command: those that look like a secret are `HIDDEN`, in whole or in part."""
    found: list[str] = []
    option = ""
    for word in words:
        own = _OWN_WORD.match(word)
        if option and not _OPTION_WORD.fullmatch(word) and not _is_harmless(option, word):
            found.append(HIDDEN)
        elif own and is_secret_name(own[1]) and not _is_harmless(own[1], own[2]):
            found.append(word[: own.start(2)] + HIDDEN)
        else:
            found.append(hide_in_command(word))
        name = word.lstrip("-")
        option = name if word.startswith("-") and "=" not in word and is_secret_name(name) else ""
    return tuple(found)


def hide_in_json(body: Any, name: str = "") -> Any:
    """A parsed manifest with the values of its annotations as `hide_value` has them; the configs that schema 1 has as
    text, as commands. The rest is as it was."""
    if name == "v1Compatibility" and isinstance(body, str):
        return hide_in_command(body)
    if isinstance(body, list):
        return [hide_in_json(one, name) for one in body]
    if not isinstance(body, dict):
        return body
    if name == "annotations":
        return {key: hide_value(str(key), one) if isinstance(one, str) else one for key, one in body.items()}
    return {key: hide_in_json(one, str(key)) for key, one in body.items()}


def _spans(text: str) -> Iterator[Span]:
    yield from secret_forms(text)
    for form, value in _NAMED:
        yield from _named(text, form, value)
    for form in _BY_COMMAND:
        for found in form.finditer(text):
            word = _WORD.match(text, found.end())
            if word and not is_variable(word[0]):
                yield word.span()
    for found in _CHPASSWD.finditer(text):
        if not is_variable(found[1]):
            yield found.span(1)


def _named(text: str, form: re.Pattern[str], value: re.Pattern[str]) -> Iterator[Span]:
    """The values of names that are those of secrets. What is within a value that is hidden is not looked at again."""
    hidden_to = 0
    for name in form.finditer(text):
        if name.end() < hidden_to or not (is_secret_name(name[1]) or name[1].lower() in _AUTHORIZATION):
            continue
        found = value.match(text, name.end())
        if found and not _is_harmless(name[1], found[0]):
            hidden_to = found.end()
            yield found.span()


def _is_harmless(name: str, value: str) -> bool:
    return is_harmless(name, value.strip("\"'")) or is_variable(value)


def _unquoted(text: str) -> Iterator[Span]:
    """From the first secret of a step whose values have no quotes to the end of these values."""
    of_arguments = _BUILD_ARGUMENTS.match(text)
    if not (of_arguments or _UNQUOTED.match(text)):
        return
    old = _OLD_FORM.match(text)
    if old and is_secret_name(old[1]) and not _is_harmless(old[1], old[2]):
        yield old.span(2)
    shell = _SHELL.search(text) if of_arguments else None
    end = shell.start() if shell else len(text)
    first = min((start for start, _ in _spans(text) if start < end), default=end)
    if first < end:
        yield first, end


def _replaced(text: str, spans: Iterable[Span]) -> str:
    """The text with each span replaced, those that touch or overlap by one."""
    parts: list[str] = []
    at = 0
    for start, end in sorted(spans):
        if start > at or not parts:
            parts += (text[at:start], HIDDEN)
        at = max(at, end)
    return "".join([*parts, text[at:]])
