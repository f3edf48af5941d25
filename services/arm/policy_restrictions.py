"""Which Azure Policies deny a resource, asked before it is created: checkPolicyRestrictions of Policy Insights.

https://learn.microsoft.com/rest/api/policyinsights/policy-restrictions: a POST that only reads, for which Reader is
enough. It does not say whether exemptions are considered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azure.core.rest import HttpRequest

from services.arm.resources import get_resource
from services.connection.answers import json_of
from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession

_API_VERSION = "2023-03-01"


@dataclass(frozen=True)
class PolicyDenial:
    """A policy assignment that denies a resource. `assignment` is its display name, or its own where that can't be
    read; `assignment_id` its resource id."""

    assignment: str
    assignment_id: str


def read_denials(
    session: AzureSession, subscription_id: str, group: str, content: Mapping[str, Any], api_version: str
) -> tuple[PolicyDenial, ...]:
    """The policy assignments that deny `content`, a resource as it would be sent with `api_version`.

    `group` is the resource group that it would be in, "" for one that does not exist yet: then the subscription is
    asked. Raises ServiceError.
    """
    title = "Could not check Azure Policy"
    where = f"/subscriptions/{subscription_id}{f'/resourceGroups/{group}' if group else ''}"
    path = f"{where}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions?api-version={_API_VERSION}"
    body = {"resourceDetails": {"resourceContent": dict(content), "apiVersion": api_version}}
    request = HttpRequest("POST", session.endpoints.resource_manager + path, json=body)
    with as_service_error(title):
        response = session.resources().send_request(request)
        response.raise_for_status()
        evaluations = json_of(response)["contentEvaluationResult"]["policyEvaluations"]
        ids = [str(one["policyInfo"]["policyAssignmentId"]) for one in evaluations if _denies(one)]
    return tuple(PolicyDenial(_display_name(session, found), found) for found in dict.fromkeys(ids))


def _denies(evaluation: Mapping[str, Any]) -> bool:
    """Without an effect it counts as a denial: audits are not asked for."""
    effect = (evaluation.get("effectDetails") or {}).get("policyEffect") or "Deny"
    return bool(evaluation["evaluationResult"] == "NonCompliant" and str(effect).casefold() == "deny")


def _display_name(session: AzureSession, assignment_id: str) -> str:
    own = assignment_id.rpartition("/")[2]
    try:
        properties = get_resource(session, assignment_id).get("properties")
    except ServiceError:
        return own
    return str((properties if isinstance(properties, dict) else {}).get("displayName") or own)
