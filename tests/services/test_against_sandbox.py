"""The services against a whole Azure: over TLS, with its tokens, roles, pages and refusals."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import requests
from azure.containerregistry import ArtifactTagOrder, ContainerRegistryClient

from sandbox.server import Sandbox
from services.arm.subscriptions import list_subscriptions
from services.connection.data_plane import RegistryClient
from services.connection.data_plane_tokens import Need
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.connection.session import AzureSession, connect_sandbox
from services.images.manifest_reading import read_config, read_manifest, read_referrers
from services.images.manifests import Descriptor, Kind, Manifest
from services.images.repositories import (
    all_repository_names,
    get_manifest_row,
    get_repositories,
    get_repository,
    get_tag,
    manifest_rows,
    repository_names,
    tag_page,
)
from services.images.repository_contents import read_contents
from services.images.summaries import summarise
from services.images.tree import Role, build_tree, read_for_tree
from services.registries.findings import findings_of
from services.registries.reading import get_registry, list_registries
from services.registries.registry import Mode, Registry

GIB = 1024**3
Open = Callable[[str], RegistryClient]


@pytest.fixture(scope="module")
def listed(session: AzureSession) -> Partial[Registry]:
    """All that the console sees."""
    return list_registries(session)


@pytest.fixture(scope="module")
def registries(listed: Partial[Registry]) -> dict[str, Registry]:
    return {registry.name: registry for registry in listed.values}


@pytest.fixture
def client(session: AzureSession, sandbox: Sandbox) -> Open:
    """The data plane of a registry, by name."""
    return lambda name: session.registry(sandbox.ready["registries"][name])


def plain_sdk(sandbox: Sandbox, session: AzureSession, name: str) -> ContainerRegistryClient:
    """The SDK's client as it comes, for a second opinion."""
    return ContainerRegistryClient(
        f"https://{sandbox.ready['registries'][name]}",
        session.credential,
        audience=sandbox.ready["registry_audience"],
        connection_verify=sandbox.ready["ca_file"],
    )


def names_in(client: RegistryClient) -> list[str]:
    return [name for page in repository_names(client) for name in page]


def test_the_identity_is_the_consoles(session: AzureSession, sandbox: Sandbox) -> None:
    assert session.identity.tenant_id == sandbox.ready["tenant_id"]
    assert session.identity.object_id
    assert session.identity.name


def test_subscriptions(session: AzureSession, sandbox: Sandbox) -> None:
    found = list_subscriptions(session).values
    assert {subscription.id for subscription in found} == set(sandbox.ready["subscription_ids"])
    assert [subscription.name for subscription in found] == sorted(subscription.name for subscription in found)


def test_every_registry_but_those_of_the_subscription_that_refuses(listed: Partial[Registry], sandbox: Sandbox) -> None:
    assert [refusal.what for refusal in listed.refused] == ["contoso-restricted"]
    error = listed.refused[0].error
    assert (error.status, error.code) == (403, "AuthorizationFailed")
    assert error.request_id
    assert not listed.complete
    assert {registry.name for registry in listed.values} == set(sandbox.ready["registries"]) - {"contosovault"}
    for registry in listed.values:
        assert registry.login_server == sandbox.ready["registries"][registry.name]
        assert registry.unread == ()
        assert registry.stored_bytes is not None


def test_what_is_special_about_some_registries(registries: dict[str, Registry]) -> None:
    assert registries["contosopayments"].access.mode is Mode.ABAC
    assert registries["contosoarchive"].sku == "Classic"
    assert registries["contosotrial"].provisioning_state == "Failed"
    assert registries["contosobuild"].access.admin_user
    assert registries["contosobase"].access.anonymous_pull
    assert registries["contosoci"].access.retention_days == 14
    hub = registries["contosohub"]
    assert {replica.region for replica in hub.replicas or ()} == {"northeurope", "eastus", "southeastasia"}
    assert hub.webhooks == 2
    assert dict(hub.tags) == {"environment": "production"}
    secure = registries["contososecure"].network
    assert not secure.open_to_all
    assert [endpoint.state for endpoint in secure.private_endpoints] == ["Approved"]
    assert len(secure.data_endpoints) == 1
    full = registries["contosodata"]
    assert full.included_bytes == 100 * GIB
    assert 0.9 < (full.stored_bytes or 0) / full.included_bytes < 1
    assert not full.access.arm_audience_tokens


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("contosodata", "Nearly at included storage"),
        ("contosobuild", "Admin user on"),
        ("contosobase", "Anonymous pull"),
        ("contosoarchive", "Classic SKU"),
        ("contosotrial", "Provisioning failed"),
        ("contosohub", "Open to all networks"),
    ],
)
def test_findings(registries: dict[str, Registry], name: str, title: str) -> None:
    assert title in {finding.title for finding in findings_of(registries[name])}


