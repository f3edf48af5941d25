"""Which digests of a repository are said to run in a cluster: from what kubectl prints, pasted as it is."""

import re

from services.images.repository_contents import RepositoryContents

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def running_digests(text: str, contents: RepositoryContents) -> frozenset[str]:
    """Every digest in `text`, and what the repository's tags point to that it names as `server/repository:tag`."""
    found = set(_DIGEST.findall(text))
    image = re.escape(f"{contents.repository.registry}/{contents.name}")
    named = set(re.findall(rf"(?<![\w.-]){image}:([\w][\w.-]{{0,127}})", text))
    found |= {tag.digest for tag in contents.tags if tag.name in named}
    return frozenset(found)
