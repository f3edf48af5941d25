"""Rules that break requests, added latency, and the log of requests."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox.faults import Rule
from sandbox.server import Sandbox
from tests.support.registry_clients import Registry


@pytest.fixture
def file(tmp_path):
    return tmp_path / "faults.json"


@pytest.fixture
def broken(tmp_path, file):
    """A sandbox that reads its rules from `file`, which isn't there yet."""
    with Sandbox.start(tmp_path / "data", seed="walkthrough", faults=file) as running:
        yield running


@pytest.fixture
def session(broken):
    with Registry(broken.ready, "casaacr01") as registry:
        yield registry


def statuses(session, count, path="/v2/"):
    return [session.send("GET", path).status_code for _ in range(count)]


def test_rules_come_and_go_while_it_runs(session, file):
    assert statuses(session, 1) == [401]
    file.write_text(json.dumps([{"status": 503}]))
    assert statuses(session, 2) == [503, 503]
    file.write_text(json.dumps([{"status": 500, "times": 1}]))
    assert statuses(session, 2) == [500, 401]
    file.unlink()
    assert statuses(session, 1) == [401]


def test_a_rule_strikes_the_method_path_and_host_it_names(session, file):
    rule = {"method": "GET", "path": "^/acr/v1/team/app$", "host": session.server, "status": 429, "retry_after": 2}
    file.write_text(json.dumps([rule]))
    struck = session.send("GET", "/acr/v1/team%2Fapp")
    assert (struck.status_code, struck.headers["Retry-After"]) == (429, "2")
    assert struck.json()["errors"][0]["code"] == "TOOMANYREQUESTS"
    assert session.send("PATCH", "/acr/v1/team%2Fapp").status_code == 401
    assert statuses(session, 1) == [401]
    file.write_text(json.dumps([{**rule, "host": "elsewhere"}]))
    assert session.send("GET", "/acr/v1/team%2Fapp").status_code == 401


def test_a_fault_of_resource_manager_has_its_form_and_a_body_can_be_given(broken, file):
    file.write_text(json.dumps([{"status": 429, "times": 1}, {"status": 502, "body": "<html>bad gateway</html>"}]))
    url, ca = broken.state.authority_url + "/subscriptions", broken.ready["ca_file"]
    first, second = (requests.get(url, verify=ca, timeout=10) for _ in range(2))
    assert (first.status_code, first.json()["error"]["code"]) == (429, "TooManyRequests")
    assert (second.status_code, second.text) == (502, "<html>bad gateway</html>")


def test_every_and_times_count_requests(session, file):
    file.write_text(json.dumps([{"status": 500, "every": 3, "times": 2}]))
    assert statuses(session, 10) == [401, 401, 500, 401, 401, 500, 401, 401, 401, 401]


def test_chance_is_the_same_each_time():
    def struck():
        rule = Rule(status=500, probability=0.3, seed=5)
        return [rule.strikes("GET", "localhost:1", "/v2/") for _ in range(200)]

    assert struck() == struck()
    assert 30 < sum(struck()) < 90


def test_a_reset_drops_the_connection_without_an_answer(session, broken, file):
    file.write_text(json.dumps([{"reset": True, "times": 1}]))
    with pytest.raises(requests.ConnectionError):
        session.send("GET", "/v2/")
    assert statuses(session, 1) == [401]
    assert [record.status for record in broken.requests] == [0, 401]


def test_a_half_written_file_changes_nothing(session, file):
    file.write_text(json.dumps([{"status": 503}]))
    assert statuses(session, 1) == [503]
    file.write_text('[{"status": 5')
    assert statuses(session, 1) == [503]


def test_a_delayed_request_does_not_hold_up_others(session, broken, file):
    file.write_text(json.dumps([{"path": "/slow$", "delay_ms": 60_000}]))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(status_of, broken, session.server, "/acr/v1/slow")
        while not slow.running():
            pass
        assert statuses(session, 3) == [401, 401, 401]
        assert not slow.done()
        broken.stop()  # which doesn't wait for it either
        # One that had not arrived yet is never answered, and ends by the time limit of `status_of`.
        assert slow.exception(timeout=30) or slow.result() == 500


def test_a_dripping_answer_comes_a_byte_at_a_time_and_whole(session, file):
    whole = session.send("GET", "/v2/").content
    file.write_text(json.dumps([{"path": "^/v2/$", "drip_ms": 1}]))
    answer = session.send("GET", "/v2/", stream=True)
    pieces = list(answer.raw.read_chunked()) if answer.raw.chunked else list(iter(lambda: answer.raw.read1(99), b""))
    assert b"".join(pieces) == whole
    assert len(pieces) > 1


def test_latency_is_added_to_every_answer_and_can_be_taken_away(session, broken):
    broken.set_latency(60_000)
    with pytest.raises(requests.Timeout):
        requests.get(f"https://{session.server}/v2/", verify=broken.ready["ca_file"], timeout=0.5)
    broken.set_latency(0)
    assert statuses(session, 1) == [401]


def status_of(sandbox, server, path):
    return requests.get(f"https://{server}{path}", verify=sandbox.ready["ca_file"], timeout=10).status_code


def test_requests_are_logged_with_where_they_went(session, broken):
    session("GET", "/acr/v1/_catalog")
    log = [(record.method, record.path, record.status) for record in broken.requests if record.host == session.server]
    assert log == [
        ("GET", "/acr/v1/_catalog", 401),
        ("POST", "/oauth2/exchange", 200),
        ("POST", "/oauth2/token", 200),
        ("GET", "/acr/v1/_catalog", 200),
    ]
    broken.clear_requests()
    assert broken.requests == []


def test_a_late_fault_loses_the_answer_and_not_the_deed(broken, session, file):
    file.write_text(json.dumps([{"method": "DELETE", "path": "_tags", "reset": True, "late": True}]))
    with pytest.raises(requests.ConnectionError):
        authorized = {"Authorization": f"Bearer {session.access_token('repository:nodejstemplate:delete')}"}
        session.send("DELETE", "/acr/v1/nodejstemplate/_tags/v1.0.0", headers=authorized)
    assert broken.store.list_tags("casaacr01", "nodejstemplate") == []
