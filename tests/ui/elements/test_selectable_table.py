from streamlit.testing.v1 import AppTest

from tests.support.app_test import select_rows


def names() -> None:
    import streamlit as st

    from ui.elements.selectable_table import selectable

    def call(item: str) -> None:
        st.session_state["called"] = item

    items = st.session_state.get("items", ["a", "b", "c"])
    st.text(selectable(items, lambda item: {"Name": item}, "names", "Names"))
    selectable(items, lambda item: {"Name": item}, "calls", "Names", on_select=call)


def pairs() -> None:
    import streamlit as st

    from ui.elements.selectable_table import selectable_many

    items = [("a", 1), ("a", 2)]
    st.text(selectable_many(items, lambda item: {"Name": item[0]}, "pairs", "Pairs", identity=lambda item: item))


def many() -> None:
    import streamlit as st

    from ui.elements.selectable_table import selectable
    from ui.elements.table import ROWS_A_PAGE

    items = range(ROWS_A_PAGE + 3)
    st.text(selectable(items, lambda item: {"Number": item}, "numbers", "Numbers"))


def text(at: AppTest) -> str:
    assert not at.exception
    return str(at.text[0].value)


def test_the_selected_item_is_returned() -> None:
    at = AppTest.from_function(names).run()
    assert text(at) == "None"
    select_rows(at, 0, 1)
    assert text(at.run()) == "b"


def test_a_selection_never_becomes_another_item_s() -> None:
    at = AppTest.from_function(names).run()
    select_rows(at, 0, 1)
    at.session_state["items"] = ["a", "c"]
    assert text(at.run()) == "None"


def test_rows_of_one_name_are_told_apart_and_several_can_be_selected() -> None:
    at = AppTest.from_function(pairs).run()
    select_rows(at, 0, 1, 0)
    assert text(at.run()) == "[('a', 2), ('a', 1)]"


def test_the_second_page_of_thousands_selects_its_own() -> None:
    at = AppTest.from_function(many).run()
    assert len(at.dataframe[0].value) == 2000
    at.session_state["numbers:page"] = 2
    at.run()
    assert list(at.dataframe[0].value["Number"]) == [2000, 2001, 2002]
    select_rows(at, 0, 2)
    at.session_state["numbers:page"] = 2
    assert text(at.run()) == "2002"
