"""What a registry says that it grants: against the sandbox, and against answers that go wrong."""

import pytest

from sandbox.identity.principals import READER
from sandbox.seeds.resources import assignment
from services.access.decisions import Verdict
from services.access.evaluation import permission
from services.access.permissions import Permission
from services.access.role_assignment_reading import read_principal
from services.access.token_grants import Granted, ask_granted
from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.images.tagging import UNTAG_RULE
from services.registries.reading import list_registries
from services.registries.registry import Mode
from tests.support.canned import Answer, CannedRegistry, connected, unreachable
from tests.support.own_sandbox import OwnSandbox

HOST = "https://contoso.azurecr.io"
ABAC = {"roleAssignmentMode": "AbacRepositoryPermissions"}


def verdicts(rows: tuple[Granted, ...]) -> dict[str, Verdict]:
    return {row.label: row.verdict for row in rows}


def granted(client: RegistryClient, mode: Mode = Mode.LEGACY, repository: str = "") -> dict[str, Verdict]:
    return verdicts(ask_granted(client, mode, repository))


@pytest.mark.parametrize("repository", ["team/payments/api", "nodejstemplate"])
def test_what_every_registry_of_the_estate_grants_is_what_its_role_assignments_say(
    session: AzureSession, reader_session: AzureSession, repository: str
) -> None:
    """Two ways to the same answer: the registry's own, and the console's reading of assignments and conditions."""
    compared: list[tuple[str, Verdict]] = []
    registries = list_registries(session).values
    for azure in (session, reader_session):
        for registry in registries:
            mode = registry.access.mode
            rows = ask_granted(azure.registry(registry.login_server), mode, repository)
            if rows[0].error and rows[0].error.status == 403:
                assert not registry.network.open_to_all, registry.name
                assert set(verdicts(rows).values()) == {Verdict.UNKNOWN}
                continue
            try:
                held = read_principal(session, registry, azure.identity.object_id)
            except ServiceError:
                continue  # The console's own identity may not read them there.
            for row in rows:
                if not isinstance(row.what, Permission):
                    continue
                told = permission(
                    held.records,
                    azure.identity.object_id,
                    registry,
                    row.what,
                    None if row.what is Permission.LIST_CATALOG else repository,
                    groups=held.groups,
                )
                assert row.verdict is told.verdict, (registry.name, row, told)
                compared.append((row.label, row.verdict))
    assert {Verdict.YES, Verdict.NO} <= {verdict for _, verdict in compared}
    assert len(compared) > 50


def test_each_row_says_what_was_asked_and_what_was_granted(own: OwnSandbox) -> None:
    rows = {row.label: row for row in ask_granted(own.as_reader(), Mode.LEGACY)}
    every = "repository:*:delete,metadata_read,metadata_write,pull,push"
    assert (rows["pull"].verdict, rows["pull"].asked) == (Verdict.YES, every)
    assert rows["pull"].answer == "granted metadata_read, pull"
    assert (rows["delete"].verdict, rows["delete"].answer) == (Verdict.NO, "granted nothing of it")
    assert rows["list repositories"].asked == "registry:catalog:*"


def test_a_role_that_was_just_assigned_counts_at_once(own: OwnSandbox) -> None:
    reader, registry = own.as_reader(), own.registry()
    assert granted(reader)["push"] is Verdict.NO
    assert granted(reader, repository="team/app")["push"] is Verdict.NO
    document = assignment(registry.id, "AcrPush", READER.object_id, "ServicePrincipal", own.sandbox.state.stamp())
    own.sandbox.store.put_resource(document)
    assert granted(reader)["push"] is Verdict.YES
    assert granted(reader, repository="team/app")["push"] is Verdict.YES
    own.sandbox.store.delete_resource(document["id"])
    assert granted(reader)["push"] is Verdict.NO


def test_removing_tags_is_uncertain_for_who_may_push_and_not_delete(own: OwnSandbox) -> None:
    registry = own.registry()
    assert granted(own.as_reader())["remove tags"] is Verdict.NO
    assert granted(own.client)["remove tags"] is Verdict.YES
    stamp = own.sandbox.state.stamp()
    own.sandbox.store.put_resource(assignment(registry.id, "AcrPush", READER.object_id, "ServicePrincipal", stamp))
    rows = {row.label: row for row in ask_granted(own.as_reader(), Mode.LEGACY)}
    assert rows["remove tags"].verdict is Verdict.UNKNOWN
    assert UNTAG_RULE in rows["remove tags"].answer
    own.sandbox.store.put_resource(assignment(registry.id, "AcrDelete", READER.object_id, "ServicePrincipal", stamp))
    assert granted(own.as_reader())["remove tags"] is Verdict.YES


