"""JSON Web Tokens of the sandbox: Entra access tokens and a registry's refresh and access tokens, all HS256.

The clients read claims but check no signature. azure-containerregistry decodes the payload with plain base64,
so that no claim may hold characters that base64 spells with - or _: claims are ASCII without > ? ~.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

AAD_SECONDS = 60 * 60
ENTRA_REFRESH_SECONDS = 90 * 24 * 60 * 60
REFRESH_SECONDS = 3 * 60 * 60
ACCESS_SECONDS = 60 * 60
BACKDATED_SECONDS = 15 * 60  # as ACR dates nbf
ISSUER = "Azure Container Registry"
_ENTRA_REFRESH = "Entra refresh token"

Claims = dict[str, Any]


class InvalidToken(ValueError):
    """Not a token of this sandbox, or one whose time is over."""


class Tokens:
    """Makes and reads tokens; the key lives in the data directory, so that tokens survive a restart."""

    def __init__(self, directory: Path, tenant_id: str, clock: Callable[[], datetime]) -> None:
        self._key = _key(directory / "token.key")
        self._tenant_id = tenant_id
        self._clock = clock

    def aad(self, *, oid: str, appid: str, aud: str, name: str) -> str:
        """An access token as Entra gives a service principal."""
        claims = {"aud": aud, "iss": f"https://sts.windows.net/{self._tenant_id}/", "tid": self._tenant_id}
        return self._make({**claims, "oid": oid, "sub": oid, "appid": appid, "name": _plain(name)}, AAD_SECONDS)

    def aad_of_person(
        self, *, oid: str, appid: str, aud: str, name: str, upn: str, challenges: int, seconds: int
    ) -> str:
        """An access token as Entra gives a person; `challenges` are those that it answers (`SignIns.challenge`)."""
        claims = {"aud": aud, "iss": f"https://sts.windows.net/{self._tenant_id}/", "tid": self._tenant_id}
        person = {"oid": oid, "sub": oid, "appid": appid, "name": _plain(name), "upn": _plain(upn)}
        return self._make({**claims, **person, "challenges": challenges}, seconds)

    def entra_refresh(self, *, oid: str, appid: str, session: int) -> str:
        """What an application gets new tokens of a person with."""
        claims = {"aud": _ENTRA_REFRESH, "oid": oid, "appid": appid, "session": session}
        return self._make(claims, ENTRA_REFRESH_SECONDS)

    def read_entra_refresh(self, token: str) -> Claims:
        """Its claims. Raises InvalidToken."""
        claims = self.read(token)
        if claims.get("aud") != _ENTRA_REFRESH:
            raise InvalidToken("the token is for another use")
        return claims

    def refresh(self, *, service: str, subject: str) -> str:
        """What /oauth2/exchange of a registry gives: `subject` may ask this login server for access tokens."""
        claims = {"iss": ISSUER, "aud": service, "sub": subject, "tenant": self._tenant_id}
        return self._make({**claims, "grant_type": "refresh_token"}, REFRESH_SECONDS)

    def access(self, *, service: str, subject: str, access: Sequence[Claims]) -> str:
        """What /oauth2/token of a registry gives."""
        claims = {"iss": ISSUER, "aud": service, "sub": subject, "access": list(access)}
        return self._make({**claims, "grant_type": "access_token"}, ACCESS_SECONDS)

    def read(self, token: str) -> Claims:
        """Claims of a token of ours that is valid now."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(signed).encode(), signature.encode()):
            raise InvalidToken("signature validation failed")
        claims: Claims = json.loads(_decode(signed.split(".")[1]))
        if claims["exp"] <= self._clock().timestamp():
            raise InvalidToken("the token is expired")
        return claims

    def read_registry(self, token: str, *, service: str, grant_type: str) -> Claims:
        """Claims of one of this registry's own tokens of the kind that is expected."""
        claims = self.read(token)
        if (claims["iss"], claims["aud"], claims.get("grant_type")) != (ISSUER, service, grant_type):
            raise InvalidToken("the token is for another use")
        return claims

    def _make(self, claims: Claims, seconds: int) -> str:
        now = int(self._clock().timestamp())
        times = {"iat": now, "nbf": now - BACKDATED_SECONDS, "exp": now + seconds}
        header = _encode({"alg": "HS256", "typ": "JWT"})
        signed = f"{header}.{_encode({'jti': str(uuid.uuid4()), **times, **claims})}"
        return f"{signed}.{self._sign(signed)}"

    def _sign(self, signed: str) -> str:
        return _base64(hmac.digest(self._key, signed.encode(), hashlib.sha256))


def _key(file: Path) -> bytes:
    file.touch(mode=0o600)
    key = file.read_bytes()
    if not key:
        key = secrets.token_bytes(32)
        file.write_bytes(key)
    return key


def _plain(text: str) -> str:
    return "".join(character if character.isascii() and character not in ">?~" else "-" for character in text)


def _encode(part: Claims) -> str:
    return _base64(json.dumps(part, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
