"""Every outcome has its words and its icon."""

from services.connection.changes import Outcome
from ui.elements.outcomes import ICONS, WORDS, label


def test_every_outcome_has_words_and_an_icon() -> None:
    assert set(WORDS) == set(ICONS) == set(Outcome)
    assert label(Outcome.CREATED) == "Created and verified"
