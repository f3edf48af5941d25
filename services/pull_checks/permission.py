"""Checks of the right to pull: mode, role, group, anonymous pull, token audience."""

from services.access.decisions import Decision, Verdict
from services.access.role_definitions import ACR_PULL, BUILT_IN, REPOSITORY_READER
from services.aks.clusters import Cluster
from services.connection.errors import ServiceError
from services.pull_checks.checks import TITLES, Check, CheckState, unknown
from services.registries.registry import Mode, Registry
from services.wording import counted

MODE, PERMISSION, GROUP = (TITLES[one] for one in ("C5", "C6", "C7"))
ANONYMOUS, AUDIENCE = TITLES["C13"], TITLES["C14"]
_UNAUTHORIZED = "failed to authorize: failed to fetch anonymous token: 401 Unauthorized"
_ANYBODY = "Anonymous pull allows it anyway."


def mode(registry: Registry, decision: Decision | ServiceError) -> Check:
    """C5: which roles the registry's mode reads."""
    role = _role_for(registry)
    said = f"{registry.access.mode} mode: {role} allows pulls."
    ignored = () if isinstance(decision, ServiceError) or decision.verdict is Verdict.YES else decision.ignored
    if ignored:
        return Check(
            "C5",
            MODE,
            CheckState.WARNING,
            f"{said} {ignored[0].role} is assigned, but only counts in the other mode.",
            _UNAUTHORIZED,
            f"Assign {role}.",
        )
    return Check("C5", MODE, CheckState.PASSED, said)


def pull_permission(
    cluster: Cluster,
    registry: Registry,
    decision: Decision | ServiceError,
    of_control_plane: Decision | None = None,
    repository: str = "",
) -> Check:
    """C6: whether a role lets the puller pull.

    `of_control_plane`: the same decision on the control plane's identity, for the common mistake. None: not made.
    """
    if registry.access.anonymous_pull and (isinstance(decision, ServiceError) or decision.verdict is Verdict.UNKNOWN):
        said = decision.cause if isinstance(decision, ServiceError) else undetermined(decision)
        return Check("C6", PERMISSION, CheckState.WARNING, f"{said} {_ANYBODY}")
    if isinstance(decision, ServiceError):
        return unknown("C6", PERMISSION, decision)
    match decision.verdict:
        case Verdict.YES:
            given = "; ".join(reason.label for reason in decision.granting)
            return Check("C6", PERMISSION, CheckState.PASSED, f"{given}.")
        case Verdict.SOME:
            given = "; ".join(reason.label for reason in decision.granting)
            said = f"It depends on the repository: {given or 'a deny assignment excludes some'}."
            return unknown("C6", PERMISSION, said, "Check it again with the repository that is pulled.")
        case Verdict.UNKNOWN:
            return unknown("C6", PERMISSION, undetermined(decision), "See the assignments, or run a test pull.")
    role = _role_for(registry)
    said = refusal(cluster, registry, decision, of_control_plane, repository)
    fix = f"Attach the registry: {role} on {registry.name} is assigned to the {cluster.puller.kind}."
    if decision.denials:
        fix = "Ask the owner of the deny assignment to change it: a managed application, or a deployment stack."
    if _assigned_to_control_plane(cluster, of_control_plane):
        fix = f"Attach the registry: {role} is assigned to the {cluster.puller.kind} instead."
    if registry.access.anonymous_pull:
        return Check("C6", PERMISSION, CheckState.WARNING, f"{said} {_ANYBODY}", "", fix)
    return Check("C6", PERMISSION, CheckState.FAILED, said, _UNAUTHORIZED, fix)


def refusal(
    cluster: Cluster,
    registry: Registry,
    decision: Decision,
    of_control_plane: Decision | None = None,
    repository: str = "",
) -> str:
    """Sentences on why the puller can't pull, of a decision that is NO; `of_control_plane` as `pull_permission`."""
    where = f"for {repository} on {registry.name}" if repository else f"on {registry.name}"
    lacks = "" if decision.denials else f"The {puller_name(cluster)} lacks {_role_for(registry)} {where}."
    return f"{lacks} {no_effect(cluster, decision, of_control_plane)}".strip()


