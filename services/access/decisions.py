"""A decision on a permission: the verdict, the role assignments that give it, and what is undetermined."""

from dataclasses import dataclass
from enum import StrEnum

from services.access.permissions import Permission
from services.access.role_assignments import DenyAssignment, RoleAssignment, scope_label


class Verdict(StrEnum):
    """SOME: it depends on the repository, and none was named. UNKNOWN: what was read does not decide it."""

    YES = "yes"
    SOME = "some"
    UNKNOWN = "unknown"
    NO = "no"


@dataclass(frozen=True)
class Reason:
    """One role assignment, and what it says alone to the actions among those needed that its role is about.

    `group` is the group that it is assigned to, "" where that is the principal; `why` is a sentence on a verdict other
    than YES.
    `custom`: the role is one of the organisation's own.
    """

    assignment: RoleAssignment
    role: str
    verdict: Verdict
    inherited: bool
    group: str = ""
    why: str = ""
    custom: bool = False

    @property
    def label(self) -> str:
        """'AcrPull, inherited from the resource group hub-rg, held by the group GUID, under a condition'."""
        where = f"inherited from {scope_label(self.assignment.scope)}" if self.inherited else "on the registry itself"
        group = f", held by the group {self.group}" if self.group else ""
        role = f"{self.role} (custom role)" if self.custom else self.role
        return f"{role}, {where}{group}{', under a condition' if self.assignment.condition else ''}"


@dataclass(frozen=True)
class Denial:
    """A deny assignment that denies what was asked for, or some of it, or may (UNKNOWN)."""

    deny: DenyAssignment
    verdict: Verdict


@dataclass(frozen=True)
class Decision:
    """Whether a principal may, and all that bears on it.

    `reasons`: the assignments that are about it, those that give it first; one that leaves this repository out by its
    condition has verdict NO. `ignored`: those that would give it in the registry's other mode. `unread`: what was not
    read and may take it away, "" where nothing.
    """

    permission: Permission
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    ignored: tuple[Reason, ...] = ()
    denials: tuple[Denial, ...] = ()
    unread: str = ""

    @property
    def granting(self) -> tuple[Reason, ...]:
        """The assignments that give it, on all repositories or on some."""
        return tuple(reason for reason in self.reasons if reason.verdict in (Verdict.YES, Verdict.SOME))

    @property
    def undetermined(self) -> tuple[Reason, ...]:
        """The assignments that may give it or not; each says why that is unknown."""
        return tuple(reason for reason in self.reasons if reason.verdict is Verdict.UNKNOWN)

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it in sentences: what grants it, what may, what does not, and what denies it."""
        given = [f"{reason.label}{f': {reason.why}' if reason.why else '.'}" for reason in self.reasons]
        denied = [
            f"The deny assignment {one.deny.name} {'denies' if one.verdict is Verdict.YES else 'may deny'} it."
            for one in self.denials
        ]
        return (
            *given,
            *denied,
            *(f"{reason.label}. {reason.why}" for reason in self.ignored),
            *((self.unread,) if self.unread else ()),
        )
