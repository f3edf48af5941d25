"""One role assignment, written so that the report is true: named by what it says, waited for, read back.

https://learn.microsoft.com/azure/role-based-access-control/role-assignments-rest
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from azure.mgmt.authorization.v2022_04_01 import models

from services.access.role_assignment_reading import assignments_at
from services.access.role_assignments import RoleAssignment, scope_key
from services.connection.changes import Outcome, changed, write
from services.connection.errors import ServiceError, as_service_error, says_not_found
from services.connection.resource_ids import parse_id, same_id
from services.connection.session import AzureSession

# Seconds between tries for an identity that the directory does not know yet: two minutes in all.
WAITS_S = (2, 4, 8, 16, 30, 30, 30)
ASK_ADMINISTRATOR = "Give an administrator the request beside this: it is the same assignment, ready to run."
# The code is named in https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
_REMEDIES = {
    "PrincipalNotFound": "The directory did not know the identity for two minutes: check that the object id is right, "
    "that whoever has it still exists, and that it is of the registry's tenant.",
    "UnmatchedPrincipalType": "The object id is of another kind than was chosen: choose the other kind.",
}
PrincipalType = Literal["User", "Group", "ServicePrincipal"]


@dataclass(frozen=True)
class PlannedAssignment:
    """A role for a principal on a registry.

    `scope` is the registry's resource id, `role` a GUID; `condition` is "" for all repositories, else of version 2.0.
    """

    scope: str
    principal_id: str
    principal_type: PrincipalType
    role: str
    role_name: str
    condition: str = ""
    description: str = "Assigned by ACR Console"

    @property
    def name(self) -> str:
        return assignment_name(self.scope, self.principal_id, self.role)

    @property
    def subscription_id(self) -> str:
        return parse_id(self.scope).subscription

    @property
    def role_definition_id(self) -> str:
        return f"/subscriptions/{self.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{self.role}"


def assignment_name(scope: str, principal_id: str, role: str) -> str:
    """The same GUID for the same role, principal and scope: a second try writes the same assignment, not another."""
    return str(uuid5(NAMESPACE_URL, f"{scope.lower().rstrip('/')}|{principal_id.lower()}|{role.lower()}"))


def find_same(assignments: Iterable[RoleAssignment], scope: str, principal_id: str, role: str) -> RoleAssignment | None:
    """The one that gives this principal this role at exactly this scope: Azure keeps one such assignment at most."""
    key = scope_key(scope)
    return next(
        (
            one
            for one in assignments
            if scope_key(one.scope) == key and same_id(one.principal_id, principal_id) and one.role == role
        ),
        None,
    )


def find_assignment(session: AzureSession, planned: PlannedAssignment) -> RoleAssignment | None:
    """The assignment that gives the same at the very scope, by whatever name. Raises ServiceError."""
    what = f"role assignments of {planned.scope.rpartition('/')[2]}"
    listed = assignments_at(session, planned.scope, what, filter=f"principalId eq '{planned.principal_id}'")
    found = find_same(listed.values, planned.scope, planned.principal_id, planned.role)
    if found is None:
        listed.all_values()  # Where one could not be understood, it may be this.
    return found


def write_assignment(
    session: AzureSession,
    planned: PlannedAssignment,
    title: str,
    report: Callable[[str], None],
    sleep: Callable[[float], None],
) -> tuple[Outcome, RoleAssignment | None]:
    """Writes the assignment, and reads it back: that counts, not what the write was answered.

    CREATED: written. ALREADY_DONE: it is there under another name, by somebody else. NOT_CONFIRMED: Azure took
    it, and it could not be read back; there is no assignment to show then. Raises ServiceError under `title` where it
    is not there afterwards: PrincipalNotFound is tried again for two minutes, all else once. Where a
    write's answer was lost and nothing can be read back, the error says that it is not known.
    """
    report("assigning the role")

    def read() -> RoleAssignment | None:
        report("verifying")
        return find_assignment(session, planned)

    try:
        found = write(
            title,
            lambda: _send(session, planned, title, report, sleep),
            read,
            lambda assignment: assignment is not None,
            says_not_found,
        )
    except ServiceError as error:
        remedy = ASK_ADMINISTRATOR if error.status == 403 else _REMEDIES.get(error.code, error.remedy)
        raise replace(error, remedy=remedy) from error
    if found is None:
        return Outcome.NOT_CONFIRMED, None
    if found.condition != planned.condition:
        condition = f"the condition {found.condition}" if found.condition else "no condition"
        raise changed(title, f"Somebody assigned {planned.role_name} meanwhile, under {condition}.")
    return Outcome.CREATED if same_id(found.name, planned.name) else Outcome.ALREADY_DONE, found


def _send(
    session: AzureSession,
    planned: PlannedAssignment,
    title: str,
    report: Callable[[str], None],
    sleep: Callable[[float], None],
) -> None:
    """Sends the assignment until the directory knows the identity; one that is there already is no error.

    Raises the ServiceError of the last try.
    """
    client = session.authorization(planned.subscription_id).role_assignments
    for wait in (*WAITS_S, None):
        try:
            with as_service_error(title):
                client.create(planned.scope, planned.name, _body(planned))
            return
        except ServiceError as error:
            if error.code == "RoleAssignmentExists":
                return
            if error.code != "PrincipalNotFound" or wait is None:
                raise
        report(f"the directory does not know the identity yet: again in {wait} s")
        sleep(wait)


def _body(planned: PlannedAssignment) -> models.RoleAssignmentCreateParameters:
    return models.RoleAssignmentCreateParameters(
        role_definition_id=planned.role_definition_id,
        principal_id=planned.principal_id,
        # With it, the directory is not asked whether there is such an identity: a new one needs a while to be known.
        principal_type=planned.principal_type,
        description=planned.description,
        condition=planned.condition or None,
        condition_version="2.0" if planned.condition else None,
    )
