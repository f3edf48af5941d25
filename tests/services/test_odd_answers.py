"""Recorded answers with a member removed, null or of another type: a value of the types it says, or a ServiceError."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from services.arm.subscriptions import list_subscriptions
from services.connection.answers import checked
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.connection.session import AzureSession, connect_sandbox
from services.images.manifest_reading import read_config, read_manifest, read_referrers
from services.images.repositories import get_repository, manifest_rows, repository_names, tag_page
from services.images.tree import build_tree, read_for_tree
from services.registries.reading import get_registry, list_registries
from tests.services.test_cassettes import CASSETTES, REPLAYED, name_of
from tests.support.canned import Answer, Canned, Credential
from tests.support.odd_json import Change, as_sent, changes

HUB = "/subscriptions/c2f1a6d4-7e0b-4d39-8a55-1b6c90e2f7a8/resourceGroups/platform-registries-rg"
HUB += "/providers/Microsoft.ContainerRegistry/registries/contosohub"


def read_repositories(azure: AzureSession) -> object:
    hub = azure.registry(name_of("contosohub"))
    names = list(repository_names(hub))
    first = tag_page(hub, "golden/node", size=2)
    return names, get_repository(hub, "golden/node"), first, tag_page(hub, "golden/node", size=2, after=first.next)


def read_tree(azure: AzureSession) -> object:
    hub = azure.registry(name_of("contosohub"))
    rows = manifest_rows(hub, "api/gateway").values
    return rows, build_tree(rows, read_for_tree(hub, "api/gateway", rows).values)


def read_image(azure: AzureSession) -> object:
    hub = azure.registry(name_of("contosohub"))
    page = tag_page(hub, "web/admin", size=1)
    if not page.tags:
        return page
    tag = page.tags[0]
    index = read_manifest(hub, "web/admin", tag.name)
    if not index.children:
        return index
    image = read_manifest(hub, "web/admin", index.children[0].digest)
    return tag, index, image, read_config(hub, "web/admin", image), read_referrers(hub, "web/admin", index.digest)


READS: dict[str, Callable[[AzureSession], object]] = {
    "test_sign_in_and_subscriptions": list_subscriptions,
    "test_registries_of_a_reader": list_registries,
    "test_a_premium_registry": lambda azure: get_registry(azure, HUB),
    "test_repositories_and_tags": read_repositories,
    "test_manifests": lambda azure: manifest_rows(azure.registry(name_of("contosohub")), "golden/node").values,
    "test_a_tree_with_signatures": read_tree,
    "test_an_image": read_image,
}


@dataclass(frozen=True)
class Exchange:
    """A recorded request and its answer, of which `body` is None where it is no JSON."""

    method: str
    url: str
    status: int
    headers: dict[str, str]
    raw: bytes
    body: Any


def exchanges(cassette: str) -> list[Exchange]:
    """What a cassette holds, without the requests to sign in to Entra."""
    found = []
    for one in yaml.safe_load((CASSETTES / f"{cassette}.yaml").read_text(encoding="utf-8"))["interactions"]:
        request, response = one["request"], one["response"]
        raw = response["body"]["string"]
        raw = raw.encode() if isinstance(raw, str) else raw
        headers = {name: values[0] for name, values in response["headers"].items() if name.lower() != "content-length"}
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        url = request["uri"].partition("?")[0]
        if "/v2.0/" not in urlsplit(url).path:
            found.append(Exchange(request["method"], url, response["status"]["code"], headers, raw, body))
    return found


RECORDED = {cassette: exchanges(cassette) for cassette in READS}
CASES = [
    (cassette, number, change)
    for cassette, found in RECORDED.items()
    for number, one in enumerate(found)
    if one.body is not None
    for change in changes(one.body)
]


def replayed(cassette: str, odd: int | None = None, change: Change | None = None) -> object:
    """What is read of a cassette, of which one answer has a change."""
    wire = Canned()
    replies: dict[tuple[str, str], list[Answer]] = {}
    for number, one in enumerate(RECORDED[cassette]):
        raw = as_sent(change.of(one.body)) if number == odd and change else one.raw
        replies.setdefault((one.method, one.url), []).append(Answer(one.status, raw, one.headers))
    for (method, url), answers in replies.items():
        wire.on(method, url, *answers)
    return READS[cassette](AzureSession(Credential(), connect_sandbox(REPLAYED).endpoints, wire))


def check_types(value: object) -> None:
    """That all within it is of the types that it says, and can be sent to a browser."""
    if isinstance(value, tuple | list):
        for one in value:
            check_types(one)
    elif isinstance(value, Partial):
        check_types(value.values)
    else:
        checked(value)
    repr(value).encode()


@pytest.mark.parametrize("cassette", READS)
def test_a_recorded_answer_is_of_its_types(cassette: str) -> None:
    check_types(replayed(cassette))


@settings(max_examples=5 * settings.default.max_examples)
@given(st.sampled_from(CASES))
def test_an_odd_member_is_an_error_or_a_value_of_its_types(case: tuple[str, int, Change]) -> None:
    try:
        found = replayed(*case)
    except ServiceError as error:
        assert error.cause
        assert error.remedy
    except AssertionError as error:  # What it asks for next is not recorded.
        assert "The table has no answer" in str(error)
    else:
        check_types(found)
