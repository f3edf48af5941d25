"""Azure Policy as far as it forbids registries: assignments in the store, and how Resource Manager refuses by them.

https://learn.microsoft.com/azure/governance/policy/concepts/effect-deny
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.arm.call import Call
from sandbox.documents.errors import ArmError, Document
from sandbox.identity.rbac import scope_covers

POLICY_TYPE = "Microsoft.Authorization/policyAssignments"


def policy(scope: str, name: str, title: str, allowed: Mapping[str, list[str]]) -> Document:
    """An assignment at `scope` of a policy that lets registries have only these SKUs ("sku") or locations
    ("location")."""
    return {
        "id": f"{scope}/providers/{POLICY_TYPE}/{name}",
        "type": POLICY_TYPE,
        "name": name,
        "properties": {
            "displayName": f"{title} (contoso baseline)",
            "policyDefinitionId": f"/providers/Microsoft.Authorization/policyDefinitions/{name}",
            "scope": scope,
        },
        "_sandbox": {"title": title, "allowed": dict(allowed)},
    }


def refuse_by_policy(call: Call, registry: Mapping[str, Any]) -> None:
    """403 with each policy that denies it, in the order of their scopes."""
    has = {"sku": registry["sku"]["name"], "location": registry["location"]}
    denying = [
        document
        for document in call.store.list_resources(POLICY_TYPE)
        if scope_covers(document["properties"]["scope"], registry["id"])
        and any(has[what] not in values for what, values in document["_sandbox"]["allowed"].items())
    ]
    if denying:
        message = f"Resource '{registry['name']}' was disallowed by policy. Reasons: 'See error details'."
        more = {"target": registry["name"], "additionalInfo": [_violation(document) for document in denying]}
        raise ArmError(403, "RequestDisallowedByPolicy", message, more=more)


def _violation(document: Document) -> Document:
    properties = document["properties"]
    return {
        "type": "PolicyViolation",
        "info": {
            "policyDefinitionDisplayName": document["_sandbox"]["title"],
            "policyDefinitionId": properties["policyDefinitionId"],
            "policyDefinitionName": document["name"],
            "policyDefinitionEffect": "Deny",
            "policyAssignmentDisplayName": properties["displayName"],
            "policyAssignmentId": document["id"],
            "policyAssignmentName": document["name"],
            "policyAssignmentScope": properties["scope"],
            "policyAssignmentParameters": {},
        },
    }
