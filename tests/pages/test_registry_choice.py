"""The one control that chooses a registry: the same on every page that has it."""

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from services.connection.session import AzureSession
from services.costs.review import days_in, recent_months
from tests.support.app_test import Open, button, keyed, select_rows, texts, wait_for_inventory
from tests.support.own_sandbox import OwnSandbox
from ui.loaders import bills, clusters
from ui.loaders import registries as registry_loaders
from ui.navigation import choice_links, place
from ui.navigation import pages as navigation
from ui.navigation.selection import BOX
from ui.runtime import connection

# These open on the registry of the sidebar.
PLACED = (
    "repositories.py",
    "push.py",
    "storage.py",
    "clean_up.py",
    "assign.py",
    "cost_review.py",
    "integration_checker.py",
    "access_review.py",
)
# These have a box of their own, which may be empty.
WITH_BOX = ("roles.py", "sku_comparison.py")
PAGES = (*PLACED, *WITH_BOX)
# These name the registry in the URL alone.
OF_URL = ("registry.py", "settings.py", "tokens.py")


@pytest.fixture
def opened(open_view: Open, session: AzureSession):  # type: ignore[no-untyped-def]
    def loaded(script: str, **query: str) -> AppTest:
        connection.use(session)
        assert clusters.pulls(connection.who()).finished.wait(30)
        if script == "cost_review.py":
            query = {"show": "Repositories", **query}
        at = open_view(script, **query)
        if script == "cost_review.py":
            connection.use(session)
            today = datetime.now(UTC).date()
            last_day = today.replace(day=days_in(today))
            assert bills.bills(connection.who(), recent_months(today)[-1], last_day).finished.wait(30)
            at.run()
        assert not at.exception
        return at

    return loaded


@pytest.mark.parametrize("script", PAGES)
def test_the_one_box_shows_what_the_url_names_whatever_its_case(opened: Open, script: str) -> None:
    at = opened(script, registry="CONTOSOHUB")
    assert keyed(at.selectbox, place.BOX).value == "contosohub"
    own = [
        box
        for box in at.main.selectbox
        if box.key.startswith(f"{BOX} ") and box.key != keyed(at.selectbox, place.BOX).key
    ]
    assert [box.value for box in own] == (["contosohub"] if script in WITH_BOX else [])
    assert at.query_params["registry"] in ("CONTOSOHUB", ["CONTOSOHUB"])


# Every page that is of a registry, and those within one, which lead to the page above them.
OF_A_REGISTRY = [page for page in navigation.PAGES if page.of_registry or (page.parent and page.parent.of_registry)]


@pytest.mark.parametrize("page", OF_A_REGISTRY, ids=lambda page: page.path)
def test_without_a_registry_all_are_offered_as_links(opened: Open, page: navigation.PageLink) -> None:
    at = opened(page.path)
    assert "Choose a registry" in [one.value for one in at.subheader]
    target = page if page.of_registry else page.parent
    assert target
    offered = {link.proto.query_string for link in at.main.get("page_link") if link.proto.page == target.url_path}
    listed = registry_loaders.inventory(connection.who()).value.registries.values
    assert len(listed) > 5
    assert {query.rpartition("registry=")[2] for query in offered} >= {one.name for one in listed if one.login_server}


def test_many_registries_are_a_table_with_a_filter(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice_links, "MOST_LINKS", 5)
    at = opened("storage.py")
    listed = registry_loaders.inventory(connection.who()).value.registries.values
    assert not [link for link in at.main.get("page_link") if "registry=" in link.proto.query_string]
    (table,) = at.main.dataframe
    assert set(table.value["Registry"]) == {one.name for one in listed if one.login_server}
    stored = {one.name: one.stored_bytes for one in listed}
    sizes = [stored[name] or 0 for name in table.value["Registry"]]
    assert sizes == sorted(sizes, reverse=True)
    at.text_input(key="Choose a registry with").set_value("contoso-APPS premium").run()
    (table,) = at.main.dataframe
    assert set(table.value["Registry"]) == {
        one.name for one in listed if one.subscription == "contoso-apps" and one.sku == "Premium"
    }
    name = table.value["Registry"].iloc[1]
    select_rows(at, 0, 1)
    at.run()
    assert not at.exception
    assert at.query_params["registry"] in (name, [name])
    assert "Choose a registry" not in [one.value for one in at.subheader]


def test_a_filter_that_nothing_passes_says_so(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice_links, "MOST_LINKS", 5)
    at = opened("repositories.py")
    at.text_input(key="Choose a registry with").set_value("no such name").run()
    assert not at.exception
    assert "Nothing matches" in texts(at)


