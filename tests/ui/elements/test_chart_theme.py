"""Colours that say something: the same in both themes, and readable."""

import colorsys

import pytest

from ui.aks.matrix_chart import MEANS, SIGNS
from ui.elements.chart_theme import MEANINGS, Meaning, palette

THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
HUES = {Meaning.GOOD: (100, 170), Meaning.ATTENTION: (30, 55), Meaning.BAD: (345, 375)}


def channels(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2.2 defines it, from 1 to 21."""

    def luminance(colour: str) -> float:
        red, green, blue = (
            value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels(colour)
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@THEMES
@pytest.mark.parametrize("meaning", Meaning)
def test_text_on_a_meaning_can_be_read(theme: str, meaning: Meaning) -> None:
    assert contrast(*MEANINGS[theme][meaning]) >= 4.5


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
    assert len(set(SIGNS.values())) == len(SIGNS) == len(MEANS)
