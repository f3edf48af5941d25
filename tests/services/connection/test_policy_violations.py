"""Which policy forbids it: named beside Azure's message, whatever the body looks like."""

from typing import Any

import pytest
from hypothesis import given

from services.connection.errors import ServiceError, as_service_error
from services.connection.policy_violations import policy_violations
from tests.services.connection.test_errors import answered
from tests.support.canned import Answer
from tests.support.strategies import json_values

INFO = {
    "policyDefinitionDisplayName": "Allowed SKUs",
    "policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/allowed-skus",
    "policyAssignmentDisplayName": "Cost guard",
    "policyAssignmentId": "/subscriptions/s1/providers/Microsoft.Authorization/policyAssignments/guard",
}
WORDS = (
    "Policy: Allowed SKUs. Assignment: Cost guard "
    "(/subscriptions/s1/providers/Microsoft.Authorization/policyAssignments/guard)."
)
VIOLATION = {"type": "PolicyViolation", "info": INFO}


def error(**more: Any) -> dict[str, Any]:
    return {"code": "RequestDisallowedByPolicy", "message": "Resource 'acr' was disallowed by policy.", **more}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": error(additionalInfo=[VIOLATION])}, [WORDS]),
        (error(additionalInfo=[VIOLATION, VIOLATION]), [WORDS, WORDS]),
        ({"error": {"code": "InvalidTemplateDeployment", "details": [error(additionalInfo=[VIOLATION])]}}, [WORDS]),
        ({"error": error(additionalInfo=[{"type": "Other", "info": INFO}])}, []),
        ({"error": error(additionalInfo=[{"type": "PolicyViolation", "info": "text"}])}, []),
        (
            {"error": error(additionalInfo=[{"type": "PolicyViolation", "info": {"policyDefinitionName": "p"}}])},
            ["Policy: p. Assignment: without a name."],
        ),
        ({"error": "invalid_client"}, []),
        (None, []),
    ],
)
def test_each_violation_is_a_line(body: Any, words: list[str]) -> None:
    assert list(policy_violations(body)) == words


@given(json_values)
def test_no_body_is_too_strange(body: Any) -> None:
    list(policy_violations(body))
    list(policy_violations({"error": {"additionalInfo": body, "details": body}}))


def test_the_error_s_cause_names_the_policy() -> None:
    answer = answered(Answer(403, {"error": error(additionalInfo=[VIOLATION])}))
    with pytest.raises(ServiceError) as raised, as_service_error("Could not create acr"):
        answer.raise_for_status()
    assert raised.value.cause == f"Resource 'acr' was disallowed by policy.\n{WORDS}"
    assert "exemption" in raised.value.remedy
