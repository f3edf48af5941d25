"""The registry's tokens: fetched once, kept until their own expiry, asked for as the mode of the registry needs."""

from concurrent.futures import ThreadPoolExecutor
from threading import Condition, get_ident

import pytest
from azure.core import PipelineClient
from azure.core.exceptions import ClientAuthenticationError, DecodeError, HttpResponseError
from hypothesis import example, given
from hypothesis import strategies as st

from services.connection.data_plane import path_of
from services.connection.data_plane_tokens import READ, HeldToken, Need, RegistryTokens, jwt_claims, need_of
from services.connection.transport import retry_policy
from tests.support.canned import CLOUD, HOST, HOUR, READS, Answer, CannedRegistry, Clock, Credential, Sent
from tests.support.strategies import digests, repository_names, tag_names

WILDCARD = "repository:*:metadata_read,pull"
PULL_APP = Need("app", frozenset({"pull"}))


def tokens_of(registry: CannedRegistry, credential: Credential | None = None) -> RegistryTokens:
    client = PipelineClient(f"https://{HOST}", policies=[retry_policy()], transport=registry)
    return RegistryTokens(HOST, credential or Credential(), CLOUD.registry_audience, client, registry.clock)


@pytest.fixture
def tokens(registry: CannedRegistry) -> RegistryTokens:
    return tokens_of(registry)


@pytest.fixture
def abac(registry: CannedRegistry) -> CannedRegistry:
    """The registry in ABAC mode: no wildcard, reading of team/… granted."""
    registry.grants = {f"team/{n}": READS for n in range(100)}
    return registry


# Scopes as recorded challenges name them.
@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/acr/v1/_catalog", "registry:catalog:*"),
        ("GET", "/v2/_catalog", "registry:catalog:*"),
        ("GET", "/acr/v1/library%2Falpine", "repository:library/alpine:metadata_read"),
        ("GET", "/acr/v1/library/alpine", "repository:library/alpine:metadata_read"),
        ("GET", "/acr/v1/app/_tags", "repository:app:metadata_read"),
        ("GET", "/acr/v1/app/_tags/v1", "repository:app:metadata_read"),
        ("GET", "/acr/v1/app/_manifests/sha256%3Aabc", "repository:app:metadata_read"),
        ("PATCH", "/acr/v1/app", "repository:app:metadata_write"),
        ("PATCH", "/acr/v1/app/_tags/v1", "repository:app:metadata_write"),
        ("DELETE", "/acr/v1/app", "repository:app:delete"),
        ("DELETE", "/acr/v1/app/_tags/v1", "repository:app:delete"),
        ("DELETE", "/v2/app/manifests/sha256%3Aabc", "repository:app:delete"),
        ("DELETE", "/v2/app/blobs/sha256%3Aabc", "repository:app:delete"),
        ("GET", "/v2/team%2Fapp/manifests/v1", "repository:team/app:pull"),
        ("HEAD", "/v2/team/app/manifests/v1", "repository:team/app:pull"),
        ("GET", "/v2/app/referrers/sha256:abc", "repository:app:pull"),
        ("GET", "/v2/app/tags/list", "repository:app:metadata_read"),
        ("PUT", "/v2/app/manifests/v1", "repository:app:pull,push"),
        ("POST", "/v2/app/blobs/uploads/", "repository:app:pull,push"),
        ("PATCH", "/v2/app/blobs/uploads/1-2-3", "repository:app:pull,push"),
        ("GET", "/v2/app/blobs/uploads/1-2-3", "repository:app:pull,push"),
        ("DELETE", "/v2/app/blobs/uploads/1-2-3", "repository:app:pull,push"),
    ],
)
def test_need_of_asks_for_what_the_registry_would_challenge_for(method: str, path: str, scope: str) -> None:
    need = need_of(method, path)
    assert need is not None
    assert need.scope == scope


def test_a_mount_needs_both_repositories_in_one_token(tokens: RegistryTokens, registry: CannedRegistry) -> None:
    need = need_of("POST", "/v2/team%2Fapp/blobs/uploads/", "mount=sha256%3Aabc&from=team%2Fbase")
    assert need is not None
    assert need.scope == "repository:team/app:pull,push repository:team/base:pull"
    push_alone = Need("team/app", frozenset({"pull", "push"}))
    assert tokens.for_need(push_alone) != tokens.for_need(need)
    assert tokens.for_need(need) == tokens.for_need(need)
    assert registry.scopes_asked() == [push_alone.scope, need.scope]


