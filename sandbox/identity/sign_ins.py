"""People's sign-ins at Entra: one-time codes, refresh tokens, and what an administrator may do to them.

Refresh tokens are signed, so that they survive a restart. What was revoked or asked for is forgotten by one.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

CODE_VALID = timedelta(minutes=10)


@dataclass(frozen=True)
class Code:
    """What an authorization code was issued for. `challenge` is "" where the client sent none."""

    object_id: str
    client_id: str
    redirect_uri: str
    challenge: str
    method: str
    nonce: str
    scope: str
    until: datetime


class SignIns:
    """Safe for the sandbox's own thread and a test's.

    `redirect_uris` are registered with the console's application. `access_seconds` is how long a person's access token
    is valid. `second_factor` are object ids of people who must sign in with one: until then nothing is renewed.
    """

    def __init__(self) -> None:
        self.redirect_uris: set[str] = set()
        self.access_seconds = 3600
        self.second_factor: set[str] = set()
        self._codes: dict[str, Code] = {}
        self._redeemed: set[str] = set()
        self._sessions: Counter[str] = Counter()  # How often a person's refresh tokens were revoked.
        self._challenges: Counter[str] = Counter()  # How often a new access token was asked for.

    def revoke(self, object_id: str) -> None:
        """From now on the person's refresh tokens are worth nothing; a new sign-in gives others."""
        self._sessions[object_id] += 1

    def challenge(self, object_id: str) -> None:
        """From now on Resource Manager refuses the person's access tokens, as continuous access evaluation does, until
        they come from a request that answers its claims challenge."""
        self._challenges[object_id] += 1

    def session(self, object_id: str) -> int:
        """What refresh tokens of the person carry now; one with less was revoked."""
        return self._sessions[object_id]

    def challenges(self, object_id: str) -> int:
        """What access tokens of the person carry that answer the latest challenge."""
        return self._challenges[object_id]

    def issue_code(self, code: Code) -> str:
        text = secrets.token_urlsafe(24)
        self._codes[text] = code
        return text

    def redeem(self, text: str) -> Code | None:
        """The code's content, once."""
        self._redeemed.add(text)
        return self._codes.pop(text, None)

    def was_redeemed(self, text: str) -> bool:
        return text in self._redeemed
