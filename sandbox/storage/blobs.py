"""Blob content as files by digest, shared by all registries; uploads as files that grow."""

from __future__ import annotations

import hashlib
import re
import uuid
from pathlib import Path

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Blobs:
    def __init__(self, directory: Path) -> None:
        self._blobs = directory / "blobs" / "sha256"
        self._uploads = directory / "uploads"
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._uploads.mkdir(parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise ValueError(f"not a digest: {digest!r}")
        return self._blobs / digest[7:9] / digest[7:]

    def write(self, digest: str, data: bytes) -> None:
        """Store known content."""
        path = self.path(digest)
        if path.exists():
            return
        upload = self.start_upload()
        self.append(upload, data)
        self._keep(self._upload(upload), path)

    def remove(self, digest: str) -> None:
        self.path(digest).unlink(missing_ok=True)

    def start_upload(self) -> str:
        upload = str(uuid.uuid4())
        self._upload(upload).touch()
        return upload

    def upload_size(self, upload: str) -> int | None:
        """Bytes received so far; None when there is no such upload."""
        path = self._upload(upload)
        return path.stat().st_size if path.exists() else None

    def append(self, upload: str, data: bytes) -> int:
        with self._upload(upload).open("ab") as file:
            file.write(data)
            return file.tell()

    def upload_digest(self, upload: str) -> str:
        with self._upload(upload).open("rb") as file:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()

    def keep(self, upload: str, digest: str) -> int:
        """Give a finished upload its place; returns its size."""
        path = self._upload(upload)
        size = path.stat().st_size
        self._keep(path, self.path(digest))
        return size

    def cancel_upload(self, upload: str) -> None:
        self._upload(upload).unlink(missing_ok=True)

    def forget_uploads(self) -> None:
        """Drop what earlier runs left unfinished."""
        for path in self._uploads.iterdir():
            path.unlink()

    def _upload(self, upload: str) -> Path:
        return self._uploads / str(uuid.UUID(upload))

    @staticmethod
    def _keep(source: Path, target: Path) -> None:
        target.parent.mkdir(exist_ok=True)
        source.replace(target)
