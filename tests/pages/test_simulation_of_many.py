"""A policy simulated over several registries: the total, each registry, and what could not be read."""

from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sandbox.clusters.container_apps import APP_TYPE
from tests.pages.test_policies import POLICY, push, said, saved
from tests.services.running.test_apps import app
from tests.services.running.test_apps import put as put_app
from tests.support.app_test import Open, figures, select_rows
from tests.support.documents import OCI_MANIFEST
from tests.support.own_sandbox import REGISTRY, OwnSandbox
from ui.policies import many


def simulated(open_view: Open, policy: str) -> AppTest:
    at = open_view("policies.py", policy=policy, show="Simulation", over="Several registries")
    return next(one for one in at.button if one.label.startswith("Simulate ")).click().run()


def table(at: AppTest) -> dict[str, list[object]]:
    found = next(one.value for one in at.dataframe if "Frees" in one.value.columns)
    return {name: list(found[name]) for name in found.columns}


def add_second(own: OwnSandbox) -> None:
    """Another registry, with the same images as `push` has given to the first."""
    own.make_registry("contosotwo")
    for name in ("pr-1", "pr-2"):
        tag = next(one for one in own.sandbox.store.list_tags(REGISTRY, "team/app") if one.name == name)
        body = own.sandbox.store.get_manifest_body(REGISTRY, "team/app", tag.digest)
        assert body
        at = own.sandbox.state.stamp()
        own.sandbox.store.add_manifest("contosotwo", "team/web", body, OCI_MANIFEST, at)
        own.sandbox.store.add_tag("contosotwo", "team/web", name, tag.digest, at)


def test_every_registry_of_the_policy_and_the_total(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    add_second(own)
    at = simulated(open_view, saved())
    assert not at.exception
    assert figures(at)["Manifests to delete"][0] == "2"
    assert figures(at)["Registries"] == ("2", "of 2 simulated")
    rows = table(at)
    assert sorted(map(str, rows["Registry"])) == [REGISTRY, "contosotwo"]
    assert rows["Deletes"] == [1, 1]
    number = rows["Registry"].index("contosotwo")
    select_rows(at, next(at_ for at_, one in enumerate(at.dataframe) if "Frees" in one.value.columns), number)
    at.run()
    assert at.query_params["registry"] == "contosotwo"


def test_a_registry_that_can_not_be_read_is_unknown_with_its_reason(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    add_second(own)
    port = own.registry("contosotwo").login_server.rpartition(":")[2]
    own.break_({"method": "GET", "path": "_catalog", "host": f":{port}", "status": 403})
    at = simulated(open_view, saved())
    assert figures(at)["Manifests to delete"][1].endswith("of 2 registries unknown")
    assert any("could not be read" in one.label for one in at.expander)
    assert len(table(at)["Registry"]) <= 1


def test_by_a_wrong_clock_no_registry_is_simulated(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(own)
    monkeypatch.setattr(many, "read_clock", lambda _engine: datetime.now(UTC) + timedelta(days=400))
    at = simulated(open_view, saved())
    assert "The console's clock says" in " ".join(str(one.value) for one in at.text)


def test_what_is_unknown_stays_as_over_one_registry_and_apps_are_waited_for(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    server = own.registry().login_server
    put_app(own, APP_TYPE, "web", app(f"{server}/team/app:pr-1"))
    policy = saved()
    at = simulated(open_view, policy)
    assert (figures(at)["Manifests to delete"][0], table(at)["Running"]) == ("0", [1])
    put_app(own, APP_TYPE, "web", {})
    st.cache_resource.clear()
    at = simulated(open_view, policy)
    number, beside = figures(at)["Manifests to delete"]
    assert number == "≥ 0" and beside.endswith("not known whether 1 more run")
    assert table(at)["Unknown"] == [1]
    assert "Unknown what runs in web" in said(at) and "so 1 manifest stays that the rules choose." in said(at)
    one = open_view("policies.py", policy=policy, show="Simulation", registry=REGISTRY)
    assert figures(one)["Manifests to delete"][0] == "0"


@pytest.mark.usefixtures("own")
def test_a_policy_for_none_of_the_registries_says_so(open_view: Open) -> None:
    policy = saved(POLICY.replace("rules:", "registries: nothing*\nrules:"))
    at = open_view("policies.py", policy=policy, show="Simulation", over="Several registries")
    assert "No registry of this policy" in said(at)
