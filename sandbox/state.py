"""What the apps of a sandbox share: its store, its tokens, its clock and its listeners of registries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.identity.id_tokens import IdTokens
from sandbox.identity.principals import TENANT_ID
from sandbox.identity.sign_ins import SignIns
from sandbox.identity.tokens import Tokens
from sandbox.stamps import Stamps
from sandbox.storage.store import Store, timestamp


class State:
    """Handed to every app. `authority_url` is empty until the management listener has its port.

    `people_url` is where browsers sign people in, without TLS that they would not trust; "" before that is asked for.
    """

    tenant_id = TENANT_ID
    registry_audience = "https://containerregistry.azure.net"

    def __init__(
        self,
        store: Store,
        tokens: Tokens,
        id_tokens: IdTokens,
        clock: Callable[[], datetime],
        propagation: timedelta,
        open_registry: Callable[[str], int],
        close_registry: Callable[[str], None],
    ) -> None:
        self.store = store
        self.tokens = tokens
        self.id_tokens = id_tokens
        self.sign_ins = SignIns()
        self.clock = clock
        self.authority_url = ""
        self.people_url = ""
        self.open_registry = open_registry
        self.close_registry = close_registry
        self._propagation = propagation
        self._stamps = Stamps(clock)

    @property
    def settled(self) -> str | None:
        """The time after which role assignments have not reached the data plane yet; None when all have."""
        return timestamp(self.clock() - self._propagation) if self._propagation else None

    def stamp(self) -> str:
        """The time of a change on the data plane; each is later than the one before."""
        return self._stamps.next()
