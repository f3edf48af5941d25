"""The registry's data plane: how many requests a call costs, what is retried, and who gets to see a token."""

import gzip
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from threading import Event, Semaphore
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.rest import HttpRequest
from hypothesis import example, given
from hypothesis import strategies as st

from services.connection import data_plane
from services.connection.data_plane import Page, RegistryClient, _next_path, path_of
from services.connection.errors import ServiceError
from services.connection.parallel import ALL_WORKERS, WORKERS
from services.images.repositories import all_tags, get_repositories, repository_names
from tests.support.canned import HOST, Answer, CannedRegistry, Clock, Reply, Sent, connected, reset, unreachable

APP = "/acr/v1/app"
READ_APP = "repository:app:metadata_read"
PROPERTIES = {
    "registry": HOST,
    "imageName": "app",
    "createdTime": "2026-01-02T03:04:05.1234567Z",
    "lastUpdateTime": "2026-01-02T03:04:05.1234567Z",
    "manifestCount": 3,
    "tagCount": 1,
    "changeableAttributes": {},
}
OK = Answer(200, PROPERTIES)
CUT_OFF = Answer(200, PROPERTIES, {"Content-Length": "9999"})

Call = Callable[[RegistryClient], Any]
BOTH = pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda client: client.page(APP), id="raw"),
        pytest.param(lambda client: client.sdk.get_repository_properties("app"), id="sdk"),
    ],
)


def serve_app(registry: CannedRegistry, *replies: Reply) -> None:
    registry.serve("GET", APP, READ_APP, *(replies or (OK,)))


@BOTH
def test_a_cold_call_is_three_requests_and_a_warm_one_is_one(
    registry: CannedRegistry, client: RegistryClient, call: Call
) -> None:
    serve_app(registry)
    call(client)
    assert registry.paths() == ["POST /oauth2/exchange", "POST /oauth2/token", f"GET {APP}"]
    for _ in range(10):
        call(client)
    assert len(registry.sent) == 13


def test_sdk_and_raw_calls_share_their_tokens(registry: CannedRegistry, client: RegistryClient) -> None:
    serve_app(registry)
    client.page(APP)
    client.sdk.get_repository_properties("app")
    assert len(registry.sent) == 4


@BOTH
def test_a_refused_token_is_replaced_once(registry: CannedRegistry, client: RegistryClient, call: Call) -> None:
    serve_app(registry)
    call(client)
    registry.revoke()
    registry.sent.clear()
    call(client)
    assert registry.paths() == [f"GET {APP}", "POST /oauth2/exchange", "POST /oauth2/token", f"GET {APP}"]


@BOTH
def test_the_new_token_is_for_what_the_challenge_names(
    registry: CannedRegistry, client: RegistryClient, call: Call
) -> None:
    registry.service = "contoso-other.azurecr.io"
    registry.serve("GET", APP, "repository:app:delete", OK)
    call(client)
    last = next(sent for sent in reversed(registry.sent) if sent.path == "/oauth2/token")
    assert (last.form["service"], last.form["scope"]) == ("contoso-other.azurecr.io", "repository:app:delete")


def test_a_right_that_is_missing_for_good_is_asked_for_once(registry: CannedRegistry, client: RegistryClient) -> None:
    registry.grants = {}
    serve_app(registry)
    with pytest.raises(ClientAuthenticationError):
        client.page(APP)
    assert len(registry.calls()) == 2


def test_the_sdk_gives_up_too_where_a_right_is_missing(registry: CannedRegistry, client: RegistryClient) -> None:
    registry.grants = {}
    serve_app(registry)
    with pytest.raises(ClientAuthenticationError):
        client.sdk.get_repository_properties("app")
    # The SDK's own challenge policy tries once more, and that attempt once more in turn.
    assert len(registry.calls()) == 4
    assert registry.slept == []


def test_a_challenge_without_scope_is_an_answer(registry: CannedRegistry, client: RegistryClient) -> None:
    challenge = Answer(401, {"errors": []}, {"WWW-Authenticate": f'Bearer realm="https://{HOST}",service="{HOST}"'})
    registry.on("GET", f"https://{HOST}{APP}", challenge)
    with pytest.raises(ClientAuthenticationError):
        client.page(APP)
    assert len(registry.calls()) == 1


def upload(client: RegistryClient, content: Any) -> int:
    request = HttpRequest("PUT", f"https://{HOST}/v2/app/manifests/v1", content=content)
    return client._client.send_request(request).status_code


