"""What Basic, Standard and Premium have today, each figure with its source and the date when it was read there."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Sku(StrEnum):
    """The SKUs that a registry can be created with, the smallest first. Classic is retired and has no price here."""

    BASIC = "Basic"
    STANDARD = "Standard"
    PREMIUM = "Premium"


def sku_of(name: str) -> Sku | None:
    """The SKU that ARM calls `name`; None for Classic and for what this console does not know."""
    return next((sku for sku in Sku if sku.casefold() == name.casefold()), None)


@dataclass(frozen=True)
class Limits:
    """`included_gib` is paid with the fixed fee; beyond it each GiB costs, up to `capacity_tib`.

    Reads and writes are requests a minute to the whole registry; one identity has half of them.
    """

    included_gib: int
    capacity_tib: int
    webhooks: int
    tokens: int
    reads: int
    writes: int


# https://learn.microsoft.com/azure/container-registry/container-registry-skus#registry-features-and-limits
LIMITS = {
    Sku.BASIC: Limits(10, 40, 2, 100, 10_000, 2_000),
    Sku.STANDARD: Limits(100, 40, 10, 500, 10_000, 2_000),
    Sku.PREMIUM: Limits(500, 100, 500, 50_000, 20_000, 4_000),
}


@dataclass(frozen=True)
class Source:
    """A document that says so, and when it was read."""

    title: str
    url: str
    read: date


_DOCS = "https://learn.microsoft.com/azure/container-registry/"
_READ = date(2026, 8, 31)
SKUS_PAGE = Source("Container registry SKUs", _DOCS + "container-registry-skus", _READ)
_ZONES = Source("Zone redundancy", _DOCS + "zone-redundancy", _READ)
_PRIVATE = Source("Private endpoints", _DOCS + "container-registry-private-link", _READ)
_NETWORKS = Source("Public IP network rules", _DOCS + "container-registry-access-selected-networks", _READ)
_TRUST = Source("Content trust", _DOCS + "container-registry-content-trust", _READ)
_ANONYMOUS = Source("Anonymous pull", _DOCS + "anonymous-pull-access", _READ)
_CONNECTED = Source("Connected registry", _DOCS + "intro-connected-registry", _READ)
_CACHE = Source("Artifact cache", _DOCS + "artifact-cache-overview", _READ)
_SOFT = Source("Soft delete policy", _DOCS + "container-registry-soft-delete-policy", _READ)
_STREAMING = Source("Artifact streaming", _DOCS + "container-registry-artifact-streaming", _READ)
_GEO = Source("Geo-replication", _DOCS + "container-registry-geo-replication", _READ)


@dataclass(frozen=True)
class Feature:
    """A row of the comparison. `guide` says where the guide that teams work from is out of date, and why."""

    name: str
    basic: str
    standard: str
    premium: str
    source: Source
    guide: str = ""

    def of(self, sku: Sku) -> str:
        return {Sku.BASIC: self.basic, Sku.STANDARD: self.standard, Sku.PREMIUM: self.premium}[sku]


YES, NO, WITHDRAWN = "yes", "–", "withdrawn"


def _limit(name: str, attribute: str, unit: str = "", guide: str = "") -> Feature:
    basic, standard, premium = (f"{getattr(LIMITS[sku], attribute):,}{unit}" for sku in Sku)
    return Feature(name, basic, standard, premium, SKUS_PAGE, guide)


FEATURES = (
    _limit("Storage included", "included_gib", " GiB"),
    _limit(
        "Storage at most",
        "capacity_tib",
        " TiB",
        "Not in the guide. Beyond what is included each GiB costs, the same in all SKUs.",
    ),
    _limit("Webhooks", "webhooks", "", "The guide says 100 for Premium: that was so in 2018 and 2019. It is 500."),
    Feature("Geo-replication", NO, NO, YES, _GEO),
    Feature("Private endpoints", NO, NO, "200", _PRIVATE),
    Feature("Public access restricted by IP rules", NO, NO, "200 rules", _NETWORKS),
    Feature("Dedicated data endpoints", NO, NO, YES, SKUS_PAGE),
    Feature("Customer-managed keys", NO, NO, YES, SKUS_PAGE),
    Feature(
        "Content trust",
        NO,
        NO,
        WITHDRAWN,
        _TRUST,
        "The guide counts it for Premium. Since 31 May 2026 it can't be switched on any more, and it ends on "
        "31 March 2028: no reason for Premium.",
    ),
    _limit(
        "Read requests a minute",
        "reads",
        "",
        "The guide says low, medium and high throughput. Basic and Standard have the same rate limits today.",
    ),
    _limit("Write requests a minute", "writes"),
    _limit("Tokens and scope maps, each", "tokens"),
    Feature("Anonymous pull", NO, YES, YES, _ANONYMOUS),
    Feature("Permissions by repository (ABAC)", YES, YES, YES, SKUS_PAGE),
    Feature(
        "Zone redundancy",
        YES,
        YES,
        YES,
        _ZONES,
        "In all SKUs, at no cost, in regions that have availability zones; ACR Tasks are not covered.",
    ),
    Feature("Retention of untagged manifests (preview)", NO, NO, YES, SKUS_PAGE),
    Feature("Soft delete (preview)", YES, YES, YES, _SOFT),
    Feature("Artifact cache", "check", YES, YES, _CACHE, "Microsoft's pages disagree about Basic: try it first."),
    Feature("Connected registries", NO, NO, "50", _CONNECTED),
    Feature("Artifact streaming (preview)", NO, NO, YES, _STREAMING),
    Feature("Transfer, export policy, agent pools for tasks", NO, NO, YES, SKUS_PAGE),
)

# https://azure.microsoft.com/pricing/details/container-registry/ and the Retail Prices API.
PRICE_NOTE = (
    "The guide says about USD 2.33 a day (70 a month) for Premium. It is USD 1.6666 a day: 50.00 in a month of 30 "
    "days. Its Basic (0.167) and Standard (0.667) are today's prices, rounded."
)


def missing_features(sku: Sku) -> tuple[str, ...]:
    """The features of the comparison that a SKU does not have, and a larger one has."""
    return tuple(one.name for one in FEATURES if one.of(sku) == NO and one.premium not in (NO, WITHDRAWN))
