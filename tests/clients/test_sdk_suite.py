"""The tests that azure-containerregistry ships, all of them, against the sandbox."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.server import Sandbox

pytestmark = pytest.mark.client

TESTS = os.environ.get("SDK_TESTS", "")
STAND_INS = Path(__file__).parents[1] / "support" / "sdk_suite"
# As many as 1.2.0 has.
ALL = 106
OCI, DOCKER = "application/vnd.oci.image", "application/vnd.docker"


def write_artifact(folder: Path, layer_file: str, manifest_type: str, config_type: str, layer_type: str) -> None:
    """An artifact of the shape their tests expect; theirs are not in the package."""
    folder.mkdir(parents=True)
    config, layer = b'{"made": "for a test"}', f"the content of {layer_file}".encode()
    (folder / "config.json").write_bytes(config)
    (folder / layer_file).write_bytes(layer)

    def pointing_to(media_type: str, content: bytes) -> dict[str, object]:
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    manifest = {
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": pointing_to(config_type, config),
        "layers": [pointing_to(layer_type, layer)],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "manifest_without_spaces.json").write_text(json.dumps(manifest, separators=(",", ":")))


@pytest.mark.skipif(not TESTS, reason="SDK_TESTS names no folder: `make client-test` unpacks the SDK and names it")
def test_every_test_of_the_sdk_passes(tmp_path: Path) -> None:
    data = tmp_path / "tests" / "data"
    write_artifact(
        data / "oci_artifact",
        "654b93f61054e4ce90ed203bb8d556a6200d5f906cf3eca0620738d6dc18cbed",
        f"{OCI}.manifest.v1+json",
        f"{OCI}.config.v1+json",
        f"{OCI}.layer.v1.tar",
    )
    write_artifact(
        data / "docker_artifact",
        "2db29710123e3e53a794f2694094b9b4338aa9ee5c40b930cb8063a1be392c54",
        f"{DOCKER}.distribution.manifest.v2+json",
        f"{DOCKER}.container.image.v1+json",
        f"{DOCKER}.image.rootfs.diff.tar.gzip",
    )
    report = tmp_path / "report.xml"
    with Sandbox.start(tmp_path / "sandbox", seed="walkthrough") as sandbox:
        document = sandbox.store.find_resource(REGISTRY_TYPE, "casaacr01")
        assert document
        document["properties"]["anonymousPullEnabled"] = True
        sandbox.store.put_resource(document)
        ready = sandbox.ready
        endpoint = "https://" + ready["registries"]["casaacr01"]
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"},  # ours, not theirs
            "PYTHONPATH": str(STAND_INS),
            "SDK_TESTS": TESTS,
            "SANDBOX_AUTHORITY": ready["authority"],
            "REQUESTS_CA_BUNDLE": ready["ca_file"],
            "SSL_CERT_FILE": ready["ca_file"],
            "CONTAINERREGISTRY_ENDPOINT": endpoint,
            "CONTAINERREGISTRY_ANONREGISTRY_ENDPOINT": endpoint,
            "CONTAINERREGISTRY_TENANT_ID": ready["tenant_id"],
            "CONTAINERREGISTRY_CLIENT_ID": ready["client_id"],
            "CONTAINERREGISTRY_CLIENT_SECRET": ready["client_secret"],
        }
        python = os.environ.get("SDK_PYTHON", sys.executable)
        options = ["-p", "sdk_live", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", f"--junitxml={report}"]
        run = subprocess.run(
            [python, "-m", "pytest", "-q", *options, f"--rootdir={TESTS}", TESTS],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    (suite,) = ElementTree.parse(report).getroot().iter("testsuite")
    counts = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": ALL, "failures": 0, "errors": 0, "skipped": 0}, run.stdout[-8000:]
