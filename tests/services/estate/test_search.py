"""Search: what is typed or pasted finds what it names, first, and nothing that is not there."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.estate.references import ImageReference, digest_prefix, image_reference, resource_reference
from services.estate.search import MOST_HITS, Found, HitKind, Known, KnownManifest, find
from services.registries.registry import Registry
from tests.services.pull_checks.test_matrix import CLUSTER
from tests.support.shell_lines import registry
from tests.support.strategies import repository_names

DIGEST = "sha256:" + "0f1e2d3c4b5a6978" * 4


def named(name: str, server: str = "") -> Registry:
    identity = f"/subscriptions/s1/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/{name}"
    return registry(id=identity, name=name, login_server=server or f"{name}.azurecr.io")


HUB, DEV = named("contosohub"), named("contosodev", "localhost:5001")
UNREAD = named("contosoprivate")
KNOWN = Known(
    (HUB, DEV, UNREAD),
    (CLUSTER, replace(CLUSTER, id=CLUSTER.id + "2", name="orders-cluster")),
    {HUB.id: ("api/orders", "api/orders-worker", "web/shop", "orders"), DEV.id: ("api/orders", "base/alpine")},
    (KnownManifest(HUB.id, "api/orders", DIGEST, ("v1",)),),
)


def titles(found: Found) -> list[tuple[str, str]]:
    return [(hit.title, hit.where if hit.kind in (HitKind.REPOSITORY, HitKind.IMAGE) else "") for hit in found.hits]


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_typed_finds_nothing(text: str) -> None:
    assert find(KNOWN, text) == Found()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("contosohub", ("contosohub", "")),
        ("CONTOSOHUB.azurecr.io", ("contosohub", "")),
        ("aks1", ("aks1", "")),
        ("orders", ("orders", "contosohub")),
        ("Shop", ("web/shop", "contosohub")),
        ("alp", ("base/alpine", "contosodev")),
        ("orders dev", ("api/orders", "contosodev")),
        ("orders-clu", ("orders-cluster", "")),
    ],
)
def test_the_best_is_first(text: str, first: tuple[str, str]) -> None:
    assert titles(find(KNOWN, text))[0] == first


@pytest.mark.parametrize(
    "text",
    [
        "contosohub.azurecr.io/api/orders:v1.2",
        "contosohub/api/orders:v1.2",
        "docker pull contosohub.azurecr.io/api/orders:v1.2",
        "$ docker pull --platform linux/amd64 CONTOSOHUB.azurecr.io/api/orders:v1.2",
        "FROM contosohub.azurecr.io/api/orders:v1.2 AS build",
        'image: "contosohub.azurecr.io/api/orders:v1.2"',
        "docker://contosohub.azurecr.io/api/orders:v1.2",
        "https://contosohub.azurecr.io/api/orders:v1.2",
    ],
)
def test_a_pasted_reference_is_the_image(text: str) -> None:
    found = find(KNOWN, text)
    assert found.certain
    (hit,) = found.hits
    assert (hit.kind, hit.registry, hit.repository, hit.reference) == (HitKind.IMAGE, HUB, "api/orders", "v1.2")


def test_a_reference_with_a_port_and_a_digest() -> None:
    (hit,) = find(KNOWN, f"localhost:5001/base/alpine:3@{DIGEST}").hits
    assert (hit.registry, hit.repository, hit.reference) == (DEV, "base/alpine", DIGEST)


def test_a_repository_and_a_tag_without_a_registry_are_looked_for_in_all() -> None:
    found = find(KNOWN, "api/orders:v1")
    assert {(hit.registry, hit.reference) for hit in found.hits} == {(HUB, "v1"), (DEV, "v1")}
    assert all(hit.kind is HitKind.IMAGE for hit in found.hits)


def test_a_reference_to_what_is_not_there_says_so_and_offers_the_nearest() -> None:
    found = find(KNOWN, "contosohub.azurecr.io/api/order:v1")
    assert found.missing == "contosohub has no repository api/order."
    assert titles(found)[0] == ("api/orders", "contosohub")
    found = find(KNOWN, "contosohup.azurecr.io/api/orders:v1")
    assert found.missing.startswith("No registry contosohup.azurecr.io")
    assert titles(found)[0] == ("contosohub", "")
    found = find(KNOWN, "api/ordres:v1")
    assert found.missing.startswith("No repository api/ordres")
    assert titles(found)[0][0] == "api/orders"


def test_a_catalogue_that_was_not_read_is_neither_yes_nor_no() -> None:
    found = find(KNOWN, "contosoprivate.azurecr.io/team/app:v1")
    assert found.needs == UNREAD
    assert not found.certain
    assert not found.missing


@pytest.mark.parametrize("text", [DIGEST, DIGEST[7:], DIGEST[:14], DIGEST[7:14].upper()])
def test_a_digest_or_its_first_characters_find_the_manifest(text: str) -> None:
    (hit,) = find(KNOWN, text).hits
    assert (hit.kind, hit.repository, hit.reference) == (HitKind.IMAGE, "api/orders", DIGEST)


def test_a_digest_that_was_not_read_is_not_said_to_be_nowhere() -> None:
    found = find(KNOWN, "sha256:" + "ab" * 32)
    assert not found.hits
    assert "whose contents were read" in found.missing


PORTAL = "https://portal.azure.com/#@contoso.onmicrosoft.com/resource"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (HUB.id, "contosohub"),
        (HUB.id.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), "contosohub"),
        (f"{PORTAL}{HUB.id}/overview", "contosohub"),
        (f"{PORTAL}{HUB.id.replace('/', '%2F')}/repository/web%2Fshop", "web/shop"),
        (f"az acr show --ids {CLUSTER.id}", "aks1"),
    ],
)
def test_a_resource_id_or_a_portal_address_is_the_resource(text: str, title: str) -> None:
    found = find(KNOWN, text)
    assert found.certain
    assert found.hits[0].title == title


def test_a_resource_that_is_not_there_says_so() -> None:
    found = find(KNOWN, HUB.id.replace("contosohub", "contosohug"))
    assert found.missing.startswith("contosohug (registries) is not among")
    assert found.hits[0].registry == HUB


def test_what_is_named_like_nothing_offers_the_nearest() -> None:
    found = find(KNOWN, "contsohub")
    assert found.missing == "Nothing found for contsohub."
    assert found.hits[0].registry == HUB
    assert find(KNOWN, "zzzzzz").hits == ()


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("contosohub", "contosohub"),
        ("orders", "orders"),  # Others have it in their name.
        ("web/shop", "web/shop"),
        ("sho", "web/shop"),
        ("contosohub/api/orders:v1", "api/orders:v1"),
        ("api/orders", ""),  # Of two registries.
        ("api/orders:v1", ""),
        ("contoso", ""),
        ("contsohub", ""),
    ],
)
def test_only_what_alone_can_be_meant_is_opened(text: str, only: str) -> None:
    found = find(KNOWN, text)
    assert found.hits
    assert (found.only.title if found.only else "") == only


@pytest.mark.parametrize("text", ["sha256:abc", "sha256:", "SHA256:0F1E2D", "sha256:registry"])
def test_a_digest_that_is_too_short_says_how_long_one_is(text: str) -> None:
    assert find(KNOWN, text) == Found(missing="A digest needs at least 7 hexadecimal characters.")


@pytest.mark.parametrize("text", ["http://[::1", "https://", "https://example.com"])
def test_an_address_of_nothing_here_is_not_taken_for_a_repository(text: str) -> None:
    assert find(KNOWN, text) == Found(missing=f"{text} is not an address that is known here.")


def test_an_unknown_server_named_as_a_known_registry_offers_the_image_there() -> None:
    found = find(KNOWN, "docker pull contosodev.azurecr.io/base/alpine:3")
    assert found.missing == "No registry contosodev.azurecr.io among those that were read."
    assert [(hit.title, hit.registry, hit.reference) for hit in found.hits] == [
        ("Open base/alpine:3 in contosodev", DEV, "3")
    ]
    assert found.only is None
    assert titles(find(KNOWN, "contosodev.azurecr.io/no/such:3"))[0] == ("contosodev", "")


LONG = "x" * 300


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        f"{LONG}/app:v1",
        f"{LONG}.io/app:v1",
        f"contosohub/{LONG}:v1",
        HUB.id + LONG,
        HUB.id.replace("/registries/", f"/{LONG}/"),
        f"http://{LONG}",
    ],
)
def test_a_long_text_is_cut_where_it_is_named(text: str) -> None:
    assert 0 < len(find(KNOWN, text).missing) < 140


names = st.lists(repository_names, unique=True, max_size=12)


@given(names, names, st.data())
def test_an_exact_name_is_first_whatever_its_case(here: list[str], there: list[str], data: st.DataObject) -> None:
    known = Known((HUB, DEV), (), {HUB.id: tuple(here), DEV.id: tuple(there)})
    everything = [*here, *there, HUB.name, DEV.name]
    name = data.draw(st.sampled_from(everything))
    found = find(known, f" {data.draw(st.sampled_from([name, name.upper()]))} ")
    assert found.hits[0].title.casefold() == name.casefold()


@given(names, st.text(max_size=40) | repository_names)
def test_only_what_is_known_is_found(here: list[str], text: str) -> None:
    known = Known((HUB, UNREAD), (CLUSTER,), {HUB.id: tuple(here)})
    found = find(known, text)
    assert len(found.hits) <= MOST_HITS
    for hit in found.hits:
        assert hit.registry in (None, HUB, UNREAD)
        assert hit.cluster in (None, CLUSTER)
        if hit.repository and hit.registry is not UNREAD:
            assert hit.repository in here
    if found.certain:
        assert found.hits
        assert not found.missing


@given(repository_names, st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", fullmatch=True))
def test_every_reference_is_read_as_it_was_written(repository: str, tag: str) -> None:
    wanted = ImageReference("contosohub.azurecr.io", repository, tag)
    assert image_reference(wanted.text) == wanted
    by_digest = replace(wanted, reference=DIGEST)
    assert image_reference(by_digest.text) == by_digest


@given(st.text(max_size=60))
def test_any_text_can_be_typed(text: str) -> None:
    image_reference(text, {"contosohub"})
    resource_reference(text)
    digest_prefix(text)


@pytest.mark.parametrize("text", ["shop", "team 7", "nothing-like-this-at-all", "app:v1"])
def test_twenty_thousand_repositories_are_searched_within_a_rerun(text: str) -> None:
    registries = [named(f"contoso{number}") for number in range(500)]
    known = Known(
        tuple(registries),
        (),
        {one.id: tuple(f"team-{n}/service-{n}/app" for n in range(40)) for one in registries},
    )
    find(known, text)
    began = time.process_time()
    find(known, text)
    assert time.process_time() - began < 1.0  # 0.03 to 0.3 s here; a look at each pair would take ten.
