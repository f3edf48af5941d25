"""Which Azure Policy forbids a change: Resource Manager names it beside the message, not in it.

https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-policy-requestdisallowedbypolicy
"""

from collections.abc import Iterator
from typing import Any

# Deployments put what went wrong into the details of their own error, and so on.
_DEEPEST = 5


def policy_violations(body: Any, depth: int = _DEEPEST) -> Iterator[str]:
    """'Policy: NAME. Assignment: NAME (ID).' for each policy that an ARM error's body names; nothing for any other."""
    envelope = body.get("error", body) if isinstance(body, dict) else None
    if not isinstance(envelope, dict) or not depth:
        return
    for entry in _entries(envelope.get("additionalInfo")):
        if entry.get("type") == "PolicyViolation" and isinstance(entry.get("info"), dict):
            yield _words(entry["info"])
    for detail in _entries(envelope.get("details")):
        yield from policy_violations(detail, depth - 1)


def _entries(found: Any) -> list[dict[str, Any]]:
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _words(info: dict[str, Any]) -> str:
    def named(*names: str) -> str:
        return next((str(info[name]) for name in names if info.get(name)), "")

    policy = named("policyDefinitionDisplayName", "policyDefinitionName", "policyDefinitionId") or "without a name"
    assigned = named("policyAssignmentDisplayName", "policyAssignmentName")
    where = named("policyAssignmentId")
    return f"Policy: {policy}. Assignment: {assigned or 'without a name'}{f' ({where})' if where else ''}."
