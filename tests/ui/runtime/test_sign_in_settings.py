"""A console that people sign in to starts with all of its settings, or not at all."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.support.console import ROOT, free_port
from ui.runtime.settings import settings_from

COMPLETE = {
    "ACR_CONSOLE_SIGN_IN": "entra",
    "ACR_CONSOLE_PUBLIC_URL": "https://console.example/",
    "ACR_CONSOLE_KEYS": Fernet.generate_key().decode(),
    "ACR_CONSOLE_DATABASE": "sqlite:///x.db",
    "ACR_CONSOLE_CONNECTION": "azure",
    "ACR_CONSOLE_TENANT_ID": "tenant",
    "ACR_CONSOLE_CLIENT_ID": "client",
    "ACR_CONSOLE_CLIENT_SECRET": "very secret",
}


def test_without_a_word_there_is_no_sign_in() -> None:
    assert settings_from({}).sign_in is None


def test_all_of_them_make_a_sign_in_that_shows_no_secret() -> None:
    found = settings_from({**COMPLETE, "ACR_CONSOLE_IDLE_MINUTES": "0.5"})
    assert found.sign_in
    assert found.sign_in.redirect_uri == "https://console.example/auth/callback"
    assert (found.sign_in.idle, found.sign_in.longest) == (timedelta(seconds=30), timedelta(hours=12))
    assert "very secret" not in repr(found)
    assert COMPLETE["ACR_CONSOLE_KEYS"] not in repr(found)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in COMPLETE
        if name not in ("ACR_CONSOLE_SIGN_IN", "ACR_CONSOLE_CONNECTION", "ACR_CONSOLE_CLIENT_SECRET")
    ],
)
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        settings_from({**COMPLETE, name: ""})


def test_the_sandbox_brings_its_own_application() -> None:
    given = {**COMPLETE, "ACR_CONSOLE_CONNECTION": "sandbox", "ACR_CONSOLE_TENANT_ID": "", "ACR_CONSOLE_CLIENT_ID": ""}
    assert settings_from(given).sign_in


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACR_CONSOLE_SIGN_IN", "easyauth"),
        ("ACR_CONSOLE_PUBLIC_URL", "http://console.example"),
        ("ACR_CONSOLE_PUBLIC_URL", "https://console.example/console"),
        ("ACR_CONSOLE_PUBLIC_URL", "https://user@console.example"),
        ("ACR_CONSOLE_PUBLIC_URL", "console.example"),
        ("ACR_CONSOLE_PUBLIC_URL", "https://console.example:x"),
        ("ACR_CONSOLE_KEYS", "short"),
        ("ACR_CONSOLE_IDLE_MINUTES", "0"),
        ("ACR_CONSOLE_LONGEST_MINUTES", "nan"),
        ("ACR_CONSOLE_CHECK_S", "soon"),
    ],
)
def test_what_is_wrong_is_named_without_its_value_where_that_is_secret(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name) as refused:
        settings_from({**COMPLETE, name: value})
    assert "short" not in str(refused.value)


def test_plain_http_is_for_this_machine_alone() -> None:
    found = settings_from({**COMPLETE, "ACR_CONSOLE_PUBLIC_URL": "http://LOCALHOST:8501"}).sign_in
    assert found
    assert (found.public_url, found.host) == ("http://localhost:8501", "localhost")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"ACR_CONSOLE_SIGN_IN": "entra-shared"},
            "ACR_CONSOLE_PUBLIC_URL and ACR_CONSOLE_KEYS and ACR_CONSOLE_DATABASE",
        ),
        (COMPLETE, "STREAMLIT_SERVER_ALLOWED_HOSTS"),
    ],
)
def test_it_refuses_to_start_with_one_line(given: dict[str, str], said: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(free_port())]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"HOME": str(tmp_path), "PATH": "", **given},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_that_azure_is_asked_as_one_identity_is_a_setting_of_its_own() -> None:
    own = settings_from(COMPLETE).sign_in
    shared = settings_from({**COMPLETE, "ACR_CONSOLE_SIGN_IN": "entra-shared"}).sign_in
    assert own
    assert shared
    assert (own.shared, shared.shared) == (False, True)
