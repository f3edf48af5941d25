"""What each digest of a list of tags is, and what it costs to know."""

from threading import Event
from typing import Any

import pytest

from services.connection.data_plane import RegistryClient, path_of
from services.connection.parallel import Partial
from services.images.manifests import Kind, Manifest
from services.images.repositories import manifest_rows
from services.images.summaries import ImageSummary, summarise
from tests.support.canned import Answer, CannedRegistry
from tests.support.documents import OCI_INDEX, OCI_MANIFEST, digest_of, entry, raw

AMD64, ARM64, ATTESTATION, SINGLE, CHART = (digest_of(n) for n in range(1, 6))
ATTESTS = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": AMD64}
BODY = {
    "mediaType": OCI_INDEX,
    "manifests": [
        {"digest": AMD64, "mediaType": OCI_MANIFEST, "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": ARM64, "mediaType": OCI_MANIFEST, "platform": {"os": "linux", "architecture": "arm64"}},
        {"digest": ATTESTATION, "mediaType": OCI_MANIFEST, "annotations": ATTESTS},
    ],
}
CONTENT, INDEX = raw(BODY)
ENTRIES = {
    INDEX: entry(INDEX, mediaType=OCI_INDEX, imageSize=1500, os=None, architecture=None, tags=["v1"]),
    AMD64: entry(AMD64, imageSize=300),
    ARM64: entry(ARM64, imageSize=400, architecture="arm64"),
    ATTESTATION: entry(ATTESTATION, imageSize=50, os=None, architecture=None),
    SINGLE: entry(SINGLE, imageSize=700, tags=["v2"]),
    CHART: entry(CHART, imageSize=20, os=None, architecture=None, tags=["chart"]),
}
SUMMARIES = (
    ImageSummary(INDEX, Kind.INDEX, ("linux/amd64", "linux/arm64"), 700),
    ImageSummary(SINGLE, Kind.IMAGE, ("linux/amd64",), 700),
    ImageSummary(CHART, Kind.ARTIFACT, (), 20),
)
LISTED, NOT_LISTED = True, False


@pytest.fixture
def served(registry: CannedRegistry) -> CannedRegistry:
    """The registry with the repository app: an index, an image and a chart."""
    scope = "repository:app:metadata_read"
    registry.serve("GET", "/acr/v1/app/_manifests", scope, Answer(200, {"manifests": list(ENTRIES.values())}))
    for digest, found in ENTRIES.items():
        path = path_of("/acr/v1/app/_manifests/{digest}", digest=digest)
        registry.serve("GET", path, scope, Answer(200, {"manifest": found}))
    path = path_of("/v2/app/manifests/{digest}", digest=INDEX)
    registry.serve("GET", path, "repository:app:pull", Answer(200, CONTENT, {"Content-Type": OCI_INDEX}))
    return registry


def summarised(client: RegistryClient, digests: list[str], *, listed: bool) -> Partial[ImageSummary]:
    """The summaries where the repository's manifests were listed before, and where none was."""
    return summarise(client, "app", digests, manifest_rows(client, "app").values if listed else (), {})


@pytest.mark.parametrize(("listed", "requests"), [(LISTED, 1 + 1), (NOT_LISTED, 3 + 1 + 2)])
def test_one_summary_a_digest_in_the_order_asked_for(
    served: CannedRegistry, client: RegistryClient, listed: bool, requests: int
) -> None:
    found = summarised(client, [INDEX, SINGLE, INDEX, CHART], listed=listed)
    assert found.values == SUMMARIES
    assert found.complete
    assert len(served.calls()) == requests


def test_a_digest_that_is_gone_from_a_large_repository_is_refused(
    served: CannedRegistry, client: RegistryClient
) -> None:
    missing: dict[str, Any] = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "M"}]}
    path = path_of("/acr/v1/app/_manifests/{digest}", digest=SINGLE)
    served.serve("GET", path, "repository:app:metadata_read", Answer(404, missing))
    found = summarised(client, [SINGLE, CHART], listed=NOT_LISTED)
    assert found.values == SUMMARIES[2:]
    assert [(refusal.what, refusal.error.code) for refusal in found.refused] == [(SINGLE, "MANIFEST_UNKNOWN")]


