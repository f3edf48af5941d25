"""ACR Tasks of the estate: one that reports by acr purge, one that builds, and their runs, of which one failed."""

from __future__ import annotations

import base64
from collections.abc import Callable

from sandbox.documents.errors import Document
from sandbox.storage.store import Store
from sandbox.tasks.execution import Result
from sandbox.tasks.runs import run
from sandbox.tasks.tasks import task

_REPORT = """\
version: v1.1.0
steps:
  - cmd: acr purge --filter '.*:^pr-.*$' --ago 90d --dry-run
    disableWorkingDirectoryOverride: true
    timeout: 3600
"""
_REPORTED = (
    "DRY RUN: The following output shows what WOULD be deleted if the purge command was executed. "
    "Nothing is deleted.\r\n"
    "Would delete tags for repository: api/orders\r\n"
    "\r\n"
    "Number of tags to be deleted: 0\r\n"
    "Number of manifests to be deleted: 0\r\n"
)
_BUILT = (
    "Executing step ID: build\r\n"
    "Step 1/4 : FROM mcr.microsoft.com/azurelinux/base/core:3.0\r\n"
    'Step 4/4 : CMD ["/bin/bash"]\r\n'
    "Successfully tagged contosohub.azurecr.io/tools/toolbox:nightly\r\n"
)
_BROKEN = (
    "Executing step ID: build\r\n"
    "Step 1/4 : FROM mcr.microsoft.com/azurelinux/base/core:2.9\r\n"
    "manifest for mcr.microsoft.com/azurelinux/base/core:2.9 not found: manifest unknown\r\n"
    "Container failed during run: build. No retries.\r\n"
    "failed to run step ID: build: exit status 1\r\n"
)
_FAILED = "failed to run step ID: build: exit status 1"


def tasks(store: Store, registry: Document, ago: Callable[[float], str]) -> None:
    """Add them to a registry. Neither changes an image here, whenever it runs."""
    report = {
        "step": {"type": "EncodedTask", "encodedTaskContent": base64.b64encode(_REPORT.encode()).decode()},
        "trigger": {"timerTriggers": [{"name": "monthly", "schedule": "0 3 1 * *", "status": "Enabled"}]},
    }
    build = {
        "step": {
            "type": "Docker",
            "contextPath": "https://github.com/contoso/toolbox.git#main",
            "dockerFilePath": "Dockerfile",
            "imageNames": ["tools/toolbox:nightly"],
            "isPushEnabled": True,
        },
        "trigger": {
            "sourceTriggers": [
                {
                    "name": "defaultSourceTriggerName",
                    "status": "Enabled",
                    "sourceTriggerEvents": ["commit"],
                    "sourceRepository": {
                        "sourceControlType": "Github",
                        "repositoryUrl": "https://github.com/contoso/toolbox.git#main",
                    },
                }
            ]
        },
    }
    for name, created, properties in (("report-old-images", 200, report), ("build-toolbox", 380, build)):
        document = task(registry, name, ago(created), properties)
        document["_sandbox"]["checked"] = ago(0)
        store.put_resource(document)
    timer = {"timerTriggerName": "monthly", "scheduleOccurrence": ago(20)}
    runs = (
        ("build-toolbox", 41, 40.998, Result("Succeeded", _BUILT), None),
        ("report-old-images", 20, 19.9998, Result("Succeeded", _REPORTED), timer),
        ("build-toolbox", 2.4, 2.3999, Result("Failed", _BROKEN, _FAILED), None),
    )
    for number, (name, begun, ended, result, by) in enumerate(runs, 1):
        document = run(registry, f"ca{number}", name, ago(begun), result, by, finished=ago(ended))
        store.put_resource(document)
