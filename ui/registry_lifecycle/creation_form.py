"""The form for a new registry: what it asks, how Azure checks the answers, and the specification they make."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from services.access.role_assignment_reading import group_permissions
from services.access.role_definitions import PermissionBlock
from services.arm.policy_restrictions import PolicyDenial
from services.arm.providers import RegistryProvider, read_provider
from services.arm.resource_groups import ResourceGroup, list_groups, usual_location
from services.arm.resource_tags import Tags, parse_tags
from services.arm.subscriptions import Subscription, list_subscriptions
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.pricing.estimates import Use, estimate
from services.pricing.money import ZERO, money
from services.registries.registry import Mode
from services.registries.skus import LIMITS, Sku, missing_features
from services.registry_lifecycle.creation_plan import CreationFacts, RegistrySpec, read_policy_denials
from services.registry_lifecycle.names import NameCheck, NameScope, check_name, name_errors
from services.wording import counted
from ui.elements.errors import Part, panel, show_error, show_partial
from ui.elements.page import empty
from ui.elements.text import plain
from ui.pricing.prices import PriceBook, choose_prices
from ui.runtime import connection

NEW, EXISTING = "New", "Existing"
# The location whose prices are shown until one is chosen.
ELSEWHERE = "eastus"
_MODES = {
    Mode.LEGACY: "Roles apply to the whole registry. Azure's default today, and what `az aks --attach-acr` expects.",
    Mode.ABAC: "Roles can be limited to repositories. Microsoft recommends it for new registries: Owner, Contributor "
    "and Reader alone then give no access to images.",
}
_SCOPES = {
    NameScope.UNSECURE: "name.azurecr.io",
    NameScope.TENANT: "With a hash, reusable in this tenant",
    NameScope.SUBSCRIPTION: "With a hash, reusable in this subscription",
    NameScope.GROUP: "With a hash, reusable in this resource group",
    NameScope.NONE: "With a hash, never reusable",
}


@dataclass(frozen=True)
class Place:
    """A subscription for the registry: its groups, its resource provider with the locations, when both were read."""

    subscription: Subscription
    groups: Partial[ResourceGroup]
    provider: RegistryProvider
    at: datetime


@st.cache_resource(ttl="10m", show_spinner="Listing the subscriptions", max_entries=50)
def _subscriptions(who: str) -> Partial[Subscription]:
    return list_subscriptions(connection.session(who))


@st.cache_resource(ttl="2m", show_spinner="Reading groups and locations", max_entries=50)
def _place(who: str, subscription: Subscription) -> Place:
    session = connection.session(who)
    groups, provider = list_groups(session, subscription.id), read_provider(session, subscription.id)
    return Place(subscription, groups, provider, datetime.now(UTC))


# A place that was read again has its names and permissions checked again.
_BY_PLACE: dict[str | type[Any], Callable[[Any], Any]] = {Place: lambda place: (place.subscription.id, place.at)}


@st.cache_resource(ttl="30s", show_spinner="Checking the name", max_entries=200, hash_funcs=_BY_PLACE)
def _name_check(who: str, place: Place, name: str, scope: NameScope, group: str) -> NameCheck:
    return check_name(connection.session(who), place.subscription.id, name, scope, group)


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=200, hash_funcs=_BY_PLACE)
def _caller_permissions(who: str, place: Place, group: str) -> tuple[PermissionBlock, ...]:
    return group_permissions(connection.session(who), place.subscription.id, group)


@st.cache_resource(ttl="1m", show_spinner=False, max_entries=200)
def _policy_denials(who: str, spec: RegistrySpec, *, in_group: bool) -> tuple[PolicyDenial, ...]:
    return read_policy_denials(connection.session(who), spec, in_group=in_group)


def forget(who: str) -> None:
    """Drops all that the form has read from Azure."""
    with suppress(ServiceError):  # No subscription was read then, and so no place.
        for subscription in _subscriptions(who).values:
            _place.clear(who, subscription)
    _subscriptions.clear(who)


def choose_place(who: str, within: DeltaGenerator) -> Place:
    """Asks in `within` for the subscription and reads its place. Stops the page, with the reason, where that can't be
    read."""
    try:
        listed = _subscriptions(who)
        subscriptions = listed.values
        if not subscriptions:
            show_partial(Part(listed, "subscription"))
            if listed.refused:
                st.stop()
            empty(":material/key_off:", "No subscriptions", "This identity has no role in any subscription.")
            st.stop()
        names = Counter(one.name for one in subscriptions)
        named = {one.name if names[one.name] == 1 else f"{one.name} ({one.id})": one for one in subscriptions}
        with within:
            chosen = st.selectbox("Subscription", list(named), key="new_subscription", bind="query-params")
        place = _place(who, named[chosen])
        show_partial(
            Part(listed, "subscription"),
            Part(place.groups, "resource group"),
            Part(Partial((), place.provider.refused), "location"),
        )
        return place
    except ServiceError as error:
        show_error(error)
        st.stop()


def ask_place(place: Place, beside: DeltaGenerator) -> tuple[str, bool, str]:
    """Asks for the location in `beside` and below for the group; returns the group, whether it is new, the location."""
    with beside:
        location = _ask_location(place)
    group, new_group = _ask_group(place)
    return group, new_group, location


def _ask_group(place: Place) -> tuple[str, bool]:
    """Asks for the resource group: its name, and whether it is to be created."""
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        kind = st.radio(
            "Resource group",
            [EXISTING, NEW],
            index=0 if place.groups.values else 1,
            horizontal=True,
            key="grouping",
            bind="query-params",
            width="stretch",
        )
    with right:
        if kind == NEW:
            typed = st.text_input(
                "Name of the new group", key="new_group", bind="query-params", placeholder="contoso-registries-rg"
            )
            return (typed or "").strip(), True
        chosen = st.selectbox(
            "Existing group",
            [group.name for group in place.groups.values],
            None,
            key="in_group",
            bind="query-params",
            placeholder="Choose one",
        )
    return chosen or "", False


def _ask_location(place: Place) -> str:
    names = [location.name for location in place.provider.locations]
    # What the address names and is not there is not replaced by another.
    usual = "" if st.query_params.get("new_location") else usual_location(place.groups.values)
    chosen = st.selectbox(
        "Location",
        names,
        names.index(usual) if usual in names else None,
        key="new_location",
        bind="query-params",
        placeholder="Choose one",
        help=f"{counted(len(names), 'location')} where Azure offers registries to this subscription.",
    )
    return chosen or ""


@dataclass(frozen=True)
class Identity:
    """What a registry is: its name, the form of its login server, its SKU and tags, None where they can't be set."""

    name: str
    scope: NameScope
    sku: Sku
    tags: Tags | None


