from services.connection.version import VERSION
from tests.pages.conftest import Open


def test_the_sidebar_says_the_version(open_view: Open) -> None:
    said = "\n".join(element.value for element in open_view().sidebar.markdown)
    assert f"ACR Console {VERSION}" in said
