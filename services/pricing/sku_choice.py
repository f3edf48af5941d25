"""The recommended SKU of a registry: the cheapest that has everything it needs, by what it uses.

Rules: https://learn.microsoft.com/azure/container-registry/container-registry-skus. Neither zone redundancy (the
same in all SKUs) nor content trust (withdrawn) is a reason for one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from services.pricing.estimates import GIB, Estimate, Use, estimate, gib
from services.pricing.money import ZERO
from services.pricing.prices import Prices
from services.registries.registry import Registry
from services.registries.skus import LIMITS, Sku, sku_of
from services.wording import counted, size


@dataclass(frozen=True)
class Needs:
    """What is needed of a registry. Reads and writes are requests a minute, at the peak."""

    stored_gib: Decimal = ZERO
    replicas: int = 0
    private_endpoints: int = 0
    connected: int = 0
    webhooks: int = 0
    tokens: int = 0
    reads: int = 0
    writes: int = 0
    task_seconds: Decimal = ZERO
    anonymous_pull: bool = False
    customer_key: bool = False
    restricted_network: bool = False
    data_endpoints: bool = False
    retention: bool = False

    @property
    def use(self) -> Use:
        """The part of the needs that costs. Raises ValueError if something is negative."""
        return Use(self.stored_gib, self.replicas, self.task_seconds, self.connected)


@dataclass(frozen=True)
class Option:
    """A SKU, what it would cost, and what it lacks, in sentences."""

    sku: Sku
    estimate: Estimate
    lacks: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """`best` is None if no SKU has everything; `reason` says why it is the best; `options` are all three, the smallest
    first."""

    best: Option | None
    reason: str
    options: tuple[Option, ...]

    @property
    def cheaper(self) -> tuple[Option, ...]:
        """Those that cost less than the best, and lack something."""
        return tuple(one for one in self.options if self.best and one.estimate.total < self.best.estimate.total)


def lacks(sku: Sku, needs: Needs) -> Iterator[str]:
    """What of `needs` the SKU does not have."""
    limits = LIMITS[sku]
    if needs.stored_gib > limits.capacity_tib * 1024:
        yield f"{sku} holds at most {limits.capacity_tib} TiB."
    for much, most, what in _limited(needs, sku):
        if much > most:
            yield f"{sku} has at most {most:,} {what}: {much:,} are needed."
    if needs.anonymous_pull and sku is Sku.BASIC:
        yield "Basic has no anonymous pull."
    if sku is not Sku.PREMIUM:
        premium_only = {
            f"geo-replication: {counted(needs.replicas, 'replica')}": needs.replicas,
            f"private endpoints: {needs.private_endpoints}": needs.private_endpoints,
            f"connected registries: {needs.connected}": needs.connected,
            "customer-managed keys": needs.customer_key,
            "restriction of public access": needs.restricted_network,
            "dedicated data endpoints": needs.data_endpoints,
            "retention policy": needs.retention,
        }
        yield from (f"{sku} has no {what}." for what, needed in premium_only.items() if needed)


def _limited(needs: Needs, sku: Sku) -> tuple[tuple[int, int, str], ...]:
    """What is needed of what the SKU has so many of, that number, and its name."""
    limits = LIMITS[sku]
    return (
        (needs.webhooks, limits.webhooks, "webhooks"),
        (needs.tokens, limits.tokens, "tokens"),
        (needs.reads, limits.reads, "read requests a minute"),
        (needs.writes, limits.writes, "write requests a minute"),
    )


def choose_sku(needs: Needs, prices: Prices, days: int) -> Choice:
    """The cheapest SKU that lacks nothing; of two that cost the same, the smaller.

    Raises ValueError if something is negative, or if a fixed fee or the storage that is needed has no price, as
    nothing can be compared then.
    """
    if missing := [sku for sku in Sku if sku not in prices.registry_day]:
        raise ValueError(f"There is no price for {', '.join(missing)} in {prices.region}")
    beyond = [sku for sku in Sku if needs.stored_gib > LIMITS[sku].included_gib]
    if missing := [sku for sku in beyond if sku not in prices.stored_gib]:
        raise ValueError(f"There is no price for the storage of {', '.join(missing)} in {prices.region}")
    options = tuple(Option(sku, estimate(sku, needs.use, prices, days), tuple(lacks(sku, needs))) for sku in Sku)
    enough = [option for option in options if not option.lacks]
    best = min(enough, key=lambda option: option.estimate.total, default=None)
    return Choice(best, _reason(best, options, needs), options)


def _reason(best: Option | None, options: tuple[Option, ...], needs: Needs) -> str:
    """'Premium: uses a retention policy', 'Basic is enough: uses 3 of 10 GiB, and no feature of a larger SKU'."""
    if best is None:
        return "No SKU has all of this: use several registries"
    sku, included = best.sku, LIMITS[best.sku].included_gib
    smaller = options[: list(Sku).index(sku)]
    # Those of a SKU that lacks the least of the smaller ones: what only a still smaller one lacks decides nothing.
    if smaller and smaller[-1].lacks:
        return f"{sku}: uses {_joined(_decisive(smaller[-1].sku, needs))}"
    if smaller:
        enough = " or ".join(option.sku for option in smaller if not option.lacks)
        return f"{sku}: {_stored(needs.stored_gib)} cost less than with {enough}"
    if needs.stored_gib <= included:
        return f"{sku} is enough: uses {_of_included(needs.stored_gib, included)}, and no feature of a larger SKU"
    over = _stored(needs.stored_gib - included)
    return f"{sku} is enough: {over} beyond its {included} GiB cost less than a larger SKU"


def _joined(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _decisive(smaller: Sku, needs: Needs) -> Iterator[str]:
    """What of `needs` a `smaller` SKU does not have, as what is used."""
    limits = LIMITS[smaller]
    if needs.stored_gib > limits.capacity_tib * 1024:
        yield f"{_stored(needs.stored_gib)}, more than the {limits.capacity_tib} TiB that {smaller} holds"
    for much, most, what in _limited(needs, smaller):
        if much > most:
            yield f"{much:,} {what}, more than the {most:,} of {smaller}"
    if needs.anonymous_pull and smaller is Sku.BASIC:
        yield "anonymous pull"
    for what, needed in {
        counted(needs.replicas, "replica"): needs.replicas,
        counted(needs.private_endpoints, "private endpoint"): needs.private_endpoints,
        counted(needs.connected, "connected registry", "connected registries"): needs.connected,
        "customer-managed keys": needs.customer_key,
        "restricted access": needs.restricted_network,
        "data endpoints": needs.data_endpoints,
        "a retention policy": needs.retention,
    }.items():
        if needed:
            yield what


def _of_included(stored_gib: Decimal, included: int) -> str:
    """'3 of 10 GiB', '12 MiB of 10 GiB'."""
    stored = _stored(stored_gib)
    return f"{stored.removesuffix(' GiB')} of {included} GiB"


def _stored(stored_gib: Decimal) -> str:
    """Never 0 of something that is more: '601 GiB', '1.5 GiB', '12 MiB', '34 KiB'."""
    return size(float(stored_gib * GIB)).replace(".0 ", " ") if stored_gib else "0 GiB"


@dataclass(frozen=True)
class RegistryNeeds:
    """What a registry uses, with the evidence. `needs` None: its usage or its replicas could not be read."""

    needs: Needs | None
    evidence: tuple[str, ...]
    unread: tuple[str, ...] = ()


def needs_of(registry: Registry, connected: int | None = None) -> RegistryNeeds:
    """What a registry uses of its SKU, as Azure reports it. `connected` counts connected registries, where it is known.

    Build minutes and request rates are not in Azure's lists: they count as none.
    """
    network, access = registry.network, registry.access
    tokens = max((usage.current for usage in map(registry.usage, ("Tokens", "ScopeMaps")) if usage), default=0)
    restricted = not network.public_access or network.default_action == "Deny" or bool(network.ip_rules)
    replicas = len(registry.replicas or ())
    evidence = {
        counted(replicas, "replica"): replicas,
        counted(len(network.private_endpoints), "private endpoint"): network.private_endpoints,
        counted(connected or 0, "connected registry", "connected registries"): connected,
        counted(registry.webhooks or 0, "webhook"): registry.webhooks,
        f"tokens or scope maps: {tokens}": tokens,
        "anonymous pull on": access.anonymous_pull,
        "customer-managed key": access.customer_key,
        "public access restricted or off": restricted,
        "dedicated data endpoints": network.data_endpoints,
        "retention policy on": access.retention_days is not None,
    }
    seen = tuple(what for what, there in evidence.items() if there)
    if registry.stored_bytes is None or registry.replicas is None:
        return RegistryNeeds(None, seen, tuple(refusal.what for refusal in registry.unread) or ("usage",))
    needs = Needs(
        stored_gib=gib(registry.stored_bytes),
        replicas=replicas,
        private_endpoints=len(network.private_endpoints),
        connected=connected or 0,
        webhooks=registry.webhooks or 0,
        tokens=tokens,
        anonymous_pull=access.anonymous_pull,
        customer_key=access.customer_key,
        restricted_network=restricted,
        data_endpoints=bool(network.data_endpoints),
        retention=access.retention_days is not None,
    )
    return RegistryNeeds(needs, seen)


@dataclass(frozen=True)
class SkuReview:
    """A registry's present and recommended SKU. None: unknown, with the reason in `unknown`.

    `saving` is a month's, in the prices' currency: 0 where it has the cheapest already.
    """

    registry: Registry
    found: RegistryNeeds
    present: Estimate | None
    choice: Choice | None
    saving: Decimal | None
    unknown: str = ""


def review_sku(registry: Registry, prices: Mapping[str, Prices], days: int) -> SkuReview:
    """`prices` by region."""
    found, sku = needs_of(registry), sku_of(registry.sku)

    def unknown(why: str) -> SkuReview:
        return SkuReview(registry, found, None, None, None, why)

    if sku is None:
        return unknown(f"{registry.sku} is retired, change to Basic, Standard or Premium")
    if found.needs is None:
        return unknown(f"Could not be read: {', '.join(found.unread)}")
    if registry.location not in prices:
        return unknown(f"No prices are known for {registry.location}")
    try:
        choice = choose_sku(found.needs, prices[registry.location], days)
    except ValueError as exc:
        return unknown(str(exc))
    present = next(option.estimate for option in choice.options if option.sku is sku)
    if present.unpriced:
        return unknown(f"There is no price for {', '.join(present.unpriced)} in {registry.location}")
    best = choice.best
    # A SKU that lacks what is used is never recommended; if none has everything, the present one stays.
    saving = max(present.total - best.estimate.total, ZERO) if best else ZERO
    return SkuReview(registry, found, present, choice, saving)
