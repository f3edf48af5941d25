import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.elements.text import ago, exact, plain, shell, short, size

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("bytes_", "text"),
    [
        (None, "–"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (150 * 1024, "150 KiB"),
        (100 * 1024**3, "100 GiB"),
        (40 * 1024**4, "40.0 TiB"),
        (5000 * 1024**4, "5000.0 TiB"),
    ],
)
def test_sizes_are_binary_units(bytes_: int | None, text: str) -> None:
    assert size(bytes_) == text


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=2), "2 minutes ago"),
        (timedelta(seconds=80), "a minute ago"),
        (timedelta(minutes=50), "an hour ago"),
        (timedelta(hours=21), "21 hours ago"),
        (timedelta(hours=23), "a day ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=70), "2 months ago"),
        (timedelta(days=26), "a month ago"),
        (timedelta(days=300), "10 months ago"),
        (timedelta(days=326), "a year ago"),
        (timedelta(days=365), "a year ago"),
        (timedelta(days=593), "2 years ago"),
    ],
)
def test_ages_are_relative(age: timedelta, text: str) -> None:
    assert ago(NOW - age, NOW) == text


def test_unknown_times_are_a_dash() -> None:
    assert (ago(None), exact(None)) == ("–", "–")


def test_the_exact_time_is_utc() -> None:
    assert exact(NOW) == "2026-11-23 12:00:00 UTC"


def test_digests_are_short_as_docker_shows_them() -> None:
    assert short("sha256:0123456789abcdef0123") == "0123456789ab"


@given(st.text())
def test_plain_text_keeps_no_markdown_sign_unescaped(text: str) -> None:
    escaped = plain(text)
    bare = escaped.replace("\\\\", "")
    for sign in "`*_[]()<>~:$!#|":
        assert bare.count(sign) == bare.count("\\" + sign)
    assert "\n" not in escaped


@pytest.mark.parametrize("sign", "\\`*_{}[]()#+-.!|<>~:$&^=")
def test_every_sign_of_markdown_is_escaped(sign: str) -> None:
    assert plain(sign) == f"\\{sign}"
    assert plain(f"a{sign}b{sign}") == f"a\\{sign}b\\{sign}"


# As mdast-util-gfm-autolink-literal and Streamlit look for them in text whose escapes are resolved.
REPLACED = (
    re.compile(r"(https?://|www(?=\.))([-.\w]+)", re.IGNORECASE | re.ASCII),
    re.compile(r"([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)", re.ASCII),
    re.compile(r":material/|:streamlit:"),
    re.compile(r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)"),
)
SAMPLES = (
    "www.evil.example",
    "WWW.evil.example/a?b=c",
    "team/www.evil.example",
    "(www.evil.example)",
    "~www.evil.example~",
    "http://evil.example",
    "https://evil.example/a_b",
    "HTTPS://evil.example",
    "mailto:eve@evil.example",
    "eve.o+x@evil-a.example",
    "eve@www.evil.example",
    "https://eve@evil.example",
    "wwwwww.evil.example",
    ":material/home:",
    ":streamlit:",
    "x -> y <- z <-> a -- b >= c <= d ~= e",
    "~gone~ ~~gone~~",
)
WORDS = ("www", "http", "s", "a", "evil.example", "é", "1", "W", ":material/", "->", " ", *".:/@-_~=<>")


def shown(markdown: str) -> str:
    """The text of it, its escapes resolved."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


@given(st.lists(st.sampled_from(WORDS)).map("".join) | st.sampled_from(SAMPLES) | st.text())
def test_plain_text_never_becomes_a_link_or_a_symbol(text: str) -> None:
    found = shown(plain(text))
    assert not [match for replaced in REPLACED for match in replaced.finditer(found)]
    assert found.replace("\u2060", "") == text.replace("\n", " ").replace("\u2060", "")


def test_plain_text_leaves_an_image_to_be_copied_as_it_is() -> None:
    image = "contoso.azurecr.io/team/app@sha256:0123456789abcdef"
    assert shown(plain(image)) == image


def test_plain_text_disarms_an_image_that_would_call_out() -> None:
    assert "![x](http" not in plain("![x](http://contoso.example/pixel.png)")


@given(st.text(alphabet="a`~ ", min_size=1))
def test_no_line_ends_its_own_block_of_code(line: str) -> None:
    opening, inside, closing = shell(line).split("\n")
    assert inside == line
    assert opening == closing
    assert set(closing) == {"`"}
    assert closing not in line