def test_a_body_is_sent_again_whole(registry: CannedRegistry, client: RegistryClient) -> None:
    registry.serve("PUT", "/v2/app/manifests/v1", "repository:app:pull,push", Answer(201))
    upload(client, b"first")
    registry.revoke()
    registry.sent.clear()
    assert upload(client, BytesIO(b"manifest")) == 201
    assert [sent.body for sent in registry.calls()] == ["manifest", "manifest"]


def test_a_body_that_cannot_be_rewound_is_not_sent_again_in_part(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    registry.grants = {}
    registry.serve("PUT", "/v2/app/manifests/v1", "repository:app:pull,push", Answer(201))

    def once() -> Iterator[bytes]:
        yield b"manifest"

    assert upload(client, once()) == 401
    assert len(registry.calls()) == 1


THROTTLED = {"errors": [{"code": "TOOMANYREQUESTS", "message": "too many requests"}]}


@BOTH
def test_throttling_is_waited_out_as_long_as_it_says(
    registry: CannedRegistry, client: RegistryClient, call: Call
) -> None:
    serve_app(registry, Answer(429, THROTTLED, {"Retry-After": "7"}), OK)
    call(client)
    assert registry.slept == [7]
    assert len(registry.calls()) == 2


@BOTH
@pytest.mark.parametrize("failure", [Answer(503, {}), Answer(500, {}), Answer(429, THROTTLED), reset(), CUT_OFF])
def test_what_passes_is_tried_again(
    registry: CannedRegistry, client: RegistryClient, call: Call, failure: Reply
) -> None:
    serve_app(registry, failure, OK)
    call(client)
    assert len(registry.calls()) == 2
    assert all(seconds < 8 for seconds in registry.slept)


@BOTH
def test_what_does_not_pass_is_given_up(registry: CannedRegistry, client: RegistryClient, call: Call) -> None:
    serve_app(registry, Answer(503, {}))
    with pytest.raises(HttpResponseError) as raised:
        call(client)
    assert raised.value.status_code == 503
    assert len(registry.calls()) == 4


@BOTH
def test_a_lost_connection_is_given_up(registry: CannedRegistry, client: RegistryClient, call: Call) -> None:
    serve_app(registry, reset())
    with pytest.raises(ServiceResponseError):
        call(client)
    assert len(registry.calls()) == 4


@BOTH
def test_a_name_that_does_not_resolve_is_tried_twice(
    registry: CannedRegistry, client: RegistryClient, call: Call
) -> None:
    serve_app(registry, unreachable())
    with pytest.raises(ServiceRequestError):
        call(client)
    assert len(registry.calls()) == 2


@BOTH
@pytest.mark.parametrize("headers", [{"Retry-After": "61"}, {"x-ms-retry-after-ms": "61000"}, {"Retry-After": "inf"}])
def test_throttling_for_minutes_is_an_answer(
    registry: CannedRegistry, client: RegistryClient, call: Call, headers: dict[str, str]
) -> None:
    serve_app(registry, Answer(429, THROTTLED, headers), OK)
    with pytest.raises(HttpResponseError) as raised:
        call(client)
    assert raised.value.status_code == 429
    assert registry.slept == []
    assert len(registry.calls()) == 1


@BOTH
def test_a_retry_after_of_exactly_a_minute_is_waited_out(
    registry: CannedRegistry, client: RegistryClient, call: Call
) -> None:
    serve_app(registry, Answer(429, THROTTLED, {"Retry-After": "60"}), OK)
    call(client)
    assert registry.slept == [60]


@BOTH
@pytest.mark.parametrize("status", [200, 503])
def test_a_retry_after_that_cannot_be_read_is_none(
    registry: CannedRegistry, client: RegistryClient, call: Call, status: int
) -> None:
    serve_app(registry, Answer(status, PROPERTIES, {"Retry-After": "soon"}), OK)
    call(client)


def test_throttled_token_requests_are_waited_out(registry: CannedRegistry, client: RegistryClient) -> None:
    serve_app(registry)
    exchange = registry._exchange
    registry.on("POST", f"https://{HOST}/oauth2/exchange", Answer(429, THROTTLED, {"Retry-After": "3"}), exchange)
    client.page(APP)
    assert registry.slept == [3]


def test_a_redirected_blob_gets_no_token(registry: CannedRegistry, client: RegistryClient) -> None:
    content = b"a layer"
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    path = path_of("/v2/{repository}/blobs/{digest}", repository="app", digest=digest)
    store = "https://contosodata.blob.core.windows.net/layer"
    registry.serve("GET", path, "repository:app:pull", Answer(307, None, {"Location": f"{store}?sig=signed"}))
    headers = {"Content-Range": f"bytes 0-{len(content) - 1}/{len(content)}", "Content-Length": str(len(content))}
    registry.on("GET", store, Answer(206, content, headers))
    assert b"".join(client.sdk.download_blob("app", digest)) == content
    asked, redirected = registry.calls()
    assert asked.headers["Authorization"].startswith("Bearer ")
    assert redirected.host == "contosodata.blob.core.windows.net"
    assert "Authorization" not in redirected.headers


@pytest.mark.parametrize("host", ["contoso-other.azurecr.io", f"{HOST}:8443", f"{HOST}.example.com"])
def test_another_host_gets_no_token(registry: CannedRegistry, client: RegistryClient, host: str) -> None:
    registry.on("GET", f"https://{host}{APP}", OK)
    client._client.send_request(HttpRequest("GET", f"https://{host}{APP}"))
    (sent,) = registry.sent
    assert "Authorization" not in sent.headers


def test_pages_follow_the_link(registry: CannedRegistry, client: RegistryClient) -> None:
    link = '</acr/v1/_catalog?last=team%2Fa%26b&n=2&orderby=>; rel="next"'
    first, second = Answer(200, {"repositories": ["a"]}, {"Link": link}), Answer(200, {"repositories": ["z"]})
    registry.serve("GET", "/acr/v1/_catalog", "registry:catalog:*", first, second)
    bodies = list(client.pages(path_of("/acr/v1/_catalog", {"n": 2})))
    assert bodies == [{"repositories": ["a"]}, {"repositories": ["z"]}]
    assert [sent.query for sent in registry.calls()] == [{"n": "2"}, {"last": "team/a&b", "n": "2", "orderby": ""}]


@pytest.mark.parametrize(
    "target",
    [
        "https://attacker.example.com/acr/v1/_catalog?last=a",
        "//attacker.example.com/acr/v1/_catalog?last=a",
        "@attacker.example.com/acr/v1/_catalog?last=a",
        ".attacker.example.com/acr/v1/_catalog?last=a",
        ":8443/acr/v1/_catalog?last=a",
    ],
)
def test_a_link_to_another_host_is_not_followed_there(
    registry: CannedRegistry, client: RegistryClient, target: str
) -> None:
    answers = [Answer(200, {"repositories": ["a"]}, {"Link": f'<{target}>; rel="next"'}), Answer(200, {})]
    registry.serve("GET", "/acr/v1/_catalog", "registry:catalog:*", *answers)
    with suppress(DecodeError):
        list(client.pages("/acr/v1/_catalog"))
    assert {sent.host for sent in registry.sent} == {HOST}


@pytest.mark.parametrize("circle", [1, 3])
def test_a_list_that_goes_round_in_a_circle_is_an_error(
    registry: CannedRegistry, client: RegistryClient, circle: int
) -> None:
    def page(sent: Sent) -> Answer:
        assert len(registry.sent) < 50
        number = int(sent.query.get("last", 0)) % circle + 1
        return Answer(200, {"repositories": ["a"]}, {"Link": f'</acr/v1/_catalog?last={number}&n=1000>; rel="next"'})

    registry.serve("GET", "/acr/v1/_catalog", "registry:catalog:*", page)
    with pytest.raises(ServiceError) as raised:
        list(repository_names(client))
    assert raised.value.title == f"Could not list the repositories of {HOST}"
    assert raised.value.code == "PagesRepeat"
    assert len(registry.calls()) == circle + 1


def test_a_list_without_end_is_an_error(
    registry: CannedRegistry, client: RegistryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_plane, "PAGES_MOST", 5)

    def page(_sent: Sent) -> Answer:
        assert len(registry.sent) < 50
        return Answer(200, {}, {"Link": f'</acr/v1/app/_tags?last={len(registry.sent)}>; rel="next"'})

    registry.serve("GET", "/acr/v1/app/_tags", READ_APP, page)
    with pytest.raises(ServiceError) as raised:
        all_tags(client, "app")
    assert (raised.value.title, raised.value.code) == ("Could not list the tags of app", "TooManyPages")
    assert len(registry.calls()) == 5


@given(st.text(max_size=60) | st.text(max_size=60).map("<{}>".format))
@example("<")
@example("<>")
@example("<https://[>")
@example("<@attacker.example.com/x>")
def test_the_next_path_is_on_the_registry_or_an_error(link: str) -> None:
    try:
        following = _next_path(link)
    except ValueError:
        return
    assert following is None or urlsplit(f"https://{HOST}{following}").netloc == HOST


@pytest.mark.parametrize(
    ("repository", "encoded"),
    [
        ("app", "app"),
        ("team/payments/api", "team%2Fpayments%2Fapi"),
        ("a.b__c-d", "a.b__c-d"),
        ("a..b", "a..b"),
        ("x" * 255, "x" * 255),
        ("/".join(["abcd"] * 51), "%2F".join(["abcd"] * 51)),
        ("sp ace", "sp%20ace"),
        ("a?b#c", "a%3Fb%23c"),
        ("größe", "gr%C3%B6%C3%9Fe"),
    ],
)
def test_names_go_out_encoded(registry: CannedRegistry, client: RegistryClient, repository: str, encoded: str) -> None:
    registry.serve(
        "GET", f"/acr/v1/{encoded}/_tags", f"repository:{repository}:metadata_read", Answer(200, {"tags": None})
    )
    client.page(path_of("/acr/v1/{repository}/_tags", {"n": 10}, repository=repository))
    (sent,) = registry.calls()
    assert sent.path == f"/acr/v1/{encoded}/_tags"
    assert sent.query == {"n": "10"}


def test_what_is_no_json_is_a_decode_error(registry: CannedRegistry, client: RegistryClient) -> None:
    serve_app(registry, Answer(200, b"<html>Sign in to the network</html>", {"Content-Type": "text/html"}))
    with pytest.raises(DecodeError):
        client.page(APP)


def test_a_compressed_page_is_read(registry: CannedRegistry, client: RegistryClient) -> None:
    serve_app(registry, Answer(200, gzip.compress(b'{"tags": null}'), {"Content-Encoding": "gzip"}))
    assert client.page(APP) == Page({"tags": None}, None)
    assert registry.calls()[0].headers["Accept-Encoding"] == "gzip"


def test_two_registries_share_no_token(clock: Clock) -> None:
    one, other = CannedRegistry(clock), CannedRegistry(clock, "contoso-other.azurecr.io")
    for canned in (one, other):
        serve_app(canned)
        connected(canned).page(APP)
    assert {sent.host for sent in one.sent} == {HOST}
    assert {sent.host for sent in other.sent} == {"contoso-other.azurecr.io"}
    assert one.calls()[0].headers["Authorization"] != other.calls()[0].headers["Authorization"]


def test_a_registry_that_does_not_answer_does_not_delay_another(clock: Clock) -> None:
    slow, quick = CannedRegistry(clock), CannedRegistry(clock, "contoso-other.azurecr.io")
    asked, answers, events = Semaphore(0), Event(), list[str]()
    names = [f"team/app{number}" for number in range(2 * ALL_WORKERS)]

    def late(sent: Sent) -> Answer:
        asked.release()
        assert answers.wait(30)
        events.append(sent.host)
        return OK

    def at_once(sent: Sent) -> Answer:
        events.append(sent.host)
        return OK

    for name in names:
        path = path_of("/acr/v1/{repository}", repository=name)
        slow.serve("GET", path, f"repository:{name}:metadata_read", late)
        quick.serve("GET", path, f"repository:{name}:metadata_read", at_once)
    with ThreadPoolExecutor(1) as caller:
        waits = caller.submit(get_repositories, connected(slow), names)
        try:
            assert all(asked.acquire(timeout=30) for _ in range(WORKERS))
            assert len(get_repositories(connected(quick), names).values) == len(names)
        finally:
            answers.set()
        assert len(waits.result().values) == len(names)
    assert events == [quick.host] * len(names) + [slow.host] * len(names)


@pytest.mark.parametrize("part", [".", ".."])
@pytest.mark.parametrize("template", ["/acr/v1/{name}", "/acr/v1/app/_tags/{name}", "/v2/app/manifests/{name}"])
def test_no_part_of_a_path_is_a_step_up(template: str, part: str) -> None:
    """A client would send the deletion of the tag `..` as one of the repository."""
    with pytest.raises(ServiceError) as raised:
        path_of(template, name=part)
    assert raised.value.code == "InvalidName"
    # Within a name the dots are a name's, and its slashes are encoded.
    assert path_of(template, name=f"{part}/x").endswith(f"{part}%2Fx")
