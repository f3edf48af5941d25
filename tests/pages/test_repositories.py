from services.connection.session import AzureSession
from services.registries.reading import list_registries
from tests.support.app_test import Open, texts
from ui.loaders import registries as registry_loaders
from ui.runtime import connection


def catalogue_read(session: AzureSession, name: str) -> str:
    registry = next(registry for registry in list_registries(session).values if registry.name == name)
    connection.use(session)
    assert registry_loaders.catalogue(connection.who(), registry.login_server).finished.wait(30)
    return registry.login_server


def test_the_guides_repository_is_listed_with_its_counts(open_view: Open, session: AzureSession) -> None:
    catalogue_read(session, "casaacr01")
    at = open_view("repositories.py", registry="casaacr01")
    assert not at.exception
    row = at.dataframe[0].value.set_index("Repository").loc["nodejstemplate"]
    assert (row["Tags"], row["Manifests"]) == (1, 3)


def test_a_refused_catalogue_says_why_and_lets_a_name_be_typed(open_view: Open, session: AzureSession) -> None:
    catalogue_read(session, "contososecure")
    at = open_view("repositories.py", registry="contososecure")
    shown = texts(at).replace("\\", "")
    assert not at.exception
    assert "Could not list the repositories" in shown
    assert "network rules refuse this address" in shown
    assert "You can still type a repository's name" in shown


def test_repositories_that_refuse_are_named_and_the_others_are_there(open_view: Open, session: AzureSession) -> None:
    catalogue_read(session, "contosopayments")
    at = open_view("repositories.py", registry="contosopayments")
    assert not at.exception
    assert "could not be read" in at.expander[0].label
    counts = at.dataframe[0].value.set_index("Repository")["Manifests"]
    assert counts.isna().any()
    assert counts.notna().any()


def test_search_narrows_the_table(open_view: Open, session: AzureSession) -> None:
    catalogue_read(session, "casaacr01")
    at = open_view("repositories.py", registry="casaacr01")
    at.text_input(key="search").set_value("nothing like it").run()
    assert "No repository matches" in texts(at)
