"""Image archives made for a test: an OCI layout or a `docker save` of a few bytes, whole or broken on purpose."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from typing import Any

from services.images.manifests import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST

OCI = "application/vnd.oci.image"
NAME = "org.opencontainers.image.ref.name"
FULL_NAME = "io.containerd.image.name"
DOCKER = "application/vnd.docker"


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_of(members: Mapping[str, bytes] | Iterable[tuple[tarfile.TarInfo | str, bytes]]) -> bytes:
    """A tar with these members, in this order; a TarInfo keeps what it says of itself."""
    pairs = members.items() if isinstance(members, Mapping) else members
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in pairs:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(name, str):
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    """A member that is a link."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def config_of(*plain: bytes, architecture: str = "amd64") -> bytes:
    """The config of an image of these layers."""
    rootfs = {"type": "layers", "diff_ids": [sha256(one) for one in plain]}
    return json.dumps({"architecture": architecture, "os": "linux", "rootfs": rootfs}).encode()


class Layout:
    """An OCI layout that grows: `blob` and `manifest` put content in and give its descriptor; `tar` is the archive."""

    def __init__(self) -> None:
        self.members: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
        self.top: list[dict[str, Any]] = []

    def blob(self, data: bytes, media_type: str, **more: Any) -> dict[str, Any]:
        self.members[f"blobs/sha256/{sha256(data)[7:]}"] = data
        return {"mediaType": media_type, "digest": sha256(data), "size": len(data), **more}

    def manifest(self, body: Mapping[str, Any], media_type: str, **more: Any) -> dict[str, Any]:
        """JSON as no library would write it again: with Windows line ends, and a blank at its end."""
        raw = json.dumps(body, indent=3, ensure_ascii=False).replace("\n", "\r\n") + "\r\n "
        return self.blob(raw.encode(), media_type, **more)

    def image(self, seed: str = "a", layers: int = 2, architecture: str = "amd64", **more: Any) -> dict[str, Any]:
        plain = [tar_of({"file": f"{seed} {number} {architecture}".encode() * 50}) for number in range(layers)]
        config = config_of(*plain, architecture=architecture)
        body = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.blob(config, f"{OCI}.config.v1+json"),
            "layers": [self.blob(gzip.compress(one, mtime=0), f"{OCI}.layer.v1.tar+gzip") for one in plain],
            "annotations": {"title": "größe"},
        }
        return self.manifest(body, OCI_MANIFEST, **more)

    def index(self, *children: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(children)}
        return self.manifest(body, OCI_INDEX, **more)

    def platforms(self, *architectures: str, seed: str = "a", **more: Any) -> dict[str, Any]:
        """An index of one image for each architecture."""
        children = (
            self.image(seed, architecture=one, platform={"architecture": one, "os": "linux"}) for one in architectures
        )
        return self.index(*children, **more)

    def named(self, descriptor: Mapping[str, Any], *names: str, key: str = NAME) -> "Layout":
        """Puts an image on the top list, once for each name."""
        for name in names:
            self.top.append({**descriptor, "annotations": {key: name}})
        if not names:
            self.top.append(dict(descriptor))
        return self

    def without(self, descriptor: Mapping[str, Any]) -> "Layout":
        """Drops a blob or manifest that others go on naming."""
        del self.members[f"blobs/sha256/{descriptor['digest'][7:]}"]
        return self

    def tar(self, **more: bytes) -> bytes:
        index = {"schemaVersion": 2, "manifests": self.top}
        return tar_of({**self.members, "index.json": json.dumps(index, indent=1).encode(), **more})


def layout(*names: str) -> bytes:
    """The archive of one image."""
    made = Layout()
    return made.named(made.image(), *names).tar()


def docker_save(
    layers: Iterable[bytes], *tags: str, linked: bool = False, diff_ids: Iterable[str] | None = None, **config: Any
) -> bytes:
    """What docker before 25 saves: with `linked`, a layer that comes twice is a link the second time."""
    layers = list(layers)
    ids = [sha256(one) for one in layers] if diff_ids is None else list(diff_ids)
    body = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}, **config}
    raw = json.dumps(body, indent=1).replace("\n", "\r\n").encode()
    name = f"{sha256(raw)[7:]}.json"
    members: list[tuple[tarfile.TarInfo | str, bytes]] = [(name, raw)]
    first: dict[bytes, int] = {}
    for number, data in enumerate(layers):
        folder = f"{number:064x}"
        if linked and data in first:
            members.append(link(f"{folder}/layer.tar", f"../{first[data]:064x}/layer.tar"))
        else:
            members.append((f"{folder}/layer.tar", data))
        first.setdefault(data, number)
        members.append((f"{folder}/VERSION", b"1.0"))
    listed = [f"{number:064x}/layer.tar" for number in range(len(layers))]
    manifest = [{"Config": name, "RepoTags": list(tags) or None, "Layers": listed}]
    members.append(("manifest.json", json.dumps(manifest, indent=1).replace("\n", "\r\n").encode()))
    return tar_of(members)


__all__ = ["DOCKER_MANIFEST", "Layout", "config_of", "docker_save", "layout", "link", "sha256", "tar_of"]