@pytest.mark.parametrize("listed", [LISTED, NOT_LISTED])
def test_an_index_that_cannot_be_read_is_refused_and_the_rest_is_there(
    served: CannedRegistry, client: RegistryClient, listed: bool
) -> None:
    path = path_of("/v2/app/manifests/{digest}", digest=INDEX)
    served.serve("GET", path, "repository:app:pull", Answer(200, CONTENT + b" "))
    found = summarised(client, [INDEX, SINGLE], listed=listed)
    assert found.values == SUMMARIES[1:2]
    assert [(refusal.what, refusal.error.code) for refusal in found.refused] == [(INDEX, "DigestMismatch")]


def nest(served: CannedRegistry, *, readable: bool = True) -> str:
    """An index of the index INDEX and of the image SINGLE, in the list: its digest."""
    children = [{"digest": INDEX, "mediaType": OCI_INDEX}, {"digest": SINGLE, "mediaType": OCI_MANIFEST}]
    content, digest = raw({"mediaType": OCI_INDEX, "manifests": children})
    listed = [*ENTRIES.values(), entry(digest, mediaType=OCI_INDEX, imageSize=9, os=None, architecture=None)]
    scope = "repository:app:metadata_read"
    served.serve("GET", "/acr/v1/app/_manifests", scope, Answer(200, {"manifests": listed}))
    served.serve(
        "GET", path_of("/v2/app/manifests/{digest}", digest=digest), "repository:app:pull", Answer(200, content)
    )
    if not readable:
        path = path_of("/v2/app/manifests/{digest}", digest=INDEX)
        served.serve("GET", path, "repository:app:pull", Answer(404, {"errors": [{"code": "MANIFEST_UNKNOWN"}]}))
    return digest


def test_an_index_in_an_index_counts_with_what_it_lists(served: CannedRegistry, client: RegistryClient) -> None:
    digest = nest(served)
    found = summarised(client, [digest], listed=LISTED)
    assert found.values == (ImageSummary(digest, Kind.INDEX, ("linux/amd64", "linux/arm64"), 300 + 400 + 700),)
    assert found.complete


def test_an_index_with_one_that_cannot_be_read_has_no_known_size(
    served: CannedRegistry, client: RegistryClient
) -> None:
    digest = nest(served, readable=False)
    found = summarised(client, [digest], listed=LISTED)
    assert found.values == (ImageSummary(digest, Kind.INDEX, (), None),)
    assert [refusal.what for refusal in found.refused] == [INDEX]


def test_a_platform_that_is_gone_makes_the_size_unknown(served: CannedRegistry, client: RegistryClient) -> None:
    scope = "repository:app:metadata_read"
    listed = [found for digest, found in ENTRIES.items() if digest != ARM64]
    served.serve("GET", "/acr/v1/app/_manifests", scope, Answer(200, {"manifests": listed}))
    path = path_of("/acr/v1/app/_manifests/{digest}", digest=ARM64)
    served.serve("GET", path, scope, Answer(404, {"errors": [{"code": "MANIFEST_UNKNOWN"}]}))
    found = summarised(client, [INDEX], listed=LISTED)
    assert found.values == (ImageSummary(INDEX, Kind.INDEX, ("linux/amd64", "linux/arm64"), None),)
    assert [refusal.what for refusal in found.refused] == [ARM64]


def test_what_is_hidden_from_the_list_is_read_by_itself(served: CannedRegistry, client: RegistryClient) -> None:
    listed = [found for digest, found in ENTRIES.items() if digest != SINGLE]
    served.serve("GET", "/acr/v1/app/_manifests", "repository:app:metadata_read", Answer(200, {"manifests": listed}))
    assert summarised(client, [SINGLE], listed=LISTED).values == SUMMARIES[1:2]


def test_no_digests(served: CannedRegistry, client: RegistryClient) -> None:
    assert summarised(client, [], listed=NOT_LISTED).values == ()
    assert served.calls() == []


def test_an_index_is_read_once(served: CannedRegistry, client: RegistryClient) -> None:
    known: dict[str, Manifest] = {}
    rows = manifest_rows(client, "app").values
    first, second = (summarise(client, "app", [INDEX], rows, known) for _ in range(2))
    assert first == second
    assert [call.path for call in served.calls()].count(path_of("/v2/app/manifests/{digest}", digest=INDEX)) == 1


@pytest.mark.usefixtures("served")
def test_after_a_stop_indexes_are_untried_and_images_known(client: RegistryClient) -> None:
    stop = Event()
    stop.set()
    found = summarise(client, "app", [INDEX, SINGLE], manifest_rows(client, "app").values, {}, stop=stop)
    assert found == Partial(SUMMARIES[1:2], untried=1)
