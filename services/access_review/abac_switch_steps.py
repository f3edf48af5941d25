"""The order in which a registry is switched to ABAC mode, each step with its lines: so that nobody is locked out.

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
    """What to do, why in this place, and the lines that do it, if any."""

    title: str
    words: str
    lines: tuple[str, ...]


def steps_of(plan: SwitchPlan, name: Callable[[str], str] = str) -> tuple[Step, ...]:
    """Assign, switch, refresh, verify, remove old: five steps, always in this order.

    `name` gives a principal's name by its object id, for the comments: whatever it holds, a comment is all it becomes.
    """
    registry = plan.registry
    clusters = [one.cluster for one in plan.clusters]
    return (
        Step(
            "Assign the new roles",
            "A registry in Legacy mode ignores them: they change nothing yet. Like the roles they replace, they are "
            "for all repositories; conditions can make that fewer later. Wait ten minutes until they count."
            if plan.assignments
            else "None is needed.",
            tuple(line for one in plan.assignments for line in _assign(plan, one, name)),
        ),
        Step(
            "Switch the mode",
            "Credentials that clients and nodes have kept are void from here on: they are answered 401 until they get "
            "new ones, which takes minutes to hours.",
            (az_settings.update_registry(registry.name, "--role-assignment-mode", "rbac-abac"),),
        ),
        Step(
            "Refresh credentials",
            "Sign in again wherever docker or a pipeline did. On nodes restart the kubelet, or replace the nodes: "
            "restarting pods is not enough. Tasks of the registry have no right on images of their own any more: each "
            "needs an identity with a role.",
            (az_sign_in.sign_in(registry.name),),
        ),
        Step(
            "Verify",
            "Before anything is removed. The way back is the mode itself: the old roles are still there.",
            (
                az_images.list_repositories(registry.name),
                *(az_aks.check_acr(one.name, one.resource_group, registry.login_server) for one in clusters),
            ),
        ),
        Step(
            "Remove the old roles",
            "On the registry itself these do nothing any more. What is inherited stays: other registries may need it."
            if plan.old
            else "None stands on the registry itself. What is inherited stays: other registries may need it.",
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
