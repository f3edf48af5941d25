"""What the texts in pods' events mean: the cause of each, what confirms it, and the fix.

Texts are containerd's, the kubelet's and the registry's own:
https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/extensions/cannot-pull-image-from-acr-to-aks-cluster
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """A text that shows a cause. `pattern` is searched regardless of case.

    `checks`: ids of the checks that show the same cause, if they fail or warn; `confirm`: what to look at where no
    check shows it.
    """

    pattern: str
    cause: str
    fix: str
    checks: tuple[str, ...] = ()
    confirm: str = ""


# The most specific first: events wrap the registry's answer in general texts, and a text that shows one cause is not
# searched for the next.
CAUSES = (
    # The image and the node do not fit each other.
    Cause(
        r"no match for platform in manifest[^\n]{0,160}|exec format error|no matching manifest for [^\n\"]{1,160}",
        "The image is not built for the node's processor or operating system.",
        "Build it for the node's platform too, or keep its pods off that pool: nodeSelector kubernetes.io/arch.",
        ("C15",),
    ),
    Cause(
        r"(?:failed to extract layer [^\n]{0,160}?)?hcsshim::[^\n]{0,200}?"
        r"(?:cannot find the (?:path|file)|module could not be found)[^\n\"]{0,60}|"
        r"container operating system does not match the host",
        "The image is for another operating system than the node's Windows, or for another build of it.",
        "Build it on the base image of the node's Windows version, or keep its pods off that pool: nodeSelector "
        "kubernetes.io/os and node.kubernetes.io/windows-build.",
        ("C15",),
        "Platform compares the operating system, not the build: `kubectl get nodes --output wide` shows the node's.",
    ),
    Cause(
        r"manifest\.v1\+(?:prettyjws|json)[^\n]{0,240}|schema ?1 [^\n]{0,120}",
        "The image is in Docker's schema 1 format, which containerd no longer reads: disabled in 2.0, removed in 2.1.",
        "Build the image again with a current tool and push it.",
        confirm="Its manifest's media type: application/vnd.docker.distribution.manifest.v1, on the image's page.",
    ),
    Cause(
        r"mismatched image rootfs and manifest layers|mismatched fs layers[^\n\"]{0,60}|"
        r"layers from manifest don't match image configuration",
        "It is no container image (a Helm chart, a build cache or another artifact), or it was pushed broken: its "
        "config does not name the layers of its manifest.",
        "Use the name of an image in the pod; if it is one, build and push it again.",
        confirm="The type, the config and the layers on the image's page.",
    ),
    # The node.
    Cause(
        r"(?:failed to extract layer [^\n]{0,300}?)?no space left on device|"
        r"had condition: \[DiskPressure\]|DiskPressure\s+True|"
        r"low on resource: ephemeral-storage",
        "The node's disk is full: the registry is not the cause.",
        "Free or enlarge the node's disk; large images fill it fast.",
        confirm="`kubectl describe node`: the condition DiskPressure.",
    ),
    Cause(
        r"/sys/kernel/config/target/core/[^\n]{0,300}|failed to open remote file as tar file[^\n]{0,160}|"
        r"overlaybd[^\n]{0,80}fail[^\n]{0,80}|localhost:8578/[^\n]{0,200}",
        "Artifact streaming fails on the node.",
        "Switch it off for the repository (`az acr artifact-streaming update --name REGISTRY --repository REPOSITORY "
        "--enable-streaming false`) or the node pool (`az aks nodepool update --disable-artifact-streaming`), then "
        "delete the pod.",
        confirm="The same image is pulled on a node pool without artifact streaming.",
    ),
    Cause(
        r"failed to (?:extract|register) layer (?![^\n]{0,300}(?:context |unexpected EOF))[^\n]{0,300}",
        "The node can't unpack a layer. Why is not known from this text: the layer may be damaged, or hold files that "
        "the node's file system or security software refuses.",
        "Pull it on another node; if it fails there too, build and push it again.",
        confirm="A test pull on another node, and containerd's log on this one.",
    ),
    Cause(
        r"pull QPS exceeded",
        "The kubelet's own limit of pulls a second (registryPullQPS): not the registry's. It passes by itself.",
        "Wait: the kubelet tries again. If it lasts, start fewer pods on the node at once.",
        confirm="Other pods that were started on the same node at that time have the same event.",
    ),
    Cause(
        r"ErrImageNeverPull|is not present with pull policy of Never",
        "The pod's pull policy is Never, and the node does not have the image: nothing was asked of the registry.",
        "Set imagePullPolicy to IfNotPresent or Always.",
        confirm="imagePullPolicy in the pod's manifest.",
    ),
    Cause(
        r"InvalidImageName|couldn't parse image[^\n]{0,80}|invalid reference format",
        "The image's name is not valid.",
        "Write server/repository:tag, in lower case, without https://.",
        confirm="The name in the pod's manifest.",
    ),
    # Something between the node and the registry.
    Cause(
        r"unexpected media type text/html[^\n]{0,160}|invalid character '<' looking for beginning of value",
        "A proxy or a sign-in page answers instead of the registry.",
        "Let nodes reach the registry without that proxy, or sign in to it.",
        confirm="On a node, `curl --include https://LOGIN_SERVER/v2/`: the registry answers 401 with JSON.",
    ),
    Cause(
        r"client with IP '?[0-9a-f.:]+'? is not allowed access[^\n]{0,40}|aka\.ms/acr/firewall",
        "The registry's network rules refuse the node's outbound address.",
        "Add that address to the IP rules, or create a private endpoint in the cluster's network.",
        ("C9", "C10", "C11"),
    ),
    Cause(
        r"x509: [^\n\"]{0,120}|tls: failed to verify certificate",
        "The node does not trust the certificate of the server that answered: a proxy may intercept its connection.",
        "Give the nodes the proxy's CA certificate (`az aks update --custom-ca-trust-certificates`), or bypass it.",
        confirm="On a node, `openssl s_client -connect LOGIN_SERVER:443`: who issued the certificate.",
    ),
    Cause(
        r"(?:dial tcp: )?lookup [^\s]{1,253}[^\n]{0,60}(?:no such host|server misbehaving|i/o timeout)|no such host",
        "The node can't resolve the registry's name, or that of its data endpoint.",
        "Check the name, the DNS servers of the nodes' network, and the zone privatelink.azurecr.io linked to it.",
        ("C2", "C11", "C1"),
    ),
    Cause(
        r"(?:blob\.core\.windows\.net|\.data\.azurecr\.[a-z.]+)[^\n]{0,300}(?:i/o timeout|deadline exceeded|"
        r"connection re(?:set|fused)|TLS handshake timeout|no route to host|\bEOF\b)",
        "The node reaches the registry, but not the host that layers come from.",
        "Let nodes reach the registry's data endpoints, or *.blob.core.windows.net, on port 443; with private "
        "endpoints, each data endpoint needs its own DNS record.",
        ("C12", "C11"),
    ),
    Cause(
        r"i/o timeout|context deadline exceeded|connection refused|Client\.Timeout exceeded|no route to host|"
        r"network is unreachable",
        "The node does not reach the registry: a firewall, a network rule or a route in between.",
        "Let nodes reach the login server and its data endpoints on port 443.",
        ("C9", "C11", "C12"),
    ),
    Cause(
        r"TLS handshake timeout|connection reset by peer|: (?:unexpected )?EOF\b|proxyconnect tcp[^\n]{0,80}",
        "The node's connection to the registry is cut: a firewall or a proxy in between.",
        "Let nodes reach the login server and its data endpoints on port 443, without a proxy that ends TLS.",
        ("C12", "C11", "C9"),
        "On a node, `curl --verbose https://LOGIN_SERVER/v2/`.",
    ),
    # The registry's answer.
    Cause(
        r"(?:429 Too Many Requests[^\n]{0,80})?(?:toomanyrequests: )?"
        r"You have reached your (?:unauthenticated )?pull rate limit[^\n]{0,160}|docker\.com/increase-rate-limit",
        "Docker Hub throttles, not Azure Container Registry.",
        "Copy the image into your registry, and use it from there.",
        confirm="The image's name in the event: it is one of docker.io.",
    ),
    Cause(
        r"429 Too Many Requests|toomanyrequests",
        "The registry throttles: too many requests in a minute, and all nodes share one identity.",
        "Nodes retry automatically. Roll out in steps, keep images on the nodes, or choose a larger SKU.",
        ("C18",),
    ),
    Cause(
        r"\b50\d (?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)",
        "The registry itself failed, or a proxy before it.",
        "Nodes retry automatically. If it lasts, see https://status.azure.com and the registry's resource health.",
        ("C1",),
        "The registry's resource health in the portal, at the time of the event.",
    ),
    Cause(
        r"(?:/blobs/sha256:|blob\.core\.windows\.net/)[^\n\"]{0,1000}: 404[^\n\"]{0,20}|BLOB_UNKNOWN|blob unknown",
        "A layer of the image is missing in the registry.",
        "Push the image again: that sends the layers that are missing.",
        confirm="Downloading the image from its page fails at the same layer.",
    ),
    Cause(
        r"application with identifier [^\n]{0,60} was not found|AADSTS\d+|Identity not found|"
        r"invalid_client|clientsecret[^\n]{0,40}expired",
        "The node gets no token for the cluster's identity: it is deleted, or its secret has expired.",
        "Check that the identity exists; renew a service principal's secret: `az aks update-credentials`.",
        ("C3", "C4"),
    ),
    Cause(
        r"(?:pull access denied[^\n]{0,160}?)?insufficient_scope[^\n\"]{0,40}|pull access denied[^\n\"]{0,120}|"
        r"denied: requested access to the resource is denied",
        "No role lets the node's identity pull from this repository, or there is no such repository: the registry "
        "answers both alike.",
        "Attach the registry to the cluster, or widen the condition of the role; then check the repository's name.",
        ("C6", "C5", "C16"),
    ),
    Cause(
        r"failed to fetch anonymous token[^\n]{0,200}?401[^\n\"]{0,20}|401 Unauthorized|unauthorized: [^\n\"]{0,60}|"
        r"authentication required|no basic auth credentials",
        "The registry does not know the node's identity, or no role lets it pull from this repository.",
        "Assign the role to the kubelet identity's object id: attach the registry to the cluster. After a recent "
        "change, wait ten minutes, then delete the pod.",
        ("C6", "C3", "C5", "C8"),
    ),
    Cause(
        r"403 Forbidden[^\n\"]{0,60}|\bdenied: [^\n\"]{0,60}",
        "The registry refuses: usually by its network rules, else because the role is for other repositories.",
        "Compare the node's outbound address with the IP rules; then see which repositories its role is for.",
        ("C9", "C10", "C6"),
    ),
    Cause(
        r"405 Method Not Allowed|REGISTRY_DISALLOWED_OPERATION|quarantine[^\n\"]{0,60}",
        "A lock or the quarantine blocks pulls of the image.",
        "See the locks of the repository, the tag and the manifest.",
        ("C16",),
    ),
    Cause(
        r"manifest unknown[^\n\"]{0,60}|MANIFEST_UNKNOWN|name unknown|NAME_UNKNOWN|repository does not exist|"
        r"failed to resolve reference [^\n]{0,200}: not found|: not found\b",
        "There is no such tag, digest or repository (mistyped or deleted), or an index lacks the node's platform.",
        "See the repository's tags; push the image again with all its platforms.",
        ("C16", "C15"),
    ),
    Cause(
        r"code = Canceled(?: desc = context canceled)?|context canceled",
        "The pull was given up before it was complete. Why is not known from this text: the image may be large, or the "
        "connection slow.",
        "Use a smaller image or a replica in the cluster's region, and see the events before this one.",
        ("C17",),
        "The time between Pulling and Failed in the pod's events.",
    ),
)
