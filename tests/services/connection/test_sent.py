"""The requests of a change, with the ids that Azure gave them, from all threads of it and no other."""

import pytest

from services.connection import changes
from services.connection.changes import SentChange, collect_sent
from services.connection.errors import ServiceError, as_service_error
from services.connection.parallel import parallel_map
from services.registries.reading import list_registries
from tests.support.own_sandbox import OwnSandbox


def delete(own: OwnSandbox, tag: str) -> None:
    with as_service_error("Could not delete"):
        own.client.send("DELETE", f"/acr/v1/nodejstemplate/_tags/{tag}")


def test_what_is_sent_in_parallel_is_collected_once_with_its_ids(own: OwnSandbox) -> None:
    sent: list[SentChange] = []
    with collect_sent(sent):
        own.client.page("/acr/v1/nodejstemplate/_tags")
        parallel_map(lambda tag: delete(own, tag), ["v1.0.0", "none"], server=own.client.login_server)
    own.client.page("/acr/v1/nodejstemplate/_tags")
    assert {(one.method, one.target.partition("/")[2]) for one in sent} == {
        ("DELETE", "acr/v1/nodejstemplate/_tags/v1.0.0"),
        ("DELETE", "acr/v1/nodejstemplate/_tags/none"),
    }
    assert {one.status for one in sent} == {202, 404}
    assert len({one.correlation_id for one in sent}) == 2
    with collect_sent([]):
        pass
    with pytest.raises(ServiceError):
        delete(own, "none")
    assert len(sent) == 2


def test_resource_manager_gives_both_ids(own: OwnSandbox) -> None:
    session = own.session()
    registry = next(one for one in list_registries(session).values if one.name == "casaacr01")
    sent: list[SentChange] = []
    with collect_sent(sent):
        client = session.registries(registry.subscription_id).registries
        client.begin_update(registry.resource_group, registry.name, {"tags": {"a": "b"}}).result()
    (one,) = sent
    assert (one.method, one.target.rpartition("/")[2]) == ("PATCH", "casaacr01")
    assert one.request_id and one.correlation_id


def test_of_thousands_the_first_are_kept(own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_SENT", 1)
    sent: list[SentChange] = []
    with collect_sent(sent):
        for _ in range(3):
            with pytest.raises(ServiceError):
                delete(own, "none")
    assert len(sent) == 1