@pytest.mark.parametrize("path", ["/v2/", "/oauth2/token", "/oauth2/exchange", "/"])
def test_need_of_nothing_for_what_is_open(path: str) -> None:
    assert need_of("GET", path) is None


@given(repository_names, tag_names, digests)
@example("blobs/uploads", "_tags", "sha256:" + "0" * 64)
@example("a/manifests/b", "manifests", "sha256:" + "0" * 64)
@example("tags", "list", "sha256:" + "0" * 64)
def test_every_path_names_its_own_repository(repository: str, tag: str, digest: str) -> None:
    templates = {
        "/acr/v1/{repository}": "metadata_read",
        "/acr/v1/{repository}/_tags": "metadata_read",
        "/acr/v1/{repository}/_tags/{tag}": "metadata_read",
        "/acr/v1/{repository}/_manifests": "metadata_read",
        "/acr/v1/{repository}/_manifests/{digest}": "metadata_read",
        "/v2/{repository}/manifests/{tag}": "pull",
        "/v2/{repository}/manifests/{digest}": "pull",
        "/v2/{repository}/blobs/{digest}": "pull",
        "/v2/{repository}/referrers/{digest}": "pull",
    }
    for template, action in templates.items():
        path = path_of(template, repository=repository, tag=tag, digest=digest)
        assert need_of("GET", path) == Need(repository, frozenset({action})), path


@given(st.text())
@example("a.b.c")
@example("..")
@example("x." + "bnVsbA" + ".y")
@example("x.é.y")
def test_claims_of_what_is_no_jwt_are_none(token: str) -> None:
    assert jwt_claims(token) == {}


def test_first_token_is_one_exchange_and_one_token_then_none(registry: CannedRegistry, tokens: RegistryTokens) -> None:
    first = tokens.for_need(PULL_APP)
    assert registry.paths() == ["POST /oauth2/exchange", "POST /oauth2/token"]
    assert [tokens.for_need(PULL_APP) for _ in range(20)] == [first] * 20
    assert len(registry.sent) == 2


def test_exchange_sends_the_sign_in_token_of_the_registry_audience(registry: CannedRegistry) -> None:
    credential = Credential(oid="someone")
    tokens_of(registry, credential).for_need(PULL_APP)
    assert credential.asked == ["https://containerregistry.azure.net/.default"]
    form = registry.sent[0].form
    assert form["grant_type"] == "access_token"
    assert form["service"] == HOST
    assert jwt_claims(form["access_token"]) == {"oid": "someone"}
    assert registry.sent[1].form["grant_type"] == "refresh_token"


def test_access_token_is_renewed_before_its_own_expiry(
    registry: CannedRegistry, tokens: RegistryTokens, clock: Clock
) -> None:
    registry.access_lives = 600
    first = tokens.for_need(PULL_APP)
    clock.now += 600 - 120 - 1
    assert tokens.for_need(PULL_APP) == first
    clock.now += 1
    assert tokens.for_need(PULL_APP) != first
    assert registry.exchanges() == 1
    assert len(registry.scopes_asked()) == 2


def test_refresh_token_is_renewed_before_its_own_expiry(
    registry: CannedRegistry, tokens: RegistryTokens, clock: Clock
) -> None:
    registry.refresh_lives, registry.access_lives = 2000, 600
    for _ in range(4):  # at 0, 500, 1000, 1500 s: the refresh token counts until 1880 s
        tokens.for_need(PULL_APP)
        clock.now += 500
    assert registry.exchanges() == 1
    tokens.for_need(PULL_APP)
    assert registry.exchanges() == 2


def test_works_again_after_three_idle_hours(registry: CannedRegistry, tokens: RegistryTokens, clock: Clock) -> None:
    first = tokens.for_need(PULL_APP)
    clock.now += 3 * HOUR + 1
    # The registry refuses an expired refresh token: this raises where one is sent.
    assert tokens.for_need(PULL_APP) != first
    assert registry.exchanges() == 2


def test_legacy_mode_reads_every_repository_with_one_token(registry: CannedRegistry, tokens: RegistryTokens) -> None:
    tokens.hold_for_reading([f"team/{n}" for n in range(50)])
    held = {
        tokens.for_need(Need(f"team/{n}", frozenset({action})))
        for n in range(50)
        for action in ("pull", "metadata_read")
    }
    assert len(held) == 1
    assert registry.scopes_asked() == [WILDCARD]


