"""Every outcome has its words and its icon."""

from services.connection.changes import Outcome
from services.connection.errors import ServiceError
from services.connection.parallel import Refusal
from ui.elements.outcomes import ICONS, WORDS, label, results_list


def test_every_outcome_has_words_and_an_icon() -> None:
    assert set(WORDS) == set(ICONS) == set(Outcome)
    assert label(Outcome.CREATED) == "Created and verified"


def test_a_record_is_complete_only_where_all_is_done() -> None:
    refused = Refusal("web", ServiceError("Could not lock", "It is *denied*.", "Ask.", "Denied"))
    assert results_list([("api", Outcome.CHANGED)]).complete
    answer = results_list([("api", Outcome.CHANGED)], [refused], untried=2)
    assert not answer.complete
    assert answer.text.splitlines()[0].startswith("- web: refused. ") and "\\*denied\\*" in answer.text
    assert answer.text.splitlines()[-1] == "- 2 not tried, stopped before"
    assert not results_list([("api", Outcome.NOT_CONFIRMED)]).complete
    assert len(results_list([(str(number), Outcome.CHANGED) for number in range(500)]).text.splitlines()) == 101
