"""Whether the caller may assign roles, or remove assignments, and what is said where they may not or it is unknown."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from services.access.evaluation import blocks_grant
from services.access.permissions import Permission
from services.access.role_definitions import PermissionBlock
from services.registries.registry import Mode


@dataclass(frozen=True)
class CallerRight:
    """`may` None: unknown. `blocker` and `warning` are sentences, each "" where it does not apply."""

    may: bool | None
    blocker: str = ""
    warning: str = ""


_BLOCKERS = {
    Permission.ASSIGN_ROLES: "You may not assign roles on this registry: that needs "
    "Microsoft.Authorization/roleAssignments/write, which Contributor does not include.",
    Permission.REMOVE_ROLES: "You may not remove role assignments on this registry "
    "(Microsoft.Authorization/roleAssignments/delete).",
}
_WARNINGS = {
    Permission.ASSIGN_ROLES: "Unknown whether you may assign roles here: your permissions could not be read.",
    Permission.REMOVE_ROLES: "Unknown whether you may remove role assignments here: your permissions could not be "
    "read.",
}


def caller_right(
    blocks: Iterable[PermissionBlock] | None,
    wanted: Literal[Permission.ASSIGN_ROLES, Permission.REMOVE_ROLES],
    mode: Mode,
) -> CallerRight:
    """Whether the caller's own permissions give it; `blocks` None: they could not be read."""
    if blocks is None:
        return CallerRight(None, warning=_WARNINGS[wanted])
    return CallerRight(True) if blocks_grant(blocks, wanted, mode) else CallerRight(False, blocker=_BLOCKERS[wanted])
