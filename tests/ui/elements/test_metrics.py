from streamlit.testing.v1 import AppTest

from tests.support.app_test import figures


def tiles() -> None:
    from ui.elements.metrics import Metric, show_metrics

    show_metrics(
        [
            Metric("Registries", 1200, beside="in 3 subscriptions"),
            Metric("Replicas", None, help="Beside the home region.", unknown="Could not be read (403)."),
            Metric("None", 0),
            Metric("Usage", "3 GiB", beside="of 10 GiB", lacks="1 usage unread"),
        ]
    )


def test_an_unknown_figure_is_a_dash_with_its_reason_and_never_zero() -> None:
    at = AppTest.from_function(tiles).run()
    assert not at.exception
    _, unknown, zero, _ = at.metric
    assert figures(at)["Registries"] == ("1,200", "in 3 subscriptions")
    assert zero.value == "0"
    assert unknown.value == "–"
    assert unknown.help == "Unknown: Could not be read (403).  \nBeside the home region."


def test_a_lower_bound_says_what_it_lacks_beside_the_rest() -> None:
    at = AppTest.from_function(tiles).run()
    assert figures(at)["Usage"] == ("≥ 3 GiB", "of 10 GiB; 1 usage unread")
