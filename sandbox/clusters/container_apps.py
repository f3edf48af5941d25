"""Container Apps, their revisions, and Container Instances, as Resource Manager and Resource Graph have them."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.responses import Response

from sandbox.arm.call import Call, Route, listing, not_found
from sandbox.documents.errors import Document
from sandbox.documents.registry_rules import REGISTRY_TYPE

APP_TYPE = "Microsoft.App/containerApps"
JOB_TYPE = "Microsoft.App/jobs"
GROUP_TYPE = "Microsoft.ContainerInstance/containerGroups"
_APP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + APP_TYPE + "/{name}"


def routes() -> list[Route]:
    return [Route("GET", _APP + "/revisions", _revisions, f"{APP_TYPE}/revisions/read", _APP)]


def app_rows(call: Call) -> list[Document]:
    """Of what the caller may read; of others Resource Graph says nothing."""
    found = []
    for kind in (APP_TYPE, JOB_TYPE, GROUP_TYPE):
        for document in call.store.list_resources(kind):
            if call.access.allows(document["id"], f"{kind}/read"):
                properties = _with_servers(call, document["properties"])
                configuration = properties.get("configuration") or {}
                found.append(
                    {
                        "id": document["id"],
                        "name": document["name"],
                        "type": kind.lower(),
                        "subscriptionId": document["id"].split("/")[2],
                        "template": properties.get("template"),
                        "containers": properties.get("containers"),
                        "initContainers": properties.get("initContainers"),
                        "revisionsMode": configuration.get("activeRevisionsMode"),
                        "latest": properties.get("latestRevisionName"),
                        "ready": properties.get("latestReadyRevisionName"),
                    }
                )
    return sorted(found, key=lambda row: str(row["id"]))


APPS_QUERY = (
    "resources"
    " | where type in~ ('microsoft.app/containerapps', 'microsoft.app/jobs',"
    " 'microsoft.containerinstance/containergroups')"
    " | project id, name, type, subscriptionId, template = properties.template, containers = properties.containers,"
    " initContainers = properties.initContainers, revisionsMode = properties.configuration.activeRevisionsMode,"
    " latest = properties.latestRevisionName, ready = properties.latestReadyRevisionName"
    " | order by id asc"
)


def _revisions(call: Call) -> Response:
    document = call.store.get_resource(call.path.rpartition("/")[0])
    if document is None:
        raise not_found(APP_TYPE, call.params["name"], call.params["group"])
    revisions = document.get("_sandbox", {}).get("revisions", ())
    return listing(call, [_with_servers(call, one) for one in revisions])


def _with_servers(call: Call, value: Any) -> Any:
    """A seed names a registry as name.azurecr.io: the sandbox gives each its login server."""
    text = json.dumps(value)
    for registry in call.store.list_resources(REGISTRY_TYPE):
        server = registry["properties"]["loginServer"]
        text = re.sub(rf'(?<="){re.escape(registry["name"])}\.azurecr\.io/', f"{server}/", text)
    return json.loads(text)
