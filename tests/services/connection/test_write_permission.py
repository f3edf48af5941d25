"""What a session without permission may send: reads. All else is refused before it leaves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.connection.write_permission import ALLOWED, only_reads
from services.deletion.plan import plan_deletion
from services.deletion.run import apply_deletion
from services.images.repository_contents import read_contents
from services.registries.reading import list_registries
from tests.support.app_test import REFUSED
from tests.support.own_sandbox import OwnSandbox

READING_METHODS = ("GET", "HEAD", "OPTIONS")


@given(st.text(), st.text())
def test_what_is_no_reading_method_and_no_known_question_is_a_change(method: str, path: str) -> None:
    if method.upper() not in (*READING_METHODS, "POST"):
        assert not only_reads(method, path)
    assert only_reads("GET", path)
    assert not only_reads("POST", f"{path}/x")


@pytest.mark.parametrize(
    ("path", "reads"),
    [
        ("/oauth2/token", True),
        ("/subscriptions/1/providers/Microsoft.CostManagement/query", True),
        ("/subscriptions/1/providers/Microsoft.ContainerRegistry/checkNameAvailability", True),
        ("/subscriptions/1/resourceGroups/g/providers/P/registries/r/webhooks/w/listEvents", True),
        ("/v1.0/directoryObjects/getByIds", True),
        ("/v2/oauth2/token/blobs/uploads/", False),
        ("/subscriptions/1/resourceGroups/g/providers/P/registries/r/webhooks/w/ping", False),
        ("/subscriptions/1/resourceGroups/g/providers/P/registries/r/webhooks/w/getCallbackConfig", False),
        ("/subscriptions/1/resourceGroups/g/providers/P/registries/query/importImage", False),
        ("/subscriptions/1/resourceGroups/g/providers/P/registries/r/generateCredentials", False),
        ("/subscriptions/1/resourceGroups/g/providers/P/managedClusters/c/runCommand", False),
    ],
)
def test_of_the_posts_those_that_only_ask(path: str, reads: bool) -> None:
    assert only_reads("POST", path) is reads
    assert not only_reads("PUT", path)


def test_a_session_that_may_change_azure_is_the_session_itself(session: AzureSession) -> None:
    assert session.limited_to(ALLOWED) is session
    limited = session.limited_to(REFUSED)
    assert limited is not session
    assert limited is session.limited_to(REFUSED)
    assert limited.identity == session.identity


def test_a_refused_session_reads_and_changes_nothing(own: OwnSandbox) -> None:
    session = own.session()
    (registry,) = [one for one in list_registries(session).values if one.name == "casaacr01"]
    client = session.limited_to(REFUSED).registry(registry.login_server)
    contents = read_contents(client, ["nodejstemplate"], {}).values[0]
    plan = plan_deletion(contents, [contents.tags[0].digest], registry="casaacr01", by_name=True)
    asked = len(own.sandbox.requests)
    read = apply_deletion(client, plan, {})
    assert not read.values
    assert {refusal.error.code for refusal in read.refused} == {"ReadOnly", "Refused"}
    with pytest.raises(ServiceError) as refused:
        client.send("DELETE", "/acr/v1/nodejstemplate/_tags/v1.0.0")
    assert refused.value.cause == REFUSED.refusal
    assert {one.method for one in list(own.sandbox.requests)[asked:]} <= {"GET", "HEAD", "POST"}
    assert not [one for one in list(own.sandbox.requests)[asked:] if not only_reads(one.method, one.path)]


def test_a_change_of_a_registry_is_refused_too(own: OwnSandbox) -> None:
    session = own.session()
    registry = next(one for one in list_registries(session).values if one.name == "casaacr01")
    client = session.limited_to(REFUSED).registries(registry.subscription_id)
    with pytest.raises(ServiceError) as refused:
        client.registries.begin_delete(registry.resource_group, registry.name)
    assert refused.value.code == "ReadOnly"
    assert "casaacr01" in {one.name for one in list_registries(session).values}