def test_reading_token_does_not_write(registry: CannedRegistry, tokens: RegistryTokens) -> None:
    reading = tokens.for_need(PULL_APP)
    writing = tokens.for_need(Need("app", frozenset({"metadata_write"})))
    assert writing != reading
    assert registry.scopes_asked() == [WILDCARD, "repository:app:metadata_write"]
    assert tokens.for_need(Need("app", frozenset({"metadata_write"}))) == writing


def test_a_token_that_covers_half_a_need_does_not_cover_it(registry: CannedRegistry, tokens: RegistryTokens) -> None:
    tokens.for_need(PULL_APP)
    tokens.for_need(Need("app", frozenset({"pull", "push"})))
    assert registry.scopes_asked() == [WILDCARD, "repository:app:pull,push"]


def test_catalogue_has_a_token_of_its_own(registry: CannedRegistry, tokens: RegistryTokens) -> None:
    tokens.for_need(PULL_APP)
    catalogue = Need("", frozenset({"*"}))
    assert tokens.for_need(catalogue) == tokens.for_need(catalogue)
    assert registry.scopes_asked() == [WILDCARD, "registry:catalog:*"]


def test_abac_mode_reads_in_batches_of_ten(abac: CannedRegistry, tokens: RegistryTokens) -> None:
    names = [f"team/{n}" for n in range(25)]
    tokens.hold_for_reading(names)
    wildcard, *batches = abac.scopes_asked()
    assert wildcard == WILDCARD
    assert sorted(len(batch.split(" ")) for batch in batches) == [5, 10, 10]
    assert {scope for batch in batches for scope in batch.split(" ")} == {Need(name, READ).scope for name in names}
    for name in names:
        tokens.for_need(Need(name, frozenset({"metadata_read"})))
    assert len(abac.scopes_asked()) == 4


def test_abac_mode_holds_only_what_is_missing(abac: CannedRegistry, tokens: RegistryTokens) -> None:
    tokens.hold_for_reading(["team/1", "team/2"])
    tokens.hold_for_reading(["team/1", "team/2"])
    tokens.hold_for_reading(["team/2", "team/3"])
    assert abac.scopes_asked()[1:] == [
        "repository:team/1:metadata_read,pull repository:team/2:metadata_read,pull",
        "repository:team/3:metadata_read,pull",
    ]


def test_abac_mode_does_not_ask_for_the_wildcard_again_until_its_expiry(
    abac: CannedRegistry, tokens: RegistryTokens, clock: Clock
) -> None:
    for n in range(5):
        tokens.for_need(Need(f"team/{n}", frozenset({"pull"})))
    assert abac.scopes_asked().count(WILDCARD) == 1
    clock.now += HOUR
    tokens.for_need(Need("team/1", frozenset({"pull"})))
    assert abac.scopes_asked().count(WILDCARD) == 2


def test_refused_wildcard_is_abac_mode_too(abac: CannedRegistry, tokens: RegistryTokens) -> None:
    def refuse_wildcard(sent: Sent) -> Answer:
        return Answer(401, {"errors": []}) if sent.form["scope"] == WILDCARD else abac._token(sent)

    abac.on("POST", f"https://{HOST}/oauth2/token", refuse_wildcard)
    tokens.for_need(Need("team/1", frozenset({"pull"})))
    tokens.for_need(Need("team/2", frozenset({"pull"})))
    assert abac.scopes_asked().count(WILDCARD) == 1
    assert abac.scopes_asked()[-1] == "repository:team/2:metadata_read,pull"


def test_what_is_not_granted_is_asked_once(abac: CannedRegistry, tokens: RegistryTokens) -> None:
    secret = Need("secret", frozenset({"pull"}))
    assert tokens.for_need(secret) == tokens.for_need(secret)
    assert abac.scopes_asked() == [WILDCARD, "repository:secret:metadata_read,pull"]


def test_challenge_gets_another_token_for_the_service_and_scope_it_names(
    registry: CannedRegistry, tokens: RegistryTokens
) -> None:
    refused = tokens.for_need(PULL_APP)
    scope = "repository:app:deleted_read"
    fresh = tokens.for_challenge(refused, "other.azurecr.io", scope)
    assert fresh != refused
    assert registry.sent[-1].form["service"] == "other.azurecr.io"
    assert registry.sent[-1].form["scope"] == scope
    # A role may be newer than the refresh token: that is fetched again too.
    assert registry.exchanges() == 2


