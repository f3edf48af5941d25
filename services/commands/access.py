"""The `az` lines about role assignments, deny assignments and roles."""

from services.commands.shell import shell_line


def list_assignments_of(principal_id: str, scope: str) -> str:
    """What a principal holds at a scope and above it, itself and by groups."""
    words = ("az", "role", "assignment", "list", "--assignee", principal_id, "--scope", scope)
    return shell_line(*words, "--include-inherited", "--include-groups", "--output", "table")


def list_deny_assignments(scope: str) -> str:
    """The deny assignments that reach a scope: az has no command of its own for them."""
    url = f"{scope}/providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01&$filter=atScope()"
    return shell_line("az", "rest", "--method", "get", "--url", url)


def show_role(role: str) -> str:
    """What a role gives. `role` is a name or a GUID."""
    return shell_line("az", "role", "definition", "list", "--name", role)


def assign_role(client_id: str, role: str, scope: str) -> str:
    """az looks up the object id of the client id in the directory."""
    return shell_line("az", "role", "assignment", "create", "--assignee", client_id, "--role", role, "--scope", scope)


def assign_role_by_object_id(
    principal_id: str,
    role: str,
    scope: str,
    assignment_name: str | None,
    *,
    condition: str = "",
    principal_type: str = "ServicePrincipal",
) -> str:
    """Asks no directory. `role` is a name or a GUID; the same `assignment_name` is the same assignment, with None az
    names it. `principal_type`: ServicePrincipal (managed identities too), User or Group."""
    words = ["az", "role", "assignment", "create", *(() if assignment_name is None else ("--name", assignment_name))]
    words += ["--assignee-object-id", principal_id, "--assignee-principal-type", principal_type]
    words += ["--role", role, "--scope", scope]
    words += ["--condition", condition, "--condition-version", "2.0"] if condition else []
    return shell_line(*words)


def list_role_assignments(scope: str) -> str:
    """The role assignments at a scope, and those above that reach it."""
    return shell_line("az", "role", "assignment", "list", "--scope", scope, "--include-inherited", "--output", "table")


def remove_assignment(assignment_id: str) -> str:
    """Removes one role assignment, by its resource id."""
    return shell_line("az", "role", "assignment", "delete", "--ids", assignment_id)
