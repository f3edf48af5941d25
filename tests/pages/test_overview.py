"""Overview: what needs attention and where it is, what is read and what is not, and what could be freed."""

import pytest
from streamlit.testing.v1 import AppTest

from services.policies.starting import UNUSED
from tests.support.app_test import Open, button, figures, texts
from tests.support.own_sandbox import OwnSandbox
from ui.elements.text import size
from ui.loaders import contents
from ui.loaders import registries as registry_loaders
from ui.policies.many import simulated_many
from ui.runtime import connection


def links(at: AppTest) -> list[str]:
    return [str(link.proto.label).replace("\\", "") for link in at.main.get("page_link")]


def measured(at: AppTest) -> AppTest:
    button(at, "Measure clean-up potential").click().run()
    reading = contents.measuring(connection.who())
    assert reading
    assert reading.finished.wait(60)
    return at.run()


def test_the_estate_at_a_glance(open_view: Open) -> None:
    at = open_view("overview.py")
    assert not at.exception
    found = figures(at)
    assert list(found) == ["Needs attention", "Cost so far", "Forecast", "Could be saved"]
    assert "≥ 12 registries in 3 subscriptions, ≥ 37 repositories" in texts(at)
    assert found["Cost so far"][0].startswith("≥ EUR ")
    assert found["Forecast"][0].startswith("≥ EUR ")
    # The bill's currency; what was not measured is said.
    assert found["Could be saved"][0].startswith("≥ EUR ")
    assert "untagged storage of 12 not measured" in found["Could be saved"][1]
    shown = links(at)
    assert any(one.startswith("**Over the included storage** · contosobuild, EUR") for one in shown)
    assert "**Admin user on** · 2 registries" in shown
    beyond, *listed = shown
    assert beyond.startswith("Not counted: contosobuild, EUR ")
    assert found["Needs attention"][0] == f"≥ {sum(' · ' in one for one in listed[:8])}"
    assert "There may be more: 1 subscription unread" in texts(at)


def test_registries_are_sorted_by_cost_and_by_size(open_view: Open) -> None:
    at = open_view("overview.py")
    assert at.dataframe[0].value["Registry"][0] == "contosohub"
    assert at.dataframe[0].value["Month"].dropna().is_monotonic_decreasing
    at.segmented_control(key="sort").set_value("By size").run()
    assert at.dataframe[0].value["Registry"][0] == "contosobuild"


def test_nothing_is_measured_unasked_and_then_the_biggest_waste_is_first(open_view: Open, own: OwnSandbox) -> None:
    own.push("v1", number=1)
    own.push(number=2)
    own.sandbox.clear_requests()
    at = open_view("overview.py", show="Clean-up potential")
    assert not [request for request in own.sandbox.requests if "/manifests/" in request.path]
    assert "untagged storage of 1 not measured" in figures(at)["Could be saved"][1]
    at = measured(at)
    table = at.dataframe[0].value
    assert list(table["Repository"]) == ["team/app"]
    assert list(table["Saved a month"]) == [0]
    assert list(table["Note"]) == ["Within the included storage"]
    assert "untagged in 1 of 1 registry: within the included storage" in texts(at)
    assert "not measured" not in figures(at)["Could be saved"][1]


def test_a_registry_that_could_not_be_measured_is_unknown(open_view: Open, own: OwnSandbox) -> None:
    own.push(number=2)
    own.break_({"path": "/v2/team/app/manifests/.*", "status": 403})
    at = measured(open_view("overview.py", show="Clean-up potential"))
    assert "untagged storage of 1 not measured" in figures(at)["Could be saved"][1]
    assert "casaacr01 is unknown" in texts(at)
    assert "Nothing is untagged" not in texts(at)


def test_an_empty_estate_has_a_first_step(open_view: Open, own: OwnSandbox) -> None:
    for registry in ("casaacr01",):
        own.sandbox.store.delete_resource(own.registry(registry).id)
    at = open_view("overview.py")
    assert "No registries found" in texts(at)
    assert "Create registry" in links(at)


def test_lists_that_fail_are_not_an_empty_estate(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/providers/Microsoft.ContainerRegistry/registries$", "status": 403})
    at = open_view("overview.py")
    assert "Registries unknown" in texts(at)
    assert "Create registry" not in links(at)


@pytest.mark.usefixtures("impatient")
def test_what_is_still_read_is_a_dash(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "(managedClusters|usageDetails|query)$", "delay_ms": 3000})
    at = open_view("overview.py")
    found = figures(at)
    assert "1 registry in 1 subscription" in texts(at)
    assert (found["Cost so far"][0], found["Forecast"][0]) == ("–", "–")
    assert "clusters not read yet" in texts(at)
    assert "Nothing of high or medium risk" not in texts(at)


def test_what_clusters_refuse_is_no_all_clear(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "managedClusters$", "status": 403})
    at = open_view("overview.py")
    assert "There may be more: 1 subscription unread" in texts(at)
    assert "Nothing of high or medium risk" not in texts(at)


def test_what_nobody_uses_is_measured_when_asked_for_and_leads_to_its_policy(open_view: Open) -> None:
    at = open_view("overview.py", show="Clean-up potential")
    assert "Make a retention policy of what nobody uses" in links(at)
    button(at, "Measure what nobody uses").click().run()
    who = connection.who()
    listed = registry_loaders.inventory(who).value.registries.values
    reading = simulated_many(who, UNUSED, tuple(one for one in listed if one.login_server), unknown_too=True)
    assert reading.finished.wait(120)
    at.run()
    found = reading.value
    said = texts(at)
    assert f"As far as is known, **{size(found.freed)}** in {found.deleted} manifests of 11 of 12 registries" in said
    assert "Unknown what runs for" in said and "no log of pulls" in said
    assert "Make a retention policy of it" in links(at)
    # What is kept is what a policy keeps: of the newest three of each repository none goes.
    assert 0 < found.deleted < sum(one.manifests for one in found.registries)
