"""What a new sandbox starts with: `empty`, `walkthrough` or `estate`, each containing the one before."""

from __future__ import annotations

from datetime import datetime

from sandbox.seeds.estate import estate
from sandbox.seeds.walkthrough import tenancy, walkthrough
from sandbox.storage.store import Store

SEEDS = ("empty", "walkthrough", "estate")


def seed(store: Store, name: str, now: datetime) -> None:
    """Fill an empty store; the same name and time give the same bytes."""
    if name not in SEEDS:
        raise ValueError(f"no seed is called {name!r}; there are {', '.join(SEEDS)}")
    with store.transaction():
        tenancy(store)
        if name != "empty":
            walkthrough(store)
        if name == "estate":
            estate(store, now)
