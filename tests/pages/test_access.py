"""Who may do what in the estate, as the page tells it."""

from typing import Any

import pytest

from sandbox.seeds import company
from services.cloud import AzureSession
from ui import clusters, connection

from .conftest import AppTest, Open


@pytest.fixture
def access(open_view: Open, session: AzureSession):  # type: ignore[no-untyped-def]
    def opened(as_session: AzureSession | None = None, **query: str) -> AppTest:
        connection.use(as_session or session)
        assert clusters.pulls(connection.who()).finished.wait(30)
        at = open_view("access.py", as_session=as_session, **query)
        assert not at.exception
        return at

    return opened


def table(at: AppTest) -> Any:
    return at.dataframe[0].value


def test_a_registry_s_principals_by_name_those_who_could_do_harm_first(access: Any) -> None:
    rows = table(access(registry="contosohub"))
    assert list(rows["Principal"][:3]) == ["Platform administrator", "console", "platform-engineers"]
    assert list(rows["Look first"][0])[:2] == ["assigns roles", "can turn the admin user on"]
    by_name = rows.set_index("Principal")
    assert by_name.loc["contoso-pusher", ["Pull", "Push", "Delete"]].tolist() == ["✓ yes", "✓ yes", "✗ no"]
    assert by_name.loc["contoso-scanner", "Delete"] == "✓ yes"
    assert "the custom role Contoso Image Cleaner, on the registry itself" in by_name.loc["contoso-scanner", "By"]
    assert by_name.loc[company.GONE, "Kind"] == "not in the directory"
    assert by_name.loc["aks-platform-agentpool", "Of a cluster"] == "kubelet identity of aks-platform"
