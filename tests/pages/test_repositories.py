from services.connection.session import AzureSession
from services.images.repositories import Locks, get_repository
from services.registries.reading import list_registries
from tests.support.app_test import Open, button, confirm_button, select_rows, texts
from tests.support.own_sandbox import OwnSandbox
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
    at.text_input(key="search").set_value("team/app").run()
    assert any(button.label == "Open team/app" for button in at.button)


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


def test_a_name_that_the_list_lacks_can_be_opened(open_view: Open, session: AzureSession) -> None:
    catalogue_read(session, "casaacr01")
    at = open_view("repositories.py", registry="casaacr01")
    at.text_input(key="search").set_value("hidden/app").run()
    button(at, "Open hidden/app").click().run()
    assert "hidden/app" in texts(at)
    assert "Could not read the repository" in texts(at)


def test_several_repositories_are_locked_at_once(open_view: Open, own: OwnSandbox) -> None:
    own.push("v1")
    own.push("v1", repository="team/other")
    at = open_view("repositories.py", registry="casaacr01")
    wanted = ("team/app", "team/other")

    def select() -> None:
        found = list(at.dataframe[0].value["Repository"])
        select_rows(at, 0, *(found.index(name) for name in wanted))

    select()
    at.run()
    assert not button(at, "Delete repositories").disabled
    for step in range(3):
        select()
        button(at, "Set locks").click()
        if step == 1:
            at.segmented_control(key="locks of many: write").set_value("Lock")
        if step == 2:
            confirm_button(at, "Set locks of 2 repositories").click()
        at.run()
    (run,) = at.session_state["runs: locks"].values()
    assert run.reading.finished.wait(30)
    at.run()
    assert "Locks of 2 of 2 repositories: changed and verified" in texts(at)
    assert [get_repository(own.client, name).locks for name in wanted] == [Locks(write=False)] * 2
