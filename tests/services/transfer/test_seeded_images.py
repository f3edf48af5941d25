"""Seeded images can be downloaded where the sandbox keeps their layers; where not, it says so."""

import io
from threading import Event

import pytest

from sandbox.seeds.places import HUB
from sandbox.seeds.shelves import KEEPING_LAYERS, KINDS, REPOSITORIES
from sandbox.server import Sandbox
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.transfer.archives import read_archive
from services.transfer.download import plan_archive, stream

KEPT = sorted({("casaacr01", "nodejstemplate"), *KEEPING_LAYERS})


def test_one_repository_of_each_kind_keeps_its_layers() -> None:
    assert sorted(row.kind for row in REPOSITORIES if row.keeps_layers) == sorted(KINDS)


@pytest.mark.parametrize(("registry", "repository"), KEPT)
def test_each_image_of_a_repository_that_keeps_layers_is_downloaded_and_could_be_pushed(
    sandbox: Sandbox, session: AzureSession, registry: str, repository: str
) -> None:
    client = session.registry(sandbox.ready["registries"][registry])
    rows = sandbox.store.list_manifests(registry, repository)
    for row in rows[:: max(1, len(rows) // 8)]:
        archive = plan_archive(client, repository, row.digest)
        content = b"".join(stream(client, archive))
        assert len(content) == archive.size
        for image in read_archive(io.BytesIO(content)).images:
            image.prepare(lambda _done, _of: None, Event())  # Each layer is the one that the config names.


def test_of_the_others_the_sandbox_says_that_it_keeps_no_layers(sandbox: Sandbox, session: AzureSession) -> None:
    tag = sandbox.store.get_tag(HUB.name, "web/checkout", "latest")
    assert tag
    client = session.registry(sandbox.ready["registries"][HUB.name])
    with pytest.raises(ServiceError) as raised:
        plan_archive(client, "web/checkout", tag.digest)
    assert "this sandbox keeps the layers of a few seeded images only, not of this one" in raised.value.cause
    assert "anyone" not in str(raised.value) + raised.value.remedy
