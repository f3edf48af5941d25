"""What a plan of a deletion knows of running images: which digests run and where, and what could not be asked."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.images.repository_contents import RepositoryContents

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# Names in a sentence; the rest is counted.
_SHOWN = 3


@dataclass(frozen=True)
class RunningImages:
    """The digests of a repository that run, and what is not known of it.

    `places`: digest → where it runs, such as 'Deployment shop/web in aks-platform'; none where that is not known.
    `unasked`: each cluster that could run images of the registry and was not or could not be asked, with the reason in
    brackets. Then a rule deletes nothing, unless the person said so for this plan: `accept_unasked`. By name, what runs
    is deleted only with `delete_running`.
    """

    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unasked: tuple[str, ...] = ()
    accept_unasked: bool = False
    delete_running: bool = False

    @classmethod
    def of(cls, digests: Iterable[str]) -> "RunningImages":
        """These digests run, it is not known where, and nothing else does."""
        return cls(dict.fromkeys(digests, ()))

    def runs(self, digest: str) -> str:
        """Where a digest runs, as the end of a sentence that begins with what does."""
        places = self.places.get(digest, ())
        return f"runs: {list_places(places)}." if places else "runs in a cluster."

    @property
    def unknown(self) -> str:
        """What is not known, in a sentence; "" where all is."""
        return f"Unknown whether it runs in {list_places(self.unasked)}." if self.unasked else ""


def list_places(places: Sequence[str]) -> str:
    """The places in a sentence; of many, the first and how many more."""
    rest = len(places) - _SHOWN
    return ", ".join(places[:_SHOWN]) + (f" and {rest:,} more" if rest > 0 else "")


def running_digests(text: str, contents: RepositoryContents) -> frozenset[str]:
    """Every digest in `text`, as kubectl prints it, and what the repository's tags point to that it names as
    `server/repository:tag`."""
    found = set(_DIGEST.findall(text))
    name, dot, domain = contents.repository.registry.partition(".")
    # Also by its endpoint in one region, and with the port of HTTPS.
    server = rf"{re.escape(name)}(?:\.[\w-]+\.geo)?\.{re.escape(domain)}" if dot else re.escape(name)
    image = f"{server}(?::443)?/{re.escape(contents.name)}"
    named = set(re.findall(rf"(?<![\w.-]){image}:([\w][\w.-]{{0,127}})", text))
    found |= {tag.digest for tag in contents.tags if tag.name in named}
    return frozenset(found)