def ask_registry(
    who: str, place: Place, group: str, location: str, own_names: Collection[str]
) -> tuple[Identity, PriceBook]:
    """Asks for what the registry is; returns it, and the prices.

    `own_names`: case folded, of the registries that this session creates. They are not checked: Azure would say they
    are in use.
    """
    name, scope = _ask_name(who, place, group, own_names)
    sku_box = st.container()
    tags_box, prices_box = st.columns(2)
    with tags_box, st.expander("Tags", icon=":material/sell:"):
        tags = _ask_tags()
    with prices_box, st.expander("Currency, days and discounts", icon=":material/payments:"):
        book = choose_prices(who, [location or ELSEWHERE])
    with sku_box:
        sku = _ask_sku(book, location or ELSEWHERE)
    return Identity(name, scope, sku, tags), book


def ask_access() -> tuple[Mode, bool]:
    """Asks for the permission mode, and whether the registry has public access."""
    mode = st.radio("Permissions", list(Mode), captions=list(_MODES.values()), key="new_mode", bind="query-params")
    public = st.toggle(
        "Public access",
        True,
        key="new_public",
        bind="query-params",
        help="Off: reachable through private endpoints only, which require Premium.",
    )
    st.caption("Azure creates it with the admin user and anonymous pull off. Its settings change both.")
    return Mode(mode or Mode.LEGACY), public


