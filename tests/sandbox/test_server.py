"""The server: starting, stopping, starting again, dying, and listeners that come and go."""

import json
import signal
import socket
import stat
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.principals import READER
from sandbox.seeds.resources import group_id, registry
from sandbox.server import OtherSeed, Sandbox
from sandbox.stamps import Stamps
from sandbox.storage.store import DataDirectoryInUse
from sandbox.tls import ensure_certificates
from tests.support.azure_clients import REGISTRY, SUBSCRIPTION, Arm
from tests.support.registry_clients import Registry, claims_of

ROOT = Path(__file__).parents[2]


def port_of(server):
    return int(server.rpartition(":")[2])


def accepts(server):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port_of(server))) == 0


def spawn(data, *more):
    """`python -m sandbox` in a process of its own, once it is ready; its ready file's values too."""
    ready = data.parent / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "sandbox", "--data", data, "--ready-file", ready, *more]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return process, line, json.loads(ready.read_text())


@pytest.fixture
def run(tmp_path):
    """Spawns and, after the test, kills what still runs."""
    running = []

    def start(*more):
        running.append(spawn(tmp_path / "data", *more))
        return running[-1]

    yield start
    for process, _, _ in running:
        process.kill()
        process.communicate()


def test_propagation_is_an_option_of_the_program(run):
    """A role assigned just now is Resource Manager's own knowledge for an hour."""
    _, _, ready = run("--seed", "walkthrough", "--propagation-s", "3600")
    user, secret = ready["reader_client_id"], ready["reader_client_secret"]
    with Arm(ready) as arm, Registry(ready, "casaacr01", who="reader_client") as session:
        assert session("GET", "/v2/nodejstemplate/manifests/v1.0.0").status_code == 200
        name = str(uuid.UUID(int=5))
        role = "/providers/Microsoft.Authorization/roleDefinitions/8311e382-0749-4cb8-b61a-304f252e45ec"
        given = {"roleDefinitionId": role, "principalId": READER.object_id, "principalType": "ServicePrincipal"}
        path = f"{REGISTRY}/providers/Microsoft.Authorization/roleAssignments/{name}"
        assert arm("PUT", path, {"properties": given}).status_code == 201
        assert arm("GET", path).json()["name"] == name
        scope = {"scope": "repository:nodejstemplate:pull,push"}
        answer = session.send("GET", "/oauth2/token", params=scope, auth=(user, secret))
        assert [one["actions"] for one in claims_of(answer.json()["access_token"])["access"]] == [["pull"]]


def test_the_ready_values_lead_to_everything(sandbox):
    ready = sandbox.ready
    assert ready["authority"] == ready["resource_manager"] == sandbox.state.authority_url
    assert ready["resource_manager_scope"] == f"{sandbox.state.authority_url}/.default"
    assert ready["subscription_ids"] == [SUBSCRIPTION]
    assert list(ready["registries"]) == ["casaacr01"]
    for url in (ready["authority"], f"https://{ready['registries']['casaacr01']}"):
        assert requests.get(f"{url}/v2/", verify=ready["ca_file"], timeout=10).status_code == 401


def test_ports_images_and_tokens_outlive_a_restart(tmp_path):
    with Sandbox.start(tmp_path, seed="walkthrough") as first:
        before = first.ready
        with Registry(before, "casaacr01") as session:
            session.push_image("app", "v1")
            token = session.access_token("repository:app:pull")
    with Sandbox.start(tmp_path, seed="walkthrough") as second, Registry(second.ready, "casaacr01") as session:
        assert second.ready == before
        headers = {"Authorization": f"Bearer {token}"}
        assert session.send("GET", "/v2/app/manifests/v1", headers=headers).status_code == 200


def test_a_port_that_somebody_took_is_replaced(tmp_path):
    with Sandbox.start(tmp_path, seed="walkthrough") as first:
        taken = port_of(first.ready["registries"]["casaacr01"])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", taken))
        other.listen()
        with Sandbox.start(tmp_path, seed="walkthrough") as second, Registry(second.ready, "casaacr01") as session:
            assert port_of(session.server) != taken
            assert session("GET", "/acr/v1/_catalog").json() == {"repositories": ["nodejstemplate"]}
            stored = second.store.find_resource(REGISTRY_TYPE, "CasaAcr01")
            assert stored["properties"]["loginServer"] == session.server


def test_another_seed_on_the_same_directory_is_refused(tmp_path):
    Sandbox.start(tmp_path, seed="empty").stop()
    with pytest.raises(OtherSeed, match=r"'empty', not 'walkthrough'"):
        Sandbox.start(tmp_path, seed="walkthrough")
    Sandbox.start(tmp_path, seed="empty").stop()


def test_a_directory_has_one_sandbox_at_a_time(run, tmp_path):
    run("--seed", "empty")
    with pytest.raises(DataDirectoryInUse):
        Sandbox.start(tmp_path / "data", seed="empty")


def test_stopping_closes_every_listener_and_twice_is_once(tmp_path):
    running = Sandbox.start(tmp_path, seed="walkthrough")
    servers = [running.state.authority_url, *running.ready["registries"].values()]
    assert all(accepts(server) for server in servers)
    running.stop()
    running.stop()
    assert not any(accepts(server) for server in servers)


def test_a_registry_s_listener_comes_and_goes_while_it_runs(sandbox):
    document = registry(group_id(SUBSCRIPTION, "casacloud_rg1"), "Later01", "Basic", "eastus", sandbox.state.stamp())
    sandbox.store.put_resource(document)
    port = sandbox.state.open_registry("later01")
    server = sandbox.ready["registries"]["Later01"]
    assert server == f"localhost:{port}"
    with Registry(sandbox.ready, "Later01") as session:
        session.push_image("app", "v1")
    sandbox.state.close_registry("LATER01")
    assert not accepts(server)
    sandbox.state.close_registry("never-opened")


