import pytest
from streamlit.testing.v1 import AppTest

from services.connection.session import AzureSession, Identity
from services.connection.version import VERSION
from tests.pages.conftest import Open
from tests.support.app_test import SHELL, facts, texts
from ui.runtime import connection


def test_the_sidebar_says_the_version(open_view: Open) -> None:
    said = "\n".join(element.value for element in open_view().sidebar.markdown)
    assert f"ACR Console {VERSION}" in said


def test_the_first_page_is_the_overview(session: AzureSession) -> None:
    connection.use(session)
    at = AppTest.from_file(SHELL, default_timeout=30).run()
    assert at.title[0].value == "Overview"


def _marked(at: AppTest) -> list[str]:
    """The pages that the navigation marks."""
    links = [element.proto.label for element in at.sidebar.get("page_link")]
    return [label.removeprefix(":primary[**").removesuffix("**]") for label in links if "**" in label]


def test_the_sidebar_says_that_the_data_is_sample_data(open_view: Open) -> None:
    assert ":small[:material/science: Sandbox: sample data]" in [one.value for one in open_view().sidebar.markdown]


def _shown(identity: Identity, cloud: str) -> AppTest:
    def script(identity: "Identity", cloud: str) -> None:
        from ui.navigation.sidebar import show_identity, show_sample_data

        show_sample_data(cloud)
        show_identity(identity, cloud, has_sign_in=False)

    return AppTest.from_function(script, args=(identity, cloud)).run(timeout=30)


def test_who_is_signed_in_is_named_and_how_to_sign_out_is_said() -> None:
    at = _shown(Identity("4abb5e5e-tenant", "0f5c1f0e-object", "ana*b*@contoso.example"), "Azure public cloud")
    assert "Sample" not in texts(at)
    assert "Azure public cloud" in texts(at)
    (popover,) = at.get("popover")
    assert "ana" in popover.proto.popover.label
    assert "\\*b\\*" in popover.proto.popover.label
    assert facts(at)["Tenant id"].replace("\\", "") == "4abb5e5e-tenant"
    assert "az logout" in facts(at)["Sign out"]


@pytest.mark.parametrize(
    ("script", "query", "marked"),
    [
        ("overview.py", {}, "Overview"),
        ("storage.py", {"registry": "casaacr01"}, "Storage"),
        ("registry.py", {"registry": "casaacr01"}, "Inventory"),
        ("create.py", {}, "Inventory"),
        ("push.py", {"registry": "casaacr01"}, "Repositories and tags"),
        (
            "image.py",
            {"registry": "casaacr01", "repository": "nodejstemplate", "reference": "v1.0.0"},
            "Repositories and tags",
        ),
        ("assign.py", {"registry": "casaacr01"}, "Access review"),
    ],
)
def test_the_section_of_every_page_is_marked(open_view: Open, script: str, query: dict[str, str], marked: str) -> None:
    assert _marked(open_view(script, **query)) == [marked]
