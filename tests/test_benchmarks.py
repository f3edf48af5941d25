"""What the benchmarks make of their measurements. No test here takes a time."""

import json
from itertools import count
from pathlib import Path

import pytest
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.__main__ import MEASURES, main
from benchmarks.people import errors_of
from benchmarks.results import Row, at_least, at_most, exactly, machine, table, under, write
from benchmarks.rounds import by_turns, median_ratio, seconds


def test_a_bar_is_met_or_missed() -> None:
    assert [exactly("n", measured, 100).ok for measured in (99, 100, 101)] == [False, True, False]
    assert [at_most("n", measured, 1.5).ok for measured in (1.4, 1.5, 1.6)] == [True, True, False]
    assert [under("n", measured, 3).ok for measured in (2.9, 3, 3.1)] == [True, False, False]
    assert [at_least("n", measured, 15).ok for measured in (14.9, 15, 15.1)] == [False, True, True]


def test_the_ratio_is_taken_round_by_round() -> None:
    # The machine was ten times slower in the second round: that changes no ratio.
    assert median_ratio([(2, 1), (20, 10), (9, 3)]) == 2


def test_who_begins_changes_from_round_to_round() -> None:
    order: list[str] = []

    def noted(name: str, measured: float) -> float:
        order.append(name)
        return measured

    assert by_turns(lambda: noted("a", 1), lambda: noted("b", 2), 3) == [(1, 2)] * 3
    assert "".join(order) == "abbaab"


def test_seconds_are_those_of_the_clock_given() -> None:
    ticks = count(5, 2)
    assert seconds(lambda: None, lambda: float(next(ticks))) == 2


def test_the_table_shows_what_was_missed() -> None:
    lines = table([under("Rerun", 3.25, 3), at_least("Faster", 31.0, 15)]).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["3.25", "<", "3", "MISSED", "Rerun"],
        ["31", "≥", "15", "ok", "Faster"],
    ]


def test_results_are_a_json_list(tmp_path: Path) -> None:
    write([Row("Time, ×", 1.25, "≤ 1.5", True)], tmp_path / "results.json")
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert found == [{"name": "Time, ×", "measured": 1.25, "bar": "≤ 1.5", "ok": True}]


def message_of(kind: str, text: str, form: Alert.Format.ValueType = Alert.ERROR) -> ForwardMsg:
    message = ForwardMsg()
    if kind == "exception":
        message.delta.new_element.exception.message = text
    else:
        message.delta.new_element.alert.body, message.delta.new_element.alert.format = text, form
    return message


def test_what_fails_on_a_page_is_an_error_and_what_is_wrong_in_azure_is_none() -> None:
    messages = [
        ForwardMsg(),
        message_of("exception", "KeyError"),
        message_of("alert", "**Could not list the registries**"),
        message_of("alert", "Over budget: **platform**"),
        message_of("alert", "Some could not be read", Alert.WARNING),
    ]
    assert errors_of(messages) == ["KeyError", "**Could not list the registries**"]


def test_the_machine_is_named() -> None:
    assert machine(2).startswith("2 cores, Python 3.")


def test_a_measure_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["speed"]) == 2
    assert f"there are {', '.join(MEASURES)}" in capsys.readouterr().err
