from services.connection.session import AzureSession
from services.registries.findings import findings_of
from services.registries.reading import list_registries
from tests.support.app_test import Open, texts

GUIDE_ID = (
    "/subscriptions/b63a40da-5629-452a-9350-e48460eae13f/resourceGroups/resource-group-4"
    "/providers/Microsoft.ContainerRegistry/registries/casaacr01"
)


def test_the_guides_registry_shows_its_id_and_login_server(open_view: Open, session: AzureSession) -> None:
    at = open_view("registry.py", registry="casaacr01")
    codes = [code.value for code in at.code]
    assert GUIDE_ID in codes
    registry = next(found for found in list_registries(session).values if found.name == "casaacr01")
    assert registry.login_server in codes
    assert "sign-in" in [link.proto.page for link in at.main.get("page_link")]


def test_each_finding_comes_with_its_reason_and_its_line(open_view: Open, session: AzureSession) -> None:
    registry = max(list_registries(session).values, key=lambda registry: len(findings_of(registry)))
    at = open_view("registry.py", registry=registry.name)
    for finding in findings_of(registry):
        assert finding.reason in texts(at)
        assert f"\n{finding.fix}\n" in texts(at)


def test_every_registry_of_the_estate_opens(open_view: Open, session: AzureSession) -> None:
    for registry in list_registries(session).values:
        at = open_view("registry.py", registry=registry.name)
        assert not at.exception
        assert at.title[0].value == registry.name


def test_a_registry_that_is_gone_is_an_error_panel(open_view: Open) -> None:
    at = open_view("registry.py", registry="gone")
    assert not at.exception
    # A subscription of the estate refuses: the registry may be in that.
    assert "Unknown whether there is a registry gone" in texts(at).replace("\\", "")


def test_no_registry_in_the_url_says_where_to_choose_one(open_view: Open) -> None:
    assert "No registry chosen" in texts(open_view("registry.py"))
