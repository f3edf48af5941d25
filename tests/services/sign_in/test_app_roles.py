"""What app roles allow where Azure is asked as the console's own identity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sign_in.app_roles import AppRole, known_roles, sees_everyone, shared_permission


@pytest.mark.parametrize(
    "claim", [None, "", "Console.Operator", 7, {"Console.Operator": 1}, ["console.operator"], [None]]
)
def test_a_claim_of_another_shape_gives_no_role(claim: object) -> None:
    assert known_roles(claim) == ()


@given(st.lists(st.sampled_from([*AppRole, "Other.Role"])))
def test_only_an_operator_changes_anything_and_nobody_changes_access(claim: list[str]) -> None:
    roles = known_roles(claim)
    permission = shared_permission(roles)
    assert permission.allowed == (AppRole.OPERATOR in claim)
    assert permission.access_reason
    assert sees_everyone(roles) == (AppRole.AUDITOR in claim)


def test_the_refusal_names_the_role_that_is_missing() -> None:
    assert "Console.Operator" in shared_permission((AppRole.VIEWER,)).refusal
    assert "no role" in shared_permission(()).refusal
