import re
from pathlib import Path

import pytest

from ui.runtime.settings import NAMES, settings_from

SETTINGS_PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_nothing_configured_is_the_sandbox_on_the_estate() -> None:
    settings = settings_from({})
    assert (settings.connection, settings.sandbox_seed, settings.cloud) == ("sandbox", "estate", "public")


def test_an_empty_value_is_the_default() -> None:
    assert settings_from({"ACR_CONSOLE_CONNECTION": ""}).connection == "sandbox"


def test_the_sandbox_may_have_an_estate_of_any_size() -> None:
    assert settings_from({"ACR_CONSOLE_SANDBOX_SEED": "estate:500:40:250"}).sandbox_seed == "estate:500:40:250"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACR_CONSOLE_CONNECTION", "azur"),
        ("ACR_CONSOLE_CLOUD", "mars"),
        ("ACR_CONSOLE_LOG", "xml"),
        ("ACR_CONSOLE_METRICS_PORT", "0"),
        ("ACR_CONSOLE_METRICS_PORT", "http"),
        ("ACR_CONSOLE_SANDBOX_SEED", "big"),
        ("ACR_CONSOLE_SANDBOX_SEED", "estate:500:40"),
        ("ACR_CONSOLE_SANDBOX_SEED", "estate:500:40:0"),
        ("ACR_CONSOLE_SANDBOX_LATENCY_MS", "soon"),
        ("ACR_CONSOLE_SANDBOX_READY_FILE", "/nowhere/ready.json"),
        ("ACR_CONSOLE_SNAPSHOT_READS", "0.5"),
        ("ACR_CONSOLE_REPORT_WEBHOOK", "http://hooks.example.com/s3cr3t"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        settings_from({name: value})


def test_the_settings_page_has_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(ACR_CONSOLE_\w+)` \| `?([^|`]*)`? \|", SETTINGS_PAGE.read_text(), re.MULTILINE))
    assert {name: value.strip() for name, value in rows.items()} == {
        name: value or "none" for name, value in NAMES.items()
    }


def test_a_webhook_s_address_is_neither_in_an_error_nor_in_what_is_printed() -> None:
    name = "ACR_CONSOLE_REPORT_WEBHOOK"
    with pytest.raises(ValueError, match=name) as refused:
        settings_from({name: "http://hooks.example.com/s3cr3t"})
    assert "s3cr3t" not in str(refused.value)
    settings = settings_from({name: "https://hooks.example.com/s3cr3t"})
    assert settings.report_webhook == "https://hooks.example.com/s3cr3t" and "s3cr3t" not in repr(settings)
