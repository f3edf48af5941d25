"""Reading what the pull matrix is made of, from a table of answers."""

from collections import Counter

from services.connection.session import AzureSession
from services.pull_checks.matrix_reading import read_pulls
from tests.support.canned import ARM, Answer, Canned

REFUSED = Answer(403, {"error": {"code": "AuthorizationFailed", "message": "M"}})
LISTS = (
    "Microsoft.ContainerService/managedClusters",
    "Microsoft.ContainerRegistry/registries",
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/denyAssignments",
)


def test_four_requests_a_subscription_and_the_subscriptions_once(wire: Canned, azure: AzureSession) -> None:
    names = ("s1", "s2", "s3")
    wire.on("GET", f"{ARM}/subscriptions", Answer(200, {"value": [{"subscriptionId": name} for name in names]}))
    for name in names:
        for kind in LISTS:
            wire.on("GET", f"{ARM}/subscriptions/{name}/providers/{kind}", Answer(200, {"value": []}))
    refused = f"{ARM}/subscriptions/s2/providers/Microsoft.ContainerRegistry/registries"
    wire.on("GET", refused, REFUSED)
    pulls = read_pulls(azure)
    assert Counter(sent.path for sent in wire.sent) == {
        "/subscriptions": 1,
        **{f"/subscriptions/{name}/providers/{kind}": 1 for name in names for kind in LISTS},
    }
    assert [refusal.what for refusal in pulls.registries.refused] == ["s2"]
    assert pulls.clusters.complete and pulls.access.complete
    assert set(pulls.by_subscription) == {"s1", "s2", "s3"}
