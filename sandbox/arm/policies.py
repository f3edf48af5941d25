"""Azure Policy as far as it forbids registries: assignments in the store, and how Resource Manager refuses by them.

https://learn.microsoft.com/azure/governance/policy/concepts/effect-deny
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, public
from sandbox.documents.errors import ArmError, Document
from sandbox.documents.locations import normalize
from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.identity.rbac import scope_covers

POLICY_TYPE = "Microsoft.Authorization/policyAssignments"
_CHECK = "/providers/Microsoft.PolicyInsights/checkPolicyRestrictions"
_MAY_CHECK = "Microsoft.PolicyInsights/checkPolicyRestrictions/read"


def routes() -> list[Route]:
    subscription = "/subscriptions/{subscription}"
    group = subscription + "/resourceGroups/{group}"
    return [
        Route("POST", group + _CHECK, check_restrictions, _MAY_CHECK, group),
        Route("POST", subscription + _CHECK, check_restrictions, _MAY_CHECK, subscription),
        Route("GET", f"{subscription}/providers/{POLICY_TYPE}/{{policy}}", get_assignment, f"{POLICY_TYPE}/read"),
        Route("GET", f"{group}/providers/{POLICY_TYPE}/{{policy}}", get_assignment, f"{POLICY_TYPE}/read"),
    ]


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
    if denying := _denying(call, registry, registry["id"]):
        message = f"Resource '{registry['name']}' was disallowed by policy. Reasons: 'See error details'."
        more = {"target": registry["name"], "additionalInfo": [_violation(document) for document in denying]}
        raise ArmError(403, "RequestDisallowedByPolicy", message, more=more)


def _denying(call: Call, registry: Mapping[str, Any], scope: str) -> list[Document]:
    """The assignments that reach `scope` and deny this registry there."""
    has = {"sku": registry["sku"]["name"], "location": normalize(registry["location"])}
    return [
        document
        for document in call.store.list_resources(POLICY_TYPE)
        if scope_covers(document["properties"]["scope"], scope)
        and any(has[what] not in values for what, values in document["_sandbox"]["allowed"].items())
    ]


def check_restrictions(call: Call) -> Response:
    """What policies would say to a registry; of any other kind, nothing."""
    details = call.body.get("resourceDetails") if isinstance(call.body, dict) else None
    content = details.get("resourceContent") if isinstance(details, dict) else None
    if not isinstance(content, dict) or not content.get("type"):
        raise ArmError(400, "InvalidCheckRestrictionsRequest", "The resource content has no type.")
    scope = call.path.lower().partition("/providers/")[0]
    ours = str(content["type"]).lower() == REGISTRY_TYPE.lower()
    evaluations = [_evaluation(document) for document in (_denying(call, content, scope) if ours else ())]
    return answer({"fieldRestrictions": [], "contentEvaluationResult": {"policyEvaluations": evaluations}})


def _evaluation(document: Document) -> Document:
    return {
        "policyInfo": {
            "policyDefinitionId": document["properties"]["policyDefinitionId"],
            "policyAssignmentId": document["id"],
        },
        "evaluationResult": "NonCompliant",
        "evaluationDetails": {"evaluatedExpressions": []},
        "effectDetails": {"policyEffect": "Deny"},
    }


def get_assignment(call: Call) -> Response:
    document = call.store.get_resource(call.path)
    if document is None:
        raise ArmError(404, "PolicyAssignmentNotFound", f"The policy assignment {call.path} was not found.")
    return answer(public(document))


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
