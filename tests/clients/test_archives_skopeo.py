"""skopeo reads the same archives: what it takes out of each is what the console would push."""

import gzip
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from threading import Event

import pytest

from services.transfer.archive_images import ArchiveImage
from services.transfer.archives import read_archive
from tests.support.archive_cases import CASES, FOLDER

pytestmark = pytest.mark.client

SKOPEO = shutil.which("skopeo")


def unzipped(name: str, folder: Path) -> Path:
    """skopeo 1.9 reads no gzipped archive."""
    if not name.endswith(".gz"):
        return FOLDER / name
    plain = folder / "image.tar"
    plain.write_bytes(gzip.decompress((FOLDER / name).read_bytes()))
    return plain


def taken(source: str, folder: Path) -> tuple[str, list[str]]:
    """The digest of the config and of every layer, expanded, that skopeo takes out of an archive."""
    assert SKOPEO
    done = subprocess.run(
        [SKOPEO, "--insecure-policy", "copy", source, f"dir:{folder}"], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    body = json.loads((folder / "manifest.json").read_bytes())
    layers = [(folder / layer["digest"].partition(":")[2]).read_bytes() for layer in body["layers"]]
    return body["config"]["digest"], [plain_digest(layer) for layer in layers]


def pushed(image: ArchiveImage) -> tuple[str, list[str]]:
    """The same of what the console pushes."""
    content = image.prepare(lambda _done, _of: None, Event())
    body = json.loads(content.manifests[-1].raw)
    blobs = {blob.digest: b"".join(blob.part.blocks()) for blob in content.blobs}
    return body["config"]["digest"], [plain_digest(blobs[layer["digest"]]) for layer in body["layers"]]


def plain_digest(layer: bytes) -> str:
    plain = gzip.decompress(layer) if layer.startswith(b"\x1f\x8b") else layer
    return "sha256:" + hashlib.sha256(plain).hexdigest()


@pytest.mark.skipif(SKOPEO is None, reason="skopeo is not installed")
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.skopeo])
def test_skopeo_takes_the_same_images_out_of_it(name: str, tmp_path: Path) -> None:
    archive = unzipped(name, tmp_path)
    for number, image in enumerate(read_archive(FOLDER / name).images):
        if CASES[name].skopeo == "docker-archive":
            source = f"docker-archive:{archive}:@{number}"
        else:
            source = f"oci-archive:{archive}" + (f":{image.names[0]}" if image.names else "")
        assert taken(source, tmp_path / str(number)) == pushed(image)
