"""Image archives: an OCI layout in a tar, or what `docker save` writes; each also gzipped; from a file or a stream.

Reading writes to nothing but unnamed temporary files, and uses the same memory whatever the size. What an archive
says is believed only as far as its digests prove it.
"""

import shlex
from pathlib import Path
from threading import Event
from typing import BinaryIO

from services.connection.errors import ServiceError
from services.transfer.archive_files import (
    Budget,
    Limits,
    Part,
    Progress,
    RandomAccess,
    archive_error,
    blocks_of,
    compression_of,
    part_of_file,
    spool,
)
from services.transfer.archive_images import Archive, ExcludedEntry, Tar, truncated_error
from services.transfer.docker_archives import MANIFEST, docker_images
from services.transfer.oci_layouts import INDEX, oci_images, schema_1_error
from services.transfer.tar_members import read_members


def _ignore_progress(_done: int, _of: int) -> None:
    """Progress that is not shown."""


def read_archive(
    source: Path | BinaryIO,
    *,
    limits: Limits | None = None,
    progress: Progress = _ignore_progress,
    stop: Event | None = None,
) -> Archive:
    """What is in `source`: a path, a binary file, or a stream that can't go back (it is spooled to disk first).

    There is one image at least; entries that are none, or none that runs, are in `left_out`.

    A file that is handed over stays the caller's, and must stay open. Manifests are checked here, layers by
    `ArchiveImage.prepare`. `progress(done, of)` counts bytes of what is spooled or expanded, `of` 0 where not known.
    Raises ServiceError: NotAnArchive, NoImages, Truncated, Damaged, BadGzip, TooLarge, TooManyMembers, UnsafeMember,
    DuplicateMember, DiskFull, Stopped, and what `oci_images` and `docker_images` raise.
    """
    limits = limits or Limits()
    stop = stop or Event()
    part = part_of_file(_open_seekable(source, limits, progress, stop))
    if part.size and part.is_gzip:
        blocks = part.expanded(Budget(limits.expanded))
        part = part_of_file(RandomAccess(spool(blocks, limits, stop, lambda done: progress(done, 0)), owned=True))
    return _archive(part, limits)


def _open_seekable(source: Path | BinaryIO, limits: Limits, progress: Progress, stop: Event) -> RandomAccess:
    if isinstance(source, Path):
        try:
            return RandomAccess(source.open("rb"), owned=True)
        except OSError as exc:
            raise archive_error(f"It could not be opened: {exc.strerror}.", "NotFound", "Check the path.") from exc
    if source.seekable():
        return RandomAccess(source, owned=False)
    return RandomAccess(spool(blocks_of(source), limits, stop, lambda done: progress(done, 0)), owned=True)


def _archive(part: Part, limits: Limits) -> Archive:
    if name := compression_of(part.read(0, 8)):
        raise archive_error(f"It is compressed with {name}.", "NotAnArchive", "Expand it, or compress it with gzip.")
    listing = read_members(part.file, limits.members)
    tar = Tar(listing.members, listing.ended, limits)
    archive = _read_layout(tar) if INDEX in tar.members and "oci-layout" in tar.members else _read_docker_archive(tar)
    if archive.images:
        return archive
    if archive.left_out:
        raise archive.left_out[0].error
    raise archive_error("It lists no image.", "NoImages", "Save it again, with the name of an image.")


def _read_layout(tar: Tar) -> Archive:
    """docker 25 writes a layout and manifest.json. The layout is what is pushed, its bytes as they are; docker leaves
    images out of it that were saved by their digest, and some versions the layers of an image."""
    layout = oci_images(tar)
    if MANIFEST not in tar.members:
        return layout
    try:
        saved = docker_images(tar)
    except ServiceError as error:
        return Archive(layout.images, (*layout.left_out, ExcludedEntry(MANIFEST, error)))
    complete_ones = {config for image in layout.images if not image.missing for config in image.configs}
    known = {config for image in layout.images for config in image.configs}
    added = [image for image in saved.images if image.key not in (known if image.missing else complete_ones)]
    return Archive((*layout.images, *added), (*layout.left_out, *saved.left_out))


def _read_docker_archive(tar: Tar) -> Archive:
    if MANIFEST in tar.members:
        return docker_images(tar)
    if "repositories" in tar.members:
        raise schema_1_error("The archive")
    if not tar.ended:
        raise truncated_error("the list of its images")
    raise _no_images_error(tar)


def _no_images_error(tar: Tar) -> ServiceError:
    """The error for a tar that is not an image archive."""
    folder = next((name.removesuffix("/oci-layout") for name in tar.members if name.endswith("/oci-layout")), "")
    if folder and f"{folder}/{INDEX}" in tar.members:
        return archive_error(
            f"The OCI layout in it is in the folder {folder}, not at its top.",
            "NoImages",
            f"Pack what is in the folder: `tar -C {shlex.quote(folder)} -cf image.tar .`",
        )
    if any(name.count("/") == 1 and name.endswith("/Chart.yaml") for name in tar.members):
        return archive_error("It is a Helm chart, no image.", "NoImages", "Push it with `helm push`.")
    return archive_error(
        "It is a tar, but no image is in it: neither an OCI layout nor what `docker save` writes.",
        "NoImages",
        "Write it with `docker save`, `skopeo copy` or `docker buildx build --output type=oci`. "
        "What `docker export` writes is a file system, no image.",
    )
