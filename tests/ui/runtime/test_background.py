import threading
import time
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from services.connection.errors import SIGN_IN_NEEDED, ServiceError
from services.connection.parallel import Refusal
from ui.runtime import background
from ui.runtime.background import Reading, start

REFUSED = ServiceError("Could not read", "No right.", "Ask.")


def ended(reading: Reading[list[str]]) -> Reading[list[str]]:
    assert reading.finished.wait(10)
    return reading


def test_what_is_there_already_shows_while_the_rest_is_read() -> None:
    first_in, go_on = threading.Event(), threading.Event()

    def work(reading: Reading[list[str]]) -> None:
        reading.value = ["first"]
        reading.report(1, 2, "names")
        first_in.set()
        go_on.wait(10)
        reading.value = ["first", "second"]

    reading = start([], work)
    assert first_in.wait(10)
    assert (reading.running, reading.value, reading.done, reading.of) == (True, ["first"], 1, 2)
    go_on.set()
    assert ended(reading).value == ["first", "second"]


def test_a_stop_reaches_the_work() -> None:
    def work(reading: Reading[list[str]]) -> None:
        assert reading.stop.wait(10)
        reading.value = ["half"]

    reading = start([], work)
    reading.stop.set()
    assert ended(reading).value == ["half"]


def test_a_refusal_is_kept_as_an_error_and_never_as_an_empty_list() -> None:
    def work(_reading: Reading[list[str]]) -> None:
        raise REFUSED

    assert ended(start([], work)).error is REFUSED


def test_a_refusal_is_read_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(_reading: Reading[list[str]]) -> None:
        raise REFUSED

    reading = ended(start([], work))
    assert reading.fresh
    monkeypatch.setattr(background, "FAILURE_KEPT_S", 0)
    assert not reading.fresh


@pytest.mark.parametrize(
    ("status", "lacking", "kept"),
    [
        (None, False, "always"),
        (403, True, "DENIED_KEPT_S"),
        (429, True, "FAILURE_KEPT_S"),
        (500, True, "FAILURE_KEPT_S"),
    ],
)
def test_what_lacks_a_part_is_kept_for_a_short_time(
    monkeypatch: pytest.MonkeyPatch, status: int | None, lacking: bool, kept: str
) -> None:
    def work(reading: Reading[list[str]]) -> None:
        if lacking:
            reading.lacks = (Refusal("one", replace(REFUSED, status=status)),)

    reading = ended(start([], work))
    assert reading.fresh
    for name in ("DENIED_KEPT_S", "FAILURE_KEPT_S"):
        with monkeypatch.context() as patch:
            patch.setattr(background, name, 0)
            assert reading.fresh is (kept != name)


def test_what_was_read_stays_fresh() -> None:
    assert ended(start([], lambda _reading: None)).fresh


def test_other_long_work_is_called_what_it_is() -> None:
    reading = ended(start([], lambda _reading: None, verb="Pushing", amount=lambda count: f"{count} B"))
    assert (reading.verb, reading.amount(7)) == ("Pushing", "7 B")


def _page() -> None:
    import streamlit as st

    from ui.elements.skeleton import Shape
    from ui.runtime import background

    background.BLINK_S = 0
    background.show_progress(st.session_state["reading"], "names", shape=Shape.PAGE)


def test_a_read_that_takes_longer_has_its_outline_and_a_stop() -> None:
    stopped = threading.Event()

    def work(reading: Reading[list[str]]) -> None:
        reading.report(1, 4, "names")
        assert reading.stop.wait(10)
        stopped.set()

    at = AppTest.from_function(_page)
    at.session_state["reading"] = start([], work)
    at.run()
    shown = [one.type for one in at.main]
    assert shown.count("skeleton") == 5  # Four figures and a table.
    at.button[0].click().run()
    assert stopped.wait(10)


def _clicked_page() -> None:
    import streamlit as st

    from ui.runtime import background

    background.BLINK_S = 0
    reading = st.session_state["reading"]
    reading.report(reading.done + 10, 100, "names")
    background.show_progress(reading, "names")
    if st.button("Click", key="click"):
        st.session_state["clicked"] = True


def test_a_click_on_what_stands_below_a_progress_is_not_lost() -> None:
    at = AppTest.from_function(_clicked_page)
    at.session_state["reading"] = start([], lambda reading: reading.stop.wait(30) and None)
    at.run().button(key="click").click().run()
    assert at.session_state["clicked"]
    at.session_state["reading"].stop.set()


def _page_that_stops() -> None:
    import streamlit as st

    from ui.runtime import background

    background.BLINK_S = 0

    @st.cache_resource(validate=background.fresh)
    def names(_work: object) -> background.Reading[None]:
        return background.start(None, st.session_state["work"])

    reading = names(None)
    background.show_progress(reading, "names")
    if reading.running:
        st.stop()
    if st.button("Click", key="click"):
        st.session_state["clicked"] = True


def test_a_click_is_not_lost_while_what_had_failed_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(reading: Reading[None]) -> None:
        reading.stop.wait(0.5)
        reading.lacks = (Refusal("x", REFUSED),)

    at = AppTest.from_function(_page_that_stops, default_timeout=20)
    at.session_state["work"] = work
    at.run()
    time.sleep(1)
    at.run()
    monkeypatch.setattr(background, "FAILURE_KEPT_S", 0)
    at.button(key="click").click().run()
    assert at.session_state["clicked"]


def _page_with_dialog() -> None:
    import streamlit as st

    from ui.elements.notices import dialog
    from ui.runtime import background

    background.BLINK_S = 0

    @dialog("Names")
    def ask() -> None:
        reading = st.session_state["reading"]
        background.show_progress(reading, "names")
        st.text(f"{reading.value}")

    ask()


def test_a_dialog_waits_for_what_it_shows() -> None:
    at = AppTest.from_function(_page_with_dialog, default_timeout=20)

    def work(reading: Reading[str]) -> None:
        reading.stop.wait(1)
        reading.value = "contoso"

    at.session_state["reading"] = start("", work)
    assert [one.value for one in at.run().text] == ["contoso"]


def test_what_a_new_sign_in_mends_does_not_outlive_it(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ServiceError("Could not read", "It was revoked.", "Sign in again.", SIGN_IN_NEEDED)

    def refused(_reading: Reading[list[str]]) -> None:
        raise needed

    reading = ended(start([], refused))
    assert reading.fresh
    lacking = ended(start([], lambda reading: setattr(reading, "lacks", (Refusal("x", needed), Refusal("y", REFUSED)))))
    assert lacking.fresh
    monkeypatch.setattr(background, "SIGN_IN_KEPT_S", 0)
    assert not reading.fresh
    assert not lacking.fresh
