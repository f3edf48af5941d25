"""What a new sandbox starts with: `empty`, `walkthrough` or `estate`, each containing the one before, or an estate of
any size, `estate:REGISTRIES:REPOSITORIES:MANIFESTS`, beside what `empty` has."""

from __future__ import annotations

from datetime import datetime

from sandbox.large.places import large_estate
from sandbox.large.size import PREFIX, parse_size
from sandbox.seeds.estate import estate
from sandbox.seeds.walkthrough import tenancy, walkthrough
from sandbox.storage.store import Store

SEEDS = ("empty", "walkthrough", "estate")


def seed(store: Store, name: str, now: datetime) -> None:
    """Fill an empty store; the same name and time give the same bytes. Raises ValueError for a name that is none."""
    large = parse_size(name) if name.startswith(PREFIX) else None
    if large is None and name not in SEEDS:
        raise ValueError(f"no seed is called {name!r}; there are {', '.join(SEEDS)}")
    with store.transaction():
        tenancy(store)
        if large is not None:
            large_estate(store, large, now)
        elif name != "empty":
            walkthrough(store)
        if name == "estate":
            estate(store, now)
