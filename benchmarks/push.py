"""A large archive from disk into a registry: the console's service and skopeo by turns, each into a new repository."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import processes
from benchmarks.results import Row, at_most, exactly, under
from benchmarks.rounds import by_turns, median_ratio, seconds

REGISTRY = "bench"
MIB = 1024 * 1024
LAYERS, LAYER_MIB = 8, 128
ROUNDS = 3
SIZE = f"{LAYERS * LAYER_MIB / 1024:g} GiB"
OCI = "application/vnd.oci.image"


def measure() -> list[Row]:
    with TemporaryDirectory() as folder, processes.sandbox(f"{REGISTRY}:1:1") as ready:
        archive = Path(folder) / "image.tar"
        write_archive(archive)
        first = _push(ready, archive, "team/twice")
        second = _push(ready, archive, "team/twice")
        rows = [
            under(f"push of {SIZE}: memory of the pushing process above idle, MiB", first["grown"] / MIB, 200),
            exactly("a second push of it: bytes of blobs sent", second["sent"], 0),
        ]
        if (skopeo := shutil.which("skopeo")) is None:
            print("push: skopeo is missing (apt-get install skopeo): the comparison is left out", file=sys.stderr)
            return rows
        certificates = Path(folder) / "certificates"
        certificates.mkdir()
        shutil.copy(ready["ca_file"], certificates / "ca.crt")

        def with_skopeo(file: Path, repository: str) -> None:
            target = f"docker://{ready['registries'][REGISTRY]}/{repository}:v1"
            login = [f"--dest-cert-dir={certificates}", f"--dest-creds={ready['client_id']}:{ready['client_secret']}"]
            command = [skopeo, "--insecure-policy", "copy", *login, f"oci-archive:{file}", target]
            subprocess.run(command, check=True, capture_output=True)

        # New content each round: skopeo remembers which repository has a blob, and mounts it.
        archives = [Path(folder) / f"image{number}.tar" for number in range(ROUNDS)]
        for file in archives:
            write_archive(file)
        ours, theirs = iter(archives), iter(archives)
        # Each is a whole process that starts, reads, checks, signs in and pushes.
        pairs = by_turns(
            lambda: seconds(lambda: _push(ready, next(ours), "team/console")),
            lambda: seconds(lambda: with_skopeo(next(theirs), "team/skopeo")),
            ROUNDS,
        )
    return [
        at_most(f"push of {SIZE} from disk: time, × skopeo copy of the same archive", median_ratio(pairs), 1.3),
        *rows,
    ]


def _push(ready: Mapping[str, Any], archive: Path, repository: str) -> dict[str, int]:
    """A push in a process of its own: what it sent, and what its memory grew by, in bytes."""
    words = [json.dumps(dict(ready)), str(archive), repository]
    command = [sys.executable, "-m", "benchmarks.push_once", REGISTRY]
    done = subprocess.run(
        command, input="\n".join(words), check=True, capture_output=True, text=True, cwd=processes.ROOT
    )
    found: dict[str, int] = json.loads(done.stdout)
    return found


def write_archive(file: Path, layers: int = LAYERS, layer_bytes: int = LAYER_MIB * MIB) -> None:
    """An OCI archive of one image with layers that no compression makes smaller."""
    diff_ids: list[str] = []
    with tarfile.open(file, "w") as archive:

        def add(name: str, data: bytes) -> None:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, BytesIO(data))

        def blob(data: bytes, kind: str, **more: Any) -> dict[str, Any]:
            digest = sha256(data).hexdigest()
            add(f"blobs/sha256/{digest}", data)
            return {"mediaType": f"{OCI}.{kind}", "digest": f"sha256:{digest}", "size": len(data), **more}

        def layer() -> dict[str, Any]:
            plain = os.urandom(layer_bytes)
            diff_ids.append(f"sha256:{sha256(plain).hexdigest()}")
            return blob(_packed(plain), "layer.v1.tar+gzip")

        descriptors = [layer() for _ in range(layers)]
        config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": blob(json.dumps(config).encode(), "config.v1+json"),
            "layers": descriptors,
        }
        named = {"org.opencontainers.image.ref.name": "v1"}
        top = blob(json.dumps(manifest).encode(), "manifest.v1+json", annotations=named)
        add("index.json", json.dumps({"schemaVersion": 2, "manifests": [top]}).encode())
        add("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')


def _packed(plain: bytes) -> bytes:
    """In gzip's own form but not compressed, so that making it takes no time and skopeo keeps it."""
    compressor = zlib.compressobj(0, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return compressor.compress(plain) + compressor.flush()
