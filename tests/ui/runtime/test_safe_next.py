"""After a sign-in a browser stays in this console, whatever the address asks for."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.runtime.safe_next import safe_next

HERE = "https://console.example"


def opened(place: str) -> str:
    """Where a browser goes: tabs and line ends are dropped, \\ is taken for /, spaces around are nothing."""
    read = "".join(letter for letter in place.strip() if letter not in "\t\r\n").replace("\\", "/")
    return urljoin(f"{HERE}/auth/callback", read)


@given(st.text() | st.text(alphabet="/\\.:@?#&=%\t\n ehttpsvil") | st.from_regex(r"[/\\]{1,3}[a-z.:@/\\]*"))
def test_no_address_leads_to_another_site(place: str) -> None:
    target = safe_next(place)
    assert target.startswith("/")
    parts = urlsplit(opened(target))
    assert f"{parts.scheme}://{parts.netloc}" == HERE


@given(
    st.from_regex(
        r"/[a-z_-]{0,20}(\?[a-z]{1,9}=[A-Za-z0-9%.~_-]{0,20}(&[a-z]{1,9}=[A-Za-z0-9%]{0,9})?)?", fullmatch=True
    )
)
def test_a_page_with_its_query_is_kept(place: str) -> None:
    assert safe_next(place) == place


@pytest.mark.parametrize(
    "place",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "\\\\evil", "javascript:alert(1)",
     "/auth/logout", "/auth/login?next=/", "/./auth/logout", "/%61uth/logout", "/x/../auth/logout", "/%2e/auth/logout",
     "", "registry", "/ä", "/a b"],
)  # fmt: skip
def test_anything_else_is_the_first_page(place: str) -> None:
    assert safe_next(place) == "/"
