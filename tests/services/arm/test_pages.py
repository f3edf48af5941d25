"""The pages of Resource Manager's lists: they end, whoever answers, and no other host gets the token."""

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.rest import HttpRequest
from hypothesis import given
from hypothesis import strategies as st

from services.access.role_assignment_reading import list_assignments
from services.arm import pages as arm_pages
from services.arm.pages import pages
from services.arm.resource_groups import list_groups
from services.arm.subscriptions import Subscription, list_subscriptions
from services.connection.errors import LimitExceeded, ServiceError
from services.connection.limits import PageLinks
from services.connection.session import AzureSession
from services.registries.reading import registries_of
from tests.support.canned import ARM, CLOUD, Answer, Canned, Credential, Sent

ID = "11111111-1111-1111-1111-111111111111"
SUBSCRIPTION = Subscription(ID, "apps", "tenant", "Enabled")
OF = f"{ARM}/subscriptions/{ID}"
ELSEWHERE = "https://elsewhere.example.com/subscriptions?page=2"


def raised_by(read: Callable[[], Any]) -> ServiceError:
    """What it raises; of a partial result, why its one part was refused."""
    try:
        return read().refused[0].error  # type: ignore[no-any-return]
    except ServiceError as error:
        return error


LISTS = pytest.mark.parametrize(
    ("url", "read", "title"),
    [
        (f"{ARM}/subscriptions", list_subscriptions, "Could not list the subscriptions"),
        (f"{OF}/resourcegroups", lambda azure: list_groups(azure, ID), "resource groups"),
        (
            f"{OF}/providers/Microsoft.Authorization/roleAssignments",
            lambda azure: list_assignments(azure, SUBSCRIPTION),
            "Could not list the role assignments of apps",
        ),
        (
            f"{OF}/providers/Microsoft.ContainerRegistry/registries",
            lambda azure: registries_of(azure, [SUBSCRIPTION]),
            "Could not list the registries of apps",
        ),
    ],
    ids=["subscriptions", "groups", "assignments", "registries"],
)


@LISTS
@pytest.mark.parametrize("circle", [1, 3])
def test_a_list_that_goes_round_in_a_circle_is_an_error(
    wire: Canned, azure: AzureSession, url: str, read: Callable[[AzureSession], Any], title: str, circle: int
) -> None:
    def page(sent: Sent) -> Answer:
        assert len(wire.sent) < 50
        number = int(sent.query.get("page", 0)) % circle + 1
        return Answer(200, {"value": [], "nextLink": f"{url}?page={number}"})

    wire.on("GET", url, page)
    error = raised_by(lambda: read(azure))
    assert title in error.title
    assert error.code == "PagesRepeat"
    assert len(wire.sent) == circle + 1


@LISTS
def test_a_list_without_end_is_an_error(
    wire: Canned,
    azure: AzureSession,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    read: Callable[[AzureSession], Any],
    title: str,
) -> None:
    monkeypatch.setattr(arm_pages, "PAGES_MOST", 5)

    def page(_sent: Sent) -> Answer:
        assert len(wire.sent) < 50
        return Answer(200, {"value": [], "nextLink": f"{url}?page={len(wire.sent)}"})

    wire.on("GET", url, page)
    error = raised_by(lambda: read(azure))
    assert title in error.title
    assert error.code == "TooManyPages"


@LISTS
def test_no_other_host_is_asked_for_the_next_page(
    wire: Canned, azure: AzureSession, url: str, read: Callable[[AzureSession], Any], title: str
) -> None:
    wire.on("GET", url, Answer(200, {"value": [], "nextLink": ELSEWHERE}))
    wire.on("GET", ELSEWHERE.partition("?")[0], Answer(200, {"value": []}))
    error = raised_by(lambda: read(azure))
    assert title in error.title
    assert "another host" in error.cause
    assert [sent.host for sent in wire.sent] == [ARM.removeprefix("https://")]


@given(st.lists(st.sampled_from("abcdefgh")), st.integers(1, 6))
def test_pages_of_json_end_and_none_is_read_twice(following: list[str], most: int) -> None:
    wire = Canned()
    links = iter([f"{ARM}/list?page={name}" for name in following])

    def page(sent: Sent) -> Answer:
        return Answer(200, {"value": [sent.url], "nextLink": next(links, None)})

    wire.on("GET", f"{ARM}/list", page)
    azure = AzureSession(Credential(), CLOUD, wire)
    seen: list[str] = []
    code = ""
    try:
        for body in pages(azure.resources(), HttpRequest("GET", f"{ARM}/list"), ARM, most):
            seen += body["value"]
    except LimitExceeded as error:
        code = error.code
    asked = [f"{ARM}/list", *(f"{ARM}/list?page={name}" for name in following)]
    assert seen == asked[: len(seen)]
    assert len(seen) == len(set(seen)) <= most
    assert (code == "") == (len(seen) == len(asked))
    assert (code == "PagesRepeat") == (len(seen) < len(asked) and asked[len(seen)] in seen)


@given(st.lists(st.text(max_size=3)), st.integers(0, 10))
def test_a_link_is_followed_once_and_no_more_than_may_be(links: list[str], most: int) -> None:
    known, followed = PageLinks(most), list[str]()
    for link in links:
        try:
            followed.append(known.follow(link))
        except LimitExceeded as error:
            assert error.code == ("PagesRepeat" if link in followed else "TooManyPages")
            break
    assert followed == list(dict.fromkeys(followed)) == links[: len(followed)]
    assert len(followed) <= most
