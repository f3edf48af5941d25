"""Nothing in a cassette opens anything."""

from pathlib import Path

from tests.support.canned import jwt
from tests.support.scrub import Scrubber, secrets_in

CASSETTES = Path(__file__).parent.parent / "cassettes"
SIGNED = jwt(exp=1).replace("eyJhbGciOiAibm9uZSJ9", "eyJhbGciOiAiSFMyNTYifQ") + "c2ln"


def test_no_cassette_holds_a_secret() -> None:
    files = sorted(CASSETTES.glob("*.yaml"))
    assert files
    for file in files:
        text = file.read_text()
        assert secrets_in(text, "sandbox-console-secret", "sandbox-reader-secret") == [], file.name
        assert len(text) < 32 * 1024, file.name


def test_what_would_be_a_secret_is_seen() -> None:
    assert secrets_in(f"Bearer {SIGNED}") == [SIGNED]
    assert secrets_in("client_secret=x") == ["client_secret="]
    assert secrets_in("https://localhost:4711/") == ["localhost:4711"]
    assert secrets_in("body: s3cret", "s3cret") == ["s3cret"]


def test_scrubbed_text_has_none() -> None:
    scrubber = Scrubber({"localhost:4711": "a.example"})
    text = scrubber.text(f"https://localhost:4711/ {SIGNED}")
    assert text.startswith("https://a.example/ eyJ")
    assert secrets_in(text) == []
    assert scrubber.text(text) == text
