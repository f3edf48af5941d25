"""What people type for IP rules and tags, and what of it is taken."""

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection.errors import ServiceError
from services.registries.skus import Sku
from services.registry_lifecycle.settings import (
    parse_ip_rules,
    settings_of,
    sort_ip_rules,
    with_settings,
)
from tests.support.settings_at_random import settings
from tests.support.shell_lines import registry as a_registry


@given(st.lists(st.ip_addresses(v=4).map(str), max_size=5), st.sampled_from((" ", ",", "\n", ", ", "\r\n")))
def test_addresses_are_read_however_they_are_divided(addresses: list[str], between: str) -> None:
    assert set(parse_ip_rules(between.join(addresses))) == set(addresses)


@given(st.lists(st.ip_addresses(v=4), max_size=5), st.lists(st.ip_addresses(v=4), max_size=5))
def test_rules_have_one_order_whatever_that_of_their_typing(one: list[object], two: list[object]) -> None:
    rules = [str(address) for address in (*one, *two)]
    found = sort_ip_rules(tuple(rules))
    assert found == sort_ip_rules(tuple(reversed(rules))) == sort_ip_rules(found)
    assert [IPv4Network(rule) for rule in found] == sorted({IPv4Network(rule) for rule in rules})


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("", ()),
        ("203.0.113.7/32", ("203.0.113.7",)),
        ("203.0.113.0/255.255.255.0", ("203.0.113.0/24",)),
        ("198.51.100.9 20.1.0.0/16, 20.1.0.0/16", ("20.1.0.0/16", "198.51.100.9")),
    ],
)
def test_what_is_taken_in_its_shortest_form(typed: str, taken: tuple[str, ...]) -> None:
    assert parse_ip_rules(typed) == taken


@pytest.mark.parametrize(
    ("typed", "cause"),
    [
        ("203.0.113.7, contoso.com", "It is neither an address nor a range."),
        ("203.0.113.5/24", "It is an address within 203.0.113.0/24."),
        ("::1", "The IP rules of a registry are IPv4 only."),
        ("203.0.113.0/33", "It is neither an address nor a range."),
    ],
)
def test_what_is_no_rule_is_refused_by_name(typed: str, cause: str) -> None:
    with pytest.raises(ServiceError) as raised:
        parse_ip_rules(typed)
    assert (raised.value.code, raised.value.cause) == ("InvalidAddress", cause)
    assert raised.value.title.split()[0] in typed


def test_a_stored_rule_that_is_no_range_is_kept_as_it_is() -> None:
    assert sort_ip_rules(("odd", "203.0.113.5/24", "203.0.113.0/24")) == ("203.0.113.0/24", "odd")


@given(settings(Sku.PREMIUM))
def test_a_registry_with_other_settings_has_them(wanted) -> None:  # type: ignore[no-untyped-def]
    has_endpoints = a_registry(
        data_endpoints=("contosoacr.westeurope.data.azurecr.io",) if wanted.data_endpoints else ()
    )
    assert settings_of(with_settings(has_endpoints, wanted)) == wanted
