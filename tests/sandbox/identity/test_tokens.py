"""Tokens: what they hold, when they end, and that nobody else can make them."""

import base64
import json
import stat
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.identity.tokens import InvalidToken, Tokens

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TENANT = "4abb5e5e-af15-4a34-b3c2-18f4a9303ee4"


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tokens(tmp_path, clock):
    return Tokens(tmp_path, TENANT, clock)


def make(tokens, kind="access"):
    if kind == "aad":
        return tokens.aad(oid="o", appid="a", aud="https://localhost:1", name="console")
    if kind == "refresh":
        return tokens.refresh(service="localhost:1", subject="o")
    return tokens.access(service="localhost:1", subject="o", access=[])


@pytest.mark.parametrize(("kind", "lifetime"), [("aad", 3600), ("refresh", 3 * 3600), ("access", 3600)])
def test_a_token_is_valid_until_it_ends(tokens, clock, kind, lifetime):
    token = make(tokens, kind)
    claims = tokens.read(token)
    assert (claims["exp"], claims["nbf"]) == (NOW.timestamp() + lifetime, NOW.timestamp() - 900)
    clock.now += timedelta(seconds=lifetime - 1)
    assert tokens.read(token) == claims
    clock.now += timedelta(seconds=1)
    with pytest.raises(InvalidToken):
        tokens.read(token)


def test_an_entra_token_names_who_and_for_what(tokens):
    claims = tokens.read(make(tokens, "aad"))
    expected = {"tid": TENANT, "oid": "o", "appid": "a", "aud": "https://localhost:1", "name": "console"}
    assert claims | expected == claims


def test_a_changed_token_is_refused(tokens):
    head, _, signature = make(tokens).split(".")
    payload = base64.urlsafe_b64encode(json.dumps({"exp": 9e9, "iss": "x", "aud": "x"}).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    for forged in ("", "a", "a.b", "a.b.c", f"{head}.{payload}.{signature}", f"{none}.{payload}.", "ä.ö.ü"):
        with pytest.raises(InvalidToken):
            tokens.read(forged)


@pytest.mark.parametrize(("service", "grant"), [("localhost:2", "access_token"), ("localhost:1", "refresh_token")])
def test_a_registry_token_is_good_for_its_registry_and_use_only(tokens, service, grant):
    token = make(tokens)
    assert tokens.read_registry(token, service="localhost:1", grant_type="access_token")["sub"] == "o"
    with pytest.raises(InvalidToken):
        tokens.read_registry(token, service=service, grant_type=grant)
    with pytest.raises(InvalidToken):
        tokens.read_registry(make(tokens, "aad"), service="https://localhost:1", grant_type="access_token")


def test_the_sdk_can_decode_a_token_of_any_display_name(tokens):
    """It decodes with plain base64, which doesn't know - and _."""
    for name in ("Zoë > team? ~", "日本語", "a" * 40):
        payload = tokens.aad(oid="o", appid="a", aud="b", name=name).split(".")[1]
        assert "-" not in payload
        assert "_" not in payload


def test_the_key_is_kept_for_the_owner_alone(tokens, tmp_path, clock):
    file = tmp_path / "token.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Tokens(tmp_path, TENANT, clock).read(make(tokens))["sub"] == "o"
