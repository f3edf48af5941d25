"""A planned role assignment as text that an administrator can run: az, Bicep and Terraform, all for the very same.

It has the name that the console would give it, so that whoever runs it, and however often, there is one.
"""

from services.commands import access as az_access
from services.commands import registries as az_registries
from services.commands.iac_strings import bicep_string, hcl_string
from services.connection.names import is_guid
from services.connection.resource_ids import parse_id
from services.roles.planned_assignment import PlannedAssignment


def as_az(planned: PlannedAssignment) -> str:
    """One line for a POSIX shell. The role is named, unless az would read its name as an id or it has line breaks."""
    name = planned.role_name
    return az_access.assign_role_by_object_id(
        planned.principal_id,
        planned.role if is_guid(name) or not name.isprintable() else name,
        planned.scope,
        planned.name,
        principal_type=planned.principal_type,
        condition=planned.condition,
    )


def as_message(planned: PlannedAssignment, whose: str) -> str:
    """A message to an administrator. `whose`: whom the role is for, such as 'the kubelet identity of aks1'."""
    registry = parse_id(planned.scope).name
    return (
        f"Please assign {_comment(planned.role_name)} on the registry {registry} to {whose} (object id "
        f"{planned.principal_id}):\n\n{as_az(planned)}\n"
    )


def as_bicep(planned: PlannedAssignment) -> str:
    """A Bicep file, with the line that deploys it to the registry's resource group."""
    registry = parse_id(planned.scope)
    deploy = az_registries.deploy_bicep(registry.subscription, registry.group, "role.bicep")
    conditioned = (f"    condition: {bicep_string(planned.condition)}", "    conditionVersion: '2.0'")
    lines = [
        f"// {deploy}",
        "resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {",
        f"  name: {bicep_string(registry.name)}",
        "}",
        "",
        "resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {",
        f"  name: {bicep_string(planned.name)}",
        "  scope: registry",
        "  properties: {",
        f"    // {_comment(planned.role_name)}",
        f"    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{planned.role}')",
        f"    principalId: {bicep_string(planned.principal_id)}",
        f"    principalType: '{planned.principal_type}'",
        f"    description: {bicep_string(planned.description)}",
        *(conditioned if planned.condition else ()),
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def as_terraform(planned: PlannedAssignment) -> str:
    """A resource of the azurerm provider."""
    members = {
        "name": planned.name,
        "scope": planned.scope,
        "role_definition_id": planned.role_definition_id,
        "principal_id": planned.principal_id,
        "principal_type": planned.principal_type,
        "description": planned.description,
    }
    if planned.condition:
        members |= {"condition": planned.condition, "condition_version": "2.0"}
    width = max(map(len, members))
    lines = [f"  {name:<{width}} = {hcl_string(value)}" for name, value in members.items()]
    return (
        "\n".join((f"# {_comment(planned.role_name)}", 'resource "azurerm_role_assignment" "registry" {', *lines, "}"))
        + "\n"
    )


def _comment(text: str) -> str:
    """A custom role's name may have lines; a comment has one."""
    return " ".join(text.split())
