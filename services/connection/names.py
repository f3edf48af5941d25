"""What a repository, a tag, a digest and an object id look like. Checked before they become part of a request.

HTTP clients send `/acr/v1/app/_tags/..` as `/acr/v1/app/`: the deletion of a tag so named would be asked of the
repository, and so would its locks.
"""

import re

from services.connection.errors import ServiceError

# https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
# "many clients impose a limit of 255 characters on the length of the concatenation": the same page.
_LONGEST_REPOSITORY = 255
# The registry computes no other.
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def is_tag(name: str) -> bool:
    """Whether a tag may be named so."""
    return _TAG.fullmatch(name) is not None


def require_tag(title: str, name: str) -> None:
    """Raises ServiceError (InvalidTag) under `title` for what can be no tag's name."""
    if not is_tag(name):
        raise ServiceError(
            title,
            "That is no name for a tag.",
            "Use 1 to 128 letters (A-Z, a-z), digits, periods, dashes and underscores; "
            "the first must be a letter, a digit or an underscore.",
            "InvalidTag",
        )


def image_name(repository: str, reference: str) -> str:
    """repository:tag, or repository@digest."""
    return f"{repository}{'@' if ':' in reference else ':'}{reference}"


def is_digest(text: str) -> bool:
    """Whether it is a SHA-256 digest as the registry writes it."""
    return _DIGEST.fullmatch(text) is not None


def is_repository(name: str) -> bool:
    """Whether a repository may be named so."""
    return len(name) <= _LONGEST_REPOSITORY and _REPOSITORY.fullmatch(name) is not None


def require_repository(title: str, name: str) -> None:
    """Raises ServiceError (InvalidRepository) under `title` for what can be no repository's name."""
    if not is_repository(name):
        raise ServiceError(
            title,
            "That is no name for a repository.",
            "Use lower-case letters, digits, and between them periods, dashes and underscores; a slash divides parts.",
            "InvalidRepository",
        )


def require_digest(title: str, digest: str) -> None:
    """Raises ServiceError (InvalidDigest) under `title` for what is no SHA-256 digest."""
    if not is_digest(digest):
        raise ServiceError(
            title,
            "That is no digest.",
            "A digest is sha256: and 64 digits or letters a to f: copy it whole from the list of manifests.",
            "InvalidDigest",
        )


def is_guid(text: str) -> bool:
    """Whether it is a GUID with its dashes, as object ids and client ids are written."""
    return _GUID.fullmatch(text) is not None


def require_object_id(title: str, text: str) -> None:
    """Raises ServiceError (InvalidObjectId) under `title` for what can be no principal's object id."""
    if not is_guid(text):
        raise ServiceError(
            title,
            "That is no object id.",
            "An object id is a GUID: `az ad user show --id NAME --query id`, or `az ad sp show` for an application.",
            "InvalidObjectId",
        )