def test_a_choice_in_the_table_keeps_the_cluster_and_the_tab(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice_links, "MOST_LINKS", 5)
    for script, query in (("integration_checker.py", "cluster=aks1"), ("access_review.py", "show=Switch to ABAC")):
        name, _, value = query.partition("=")
        at = opened(script, **{name: value})
        chosen = at.main.dataframe[0].value["Registry"].iloc[0]
        select_rows(at, 0, 0)
        at.run()
        assert at.query_params[name] in (value, [value])
        assert at.query_params["registry"] in (chosen, [chosen])


def test_many_clusters_are_a_table_too(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice_links, "MOST_LINKS", 5)
    at = opened("integration_checker.py", registry="contosohub")
    assert "aks-platform" in set(at.main.dataframe[0].value["Cluster"])


def test_a_link_to_a_registry_keeps_the_cluster_and_the_tab(opened: Open) -> None:
    for script, query in (("integration_checker.py", "cluster=aks1"), ("access_review.py", "show=Switch+to+ABAC")):
        name, _, value = query.partition("=")
        at = opened(script, **{name: value.replace("+", " ")})
        links = [link.proto.query_string for link in at.main.get("page_link")]
        assert f"{query}&registry=contosohub" in links


def test_without_a_cluster_all_are_offered_as_links(opened: Open) -> None:
    at = opened("integration_checker.py", registry="contosohub")
    links = [link.proto.query_string for link in at.main.get("page_link")]
    assert "registry=contosohub&cluster=aks-platform" in links
    at.query_params["cluster"] = "aks-platform"
    at.run()
    assert "Choose a cluster" not in [one.value for one in at.subheader]


@pytest.mark.parametrize("script", WITH_BOX)
def test_a_choice_is_in_the_url(opened: Open, script: str) -> None:
    at = opened(script)
    assert keyed(at.selectbox, BOX).value is None
    keyed(at.selectbox, BOX).set_value("contosodev").run()
    assert not at.exception
    assert at.query_params["registry"] in ("contosodev", ["contosodev"])
    assert keyed(at.selectbox, place.BOX).value == "contosodev"
    keyed(at.selectbox, place.BOX).set_value("contosohub").run()
    assert at.query_params["registry"] in ("contosohub", ["contosohub"])
    keyed(at.selectbox, place.BOX).set_value("").run()
    assert "registry" not in at.query_params
    assert keyed(at.selectbox, BOX).value is None


def test_a_box_that_the_browser_has_not_filled_yet_is_no_choice(opened: Open) -> None:
    at = opened("integration_checker.py", registry="contosohub", cluster="aks-platform", repository="api/orders")
    named = dict(at.query_params)
    for box in at.selectbox:
        box.set_value(None)
    at.run()
    assert not at.exception
    assert dict(at.query_params) == named


@pytest.mark.parametrize("script", PLACED)
def test_a_page_opens_on_the_registry_that_a_page_before_named(opened: Open, script: str) -> None:
    at = opened("registry.py", registry="contosohub")
    del at.query_params["registry"]
    at.switch_page(script).run()
    assert not at.exception
    assert at.query_params["registry"] in ("contosohub", ["contosohub"])
    assert keyed(at.selectbox, place.BOX).value == "contosohub"
    links = {link.proto.page: link.proto.query_string for link in at.sidebar.get("page_link")}
    assert links["storage"] == "registry=contosohub"
    assert links["inventory"] == ""


def test_a_url_that_names_a_registry_is_not_overridden(opened: Open) -> None:
    at = opened("registry.py", registry="contosohub")
    at.query_params["registry"] = "contosodev"
    at.switch_page("storage.py").run()
    assert at.query_params["registry"] in ("contosodev", ["contosodev"])
    assert keyed(at.selectbox, place.BOX).value == "contosodev"


def test_another_registry_from_an_image_leads_to_its_repositories(opened: Open) -> None:
    at = opened("image.py", registry="casaacr01", repository="nodejstemplate", reference="v1.0.0")
    keyed(at.selectbox, place.BOX).set_value("contosodev").run()
    assert at.title[0].value == "Repositories and tags"
    assert set(at.query_params) == {"registry"}


def test_clean_up_opens_on_the_repository_that_was_open(opened: Open) -> None:
    at = opened("repository.py", registry="casaacr01", repository="nodejstemplate")
    links = {link.proto.page: link.proto.query_string for link in at.sidebar.get("page_link")}
    assert links["cleanup"] == "registry=casaacr01&repository=nodejstemplate"
    keyed(at.selectbox, place.BOX).set_value("contosodev").run()
    links = {link.proto.page: link.proto.query_string for link in at.sidebar.get("page_link")}
    assert links["cleanup"] == "registry=contosodev"


