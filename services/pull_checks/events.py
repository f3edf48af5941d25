"""Why a pod fails to pull: the causes that the text of its event shows, and the image that it names."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from services.pull_checks.checks import Check, CheckState
from services.pull_checks.event_causes import CAUSES

# Characters. An event is a few lines; this also allows for some of a log.
_LONGEST = 50_000
_NAME = (
    r"(?<![\w./:@-])(?P<server>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d{1,5})?|[A-Za-z0-9-]+:\d{1,5})"
    r"/(?P<repository>[a-z0-9][a-z0-9._/-]*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
# Where the text says that it is one, an image may lack a tag; elsewhere that could be any path.
_SAID_TO_BE_ONE = re.compile(rf"(?i:\b(?:image|reference):?\s+\"?){_NAME}")
_ANYWHERE = re.compile(_NAME)
# Labels and taints of Kubernetes look like images: node.kubernetes.io/not-ready:NoExecute.
_NO_SERVER = ("kubernetes.io", "kubernetes.azure.com")


@dataclass(frozen=True)
class Diagnosis:
    """A cause. `seen`: the part of the text that shows it; `checks`: ids of the checks that show the same cause;
    `confirm`: what to look at where no check does."""

    cause: str
    seen: str
    fix: str
    checks: tuple[str, ...]
    confirm: str

    def not_run(self, checks: Iterable[Check]) -> tuple[str, ...]:
        """The ids of those of its checks that are not among `checks`."""
        ran = {check.id for check in checks}
        return tuple(id_ for id_ in self.checks if id_ not in ran)

    def confirmed_by(self, checks: Iterable[Check]) -> tuple[Check, ...]:
        """Those of `checks` that show the same cause: they ran and failed."""
        return tuple(check for check in checks if check.id in self.checks and check.state is CheckState.FAILED)


@dataclass(frozen=True)
class PulledImage:
    """An image by name. `reference` is what is pulled: the digest, else the tag, else latest."""

    login_server: str
    repository: str
    reference: str


def diagnose(text: str) -> tuple[Diagnosis, ...]:
    """The causes that an event shows, the most specific first; empty if it shows none that is known.

    `text`: `kubectl describe pod`, an event, containerd's log; of a very long one only the end is read.
    ImagePullBackOff only says that a pull failed before: the cause is in the event before it.
    """
    text = text[-_LONGEST:]
    # The names of images are no signs, whatever words they are made of.
    searched = _ANYWHERE.sub(lambda image: "~" * len(image[0]), text)
    found = []
    for one in CAUSES:
        pattern = re.compile(one.pattern, re.IGNORECASE)
        if match := pattern.search(searched):
            seen = text[match.start() : match.end()].strip()
            found.append(Diagnosis(one.cause, seen, one.fix, one.checks, one.confirm))
            # What shows this cause shows no other: general patterns would find their words in it.
            searched = pattern.sub(lambda shown: "\n" * len(shown[0]), searched)
    return tuple(found)


def is_about(named: PulledImage | None, checked: PulledImage) -> bool:
    """Whether the checks of `checked` say something of an event that names `named`. An event without an image may be of
    any; a `repository` or `reference` of "" was not asked about, so that the checks are of the whole registry or
    repository."""
    return named is None or (
        named.login_server == checked.login_server.casefold()
        and checked.repository in ("", named.repository)
        and checked.reference in ("", named.reference)
    )


def image_of(text: str, login_servers: Iterable[str] = ()) -> PulledImage | None:
    """The first image in the text that is named with its login server; None if there is none.

    `login_servers`: those that are known. An image in one of them comes before others, and needs no tag or digest.
    """
    text, known = text[-_LONGEST:], {server.casefold() for server in login_servers}
    others = []
    for pattern in (_SAID_TO_BE_ONE, _ANYWHERE):
        for match in pattern.finditer(text):
            server, repository = match["server"].casefold(), match["repository"].rstrip("/.-_")
            image = PulledImage(server, repository, match["digest"] or match["tag"] or "latest")
            if server in known:
                return image
            named = match["tag"] or match["digest"] or pattern is _SAID_TO_BE_ONE
            if named and not server.endswith(_NO_SERVER):
                others.append(image)
    return next(iter(others), None)
