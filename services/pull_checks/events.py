"""Why a pod fails to pull: what the text of its event means.

Texts are containerd's, the kubelet's and the registry's own:
https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/extensions/cannot-pull-image-from-acr-to-aks-cluster
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Characters. An event is a few lines; this also allows for some of a log.
_LONGEST = 50_000
_IMAGE = re.compile(
    r"(?<![\w.-])(?P<server>(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d{1,5})?|[a-z0-9-]+:\d{1,5}))/(?P<repository>[a-z0-9][a-z0-9._/-]*)"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64})|:(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
)


@dataclass(frozen=True)
class Diagnosis:
    """A cause. `checks`: the ids of the checks that confirm it; `seen`: the part of the text that shows it."""

    cause: str
    checks: tuple[str, ...]
    fix: str
    seen: str


@dataclass(frozen=True)
class PulledImage:
    """The image that an event names: `reference` is a tag or a digest, "" where none is named."""

    login_server: str
    repository: str
    reference: str


@dataclass(frozen=True)
class _Sign:
    """A text that shows a cause. `pattern` is searched regardless of case."""

    pattern: str
    cause: str
    checks: tuple[str, ...]
    fix: str


# The most specific first: events wrap the registry's answer in general texts about failed pulls.
_SIGNS = (
    _Sign(
        r"no match for platform in manifest[^\n]{0,80}|exec format error|no matching manifest for [^\s,\"]+",
        "The image is not built for the node's processor or operating system.",
        ("C15",),
        "Build it for the node's platform too, or keep its pods off that pool: nodeSelector kubernetes.io/arch.",
    ),
    _Sign(
        r"client with IP '?[0-9a-f.:]+'? is not allowed access[^\n]{0,40}|aka\.ms/acr/firewall",
        "The registry's network rules refuse the node's outbound address.",
        ("C9", "C10", "C11"),
        "Add that address to the IP rules, or create a private endpoint in the cluster's network.",
    ),
    _Sign(
        r"429 Too Many Requests|toomanyrequests",
        "The registry throttles: too many requests in a minute, and all nodes share one identity.",
        ("C18",),
        "Nodes retry automatically. Roll out in steps, keep images on the nodes, or choose a larger SKU.",
    ),
    _Sign(
        r"x509: [^\n\"]{0,120}|tls: failed to verify certificate",
        "The node does not trust the certificate that it was shown: a proxy intercepts its connection.",
        ("C12",),
        "Give the nodes the proxy's CA certificate (`az aks update --custom-ca-trust-certificates`), or bypass it.",
    ),
    _Sign(
        r"(?:dial tcp: )?lookup [^\s]{1,253}[^\n]{0,60}(?:no such host|server misbehaving|i/o timeout)|no such host",
        "The node can't resolve the registry's name, or that of its data endpoint.",
        ("C2", "C11", "C1"),
        "Check the name, the DNS servers of the nodes' network, and the zone privatelink.azurecr.io linked to it.",
    ),
    _Sign(
        r"(?:blob\.core\.windows\.net|\.data\.azurecr\.[a-z.]+)[^\n]{0,200}"
        r"(?:i/o timeout|deadline exceeded|connection re(?:set|fused))",
        "The node reaches the registry, but not the host that layers come from.",
        ("C12", "C11"),
        "Let nodes reach the registry's data endpoints, or *.blob.core.windows.net, on port 443; with private "
        "endpoints, each data endpoint needs its own DNS record.",
    ),
    _Sign(
        r"i/o timeout|context deadline exceeded|connection refused|connection reset by peer|Client\.Timeout exceeded",
        "The node does not reach the registry: a firewall, a network rule or a route in between.",
        ("C9", "C11", "C12"),
        "Let nodes reach the login server and its data endpoints on port 443.",
    ),
    _Sign(
        r"application with identifier [^\n]{0,60} was not found|AADSTS\d+|Identity not found|"
        r"invalid_client|clientsecret[^\n]{0,40}expired",
        "The node gets no token for the cluster's identity: it is deleted, or its secret has expired.",
        ("C3", "C4"),
        "Check that the identity exists; renew a service principal's secret: `az aks update-credentials`.",
    ),
    _Sign(
        r"failed to fetch anonymous token[^\n]{0,200}?401[^\n\"]{0,20}|401 Unauthorized|unauthorized: [^\n\"]{0,60}|"
        r"authentication required",
        "The registry does not know the node's identity, or no role lets it pull from this repository.",
        ("C6", "C3", "C5", "C8"),
        "Assign the role to the kubelet identity's object id: attach the registry to the cluster. After a recent "
        "change, wait ten minutes, then delete the pod.",
    ),
    _Sign(
        r"403 Forbidden[^\n\"]{0,60}|\bdenied: [^\n\"]{0,60}|insufficient_scope",
        "The registry refuses: usually by its network rules, else because the role is for other repositories.",
        ("C9", "C10", "C6"),
        "Compare the node's outbound address with the IP rules; then see which repositories its role is for.",
    ),
    _Sign(
        r"manifest unknown[^\n\"]{0,60}|MANIFEST_UNKNOWN|name unknown|NAME_UNKNOWN|repository does not exist|"
        r"failed to resolve reference [^\n]{0,200}: not found|: not found\b",
        "There is no such tag, digest or repository (mistyped or deleted), or an index lacks the node's platform.",
        ("C16", "C15"),
        "See the repository's tags; push the image again with all its platforms.",
    ),
    _Sign(
        r"405 Method Not Allowed|REGISTRY_DISALLOWED_OPERATION|quarantine[^\n\"]{0,60}",
        "A lock or the quarantine blocks pulls of the image.",
        ("C16",),
        "See the locks of the repository, the tag and the manifest.",
    ),
    _Sign(
        r"no space left on device|failed to extract layer|DiskPressure",
        "The node's disk is full: the registry is not the cause.",
        ("C19",),
        "Free or enlarge the node's disk; large images fill it fast.",
    ),
    _Sign(
        r"InvalidImageName|couldn't parse image[^\n]{0,80}|invalid reference format",
        "The image's name is not valid.",
        ("C16",),
        "Write server/repository:tag, in lower case, without https://.",
    ),
)


def diagnose(text: str) -> tuple[Diagnosis, ...]:
    """The causes that an event shows, the most specific first; empty if it shows none that is known.

    `text`: `kubectl describe pod`, an event, containerd's log; of a very long one only the end is read.
    ImagePullBackOff only says that a pull failed before: the cause is in the event before it.
    """
    text = text[-_LONGEST:]
    found = [(sign, re.search(sign.pattern, text, re.IGNORECASE)) for sign in _SIGNS]
    return tuple(Diagnosis(sign.cause, sign.checks, sign.fix, match[0].strip()) for sign, match in found if match)


def image_of(text: str, login_servers: Iterable[str] = ()) -> PulledImage | None:
    """The first image in the text that is named with its login server; None if there is none.

    `login_servers`: those that are known. An image in one of them comes before others, and needs no tag or digest.
    """
    known = {server.casefold() for server in login_servers}
    others = []
    for match in _IMAGE.finditer(text[-_LONGEST:]):
        # Not the URLs of the registry's API in the same events.
        if match["repository"].startswith(("v2/", "oauth2/")):
            continue
        image = PulledImage(match["server"], match["repository"].rstrip("/.-_"), match["digest"] or match["tag"] or "")
        if image.login_server.casefold() in known:
            return image
        if image.reference:
            others.append(image)
    return next(iter(others), None)