def test_clean_up_keeps_the_repository_only_while_the_catalogue_may_have_it(own: OwnSandbox, open_view: Open) -> None:
    def clean_up_link() -> str:
        registry_loaders.inventory.clear(connection.who())
        wait_for_inventory(connection.who())
        links = {link.proto.page: link.proto.query_string for link in at.run().sidebar.get("page_link")}
        return links["cleanup"]

    at = open_view("repository.py", registry="casaacr01", repository="gone")
    assert clean_up_link() == "registry=casaacr01"
    own.break_({"path": "/acr/v1/_catalog", "status": 403})
    assert clean_up_link() == "registry=casaacr01&repository=gone"


def test_another_identity_is_at_no_registry(opened: Open, session: AzureSession, reader_session: AzureSession) -> None:
    at = opened("registry.py", registry="contosohub")
    connection.use(reader_session)
    del at.query_params["registry"]
    at.switch_page("overview.py").run()
    assert keyed(at.selectbox, place.BOX).value is None
    connection.use(session)
    at.run()
    assert keyed(at.selectbox, place.BOX).value == "contosohub"


@pytest.mark.usefixtures("own")
def test_the_only_registry_is_the_one(open_view: Open) -> None:
    assert open_view("storage.py").query_params["registry"] in ("casaacr01", ["casaacr01"])


def test_a_registry_that_was_deleted_meanwhile_is_said(own: OwnSandbox, open_view: Open) -> None:
    at = open_view("registry.py", registry="casaacr01")
    own.sandbox.store.delete_resource(own.registry().id)
    registry_loaders.inventory.clear(connection.who())
    wait_for_inventory(connection.who())
    del at.query_params["registry"]
    at.switch_page("overview.py").run()
    assert keyed(at.selectbox, place.BOX).value == "casaacr01"
    assert "casaacr01 was not found" in texts(at).replace("\\", "")


def test_the_box_says_that_its_list_is_incomplete(opened: Open) -> None:
    box = keyed(opened("overview.py").selectbox, place.BOX)
    assert box.label == "Registry (list incomplete)"
    assert "contoso-restricted" in box.help.replace("\\", "")


@pytest.mark.parametrize("script", [*PAGES, *OF_URL])
def test_a_registry_that_is_not_found_is_unknown_while_a_subscription_refuses(opened: Open, script: str) -> None:
    shown = texts(opened(script, registry="nowhere")).replace("\\", "")
    assert "Unknown whether there is a registry nowhere" in shown
    assert "1 subscription could not be read: contoso-restricted." in shown
    assert "There is no registry" not in shown


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("script", ["repositories.py", "push.py", "roles.py", "sku_comparison.py", *OF_URL])
def test_a_registry_that_is_not_there_is_said(open_view: Open, script: str) -> None:
    assert "There is no registry nowhere here" in texts(open_view(script, registry="nowhere"))


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("script", ["storage.py", "registry.py"])
def test_the_nearest_registry_is_offered(open_view: Open, script: str) -> None:
    at = open_view(script, registry="casaacr1")
    button(at, "Open casaacr01").click().run()
    assert not at.exception
    assert at.query_params["registry"] in ("casaacr01", ["casaacr01"])
    assert "There is no registry" not in texts(at)


@pytest.mark.parametrize("script", ["registry.py", "storage.py", "push.py", "sku_comparison.py"])
def test_no_list_at_all_is_not_no_registry(own: OwnSandbox, open_view: Open, script: str) -> None:
    own.break_({"path": "/providers/Microsoft.ContainerRegistry/registries$", "status": 403})
    shown = texts(open_view(script, registry="casaacr01"))
    assert "Unknown whether there is a registry casaacr01" in shown
    assert "There is no registry" not in shown
    assert "No registries found" not in shown


def test_another_registry_is_asked_the_same_question(opened: Open) -> None:
    at = opened("access_review.py", registry="contosohub", may="Delete")
    keyed(at.selectbox, place.BOX).set_value("contosodev").run()
    assert not at.exception
    assert at.query_params["registry"] in ("contosodev", ["contosodev"])
    assert at.query_params["may"] in ("Delete", ["Delete"])
    assert keyed(at.pills, "may").value == ["Delete"]


def test_another_registry_forgets_what_the_url_names_in_the_one_before(opened: Open) -> None:
    at = opened("storage.py", registry="contosohub", repository="api/orders")
    keyed(at.selectbox, place.BOX).set_value("contosodev").run()
    assert "repository" not in at.query_params
