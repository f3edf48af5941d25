"""POST …/runCommand on a cluster, and its results.

Nothing runs here. The sandbox understands the script that lists a cluster's images (workloads.py). Of any other it
understands only lines `# acr-console: pull <image>`: for each, the logs have one line of JSON, the pod that would have
pulled this image. A pod's node selector is what is said of kubernetes.io/arch, kubernetes.io/os and agentpool from its
line on to the next.
https://learn.microsoft.com/azure/aks/access-private-cluster
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer
from sandbox.arm.operations import RETRY_AFTER
from sandbox.clusters.clusters import CLUSTER, CLUSTER_TYPE, existing_cluster
from sandbox.clusters.pods import Image, pod_of
from sandbox.clusters.workloads import MOST_PRINTED, print_images
from sandbox.documents.errors import ArmError, Document
from sandbox.identity.tokens import InvalidToken

# The audience of tokens for the API servers of clusters with Entra ID.
ENTRA_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"
_RUN = CLUSTER_TYPE + "/runcommand/action"
_READ = CLUSTER_TYPE + "/commandResults/read"
_MARKER = re.compile(r"^[ \t]*# acr-console: pull (?P<image>\S+)", re.MULTILINE)
# In YAML, or in JSON whose quotes a shell may want escaped.
_SELECTOR = re.compile(
    r"(?P<label>kubernetes\.io/(?:arch|os|hostname)|(?:kubernetes\.azure\.com/)?agentpool)"
    r"""[\\"']*\s*[:=]\s*[\\"']*(?P<value>[\w.-]+)"""
)


@dataclass
class Result:
    """A command's result, which is returned once polls have seen it running."""

    properties: Document
    polls: int = 1


@dataclass
class Commands:
    """The commands of one running sandbox, by the ids of their results."""

    results: dict[str, Result] = field(default_factory=dict)

    def run(self, call: Call) -> Response:
        """202 and Location, or why the cluster takes no command."""
        cluster = existing_cluster(call)
        command, token = _checked(call, cluster)
        began = _moment(call)
        exit_code, logs = _outcome(call, cluster, command, token)
        command_id = uuid.uuid4().hex
        path = f"{cluster['id']}/commandResults/{command_id}"
        self.results[path.lower()] = Result(
            {
                "provisioningState": "Succeeded",
                "exitCode": exit_code,
                "startedAt": began,
                "finishedAt": _moment(call),
                "logs": logs.encode()[:MOST_PRINTED].decode(errors="ignore"),
            }
        )
        return _running(call, path)

    def result(self, call: Call) -> Response:
        """202 once, then 200."""
        path = f"{existing_cluster(call)['id']}/commandResults/{call.params['command']}"
        found = self.results.get(path.lower())
        if found is None:
            raise ArmError(404, "NotFound", f"The command result '{call.params['command']}' was not found.")
        if found.polls:
            found.polls -= 1
            return _running(call, path)
        return answer({"id": call.params["command"], "properties": found.properties})


def routes() -> list[Route]:
    commands = Commands()
    return [
        Route("POST", CLUSTER + "/runCommand", commands.run, _RUN, CLUSTER),
        Route("GET", CLUSTER + "/commandResults/{command}", commands.result, _READ, CLUSTER),
    ]


def _running(call: Call, path: str) -> Response:
    # az needs a body in the 202s, where the documentation has none.
    body = {"id": path.rpartition("/")[2], "properties": {"provisioningState": "Running"}}
    location = f"{call.url}{path}?api-version={call.query['api-version']}"
    return answer(body, 202, {"Location": location, **RETRY_AFTER})


def _moment(call: Call) -> str:
    return call.state.clock().strftime("%Y-%m-%dT%H:%M:%SZ")


def _checked(call: Call, cluster: Document) -> tuple[str, str]:
    """The command and the caller's token for the cluster, "" where it needs none."""
    body, properties = call.body if isinstance(call.body, dict) else {}, cluster["properties"]
    command, token = body.get("command"), body.get("clusterToken") or ""
    if not isinstance(command, str) or not command.strip() or not isinstance(token, str):
        raise ArmError(400, "InvalidParameter", "The value of parameter command is invalid: it is required.")
    if properties["powerState"]["code"] == "Stopped":
        state = properties["provisioningState"]
        message = (
            f"managed cluster is in Provisioning State({state}) and Power State(Stopped), "
            "run command cannot be performed"
        )
        raise ArmError(409, "OperationNotAllowed", message)
    if (properties.get("apiServerAccessProfile") or {}).get("disableRunCommand"):
        raise ArmError(400, "OperationNotAllowed", "Run command is disabled for this cluster.")
    if not (properties.get("aadProfile") or {}).get("managed"):
        return command, ""
    if not token:
        message = "This cluster have Azure Active Directory enabled, .clusterToken is required."
        raise ArmError(400, "MissingAADClusterToken", message)
    return command, token


def _outcome(call: Call, cluster: Document, command: str, token: str) -> tuple[int, str]:
    """Exit code and logs."""
    if token and not _admitted(call, token):
        return 1, "error: You must be logged in to the server (Unauthorized)\n"
    if (printed := print_images(call.state, cluster, command)) is not None:
        return 0, printed
    markers = list(_MARKER.finditer(command))
    if not markers:
        return 1, "The sandbox runs no commands: it knows pulls of images and the list of images only.\n"
    lines = []
    for marker, following in zip(markers, [*markers[1:], None], strict=True):
        image = Image.of(marker["image"])
        if image is None:
            return 1, f"error: '{marker['image']}' is no full name of an image\n"
        part = command[marker.end() : following.start() if following else None]
        lines.append(json.dumps(pod_of(call.state, cluster, image, _selector(part))))
    return 0, "".join(f"{line}\n" for line in lines)


def _selector(text: str) -> Mapping[str, str]:
    return {found["label"]: found["value"] for found in _SELECTOR.finditer(text)}


def _admitted(call: Call, token: str) -> bool:
    """Whether the API server takes the token: the caller's own, and for such servers."""
    try:
        claims: Mapping[str, Any] = call.state.tokens.read(token)
    except InvalidToken:
        return False
    return claims.get("aud") == ENTRA_SERVER and claims.get("oid") == call.caller.object_id
