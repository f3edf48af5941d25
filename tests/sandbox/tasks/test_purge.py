"""acr purge as the sandbox runs it, against a model of acr-cli that was written apart from it."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.documents.errors import Document
from sandbox.server import Sandbox
from sandbox.storage.store import Locks
from sandbox.tasks.purge import PurgeError, parse_purge, run_purge
from services.images.repository_contents import RepositoryContents
from tests.support.acr_purge import purge
from tests.support.documents import OCI_MANIFEST, digest_of
from tests.support.policy_worlds import stored
from tests.support.registries_at_random import Pushes, registries
from tests.support.repository_samples import NOW

DOCUMENT: Document = {
    "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r",
    "name": "r",
    "properties": {"loginServer": "r.azurecr.io", "policies": {"softDeletePolicy": {"status": "disabled"}}},
}

OCI_IMAGE = json.dumps(
    {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": {"digest": digest_of(1), "size": 1}, "layers": []}
).encode()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox.start(tmp_path_factory.mktemp("purge"), "walkthrough") as sandbox:
        yield sandbox


def left(sandbox: Sandbox) -> dict[str, tuple[set[str], set[str]]]:
    """The tags and digests of each repository that has a manifest."""
    store = sandbox.store
    return {
        name: (
            {tag.name for tag in store.list_tags("r", name)},
            {one.digest for one in store.list_manifests("r", name, limit=10_000)},
        )
        for name in store.list_repositories("r")
    }


def of_model(contents: tuple[RepositoryContents, ...], command: str) -> dict[str, tuple[set[str], set[str]]]:
    after = [purge(one, command, NOW) for one in contents]
    return {one.name: ({tag.name for tag in one.tags}, {row.digest for row in one.rows}) for one in after if one.rows}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    registries(),
    st.sampled_from((".*", "v.*", "^pr-", "[a-m].*", "^$")),
    st.integers(0, 12),
    st.integers(0, 3),
    st.booleans(),
)
def test_it_leaves_what_the_model_leaves(
    running: Sandbox, drawn: tuple[Pushes, ...], tags: str, days: int, keep: int, untagged: bool
) -> None:
    # A lock of a repository ends a run of acr purge: see below.
    contents = stored(running.store, tuple(replace(one, locks=Locks()) for one in drawn))
    rest = f"--filter '.*:{tags}' --keep {keep}{' --untagged' if untagged else ''}"
    # What is a day apart in the model is a minute apart in the store.
    newest = max(
        datetime.fromisoformat(one.updated)
        for name in running.store.list_repositories("r")
        for one in (*running.store.list_manifests("r", name, limit=10_000), *running.store.list_tags("r", name))
    )
    dry = parse_purge(shlex.split(f"{rest} --ago 0d{days}m --dry-run"), newest)
    before = left(running)
    list(run_purge(running.state, DOCUMENT, dry, None))
    assert left(running) == before
    list(run_purge(running.state, DOCUMENT, parse_purge(shlex.split(f"{rest} --ago 0d{days}m"), newest), None))
    assert left(running) == of_model(contents, f"acr purge {rest} --ago {days}d")


@pytest.mark.parametrize(
    "words",
    ["--ago 1d", "--filter a:b", "--filter a --ago 1d", "--filter a:( --ago 1d", "--filter a:b --ago soon",
     "--filter a:b --ago 1d --force"],
)  # fmt: skip
def test_what_it_does_not_understand_is_an_error(words: str) -> None:
    with pytest.raises(PurgeError):
        parse_purge(words.split(), NOW)


def test_a_locked_repository_ends_it_with_an_error(running: Sandbox) -> None:
    running.store.delete_registry_data("r")
    running.store.add_manifest("r", "a", OCI_IMAGE, OCI_MANIFEST, "2026-01-01T00:00:00.0000000Z")
    running.store.set_repository_locks("r", "a", Locks(delete=False))
    command = parse_purge(shlex.split("--filter a:.* --ago 1d --untagged"), NOW)
    with pytest.raises(PurgeError, match="disallowed"):
        list(run_purge(running.state, DOCUMENT, command, None))
    assert left(running)["a"][1]
