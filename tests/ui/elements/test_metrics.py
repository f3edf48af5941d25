from streamlit.testing.v1 import AppTest


def figures() -> None:
    from ui.elements.metrics import Metric, show_metrics

    show_metrics(
        [
            Metric("Registries", 1200, beside="in 3 subscriptions"),
            Metric("Replicas", None, help="Beside the home region.", unknown="Could not be read (403)."),
            Metric("None", 0),
        ]
    )


def test_an_unknown_figure_is_a_dash_with_its_reason_and_never_zero() -> None:
    at = AppTest.from_function(figures).run()
    assert not at.exception
    known, unknown, zero = at.metric
    assert (known.value, known.delta, zero.value) == ("1,200", "in 3 subscriptions", "0")
    assert unknown.value == "–"
    assert unknown.help == "Unknown: Could not be read (403).  \nBeside the home region."