def test_it_listens_on_loopback_only(sandbox):
    with Path("/proc/net/tcp").open() as table:
        listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
    ports = {port_of(sandbox.state.authority_url), port_of(sandbox.ready["registries"]["casaacr01"])}
    hosts = {host for host, port in (entry.split(":") for entry in listening) if int(port, 16) in ports}
    assert hosts == {"0100007F"}


def test_secrets_in_the_data_directory_are_the_owner_s(tmp_path):
    Sandbox.start(tmp_path / "data", seed="empty").stop()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert modes["server.key"] == modes["token.key"] == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_certificates_are_kept_until_they_are_about_to_end(tmp_path):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    first = ensure_certificates(tmp_path, now).ca.read_bytes()
    assert ensure_certificates(tmp_path, now + timedelta(days=700)).ca.read_bytes() == first
    assert ensure_certificates(tmp_path, now + timedelta(days=800)).ca.read_bytes() != first


def test_times_increase_though_the_clock_stands():
    stamps = Stamps(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    assert [stamps.next() for _ in range(3)] == [
        "2026-01-01T00:00:00.0000000Z",
        "2026-01-01T00:00:00.0000001Z",
        "2026-01-01T00:00:00.0000002Z",
    ]


def test_what_was_acknowledged_survives_a_kill(run):
    process, _, ready = run("--seed", "walkthrough")
    with Registry(ready, "casaacr01") as session:
        digest = session.push_image("app", "v1")
        layer = json.loads(session("GET", "/v2/app/manifests/v1").content)["layers"][0]["digest"]
        session("PATCH", "/acr/v1/app/_tags/v1", json={"deleteEnabled": False})
        session("DELETE", "/acr/v1/nodejstemplate")
        process.kill()
        process.wait()
    _, _, again = run("--seed", "walkthrough")
    with Registry(again, "casaacr01") as session:
        assert session("GET", "/acr/v1/_catalog").json() == {"repositories": ["app"]}
        tag = session("GET", "/acr/v1/app/_tags/v1").json()["tag"]
        assert (tag["digest"], tag["changeableAttributes"]["deleteEnabled"]) == (digest, False)
        assert session("GET", f"/v2/app/blobs/{layer}").content == b"layer of one"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_where_it_listens_and_ends_cleanly(run, number):
    process, line, ready = run("--seed", "empty", "--bulk", "bulk01:2:3")
    assert ready["authority"] in line
    assert list(ready["registries"]) == ["bulk01"]
    with Registry(ready, "bulk01") as session:
        assert len(session("GET", "/acr/v1/_catalog").json()["repositories"]) == 2
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def test_the_command_refuses_a_directory_of_another_seed(tmp_path):
    Sandbox.start(tmp_path / "data", seed="empty").stop()
    command = [sys.executable, "-m", "sandbox", "--data", tmp_path / "data", "--seed", "walkthrough"]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "seeded with 'empty'" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "99999"], "'99999' is no port: 0 to 65535"),
        (["--port", "x"], "'x' is no port"),
        (["--propagation-s", "-1"], "'-1' is no duration"),
        (["--latency-ms", "nan"], "'nan' is no duration"),
        (["--ready-file", "{folder}"], "is a directory"),
        (["--ready-file", "{folder}/none/ready.json"], "there is no directory"),
        (["--faults", "{folder}/object.json"], "a faults file is a JSON list of objects"),
        (["--faults", "{folder}/half.json"], "half.json: "),
        (["--faults", "{folder}/rule.json"], "a rule of faults is wrong"),
        (["--faults", "{folder}/pattern.json"], "a rule of faults is wrong"),
        (["--faults", "{folder}/headers.json"], "a rule of faults is wrong"),
        (["--faults", "{folder}/status.json"], "a rule of faults is wrong"),
        (["--latency-ms", "1e308"], "is no duration"),
        (["--estate", "500:40"], "is not REGISTRIES:REPOSITORIES:MANIFESTS"),
        (["--estate", "9999:1:1"], "1 to 2,000 registries"),
        (["--estate", "1:1:99999"], "1 to 10,000 manifests"),
        (["--estate", "1:1:1", "--seed", "empty"], "not allowed with argument --estate"),
        (["--bulk", "load:x:1"], "is not NAME:REPOSITORIES:MANIFESTS"),
        (["--bulk", "bad name/..:1:1"], "is not NAME:REPOSITORIES:MANIFESTS"),
        (["--bulk", "load1:99999999999999999999999:1"], "has more than 1,000,000 manifests"),
    ],
)
def test_a_wrong_option_is_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "object.json").write_text('{"status": 500}')
    (tmp_path / "half.json").write_text('[{"status": 5')
    (tmp_path / "rule.json").write_text('[{"status": 500, "no such member": 1}]')
    (tmp_path / "headers.json").write_text('[{"status": 500, "headers": 3}]')
    (tmp_path / "status.json").write_text('[{"status": 99999}]')
    (tmp_path / "pattern.json").write_text('[{"status": 500, "path": "("}]')
    given = [argument.replace("{folder}", str(tmp_path)) for argument in arguments]
    command = [sys.executable, "-m", "sandbox", "--data", str(tmp_path / "data"), *given]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("sandbox: ")
    assert said in line
    assert not (tmp_path / "data").exists()


def test_data_that_can_not_be_a_directory_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    command = [sys.executable, "-m", "sandbox", "--data", str(tmp_path / "data")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("sandbox: --data: ")
