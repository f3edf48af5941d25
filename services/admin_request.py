"""A planned attachment as text that an administrator can run: az, Bicep and Terraform, for the very same assignment.

It has the name that the console would give it, so that whoever runs it, and however often, there is one.
"""

from services import az_commands
from services.attach import AttachPlan
from services.iac_strings import bicep_string, hcl_string


def as_az(plan: AttachPlan) -> str:
    """One line for a POSIX shell."""
    return az_commands.assign_role_by_object_id(
        plan.principal_id, plan.role, plan.scope, plan.name, condition=plan.condition
    )


def as_bicep(plan: AttachPlan) -> str:
    """A Bicep file, with the line that deploys it to the registry's resource group."""
    registry, role = plan.registry, bicep_string(plan.role)
    deploy = az_commands.deploy_bicep(registry.subscription_id, registry.resource_group)
    conditioned = (
        [f"    condition: {bicep_string(plan.condition)}", "    conditionVersion: '2.0'"] if plan.condition else []
    )
    lines = [
        f"// {deploy}",
        "resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {",
        f"  name: {bicep_string(registry.name)}",
        "}",
        "",
        "resource pull 'Microsoft.Authorization/roleAssignments@2022-04-01' = {",
        f"  name: {bicep_string(plan.name)}",
        "  scope: registry",
        "  properties: {",
        f"    // {plan.role_name}",
        f"    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', {role})",
        f"    principalId: {bicep_string(plan.principal_id)}",
        "    principalType: 'ServicePrincipal'",
        f"    description: {bicep_string(plan.description)}",
        *conditioned,
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def as_terraform(plan: AttachPlan) -> str:
    """A resource of the azurerm provider."""
    members = {
        "name": plan.name,
        "scope": plan.scope,
        "role_definition_id": plan.role_definition_id,
        "principal_id": plan.principal_id,
        "principal_type": "ServicePrincipal",
        "description": plan.description,
    }
    if plan.condition:
        members |= {"condition": plan.condition, "condition_version": "2.0"}
    width = max(map(len, members))
    lines = [f"  {name:<{width}} = {hcl_string(value)}" for name, value in members.items()]
    return "\n".join((f"# {plan.role_name}", 'resource "azurerm_role_assignment" "pull" {', *lines, "}")) + "\n"