def test_one_registry_is_what_the_list_says(session: AzureSession, registries: dict[str, Registry]) -> None:
    one = get_registry(session, registries["contosohub"].id)
    assert one.__dict__ == {**registries["contosohub"].__dict__, "subscription": one.subscription}


def test_a_registry_that_is_not_there(session: AzureSession, registries: dict[str, Registry]) -> None:
    with pytest.raises(ServiceError) as raised:
        get_registry(session, registries["contosohub"].id.replace("contosohub", "contosonone"))
    assert (raised.value.status, raised.value.code) == (404, "ResourceNotFound")


@pytest.mark.parametrize("name", ["casaacr01", "contosohub"])
def test_repositories(client: Open, sandbox: Sandbox, session: AzureSession, name: str) -> None:
    found = names_in(client(name))
    assert found == list(plain_sdk(sandbox, session, name).list_repository_names())
    assert len(all_repository_names(client(name))) == len(found) > 0
    read = get_repositories(client(name), found)
    assert [repository.name for repository in read.values] == found
    assert read.complete
    for repository in read.values:
        rows = manifest_rows(client(name), repository.name).values
        assert repository.manifest_count == len(rows)
        assert repository.tag_count == sum(len(row.tags) for row in rows)


def test_an_abac_registry_gives_what_the_roles_condition_allows(client: Open) -> None:
    payments = client("contosopayments")
    names = names_in(payments)
    own = [name for name in names if name.startswith("team/payments/")]
    others = [name for name in names if name not in own]
    assert own
    assert others
    for read in (get_repositories(payments, names), read_contents(payments, names, {})):
        assert [value.name for value in read.values] == own
        assert [refusal.what for refusal in read.refused] == others
        assert {(refusal.error.status, refusal.error.code) for refusal in read.refused} == {(401, "UNAUTHORIZED")}


def test_an_empty_registry(client: Open) -> None:
    assert names_in(client("contosotrial")) == []


def test_a_registry_behind_private_endpoints(client: Open) -> None:
    with pytest.raises(ServiceError) as raised:
        names_in(client("contososecure"))
    assert (raised.value.status, raised.value.code) == (403, "DENIED")
    assert "network" in raised.value.remedy


def test_a_repository_that_is_not_there(client: Open) -> None:
    with pytest.raises(ServiceError) as raised:
        get_repository(client("contosohub"), "nothing/here")
    assert (raised.value.status, raised.value.code) == (404, "NAME_UNKNOWN")
    assert raised.value.request_id