def test_in_abac_mode_nothing_is_told_of_all_repositories_and_all_of_one(own: OwnSandbox) -> None:
    registry = own.make_registry("contosoabac", **ABAC)
    writer = "Container Registry Repository Writer"
    own.sandbox.store.put_resource(
        assignment(registry.id, writer, READER.object_id, "ServicePrincipal", own.sandbox.state.stamp())
    )
    client = own.session(as_reader=True).registry(registry.login_server)
    found = granted(client, Mode.ABAC)
    assert (found["sign in"], found["list repositories"]) == (Verdict.YES, Verdict.NO)
    assert {found[name] for name in ("pull", "push", "delete", "change locks")} == {Verdict.UNKNOWN}
    of_one = granted(client, Mode.ABAC, "team/app")
    assert [of_one[name] for name in ("pull", "push", "delete", "change locks")] == [
        Verdict.YES,
        Verdict.YES,
        Verdict.NO,
        Verdict.YES,
    ]
    # Where the mode was changed since it was read, the wildcard that is left out is no refusal.
    assert granted(client, Mode.LEGACY)["pull"] is Verdict.UNKNOWN


def test_who_has_no_role_is_told_no_and_who_comes_from_the_wrong_address_is_told_that(own: OwnSandbox) -> None:
    nobody = own.make_registry("contosonobody")
    for document in own.sandbox.store.list_resources("Microsoft.Authorization/roleAssignments"):
        if document["properties"]["principalId"] == READER.object_id:
            own.sandbox.store.delete_resource(document["id"])
    rows = ask_granted(own.session(as_reader=True).registry(nobody.login_server), Mode.LEGACY)
    assert set(verdicts(rows).values()) == {Verdict.NO}
    assert "401" in rows[0].answer and "no role" in rows[0].answer
    closed = own.make_registry("contosoclosed", publicNetworkAccess="Disabled")
    rows = ask_granted(own.session().registry(closed.login_server), Mode.LEGACY)
    assert set(verdicts(rows).values()) == {Verdict.UNKNOWN}
    assert "403" in rows[0].answer and "network" in rows[0].answer


def test_a_scope_that_fails_leaves_the_others_standing(own: OwnSandbox) -> None:
    own.break_({"method": "POST", "path": "/oauth2/token", "status": 403, "times": 1, "body": "{}"})
    found = granted(own.client)
    assert (found["list repositories"], found["pull"]) == (Verdict.UNKNOWN, Verdict.YES)


@pytest.mark.parametrize(("status", "verdict"), [(401, Verdict.NO), (403, Verdict.UNKNOWN), (400, Verdict.UNKNOWN)])
def test_only_401_is_an_answer_to_who_asks(own: OwnSandbox, status: int, verdict: Verdict) -> None:
    own.break_({"method": "POST", "path": "/oauth2/exchange", "status": status})
    rows = ask_granted(own.client, Mode.LEGACY)
    assert set(verdicts(rows).values()) == {verdict}
    assert all(row.error and row.error.status == status for row in rows)


def test_a_token_that_does_not_say_what_it_grants_is_no_refusal(registry: CannedRegistry) -> None:
    registry.on("POST", f"{HOST}/oauth2/token", Answer(200, {"access_token": "opaque"}))
    rows = ask_granted(connected(registry), Mode.LEGACY)
    assert rows[0].verdict is Verdict.YES
    assert {row.verdict for row in rows[1:]} == {Verdict.UNKNOWN}
    assert rows[1].error and rows[1].error.code == "BadAnswer"


def test_a_registry_out_of_reach_tells_nothing(registry: CannedRegistry) -> None:
    registry.on("POST", f"{HOST}/oauth2/exchange", unreachable())
    rows = ask_granted(connected(registry), Mode.LEGACY)
    assert {row.verdict for row in rows} == {Verdict.UNKNOWN}
    assert rows[0].answer == "Unreachable"


def test_no_row_holds_a_token(own: OwnSandbox) -> None:
    rows = ask_granted(own.client, Mode.LEGACY, "team/app")
    assert "eyJ" not in repr(rows)


def test_what_can_be_no_repository_is_not_asked_for(own: OwnSandbox) -> None:
    for hostile in ("a:pull repository:b", "../x", "A"):
        with pytest.raises(ServiceError, match="no name for a repository"):
            ask_granted(own.client, Mode.LEGACY, hostile)
    assert not [sent for sent in own.sandbox.requests if sent.path.startswith("/oauth2/token")]
