"""The recommended SKU of a registry: the cheapest that has everything it needs, by what it uses.

Rules: https://learn.microsoft.com/azure/container-registry/container-registry-skus. Neither zone redundancy (the
same in all SKUs) nor content trust (withdrawn) is a reason for one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from services.pricing.estimates import Estimate, Use, estimate, gib
from services.pricing.money import ZERO
from services.pricing.prices import Prices
from services.registries.registry import Registry
from services.registries.skus import LIMITS, Sku, sku_of
from services.wording import counted


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
    """`best` is None if no SKU has everything; `reasons` explain it; `options` are all three, the smallest first."""

    best: Option | None
    reasons: tuple[str, ...]
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
    for much, most, what in (
        (needs.webhooks, limits.webhooks, "webhooks"),
        (needs.tokens, limits.tokens, "tokens"),
        (needs.reads, limits.reads, "read requests a minute"),
        (needs.writes, limits.writes, "write requests a minute"),
    ):
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
    return Choice(best, tuple(_reasons(best, options)), options)


def _reasons(best: Option | None, options: tuple[Option, ...]) -> Iterator[str]:
    if best is None:
        yield "No SKU has all of this: use several registries."
        return
    smaller = [option for option in options if list(Sku).index(option.sku) < list(Sku).index(best.sku)]
    if not any(option.lacks for option in smaller) and smaller:
        yield f"{best.sku} costs less for this much storage than smaller SKUs, and lacks nothing."
    for option in smaller:
        yield from option.lacks
    if best.sku is Sku.BASIC:
        yield "Basic has all that is needed, and is the cheapest."


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

    `saving` is a month's, in the prices' currency: 0 where it has the cheapest already. `blocked`: a SKU that would
    cost even less, and what it lacks that the registry uses.
    """

    registry: Registry
    found: RegistryNeeds
    present: Estimate | None
    choice: Choice | None
    saving: Decimal | None
    blocked: Option | None
    unknown: str = ""


def review_sku(registry: Registry, prices: Mapping[str, Prices], days: int) -> SkuReview:
    """`prices` by region."""
    found, sku = needs_of(registry), sku_of(registry.sku)

    def unknown(why: str) -> SkuReview:
        return SkuReview(registry, found, None, None, None, None, why)

    if sku is None:
        return unknown(f"{registry.sku} is retired and has no price here: move to Basic, Standard or Premium.")
    if found.needs is None:
        return unknown(f"Not read: {', '.join(found.unread)}.")
    if registry.location not in prices:
        return unknown(f"No prices are known for {registry.location}.")
    try:
        choice = choose_sku(found.needs, prices[registry.location], days)
    except ValueError as exc:
        return unknown(f"{exc}.")
    present = next(option.estimate for option in choice.options if option.sku is sku)
    if present.unpriced:
        return unknown(f"There is no price for {', '.join(present.unpriced)} in {registry.location}.")
    best = choice.best
    # A SKU that lacks what is used is never recommended; if none has everything, the present one stays.
    saving = max(present.total - best.estimate.total, ZERO) if best else ZERO
    now = best.estimate.total if best else present.total
    cheaper = [option for option in choice.options if option.lacks and option.estimate.total < min(now, present.total)]
    blocked = min(cheaper, key=lambda option: option.estimate.total, default=None)
    return SkuReview(registry, found, present, choice, saving, blocked)