def _ask_tags() -> Tags | None:
    """Asks for the tags; None, with the reason shown, where they can't be set."""
    typed = st.text_area(
        "Tags, one per line", key="new_tags", placeholder="team=platform\nenvironment=production", height=100
    )
    try:
        return parse_tags(typed)
    except ServiceError as error:
        show_error(error)
        return None


def _ask_name(who: str, place: Place, group: str, own_names: Collection[str]) -> tuple[str, NameScope]:
    left, right = st.columns(2)
    with left:
        typed = st.text_input(
            "Name",
            key="new_name",
            bind="query-params",
            live="500ms",
            placeholder="contosoacr",
            help="5 to 50 letters and digits. Images are pulled from a host of this name.",
        )
    with right:
        chosen = st.selectbox(
            "Login server",
            list(NameScope),
            format_func=lambda one: _SCOPES[one],
            key="new_domain",
            bind="query-params",
            help="With a hash, nobody else can reuse the host name once the registry is deleted and receive its pulls. "
            "It can't be changed later.",
        )
    name, scope = (typed or "").strip(), NameScope(chosen or NameScope.UNSECURE)
    if name:
        for rule in name_errors(name):
            st.markdown(f":red[:material/close:] {plain(rule)}")
        if name_can_be_checked(place, name) and name.casefold() not in own_names:
            with panel():
                _show_check(_name_check(who, place, name, scope, group))
    return name, scope


def name_can_be_checked(place: Place, name: str) -> bool:
    """Whether Azure can check the name: only where the provider is registered, and only a name that breaks no rule."""
    return place.provider.registered and not tuple(name_errors(name))


def _show_check(check: NameCheck) -> None:
    if not check.available:
        st.markdown(f":red[:material/close:] {plain(check.message or check.reason)}")
        return
    server = f" Its login server will be **{plain(check.login_server)}**." if check.login_server else ""
    st.markdown(f":green[:material/check:] {plain(check.name)} is available.{server}")


def _ask_sku(book: PriceBook, location: str) -> Sku:
    prices = book.by_region.get(location)
    captions = []
    for sku in Sku:
        priced = prices and sku in prices.registry_day
        cost = estimate(sku, Use(ZERO), prices, book.days) if prices and priced else None
        month = f"{money(cost.total, book.currency)} a month" if cost else "price unknown"
        captions.append(f"{month}, {LIMITS[sku].included_gib} GiB included")
    answer = st.radio(
        "SKU", list(Sku), 1, captions=captions, key="new_sku", bind="query-params", horizontal=True, width="stretch"
    )
    chosen = Sku(answer or Sku.STANDARD)
    if missing := missing_features(chosen):
        st.caption(f"Not in {chosen}: {' · '.join(name[0].lower() + name[1:] for name in missing)}")
    return chosen


def missing_answers(spec: RegistrySpec) -> Iterable[str]:
    """The answers that a plan still needs, by their labels."""
    answers = {"resource group": spec.group, "name": spec.name, "location": spec.location}
    return [what for what, given in answers.items() if not given]


def facts_of(who: str, place: Place, spec: RegistrySpec) -> CreationFacts:
    """What the form has read, for the plan; applying the plan reads again. What Azure refuses is None: unknown."""
    group = next((one for one in place.groups.values if one.name.casefold() == spec.group.casefold()), None)
    name = permissions = None
    if name_can_be_checked(place, spec.name):
        try:
            name = _name_check(who, place, spec.name, spec.name_scope, spec.group)
        except ServiceError:
            name = None
    if group:
        try:
            permissions = _caller_permissions(who, place, group.name)
        except ServiceError:
            permissions = None
    denials, unread_policies = None, ""
    if spec.location and name_can_be_checked(place, spec.name):
        try:
            denials = _policy_denials(who, spec, in_group=group is not None)
        except ServiceError as error:
            unread_policies = error.cause
    return CreationFacts(place.provider, group, name, None, permissions, denials, unread_policies)
