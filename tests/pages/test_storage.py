"""What a registry stores, from the sandbox's own count to the page."""

import json
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from sandbox.server import Sandbox
from services.connection.session import AzureSession
from services.registries.reading import list_registries
from services.registries.registry import SoftDelete
from tests.support.app_test import Open, facts, select_rows, texts
from ui.elements.text import size
from ui.loaders import contents
from ui.loaders import registries as registry_loaders
from ui.runtime import connection


def counted(session: AzureSession, name: str) -> str:
    """Reads a registry's contents before the page is opened: it shows them without progress then."""
    registry = next(registry for registry in list_registries(session).values if registry.name == name)
    connection.use(session)
    who = connection.who()
    assert registry_loaders.catalogue(who, registry.login_server).finished.wait(30)
    assert contents.registry(who, registry.login_server).finished.wait(30)
    return registry.login_server


def metrics(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def areas(at: AppTest) -> dict[str, Any]:
    treemap = json.loads(at.get("plotly_chart")[-1].proto.spec)["data"][0]
    assert treemap["type"] == "treemap"
    return treemap  # type: ignore[no-any-return]


def test_the_figures_are_those_of_the_registry(open_view: Open, session: AzureSession, sandbox: Sandbox) -> None:
    counted(session, "contosohub")
    at = open_view("storage.py", registry="contosohub")
    assert not at.exception
    stored = size(sandbox.store.blobs.stored_bytes("contosohub"))
    assert at.title[0].value == "Storage of contosohub"
    assert metrics(at)["Azure's usage"] == metrics(at)["In manifests"] == stored
    assert not at.warning
    table = at.dataframe[0].value
    assert set(table["Repository"]) == set(sandbox.store.list_repositories("contosohub"))
    assert list(table["Total"]) == sorted(table["Total"], reverse=True)


def test_the_bars_are_the_repositories_and_the_largest_comes_first(open_view: Open, session: AzureSession) -> None:
    counted(session, "contosoci")
    at = open_view("storage.py", registry="contosoci")
    chart = json.loads(at.get("plotly_chart")[0].proto.spec)
    table = at.dataframe[0].value
    assert chart["layout"]["yaxis"]["ticktext"] == list(table["Repository"])
    drawn = {trace["name"]: trace["x"] for trace in chart["data"]}
    assert set(drawn) == {"Tagged, only here", "Shared with other repositories", "Untagged"}
    assert [round(mib, 1) for mib in drawn["Untagged"]] == [round(size / 2**20, 1) for size in table["Untagged"]]


def test_untagged_storage_leads_to_the_clean_up_of_the_repository_with_most_of_it(
    open_view: Open, session: AzureSession
) -> None:
    counted(session, "contosoci")
    links = [link.proto for link in open_view("storage.py", registry="contosoci").get("page_link")]
    link = next(one for one in links if one.label.startswith("Clean up ci/cache: "))
    assert "repository=ci%2Fcache" in link.query_string and "leftovers=true" in link.query_string
    counted(session, "contosohub")
    links = [link.proto for link in open_view("storage.py", registry="contosohub").get("page_link")]
    assert not any(one.label.startswith("Clean up ") for one in links)


def test_a_repository_that_is_not_there_is_said_with_the_nearest(open_view: Open, session: AzureSession) -> None:
    counted(session, "contosohub")
    at = open_view("storage.py", registry="contosohub", repository="api/order")
    assert "api/order is not among those" in at.warning[0].value.replace("\\", "")
    assert "Open api/orders" in [one.label.replace("\\", "") for one in at.button]


def test_soft_delete_is_said_beside_the_figures(open_view: Open, session: AzureSession) -> None:
    counted(session, "contosodev")
    at = open_view("storage.py", registry="contosodev")
    assert not at.exception
    (notice,) = [info.value.replace("\\", "") for info in at.info if "Soft delete is on" in info.value]
    assert "until it expires after 14 days. Azure's usage includes it" in notice
    assert facts(open_view("registry.py", registry="contosodev", show="Settings"))["Soft delete"] == "On, 14 days"


def test_a_repository_of_the_url_shows_its_images_and_what_only_leftovers_hold(
    open_view: Open, session: AzureSession
) -> None:
    counted(session, "contosoci")
    at = open_view("storage.py", registry="contosoci", repository="ci/storefront")
    assert not at.exception
    tags = list(at.dataframe[0].value["Tags"])
    assert "main, v1.5.0" in tags
    at = open_view("storage.py", registry="contosoci")
    row = at.dataframe[0].value.set_index("Repository").loc["ci/storefront"]
    assert row["Untagged"] > 0
    assert metrics(at)["Untagged"] != "0 B"


def test_selecting_a_repository_shows_its_images_and_selecting_an_image_opens_it(
    open_view: Open, session: AzureSession
) -> None:
    counted(session, "contosohub")
    at = open_view("storage.py", registry="contosohub", show="Images")
    next(box for box in at.selectbox if box.label == "Repository").set_value("api/orders").run()
    assert not at.exception
    assert "Images of api/orders" in texts(at).replace("\\", "")
    assert at.query_params["repository"] == "api/orders"
    row = next(number for number, tags in enumerate(at.dataframe[0].value["Tags"]) if "latest" in tags)
    select_rows(at, 0, row)
    at.run()
    assert at.title[0].value == "api/orders\\:latest"
    assert "stored:" in texts(at)


def test_the_map_has_the_tables_numbers(open_view: Open, session: AzureSession, sandbox: Sandbox) -> None:
    counted(session, "contosohub")
    drawn = areas(open_view("storage.py", registry="contosohub", show="Treemap"))
    top = drawn["parents"].index("")
    assert drawn["labels"][top] == "contosohub"
    assert drawn["text"][top] == size(sandbox.store.blobs.stored_bytes("contosohub"))
    assert {"web/storefront", "shared by repositories", "shared by its images"} <= set(drawn["labels"])


def test_names_on_the_map_are_text(open_view: Open, session: AzureSession, monkeypatch: pytest.MonkeyPatch) -> None:
    counted(session, "casaacr01")
    at_hand = contents.last_count

    def hostile(who: str, login_server: str) -> contents.StorageCount | None:
        found = at_hand(who, login_server)
        assert found
        (one,) = found.storage.repositories
        image = replace(one.images[0], tags=("<b>v1</b>",))
        named = replace(one, name='<a href="//contoso.example">x</a>', images=(image,))
        return shown.setdefault("", replace(found, storage=replace(found.storage, repositories=(named,))))

    shown: dict[str, contents.StorageCount] = {}
    monkeypatch.setattr(contents, "last_count", hostile)
    labels = areas(open_view("storage.py", registry="casaacr01", show="Treemap"))["labels"]
    assert "&lt;b&gt;v1&lt;/b&gt;" in labels
    assert not any("<" in label for label in labels)


def test_repositories_that_refuse_make_the_totals_the_least(open_view: Open, session: AzureSession) -> None:
    counted(session, "contosopayments")
    at = open_view("storage.py", registry="contosopayments")
    assert not at.exception
    assert "2 repositories (" in at.expander[0].label
    assert "at least" in texts(at)
    assert metrics(at)["In manifests"].startswith("≥")
    assert "what could not be read here" in texts(at)


def test_usage_far_above_the_manifests_is_a_warning_with_causes_and_one_next_step(
    open_view: Open, session: AzureSession
) -> None:
    counted(session, "contosodata")
    (warning,) = [one.value.replace("\\", "") for one in open_view("storage.py", registry="contosodata").warning]
    assert warning.startswith(
        "**89.0 GiB that Azure bills is in no manifest of this registry.** Azure's usage is 95.2 GiB"
    )
    assert "Layers that no manifest refers to" in warning
    assert warning.count("**Next step**: Read again tomorrow.") == 1
    assert "Soft delete" not in warning


def test_soft_delete_is_a_likely_cause_of_usage_that_no_manifest_has(
    open_view: Open, session: AzureSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(session, "contosodata")
    for policy, cause, step in (
        (SoftDelete(14), "what is deleted stays billed for 14 days", "Read again in 14 days"),
        (SoftDelete(None, "Forbidden."), "where it is on: unknown (Forbidden)", "Read again tomorrow"),
    ):
        monkeypatch.setattr(registry_loaders, "soft_delete", lambda _who, _known, policy=policy: policy)
        (warning,) = [one.value.replace("\\", "") for one in open_view("storage.py", registry="contosodata").warning]
        assert cause in warning
        assert f"**Next step**: {step}" in warning


def test_a_refused_catalogue_is_an_error_panel(open_view: Open, session: AzureSession) -> None:
    counted(session, "contososecure")
    at = open_view("storage.py", registry="contososecure")
    assert not at.exception
    assert "network rules refuse this address" in texts(at).replace("\\", "")
    assert not at.metric


def test_no_registry_chosen_says_so(open_view: Open) -> None:
    assert "Choose a registry" in texts(open_view("storage.py"))


def test_a_registry_without_repositories_says_how_to_push(open_view: Open, session: AzureSession) -> None:
    registry = next(one for one in list_registries(session).values if one.name == "contosotrial")
    assert registry.login_server
    counted(session, "contosotrial")
    at = open_view("storage.py", registry="contosotrial")
    assert not at.exception
    assert "Nothing stored" in texts(at)


def test_a_large_registry_is_read_when_asked_for(
    open_view: Open, session: AzureSession, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.loaders.images.LARGE", 2)
    registry = next(one for one in list_registries(session).values if one.name == "casaacr01")
    connection.use(session)
    assert registry_loaders.catalogue(connection.who(), registry.login_server).finished.wait(30)
    at = open_view("storage.py", registry="casaacr01")
    assert "3 manifests: reading them all takes a while" in texts(at)
    assert contents.last_count(connection.who(), registry.login_server) is None
    next(button for button in at.button if button.label == "Read all manifests").click().run()
    assert not at.exception
    assert metrics(at)["In manifests"] == size(sandbox.store.blobs.stored_bytes("casaacr01"))


def test_pages_of_a_repository_and_an_image_say_what_is_known_and_read_nothing(
    open_view: Open, session: AzureSession, sandbox: Sandbox
) -> None:
    orders = {"registry": "contosohub", "repository": "api/orders"}
    pages = (("repository.py", orders), ("image.py", {**orders, "reference": "latest"}))
    sandbox.clear_requests()
    for script, query in pages:
        at = open_view(script, **query)
        assert not at.exception
        assert "stored:" not in texts(at)
        assert "Show storage" in [link.proto.label for link in at.main.get("page_link")]
    assert not any("web/storefront" in request.path for request in sandbox.requests)
    counted(session, "contosohub")
    for script, query in pages:
        assert "stored:" in texts(open_view(script, **query))
