"""A few reads from cassettes, below the real SDKs, with neither network nor sandbox.

`pytest --record-mode=rewrite tests/services/test_cassettes.py` makes them anew, against the sandbox.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from services.arm.subscriptions import list_subscriptions
from services.connection import parallel
from services.connection.errors import ServiceError
from services.connection.session import AzureSession, connect_sandbox
from services.images.manifest_reading import read_config, read_manifest, read_referrers
from services.images.manifests import Kind
from services.images.repositories import get_repository, manifest_rows, repository_names, tag_page
from services.images.tree import Role, build_tree, read_for_tree
from services.registries.reading import get_registry, list_registries
from services.registries.registry import Mode
from tests.support.scrub import Scrubber

CASSETTES = Path(__file__).parent.parent / "cassettes"
pytestmark = [pytest.mark.vcr, pytest.mark.block_network]

MANAGEMENT = "management.sandbox.example"
TENANT = "4abb5e5e-af15-4a34-b3c2-18f4a9303ee4"
# What a replay signs in with: the cassettes hold no request to sign in, and answer any.
REPLAYED = {
    "authority": f"https://{MANAGEMENT}",
    "resource_manager": f"https://{MANAGEMENT}",
    "resource_manager_scope": f"https://{MANAGEMENT}/.default",
    "registry_audience": "https://containerregistry.azure.net",
    "retail_prices": f"https://{MANAGEMENT}",
    "logs": f"https://{MANAGEMENT}",
    "metrics": f"https://{MANAGEMENT}",
    "graph": f"https://{MANAGEMENT}/graph",
    "tenant_id": TENANT,
    "client_id": "console",
    "client_secret": "any",
    "reader_client_id": "reader",
    "reader_client_secret": "any",
    "ca_file": None,
}


def name_of(registry: str) -> str:
    return f"{registry.lower()}.registry.sandbox.example"


@pytest.fixture(scope="session")
def ready(record_mode: str, request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """The Azure of this run: the recorded one, or a running sandbox that is recorded."""
    return REPLAYED if record_mode == "none" else request.getfixturevalue("sandbox").ready


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    return str(CASSETTES)


@pytest.fixture
def vcr_config(ready: Mapping[str, Any]) -> dict[str, Any]:
    hosts = {login_server: name_of(name) for name, login_server in ready.get("registries", {}).items()}
    hosts[ready["authority"].removeprefix("https://")] = MANAGEMENT
    scrubber = Scrubber(hosts)
    return {
        "match_on": ["method", "path", "query"],
        "before_record_request": scrubber.request,
        "before_record_response": scrubber.response,
        "decode_compressed_response": True,
    }


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """VCR misses what other threads send while it records."""
    monkeypatch.setattr(parallel, "_workers", parallel.Workers(1, 1))


@pytest.fixture
def azure(ready: Mapping[str, Any]) -> AzureSession:
    return connect_sandbox(ready)


@pytest.fixture
def hub(azure: AzureSession, ready: Mapping[str, Any]) -> Any:
    """The data plane of contosohub."""
    return azure.registry(ready.get("registries", {}).get("contosohub", name_of("contosohub")))


def test_sign_in_and_subscriptions(azure: AzureSession) -> None:
    assert azure.identity.tenant_id == TENANT
    assert [subscription.name for subscription in list_subscriptions(azure).values] == [
        "casacloud",
        "contoso-apps",
        "contoso-platform",
        "contoso-restricted",
    ]


def test_registries_of_a_reader(ready: Mapping[str, Any]) -> None:
    found = list_registries(connect_sandbox(ready, as_reader=True))
    (registry,) = found.values
    assert found.complete
    assert (registry.name, registry.sku, registry.location) == ("casaacr01", "Standard", "eastus2")
    assert registry.access.mode is Mode.LEGACY
    assert registry.stored_bytes
    assert registry.included_bytes == 100 * 1024**3


def test_a_premium_registry(azure: AzureSession) -> None:
    registry = get_registry(
        azure,
        "/subscriptions/c2f1a6d4-7e0b-4d39-8a55-1b6c90e2f7a8/resourceGroups/platform-registries-rg"
        "/providers/Microsoft.ContainerRegistry/registries/contosohub",
    )
    assert registry.sku == "Premium"
    assert {replica.region for replica in registry.replicas or ()} == {"northeurope", "eastus", "southeastasia"}
    assert registry.network.open_to_all


def test_a_registry_that_refuses(azure: AzureSession) -> None:
    with pytest.raises(ServiceError) as raised:
        get_registry(
            azure,
            "/subscriptions/e9a03c58-62d7-4b14-8f0a-7d15be4c9362/resourceGroups/vault-rg"
            "/providers/Microsoft.ContainerRegistry/registries/contosovault",
        )
    assert (raised.value.status, raised.value.code) == (403, "AuthorizationFailed")


def test_repositories_and_tags(hub: Any) -> None:
    names = [name for page in repository_names(hub) for name in page]
    assert "web/storefront" in names
    repository = get_repository(hub, "golden/node")
    assert repository.tag_count > 0
    first = tag_page(hub, "golden/node", size=2)
    assert len(first.tags) == 2
    second = tag_page(hub, "golden/node", size=2, after=first.next)
    assert second.next is None
    assert len({tag.name for tag in (*first.tags, *second.tags)}) == repository.tag_count


def test_a_repository_that_is_not_there(hub: Any) -> None:
    with pytest.raises(ServiceError) as raised:
        get_repository(hub, "nothing/here")
    assert (raised.value.status, raised.value.code) == (404, "NAME_UNKNOWN")
    assert raised.value.request_id


def test_manifests(hub: Any) -> None:
    rows = manifest_rows(hub, "golden/node").values
    assert rows
    assert any(row.locks.any for row in rows)


def test_a_tree_with_signatures(hub: Any) -> None:
    rows = manifest_rows(hub, "api/gateway").values
    nodes = build_tree(rows, read_for_tree(hub, "api/gateway", rows).values)
    assert {node.digest for node in nodes} == {row.digest for row in rows}
    roles = {node.role for node in nodes}
    assert Role.REFERRER in roles
    assert Role.UNTAGGED not in roles


def test_an_image(hub: Any) -> None:
    tag = tag_page(hub, "web/admin", size=1).tags[0]
    index = read_manifest(hub, "web/admin", tag.name)
    assert (index.kind, index.digest) == (Kind.INDEX, tag.digest)
    image = read_manifest(hub, "web/admin", index.children[0].digest)
    config = read_config(hub, "web/admin", image)
    assert config.platform == index.children[0].platform
    assert sum(not step.empty for step in config.history) == len(image.layers)
    assert read_referrers(hub, "web/admin", index.digest) == ()
