"""Colours that say something: the same in both themes, and readable."""

import colorsys

import pytest

from services.pull_checks.matrix import Answer
from ui.aks.matrix_chart import MEANS, SIGNS
from ui.elements.chart_theme import HATCHES, MEANINGS, Meaning, contrast, ink_on, palette

THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
HUES = {Meaning.GOOD: (100, 170), Meaning.ATTENTION: (30, 55), Meaning.BAD: (345, 375)}


def channels(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


@THEMES
@pytest.mark.parametrize("meaning", Meaning)
def test_text_on_a_meaning_can_be_read(theme: str, meaning: Meaning) -> None:
    assert contrast(*MEANINGS[theme][meaning]) >= 4.5


@THEMES
def test_text_on_any_series_can_be_read_and_no_colour_is_used_twice(theme: str) -> None:
    colours = palette(theme)
    assert all(contrast(ink_on(fill), fill) >= 4.5 for fill in colours.series)
    assert all(contrast(fill, colours.background) >= 3 for fill in colours.series)
    assert len(set(colours.series)) == len(colours.series) == 6 <= len(HATCHES)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@THEMES
def test_text_on_the_page_can_be_read(theme: str) -> None:
    colours = palette(theme)
    assert contrast(colours.text, colours.background) >= 4.5
    assert contrast(colours.text, colours.panel) >= 4.5


@THEMES
@pytest.mark.parametrize("meaning", HUES)
def test_a_meaning_has_its_hue_in_both_themes(theme: str, meaning: Meaning) -> None:
    hue, _, saturation = colorsys.rgb_to_hls(*channels(MEANINGS[theme][meaning][0]))
    low, high = HUES[meaning]
    assert any(low <= degrees <= high for degrees in (hue * 360, hue * 360 + 360))
    assert saturation > 0.3


def test_unknown_is_grey() -> None:
    for meanings in MEANINGS.values():
        red, green, blue = channels(meanings[Meaning.UNKNOWN][0])
        assert max(red, green, blue) - min(red, green, blue) < 0.1


def test_each_answer_of_the_matrix_has_a_sign_of_its_own_beside_its_colour() -> None:
    assert len(set(SIGNS.values())) == len(SIGNS) == len(Answer)
    # What is expected is pale: it has no meaning to look for.
    assert set(Answer) - MEANS.keys() == {Answer.NO_ROLE}