def test_challenge_never_gets_the_refused_token_back(registry: CannedRegistry, tokens: RegistryTokens) -> None:
    scope = "repository:app:push"
    first = tokens.for_challenge("", HOST, scope)
    second = tokens.for_challenge(first, HOST, scope)
    assert second != first
    # Another caller, refused with the older token, shares the newer one.
    before = len(registry.sent)
    assert tokens.for_challenge(first, HOST, scope) == second
    assert len(registry.sent) == before


def test_granted_says_what_the_registry_says(registry: CannedRegistry, tokens: RegistryTokens) -> None:
    registry.grants = {"app": frozenset({"pull"})}
    assert tokens.granted(Need("app", frozenset({"pull", "push"}))) == {"pull"}
    assert tokens.granted(Need("other", frozenset({"pull"}))) == frozenset()
    assert tokens.granted(Need("", frozenset({"*"}))) == frozenset()


class CrowdClock(Clock):
    """Tells when a crowd of threads has looked at it, that is: looked for a held token and found none."""

    def __init__(self, crowd: int) -> None:
        super().__init__()
        self._crowd = crowd
        self._seen: set[int] = set()
        self._changed = Condition()

    def __call__(self) -> float:
        with self._changed:
            self._seen.add(get_ident())
            self._changed.notify_all()
        return self.now

    def wait(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._seen) >= self._crowd, timeout=30)


@pytest.mark.parametrize("legacy", [True, False])
def test_many_threads_fetch_a_token_once(legacy: bool) -> None:
    threads = 16
    clock = CrowdClock(threads)
    registry = CannedRegistry(clock)
    if not legacy:
        registry.grants = {"app": READS}
    tokens = tokens_of(registry)

    def slow_exchange(sent: Sent) -> Answer:
        clock.wait()
        return registry._exchange(sent)

    registry.on("POST", f"https://{HOST}/oauth2/exchange", slow_exchange)
    with ThreadPoolExecutor(threads) as pool:
        found = set(pool.map(tokens.for_need, [PULL_APP] * threads))
    assert len(found) == 1
    assert registry.exchanges() == 1
    assert registry.scopes_asked() == ([WILDCARD] if legacy else [WILDCARD, "repository:app:metadata_read,pull"])


def test_many_threads_with_many_needs_exchange_once() -> None:
    threads = 16
    clock = CrowdClock(threads)
    registry = CannedRegistry(clock)
    tokens = tokens_of(registry)

    def slow_exchange(sent: Sent) -> Answer:
        clock.wait()
        return registry._exchange(sent)

    registry.on("POST", f"https://{HOST}/oauth2/exchange", slow_exchange)
    needs = [Need(f"app{n}", frozenset({"delete"})) for n in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        found = set(pool.map(tokens.for_need, needs))
    assert len(found) == threads
    assert registry.exchanges() == 1


def test_token_without_expiry_is_used_and_not_kept(registry: CannedRegistry, tokens: RegistryTokens) -> None:
    registry.on("POST", f"https://{HOST}/oauth2/token", Answer(200, {"access_token": "opaque"}))
    assert tokens.for_need(Need("", frozenset({"*"}))) == "opaque"
    assert tokens.for_need(Need("", frozenset({"*"}))) == "opaque"
    assert len(registry.scopes_asked()) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "no"}]}), ClientAuthenticationError),
        (Answer(403, {"errors": [{"code": "DENIED", "message": "no"}]}), HttpResponseError),
        (Answer(200, b"<html>"), DecodeError),
        (Answer(200, {"unexpected": 1}), DecodeError),
        (Answer(200, ["unexpected"]), DecodeError),
    ],
)
def test_failed_exchange_is_an_azure_error(
    registry: CannedRegistry, tokens: RegistryTokens, answer: Answer, kind: type[Exception]
) -> None:
    registry.on("POST", f"https://{HOST}/oauth2/exchange", answer)
    with pytest.raises(kind):
        tokens.for_need(Need("", frozenset({"*"})))


@given(st.text(min_size=8, alphabet=st.characters(categories=("L", "N"))))
def test_no_token_is_in_what_is_printed_of_it(token: str) -> None:
    held = HeldToken(f"eyJ{token}", 1.0, {"app": READ})
    assert f"eyJ{token}" not in f"{held!r} {held} {[held]}"