def test_three_hundred_tags_page_by_page(client: Open, sandbox: Sandbox, session: AzureSession) -> None:
    found, after, pages = [], None, 0
    while True:
        page = tag_page(client("contosoci"), "ci/runner", size=70, after=after)
        found += page.tags
        pages, after = pages + 1, page.next
        if not after:
            break
    assert pages == -(-len(found) // 70) > 4
    assert len({tag.name for tag in found}) == len(found)
    assert [tag.updated for tag in found] == sorted((tag.updated for tag in found), reverse=True)
    order = ArtifactTagOrder.LAST_UPDATED_ON_DESCENDING
    second = plain_sdk(sandbox, session, "contosoci").list_tag_properties("ci/runner", order_by=order)
    assert [(tag.name, tag.digest) for tag in found] == [(tag.name, tag.digest) for tag in second]
    assert get_tag(client("contosoci"), "ci/runner", found[0].name) == found[0]


def test_a_repository_without_a_tag(client: Open) -> None:
    page = tag_page(client("contosoci"), "ci/cache", size=10)
    assert (page.tags, page.next) == ((), None)
    assert manifest_rows(client("contosoci"), "ci/cache").values


@pytest.mark.parametrize("repository", ["web/storefront", "api/orders", "api/gateway", "jobs/mailer", "golden/node"])
def test_a_manifest_read_alone_is_as_it_was_listed(client: Open, repository: str) -> None:
    hub = client("contosohub")
    rows = manifest_rows(hub, repository).values
    assert len(rows) > 0
    assert get_manifest_row(hub, repository, rows[0].digest) == rows[0]


def test_locks(client: Open) -> None:
    rows = manifest_rows(client("contosohub"), "golden/node").values
    tags = tag_page(client("contosohub"), "golden/node", size=100).tags
    words = {get_repository(client("contosohub"), "golden/node").locks.label}
    words |= {row.locks.label for row in rows} | {tag.locks.label for tag in tags}
    assert "delete, write" in words


def sent_to(sandbox: Sandbox, host: str, work: Callable[[], object]) -> list[str]:
    """The paths that `work` asks of `host`."""
    # An answer may be here before it is in the log; what is asked next is answered after that.
    prepare_models = f"{sandbox.ready['resource_manager']}/metadata/endpoints?api-version=2022-09-01"
    requests.get(prepare_models, verify=sandbox.ready["ca_file"], timeout=30)
    sandbox.clear_requests()
    work()
    requests.get(prepare_models, verify=sandbox.ready["ca_file"], timeout=30)
    return [request.path for request in sandbox.requests if request.host == host]


def reads_of(names: list[str]) -> list[str]:
    """What the contents of these repositories are read by, where every manifest is known."""
    return [
        path for name in names for path in (f"/acr/v1/{name}", f"/acr/v1/{name}/_manifests", f"/acr/v1/{name}/_tags")
    ]


def test_a_legacy_registry_costs_one_token_and_three_requests_a_repository(sandbox: Sandbox, client: Open) -> None:
    # A session of its own, so that no token is held yet.
    host = sandbox.ready["registries"]["contosohub"]
    hub = client("contosohub")
    names, known = names_in(hub), dict[str, Manifest]()
    read_contents(hub, names, known)
    fresh = connect_sandbox(sandbox.ready).registry(host)
    sent = sent_to(sandbox, host, lambda: read_contents(fresh, names, known))
    assert sorted(sent) == sorted(["/oauth2/exchange", "/oauth2/token", *reads_of(names)])


def test_an_abac_registry_costs_one_token_more(sandbox: Sandbox, client: Open) -> None:
    host = sandbox.ready["registries"]["contosopayments"]
    payments = client("contosopayments")
    names = [name for name in names_in(payments) if name.startswith("team/payments/")]
    known: dict[str, Manifest] = {}
    read_contents(payments, names, known)
    fresh = connect_sandbox(sandbox.ready).registry(host)
    sent = sent_to(sandbox, host, lambda: read_contents(fresh, names, known))
    assert sorted(sent) == sorted(["/oauth2/exchange", "/oauth2/token", "/oauth2/token", *reads_of(names)])


def test_a_multi_platform_image_and_its_tree(client: Open) -> None:
    hub = client("contosohub")
    rows = manifest_rows(hub, "web/storefront").values
    read = read_for_tree(hub, "web/storefront", rows)
    nodes = build_tree(rows, read.values)
    assert read.complete
    assert {node.digest for node in nodes} == {row.digest for row in rows}
    count = Counter((node.depth, node.role) for node in nodes)
    releases = count[0, Role.INDEX]
    assert releases > 1
    assert count[1, Role.PLATFORM] == count[2, Role.ATTESTATION] == 2 * releases
    assert Role.MISSING not in {node.role for node in nodes}


@pytest.mark.parametrize("repository", ["api/orders", "api/gateway"])
def test_signatures_hang_on_what_they_sign(client: Open, repository: str) -> None:
    hub = client("contosohub")
    rows = manifest_rows(hub, repository).values
    nodes = build_tree(rows, read_for_tree(hub, repository, rows).values)
    assert {node.digest for node in nodes} == {row.digest for row in rows}
    referrers = [node for node in nodes if node.role is Role.REFERRER]
    assert referrers
    assert all(node.depth > 0 for node in referrers)
    assert Role.UNTAGGED not in {node.role for node in nodes}


def test_leftovers_are_what_nothing_holds(client: Open) -> None:
    ci = client("contosoci")
    rows = manifest_rows(ci, "ci/storefront").values
    read = read_for_tree(ci, "ci/storefront", rows)
    held = {child.digest for manifest in read.values for child in manifest.children}
    untagged = {node.digest for node in build_tree(rows, read.values) if node.role is Role.UNTAGGED}
    assert untagged
    assert untagged == {row.digest for row in rows if not row.tags and row.digest not in held}


def test_referrers(client: Open) -> None:
    hub = client("contosohub")
    rows = manifest_rows(hub, "api/orders").values
    subjects = Counter(manifest.subject for manifest in read_for_tree(hub, "api/orders", rows).values)
    subjects.pop("", None)
    assert subjects
    for subject, count in subjects.items():
        found = read_referrers(hub, "api/orders", subject)
        assert len(found) == count
        assert all(descriptor.artifact_type for descriptor in found)
    assert read_referrers(hub, "jobs/mailer", manifest_rows(hub, "jobs/mailer").values[0].digest) == ()


def test_config_and_history(client: Open) -> None:
    hub = client("contosohub")
    tag = tag_page(hub, "web/storefront", size=1).tags[0]
    index = read_manifest(hub, "web/storefront", tag.name)
    assert (index.digest, index.kind) == (tag.digest, Kind.INDEX)
    assert index.platforms == ("linux/amd64", "linux/arm64")
    image = read_manifest(hub, "web/storefront", index.children[1].digest)
    config = read_config(hub, "web/storefront", image)
    assert config.platform == index.children[1].platform
    assert sum(not step.empty for step in config.history) == len(image.layers)
    assert config.labels


def test_what_others_wrote_is_text(client: Open) -> None:
    hub = client("contosohub")
    tag = tag_page(hub, "tools/markdown-viewer", size=1).tags[0]
    manifest = read_manifest(hub, "tools/markdown-viewer", tag.name)
    texts = [value for _, value in manifest.annotations]
    for child in manifest.children:
        texts += [value for _, value in read_manifest(hub, "tools/markdown-viewer", child.digest).annotations]
    if manifest.config:
        texts += [value for _, value in read_config(hub, "tools/markdown-viewer", manifest).labels]
    assert any("<script>" in text for text in texts)


def test_a_layer_that_is_missing(client: Open) -> None:
    hub = client("contosohub")
    tag = tag_page(hub, "jobs/mailer", size=1).tags[0]
    image = read_manifest(hub, "jobs/mailer", tag.name)
    without = replace(image, config=Descriptor(image.layers[0].digest, "x", 10))
    with pytest.raises(ServiceError) as raised:
        read_config(hub, "jobs/mailer", without)
    assert (raised.value.status, raised.value.code) == (404, "BLOB_UNKNOWN")


@pytest.mark.parametrize("repository", ["web/storefront", "jobs/mailer", "charts/storefront"])
def test_summaries_do_not_depend_on_the_way_they_are_read(client: Open, repository: str) -> None:
    hub = client("contosohub")
    digests = [tag.digest for tag in tag_page(hub, repository, size=5).tags]
    listed = manifest_rows(hub, repository).values
    few, many = (summarise(hub, repository, digests, rows, {}) for rows in (listed, ()))
    assert few.complete
    assert few == many
    assert [summary.digest for summary in few.values] == list(dict.fromkeys(digests))
    assert all(summary.size > 0 for summary in few.values)


def test_the_reader_sees_one_subscription(reader_session: AzureSession, sandbox: Sandbox) -> None:
    assert [subscription.id for subscription in list_subscriptions(reader_session).values] == sandbox.ready[
        "subscription_ids"
    ][:1]
    found = list_registries(reader_session)
    assert [registry.name for registry in found.values] == ["casaacr01"]
    assert found.complete


def test_a_reader_reads_images_in_legacy_mode_and_changes_none(reader_session: AzureSession, sandbox: Sandbox) -> None:
    client = reader_session.registry(sandbox.ready["registries"]["casaacr01"])
    assert names_in(client) == ["nodejstemplate"]
    every = frozenset({"pull", "push", "delete", "metadata_read", "metadata_write"})
    assert client.tokens.granted(Need("nodejstemplate", every)) == {"pull", "metadata_read"}


def test_the_reader_is_nobody_elsewhere(reader_session: AzureSession, sandbox: Sandbox) -> None:
    with pytest.raises(ServiceError) as raised:
        names_in(reader_session.registry(sandbox.ready["registries"]["contosohub"]))
    assert raised.value.status == 401
    assert "AcrPull" in raised.value.remedy


def test_the_consoles_client_sends_a_quarter_of_what_the_sdk_sends(sandbox: Sandbox, session: AzureSession) -> None:
    client = connect_sandbox(sandbox.ready).registry(sandbox.ready["registries"]["casaacr01"])
    client.sdk.get_repository_properties("nodejstemplate")

    def hundred_calls(sdk: ContainerRegistryClient) -> None:
        for _ in range(100):
            sdk.get_repository_properties("nodejstemplate")

    assert len(sent_to(sandbox, client.login_server, lambda: hundred_calls(client.sdk))) == 100
    plain = plain_sdk(sandbox, session, "casaacr01")
    assert len(sent_to(sandbox, client.login_server, lambda: hundred_calls(plain))) == 400
