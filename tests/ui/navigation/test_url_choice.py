"""What the URL names and a page does not have: said, and the nearest offered, on the pages with tabs and modes."""

from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from ui.navigation.url_choice import nearest


def page() -> None:
    import streamlit as st

    from ui.navigation.url_choice import check_url, enter_page

    enter_page(st.session_state.get("page of the test", ""))
    check_url("show", "tab", ("Tags", "Manifests"))
    check_url("kind", "kind", ("User", "Group"))
    tags, _manifests = st.tabs(["Tags", "Manifests"], on_change="rerun", key="show", bind="query-params")
    st.multiselect("Kind", ["User", "Group"], key="kind", bind="query-params")
    st.text("Tags" if tags.open else "Manifests")


def opened(**query: str) -> AppTest:
    at = AppTest.from_function(page)
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def test_a_tab_that_exists_is_opened_without_a_word() -> None:
    at = opened(show="Manifests", kind="Group")
    assert at.text[0].value == "Manifests"
    assert not at.warning


@pytest.mark.parametrize("runs", [0, 2])
def test_a_tab_that_does_not_exist_is_said_and_the_nearest_offered(runs: int) -> None:
    at = opened(show="manifest")
    for _ in range(runs):
        at.run()
    assert [one.value for one in at.warning] == ["The address names the tab manifest, which does not exist."]
    at.button[0].click().run()
    assert at.text[0].value == "Manifests"
    assert not at.warning


def test_of_several_values_the_one_that_does_not_exist_is_said() -> None:
    at = opened(kind="users")
    assert "The address names the kind users, which does not exist." in at.warning[0].value
    at.button[0].click().run()
    assert at.multiselect[0].value == ["User"]


def test_another_page_says_nothing_of_it() -> None:
    at = opened(show="manifest")
    at.session_state["page of the test"] = "other"
    assert not at.run().warning


@given(st.text(), st.lists(st.text()))
def test_the_nearest_is_one_of_the_names(wrong: str, names: list[str]) -> None:
    assert nearest(wrong, names) in (None, *names)


@given(st.text(ascii_lowercase, min_size=1))
def test_a_name_in_another_case_is_the_nearest(name: str) -> None:
    assert nearest(name.upper(), [name, "-"]) == name
