"""As whom Azure is asked where people sign in: each as themselves, in one process."""

import threading
from collections.abc import Iterator

import pytest
from azure.core.credentials import AccessToken

from sandbox.identity.principals import CONSOLE, TENANT_ID
from sandbox.seeds.company import ADMIN, AUDITOR, DEVELOPER
from sandbox.server import Sandbox
from services.connection.errors import SIGN_IN_NEEDED, ServiceError, SignInNeeded
from services.connection.session import AzureSession, Identity, sandbox_endpoints
from services.registries.reading import list_registries
from ui.elements import write_permission
from ui.loaders import registries as registry_loaders
from ui.runtime import connection


class Person:
    """A credential of one of the sandbox's people."""

    def __init__(self, sandbox: Sandbox, object_id: str) -> None:
        self._sandbox = sandbox
        self._object_id = object_id

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        token = self._sandbox.state.tokens.aad_of_person(
            oid=self._object_id,
            appid=CONSOLE.app_id,
            aud=scopes[0].removesuffix("/.default"),
            name="Someone",
            upn="someone@contoso.example",
            challenges=0,
            seconds=3600,
        )
        return AccessToken(token, 2**31)


@pytest.fixture
def made() -> list[str]:
    return []


@pytest.fixture
def must_sign_in() -> set[str]:
    return set()


@pytest.fixture
def people(sandbox: Sandbox, session: AzureSession, made: list[str], must_sign_in: set[str]) -> Iterator[str]:
    """The beginning of everyone's key."""

    def make(account: str) -> AzureSession:
        made.append(account)
        object_id = account.partition("/")[2]
        endpoints = sandbox_endpoints(sandbox.ready)
        return AzureSession(Person(sandbox, object_id), endpoints, identity=Identity(TENANT_ID, object_id, "Someone"))

    def check(account: str) -> None:
        if account in must_sign_in:
            raise SignInNeeded("It was revoked.")

    connection.use_people(make, check)
    yield f"{sandbox.ready['resource_manager']} {TENANT_ID}/"
    connection.use(session)


def test_two_people_in_one_process_see_their_own_registries(people: str) -> None:
    seen = {}
    for person in (ADMIN, DEVELOPER, AUDITOR, ADMIN):
        reading = registry_loaders.inventory(f"{people}{person}")
        assert reading.finished.wait(30)
        seen[person] = {registry.name for registry in reading.value.registries.values}
    assert seen[DEVELOPER] == {"contosopayments"}
    assert len(seen[ADMIN]) == len(seen[AUDITOR]) == 13


def test_each_account_has_one_session_however_many_ask(people: str, made: list[str]) -> None:
    found: list[AzureSession] = []
    threads = [threading.Thread(target=lambda: found.append(connection.session(f"{people}{ADMIN}"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 8
    assert made == [f"{TENANT_ID}/{ADMIN}"]


def test_a_thread_reads_as_the_person_and_changes_nothing(people: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: write_permission.WritePermission("No browser asked."))
    session = connection.session(f"{people}{ADMIN}")
    assert session.identity.object_id == ADMIN
    (registry, *_) = list_registries(session).values
    with pytest.raises(ServiceError) as refused:
        session.registry(registry.login_server).send("DELETE", "/acr/v1/x")
    assert refused.value.code == "ReadOnly"


def test_nobody_is_asked_as_of_another_cloud(people: str) -> None:
    assert "localhost" in people
    with pytest.raises(LookupError):
        connection.session(f"https://management.azure.com {TENANT_ID}/{ADMIN}")


def test_a_page_without_an_account_asks_as_nobody(people: str, made: list[str]) -> None:
    for ask in (connection.current, connection.who, connection.check_sign_in):
        with pytest.raises(ServiceError) as refused:
            ask()
        assert refused.value.code == "NoAccount"
    assert people
    assert not made


def test_jobs_wait_for_a_person_who_must_sign_in(people: str, must_sign_in: set[str]) -> None:
    assert connection.session_for_jobs(f"{people}{ADMIN}").identity.object_id == ADMIN
    must_sign_in.add(f"{TENANT_ID}/{ADMIN}")
    with pytest.raises(ServiceError) as refused:
        connection.session_for_jobs(f"{people}{ADMIN}")
    assert refused.value.code == SIGN_IN_NEEDED


def test_a_session_ends_with_the_last_sign_in(people: str, made: list[str]) -> None:
    first = connection.session_for_jobs(f"{people}{ADMIN}")
    connection.forget_account(f"{TENANT_ID}/{ADMIN}")
    assert connection.session_for_jobs(f"{people}{ADMIN}") is not first
    assert len(made) == 2


def test_an_account_is_part_of_its_key_alone() -> None:
    assert connection.is_of("https://arm.example tenant/someone", "tenant/someone")
    assert not connection.is_of("https://arm.example tenant/someone", "someone")
    assert not connection.is_of("https://arm.example tenant/someone", "tenant/other")


@pytest.fixture
def one_for_all(sandbox: Sandbox, session: AzureSession) -> Iterator[str]:
    """The beginning of everyone's key, where Azure is asked as the console's own identity."""
    connection.use_one_for_people(
        session, lambda account: Identity(*account.split("/"), name="Someone", login="someone@contoso.example")
    )
    yield f"{sandbox.ready['resource_manager']} {TENANT_ID}/"
    connection.use(session)


def test_people_who_share_an_identity_are_still_told_apart(one_for_all: str, session: AzureSession) -> None:
    first, second = (connection.session(f"{one_for_all}{person}") for person in (ADMIN, DEVELOPER))
    assert first.identity.object_id == second.identity.object_id == session.identity.object_id
    assert connection.is_shared()
    assert connection.is_of(f"{one_for_all}{ADMIN}", f"{TENANT_ID}/{ADMIN}")


def test_jobs_of_people_who_share_an_identity_go_on_and_change_nobodys_access(one_for_all: str) -> None:
    session = connection.session_for_jobs(f"{one_for_all}{ADMIN}")
    assert session.permission.allowed
    assert session.permission.access_reason
