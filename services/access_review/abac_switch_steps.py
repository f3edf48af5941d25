"""The steps of a registry's switch to ABAC mode with their commands, in an order that locks nobody out.

https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions
"""

from collections.abc import Callable
from dataclasses import dataclass

from services.access_review.abac_switch import SwitchPlan
from services.access_review.role_successors import NewAssignment
from services.commands import access as az_access
from services.commands import aks as az_aks
from services.commands import images as az_images
from services.commands import settings as az_settings
from services.commands import sign_in as az_sign_in


@dataclass(frozen=True)
class Step:
    """What to do, why at this point, and the commands for it, if any."""

    title: str
    words: str
    lines: tuple[str, ...]


def steps_of(plan: SwitchPlan, name: Callable[[str], str] = str) -> tuple[Step, ...]:
    """Assign, switch, refresh, verify, remove old: five steps, always in this order.

    `name` gives a principal's name by its object id, for comments: a name never becomes a command.
    """
    registry = plan.registry
    clusters = [one.cluster for one in plan.clusters]
    return (
        Step(
            "Assign the new roles",
            "A registry in Legacy mode ignores them: they change nothing yet. Like the roles they replace, they are "
            "for all repositories; conditions can limit them later. Wait ten minutes until they take effect."
            if plan.assignments
            else "No new role is needed.",
            tuple(line for one in plan.assignments for line in _assign(plan, one, name)),
        ),
        Step(
            "Switch the mode",
            "Cached credentials of clients and nodes become invalid: they get 401 until they have new ones, which "
            "takes minutes to hours.",
            (az_settings.update_registry(registry.name, "--role-assignment-mode", "rbac-abac"),),
        ),
        Step(
            "Refresh credentials",
            "Sign in again wherever docker or a pipeline did. On nodes restart the kubelet, or replace the nodes: "
            "restarting pods is not enough. The registry's tasks lose their access to images: each "
            "needs an identity with a role.",
            (az_sign_in.sign_in(registry.name),),
        ),
        Step(
            "Verify",
            "Do this before you remove anything. To go back, switch the mode back: the old roles are still assigned.",
            (
                az_images.list_repositories(registry.name),
                *(az_aks.check_acr(one.name, one.resource_group, registry.login_server) for one in clusters),
            ),
        ),
        Step(
            "Remove the old roles",
            "On the registry itself these have no effect any more. Inherited ones stay: other registries may need them."
            if plan.old
            else "There are none on the registry itself. Inherited ones stay: other registries may need them.",
            tuple(az_access.remove_assignment(one.id) for one in plan.old),
        ),
    )


def _assign(plan: SwitchPlan, new: NewAssignment, name: Callable[[str], str]) -> tuple[str, ...]:
    # The directory's names are other people's text, and a shell that is typed into may take # for no comment (zsh).
    who = " ".join(
        "".join(sign if sign.isalnum() or sign in ".@_-" else " " for sign in name(new.principal_id)).split()
    )
    assign = az_access.assign_role_by_object_id(
        new.principal_id, new.role, plan.registry.id, new.name, principal_type=new.kind or "ServicePrincipal"
    )
    return (
        f"# {new.role_name} for {who}",
        *((az_access.remove_assignment(new.replaces),) if new.replaces else ()),
        assign,
    )
