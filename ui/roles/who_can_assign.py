"""Who can assign roles on a registry, by name, for a caller who can't."""

from services.access.caller_rights import caller_right
from services.access.decisions import Verdict
from services.access.permissions import Permission
from services.access_review.who_can import who_may
from services.pull_checks.matrix import Pulls
from services.registries.registry import Registry
from ui.elements.text import plain
from ui.loaders.principals import PrincipalNames, names_from, read_names, sorted_ids
from ui.loaders.registries import read_caller_permissions

ROLES = "Owner, User Access Administrator or Role Based Access Control Administrator"
# Named in one sentence; the access review lists all.
MOST = 5
# A sentence is not shown again when names come later than this.
NAMED_WITHIN_S = 1.0


def caller_may_assign(who: str, registry: Registry) -> bool | None:
    """Whether the caller may assign roles on the registry; None where that could not be read."""
    blocks = read_caller_permissions(who, registry)
    return caller_right(blocks, Permission.ASSIGN_ROLES, registry.access.mode).may


def who_can_assign(who: str, pulls: Pulls, registry: Registry) -> str:
    """Who can assign roles here, by role and by name, as far as role assignments were read. Markdown."""
    role = f"{ROLES} on {plain(registry.name)}"
    access = pulls.by_subscription.get(registry.subscription_id)
    if access is None:
        return f"{role}; unknown who that is here: role assignments could not be read."
    found = who_may(access.records, registry, Permission.ASSIGN_ROLES, groups=pulls.memberships.known_groups)
    certain = [one for one, decision in found if decision.verdict in (Verdict.YES, Verdict.SOME)]
    names = PrincipalNames()
    if certain:
        reading = read_names(who, sorted_ids(certain))
        reading.finished.wait(NAMED_WITHIN_S)
        names = names_from(reading, pulls)
    here = ", ".join(f"**{plain(_label(names, one))}**" for one in certain[:MOST])
    more = f" and {len(certain) - MOST} more" if len(certain) > MOST else ""
    lacks = " Not every role assignment could be read." if not access.records.all_assignments else ""
    if not certain:
        return f"{role}; unknown who that is here: no such assignment was read.{lacks}"
    return f"{role}; here: {here}{more}.{lacks}"


def _label(names: PrincipalNames, principal_id: str) -> str:
    sign_in = names.sign_in(principal_id)
    is_user = "@" in sign_in
    return f"{names.label(principal_id)} ({sign_in})" if is_user else names.label(principal_id)
