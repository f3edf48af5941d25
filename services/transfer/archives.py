"""Image archives: an OCI layout in a tar, or what `docker save` writes; each also gzipped; from a file or a stream.

Reading writes to nothing but unnamed temporary files, and takes the same memory whatever the size. What an archive
says is believed only as far as its digests prove it.
"""

from pathlib import Path
from threading import Event
from typing import BinaryIO

from services.transfer.archive_files import (
    Limits,
    Part,
    Progress,
    RandomAccess,
    blocks_of,
    broken,
    compressed_with,
    spooled,
    whole,
)
from services.transfer.archive_images import ArchiveImage, Tar
from services.transfer.docker_archives import MANIFEST, docker_images
from services.transfer.oci_layouts import INDEX, oci_images, schema_1
from services.transfer.tar_members import read_members


def _unseen(_done: int, _of: int) -> None:
    """Progress that nobody follows."""


def read_archive(
    source: Path | BinaryIO,
    *,
    limits: Limits | None = None,
    progress: Progress = _unseen,
    stop: Event | None = None,
) -> tuple[ArchiveImage, ...]:
    """The images in `source`: a path, a binary file, or a stream that can't go back (it is spooled to disk first).

    A file that is handed over stays the caller's, and must stay open. Manifests are checked here, layers by
    `ArchiveImage.prepare`. `progress(done, of)` counts bytes of what is spooled or expanded, `of` 0 where not known.
    Raises ServiceError: NotAnArchive, NoImages, Truncated, Damaged, BadGzip, TooLarge, TooManyMembers, UnsafeMember,
    DuplicateMember, DiskFull, Stopped, and what `oci_images` and `docker_images` raise.
    """
    limits = limits or Limits()
    stop = stop or Event()
    part = whole(_seekable(source, limits, progress, stop))
    if part.size and part.is_gzip:
        blocks = part.expanded(limits.expanded)
        part = whole(RandomAccess(spooled(blocks, limits, stop, lambda done: progress(done, 0)), owned=True))
    return _images(part, limits)


def _seekable(source: Path | BinaryIO, limits: Limits, progress: Progress, stop: Event) -> RandomAccess:
    if isinstance(source, Path):
        try:
            return RandomAccess(source.open("rb"), owned=True)
        except OSError as exc:
            raise broken(f"It could not be opened: {exc.strerror}.", "NotFound", "Check the path.") from exc
    if source.seekable():
        return RandomAccess(source, owned=False)
    return RandomAccess(spooled(blocks_of(source), limits, stop, lambda done: progress(done, 0)), owned=True)


def _images(part: Part, limits: Limits) -> tuple[ArchiveImage, ...]:
    if name := compressed_with(part.read(0, 8)):
        raise broken(f"It is compressed with {name}.", "NotAnArchive", "Expand it, or compress it with gzip.")
    tar = Tar(read_members(part.file, limits.members), limits)
    # docker 25 writes both: then the layout is what is pushed, its bytes as they are.
    if INDEX in tar.members and "oci-layout" in tar.members:
        images = oci_images(tar)
    elif MANIFEST in tar.members:
        images = docker_images(tar)
    elif "repositories" in tar.members:
        raise schema_1("The archive")
    else:
        raise broken(
            "It is a tar, but no image is in it: neither an OCI layout nor what `docker save` writes.",
            "NoImages",
            "Write it with `docker save`, `skopeo copy` or `docker buildx build --output type=oci`. "
            "What `docker export` writes is a file system, no image.",
        )
    if not images:
        raise broken("It lists no image.", "NoImages", "Save it again, with the name of an image.")
    return images
