"""A planned role assignment as text that an administrator can run: az, Bicep and Terraform, all for the very same.

It has the name that the console would give it, so that whoever runs it, and however often, there is one.
"""

from services.commands import access as az_access
from services.commands import registries as az_registries
from services.commands.iac_strings import bicep_string, hcl_string
from services.connection.resource_ids import parse_id
from services.roles.assignment import Grant


def as_az(grant: Grant) -> str:
    """One line for a POSIX shell."""
    return az_access.assign_role_by_object_id(
        grant.principal_id,
        grant.role,
        grant.scope,
        grant.name,
        principal_type=grant.principal_type,
        condition=grant.condition,
    )


def as_bicep(grant: Grant) -> str:
    """A Bicep file, with the line that deploys it to the registry's resource group."""
    registry = parse_id(grant.scope)
    deploy = az_registries.deploy_bicep(registry.subscription, registry.group, "role.bicep")
    conditioned = (f"    condition: {bicep_string(grant.condition)}", "    conditionVersion: '2.0'")
    lines = [
        f"// {deploy}",
        "resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {",
        f"  name: {bicep_string(registry.name)}",
        "}",
        "",
        "resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {",
        f"  name: {bicep_string(grant.name)}",
        "  scope: registry",
        "  properties: {",
        f"    // {_comment(grant.role_name)}",
        f"    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{grant.role}')",
        f"    principalId: {bicep_string(grant.principal_id)}",
        f"    principalType: '{grant.principal_type}'",
        f"    description: {bicep_string(grant.description)}",
        *(conditioned if grant.condition else ()),
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def as_terraform(grant: Grant) -> str:
    """A resource of the azurerm provider."""
    members = {
        "name": grant.name,
        "scope": grant.scope,
        "role_definition_id": grant.role_definition_id,
        "principal_id": grant.principal_id,
        "principal_type": grant.principal_type,
        "description": grant.description,
    }
    if grant.condition:
        members |= {"condition": grant.condition, "condition_version": "2.0"}
    width = max(map(len, members))
    lines = [f"  {name:<{width}} = {hcl_string(value)}" for name, value in members.items()]
    return (
        "\n".join((f"# {_comment(grant.role_name)}", 'resource "azurerm_role_assignment" "registry" {', *lines, "}"))
        + "\n"
    )


def _comment(text: str) -> str:
    """A custom role's name may have lines; a comment has one."""
    return " ".join(text.split())
