"""List prices as anybody may read them."""

import pytest
import requests

from sandbox.billing.retail_prices import METERS, PAGE
from sandbox.documents.locations import LOCATIONS

FILTER = "serviceName eq 'Container Registry' and priceType eq 'Consumption'"


@pytest.fixture
def ready(running):
    return running.ready


def ask(ready, **query):
    query = {name.replace("dollar_", "$").replace("_version", "-version"): value for name, value in query.items()}
    return requests.get(f"{ready['retail_prices']}/api/retail/prices", query, verify=ready["ca_file"], timeout=10)


def items(ready, **query):
    """All pages."""
    answer = ask(ready, **query)
    found = []
    while True:
        assert answer.status_code == 200
        page = answer.json()
        assert page["Count"] == len(page["Items"]) <= PAGE
        found += page["Items"]
        if page["NextPageLink"] is None:
            return found
        answer = requests.get(page["NextPageLink"], verify=ready["ca_file"], timeout=10)


def test_a_region_has_every_meter_at_the_prices_that_were_seen(ready):
    found = items(ready, dollar_filter=f"{FILTER} and armRegionName eq 'eastus'", meterRegion="'primary'")
    assert {(item["meterName"], item["skuName"], item["tierMinimumUnits"]) for item in found} == {
        (meter, sku, above) for meter, sku, _, above, _ in METERS
    }
    prices = {item["meterName"]: item["retailPrice"] for item in found if item["unitOfMeasure"] == "1/Day"}
    assert prices["Basic Registry Unit"] == 0.1666
    assert prices["Standard Registry Unit"] == 0.6666
    assert prices["Premium Registry Unit"] == 1.6666
    assert {item["armSkuName"] for item in found} == {""}


def test_pages_go_on_to_the_last(ready):
    found = items(ready, dollar_filter=FILTER, meterRegion="primary")
    assert len(found) == len(LOCATIONS) * len(METERS) > PAGE
    assert {item["armRegionName"] for item in found} == set(LOCATIONS)


def test_currencies_are_outside_the_filter_with_quotes_or_without(ready):
    basic = f"{FILTER} and meterName eq 'Basic Registry Unit' and armRegionName eq 'uksouth'"
    for code in ("GBP", "'GBP'"):
        page = ask(ready, dollar_filter=basic, currencyCode=code).json()
        assert page["BillingCurrency"] == "GBP"
        assert page["Items"][0]["retailPrice"] == pytest.approx(0.1666 * 0.7576)
    assert ask(ready, currencyCode="XYZ").status_code == 400


def test_a_filter_leaves_out_what_is_no_price_of_a_registry_unit(ready):
    one = "armRegionName eq 'eastus' and meterName eq 'Basic Registry Unit'"
    assert len(items(ready, dollar_filter=one)) == 4
    assert len(items(ready, dollar_filter=f"{one} and {FILTER}")) == 2
    assert len(items(ready, dollar_filter=f"{one} and {FILTER}", meterRegion="'primary'")) == 1


def test_either_of_two_regions(ready):
    both = f"{FILTER} and meterName eq 'Data Stored' and (armRegionName eq 'eastus' or armRegionName eq 'westeurope')"
    assert {item["armRegionName"] for item in items(ready, dollar_filter=both)} == {"eastus", "westeurope"}


def test_values_are_case_sensitive_from_the_preview_version_on(ready):
    lower = "serviceName eq 'container registry'"
    assert items(ready, dollar_filter=lower)
    assert not items(ready, dollar_filter=lower, api_version="2023-01-01-preview")


def test_more_than_twenty_comparisons_are_refused(ready):
    def regions(number):
        return " or ".join(["armRegionName eq 'eastus'"] * number)

    assert ask(ready, dollar_filter=regions(20)).status_code == 200
    assert ask(ready, dollar_filter=regions(21)).status_code == 400


@pytest.mark.parametrize(
    "text", ["meterName ne 'x'", "price eq '1'", "(meterName eq 'x'", "meterName eq x", "&", "and"]
)
def test_what_is_not_understood_is_refused(ready, text):
    assert ask(ready, dollar_filter=text).status_code == 400
