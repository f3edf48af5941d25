"""What the pull matrix asks Azure for, counted where requests leave the process."""

import json
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from benchmarks.canned_azure import canned_session
from benchmarks.results import Row, at_most
from services.access.role_definitions import ACR_PULL
from services.pull_checks.matrix_reading import read_pulls

SUBSCRIPTIONS, CLUSTERS, REGISTRIES = 20, 200, 100
EACH_ADDRESSES = 2
ADDRESSES = EACH_ADDRESSES * SUBSCRIPTIONS


def measure() -> list[Row]:
    sent: Counter[str] = Counter()

    def answer(url: str, _method: str) -> bytes:
        path = urlsplit(url).path
        sent[path] += 1
        return json.dumps(_answer(path)).encode()

    pulls = read_pulls(canned_session(answer))
    assert pulls.access.complete and len(pulls.clusters.values) == CLUSTERS
    assert len(pulls.registries.values) == REGISTRIES and len(pulls.addresses.values) == ADDRESSES
    once = sent["/subscriptions"] + sum(count for path, count in sent.items() if path.endswith("/roleDefinitions"))
    assert once == 2
    name = (
        f"Requests for the matrix over {SUBSCRIPTIONS} subscriptions with {ADDRESSES} outbound addresses, cold, a "
        "subscription; besides: one an address, the subscriptions and the roles once"
    )
    return [at_most(name, (sent.total() - once - ADDRESSES) / SUBSCRIPTIONS, 4)]


def _answer(path: str) -> Any:
    """What Azure would say, short: each subscription has its share of clusters, registries and assignments."""
    here, kind = path.split("/")[2] if path.count("/") > 1 else "", path.rpartition("/")[2]
    of_type = f"/subscriptions/{here}/resourceGroups/rg/providers/"
    if kind == "subscriptions":
        ids = [f"subscription-{number}" for number in range(SUBSCRIPTIONS)]
        return {"value": [{"subscriptionId": one, "displayName": one, "state": "Enabled"} for one in ids]}
    if kind == "managedClusters":
        addresses = [{"id": f"{of_type}Microsoft.Network/publicIPAddresses/{here}-{n}"} for n in range(EACH_ADDRESSES)]
        network = {"outboundType": "loadBalancer", "loadBalancerProfile": {"effectiveOutboundIPs": addresses}}
        names = [f"{here}-{number}" for number in range(CLUSTERS // SUBSCRIPTIONS)]
        return {
            "value": [_named(f"{of_type}Microsoft.ContainerService/{kind}/", n, networkProfile=network) for n in names]
        }
    if kind == "registries":
        names = [f"{here}-{number}" for number in range(REGISTRIES // SUBSCRIPTIONS)]
        rules = {"defaultAction": "Deny", "ipRules": []}
        return {
            "value": [_named(f"{of_type}Microsoft.ContainerRegistry/{kind}/", n, networkRuleSet=rules) for n in names]
        }
    if kind == "roleAssignments":
        role = f"/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}"
        held = {"roleDefinitionId": role, "principalId": here, "scope": f"/subscriptions/{here}"}
        return {"value": [_named(f"{path}/", "one", **held)]}
    if kind == "roleDefinitions":
        role = {
            "roleName": "AcrPull",
            "permissions": [{"actions": ["Microsoft.ContainerRegistry/registries/pull/read"]}],
        }
        return {"value": [{"id": f"{path}/{ACR_PULL}", "name": ACR_PULL, "properties": role}]}
    if "/publicipaddresses/" in path.lower():
        return {"id": path, "properties": {"ipAddress": "203.0.113.7"}}
    assert kind == "denyAssignments", path
    return {"value": []}


def _named(prefix: str, name: str, **properties: Any) -> dict[str, Any]:
    return {"id": f"{prefix}{name}", "name": name, "location": "westeurope", "properties": properties}
