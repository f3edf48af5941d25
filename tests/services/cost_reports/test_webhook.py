"""A report posted to a webhook: taken or said why not, and its address is in no error."""

import traceback
from contextlib import suppress
from pathlib import Path

import pytest

from services.connection.errors import ServiceError
from services.cost_reports import webhook as module
from services.cost_reports.webhook import host_of, post_report
from tests.support.dripping import dripping
from tests.support.webhooks import SECRET, webhook

BODY = {"text": "Registry cost review, October 2026", "html": "<p>€</p>"}


def refusal(address: str, ca_file: str | None) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        post_report(address, BODY, ca_file)
    assert refused.value.code == "NotPosted"
    # Neither in it nor in what a log would write of it.
    assert SECRET not in "".join(traceback.format_exception(refused.value)) + refused.value.remedy
    return refused.value


def test_it_gets_the_report_as_json(tmp_path: Path) -> None:
    with webhook(tmp_path) as hook:
        for hook.status in (200, 202, 204):
            post_report(hook.address, BODY, hook.ca_file)
        path = f"/services/{SECRET}?sig={SECRET}"
        assert hook.posts == [(path, BODY)] * 3


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (404, "localhost: It answered 404."),
        (500, "localhost: It answered 500."),
        (302, "localhost: It answered 302: the console follows no redirect."),
    ],
)
def test_what_it_does_not_take_is_said(tmp_path: Path, status: int, cause: str) -> None:
    with webhook(tmp_path) as hook:
        hook.status, hook.location = status, hook.address
        error = refusal(hook.address, hook.ca_file)
        assert (error.cause, error.status) == (cause, status)
        assert len(hook.posts) == 1


def test_one_that_is_down_or_not_trusted_is_said(tmp_path: Path) -> None:
    with webhook(tmp_path) as hook:
        assert refusal(hook.address, None).cause.startswith("localhost: It could not be reached (")
    assert refusal(hook.address, hook.ca_file).cause.startswith("localhost: It could not be reached (")


def test_one_whose_answer_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGEST_ANSWER", 20)
    with dripping(tmp_path, b"HTTP/1.1 200 OK\r\n\r\n") as (server, ca_file):
        assert refusal(f"https://{server}/{SECRET}", ca_file).cause.startswith("localhost: Its answer was not taken")


def test_a_header_that_is_none_puts_the_address_into_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with dripping(tmp_path, b"HTTP/1.1 200 OK\r\nbad\r\n\r\n") as (server, ca_file):
        with suppress(ServiceError):
            post_report(f"https://{server}/{SECRET})/x?sig={SECRET}", BODY, ca_file)
        assert f"Failed to parse headers (url=https://{server}/… " in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        f"http://hooks.example.com/{SECRET}",
        f"hooks.example.com/{SECRET}",
        f"https:///{SECRET}",
        f"https://me:{SECRET}@hooks.example.com/",
        f"https://hooks.example.com/{SECRET}#x",
        f"https://hooks.example.com/{SECRET} x",
        f"https://hooks.example.com:port/{SECRET}",
        f"https://[::1/{SECRET}",
        f"https://hooks.example.com/{SECRET}\n",
    ],
)
def test_what_is_no_address_of_a_webhook_is_refused_without_it(address: str) -> None:
    with pytest.raises(ValueError, match="no address of a webhook") as refused:
        host_of(address)
    assert SECRET not in str(refused.value)


def test_of_an_address_the_host_may_be_shown() -> None:
    assert host_of(f"https://Hooks.example.com:8443/services/{SECRET}?sig={SECRET}") == "hooks.example.com"