def no_effect(cluster: Cluster, decision: Decision, of_control_plane: Decision | None) -> str:
    """Sentences on what is assigned, or denied, and why the puller can't pull with it; "" where nothing is. As
    `refusal`."""
    said = []
    if decision.denials:
        said.append(f"The deny assignment {decision.denials[0].deny.name} denies pulling; no role overrides it.")
    elif left_out := [reason for reason in decision.reasons if reason.why]:
        said.append(f"{left_out[0].label}: {left_out[0].why}")
    if decision.ignored:
        said.append(f"{decision.ignored[0].label}: {decision.ignored[0].why}")
    if of_control_plane and _assigned_to_control_plane(cluster, of_control_plane):
        given = of_control_plane.granting[0]
        role = (
            f"{given.label},"
            if given.inherited
            else given.label.replace(", on the registry itself", " on the registry")
        )
        said.append(f"{role} is assigned to the control plane's identity, which never pulls images: a common mistake.")
    return " ".join(said)


def puller_name(cluster: Cluster) -> str:
    """'kubelet identity aks1-agentpool of aks1'; 'service principal of aks-batch', named by the directory alone."""
    name = cluster.kubelet.resource_id.rpartition("/")[2] if cluster.kubelet else ""
    return f"{cluster.puller.kind}{f' {name}' if name else ''} of {cluster.name}"


def undetermined(decision: Decision, most: int | None = None) -> str:
    """Sentences on what keeps a decision UNKNOWN: at `most` so many assignments, then how many more there are."""
    reasons = decision.undetermined[:most]
    said = [f"{reason.label}: {reason.why}" for reason in reasons]
    if more := len(decision.undetermined) - len(reasons):
        said.append(f"And {counted(more, 'more assignment')}.")
    said += [f"The deny assignment {denial.deny.name} may deny it." for denial in decision.denials]
    said += [decision.unread] if decision.unread else []
    return " ".join(said)


def _assigned_to_control_plane(cluster: Cluster, of_control_plane: Decision | None) -> bool:
    return bool(of_control_plane and of_control_plane.granting and cluster.control_plane)


def _role_for(registry: Registry) -> str:
    return BUILT_IN[REPOSITORY_READER if registry.access.mode is Mode.ABAC else ACR_PULL].name


def group(decision: Decision | ServiceError) -> Check | None:
    """C7: whether the role comes by a group only: that takes effect late. None if no role is known.

    https://learn.microsoft.com/azure/aks/cluster-container-registry-integration
    """
    if isinstance(decision, ServiceError) or not decision.granting:
        return None
    if all(reason.group for reason in decision.granting):
        said = f"The role is assigned to the group {decision.granting[0].group} only."
        fix = "Group membership can take hours to take effect; assign the role to the identity itself to be sure."
        return Check("C7", GROUP, CheckState.WARNING, said, _UNAUTHORIZED, fix)
    return Check("C7", GROUP, CheckState.PASSED, "The role is assigned to the identity itself, not to a group.")


def anonymous(registry: Registry) -> Check:
    """C13: whether anybody can pull, without any role."""
    if registry.access.anonymous_pull:
        said = "On: anyone whom the network allows can pull every image without a role."
        fix = "Turn it off if that is not intended: `az acr update --anonymous-pull-enabled false`."
        return Check("C13", ANONYMOUS, CheckState.WARNING, said, "", fix)
    return Check("C13", ANONYMOUS, CheckState.PASSED, "Off: pulling needs a role.")


def audience(registry: Registry) -> Check:
    """C14: whether the registry accepts tokens for Resource Manager.

    https://learn.microsoft.com/azure/container-registry/container-registry-disable-authentication-as-arm
    """
    if registry.access.arm_audience_tokens:
        return Check("C14", AUDIENCE, CheckState.PASSED, "Tokens for Azure Resource Manager are accepted too.")
    said = "Only tokens for registries are accepted: `az aks check-acr` and some clients fail."
    fix = "Trust the permission above rather than check-acr; nodes of old versions may need an upgrade."
    return Check("C14", AUDIENCE, CheckState.WARNING, said, _UNAUTHORIZED, fix)
