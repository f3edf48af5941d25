"""The image and what runs it: the Dockerfile, the compose file, Bicep."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from pycep import BicepParser

from ui.monitoring.probes import PATHS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE = (DEPLOY / "compose.yaml").read_text()


def hadolint(text: str) -> str:
    program = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([program, "-"], input=text, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def test_hadolint_finds_no_fault() -> None:
    assert hadolint(DOCKERFILE) == ""
    assert "DL3002" in hadolint(DOCKERFILE.replace("USER 10001:10001", "USER root"))


def test_packages_come_by_their_hashes_alone() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert DOCKERFILE.count("-m pip") == 1
    assert "apt-get" not in DOCKERFILE


def test_it_does_not_run_as_root_and_has_no_secret() -> None:
    last = DOCKERFILE.split("\nFROM ")[-1]
    assert "USER 10001:10001" in last
    assert not re.search("SECRET|KEYS|PASSWORD|TOKEN", DOCKERFILE)
    assert PATHS[0] in last


def test_the_image_has_what_the_console_imports_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert lines[1] == "*"
    assert all((ROOT / path).exists() for path in kept)
    assert {"app.py", "pages", "services", "ui", "static", ".streamlit/config.toml", "pyproject.toml"} <= kept
    assert not kept & {"tests", "sandbox", ".git", ".console", "deploy", ".streamlit", ".streamlit/secrets.toml"}


def test_the_compose_file_is_one() -> None:
    PyCompose.from_yaml(COMPOSE)
    with pytest.raises(ValueError, match="read_onlyy"):
        PyCompose.from_yaml(COMPOSE.replace("read_only", "read_onlyy"))


def test_compose_publishes_to_this_machine_alone_and_waits_for_the_database() -> None:
    services = yaml.safe_load(COMPOSE)["services"]
    console: dict[str, Any] = services["console"]
    assert console["ports"] == ["127.0.0.1:8501:8501"]
    assert "ports" not in services["database"]
    assert console["read_only"] and console["cap_drop"] == ["ALL"]
    assert console["depends_on"]["database"]["condition"] == "service_healthy"
    assert (DEPLOY / console["build"]["context"] / console["build"]["dockerfile"]).exists()


def test_the_files_with_secrets_stay_out_of_git() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"deploy/console.env", "deploy/database-password"} <= set(ignored)
    example = (DEPLOY / "console.env.example").read_text()
    assert (
        re.findall(r"^(ACR_CONSOLE_CLIENT_SECRET|ACR_CONSOLE_KEYS|STREAMLIT_SERVER_COOKIE_SECRET)=(.+)$", example, re.M)
        == []
    )


def bicep(name: str) -> Any:
    return BicepParser().parse(text=(DEPLOY / "azure" / name).read_text())


def test_bicep_parses() -> None:
    # The compiler is in no registry of packages: types and properties are not checked.
    assert {"identity", "server", "database", "databaseAccount", "app"} <= bicep("main.bicep")["resources"].keys()
    assert {"application", "principal"} <= bicep("application.bicep")["resources"].keys()


def test_secrets_of_bicep_are_parameters_that_are_not_logged() -> None:
    parameters = bicep("main.bicep")["parameters"]
    secure = {name for name, one in parameters.items() if any(d.get("type") == "secure" for d in one["decorators"])}
    assert secure == {"keys", "cookieSecret"}


def test_container_apps_asks_the_probes_within_their_limits() -> None:
    text = (DEPLOY / "azure" / "main.bicep").read_text()
    assert set(PATHS) == set(re.findall(r"path: '(/\w+)'", text))
    assert all(1 <= int(found) <= 10 for found in re.findall(r"failureThreshold: (\d+)", text)), "its own limit"
    assert "affinity: 'sticky'" in text and "activeRevisionsMode: 'Single'" in text
