"""Checks of whether a cluster can pull from a registry: their form, their order, and the verdict of all.

C6 is what `az aks check-acr` calls validating the permission.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.connection.errors import ServiceError


class CheckState(StrEnum):
    """WARNING: nothing known to prevent a pull. UNKNOWN: neither passed nor failed."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """One check. `evidence`: the assignment, rule or address that decided it. `symptom`: the text of the pod's event;
    `fix`: what to do. Both are "" where it passed."""

    id: str
    title: str
    state: CheckState
    evidence: str
    symptom: str = ""
    fix: str = ""


# The title of the C3 that asks whether the identity exists.
EXISTENCE = "Kubelet identity exists"
# By id, also of those that did not run. People know a check by its title: no page shows an id.
TITLES = {
    "C1": "Registry",
    "C2": "Host name resolution",
    "C3": "Kubelet identity",
    "C4": "Tenant",
    "C5": "Permission mode",
    "C6": "Image pull permission",
    "C7": "Group membership",
    "C8": "Role assignment age",
    "C9": "Network rules",
    "C10": "Outbound address",
    "C11": "Private endpoints",
    "C12": "Data endpoints",
    "C13": "Anonymous pull",
    "C14": "Token audience",
    "C15": "Platform",
    "C16": "Image",
    "C17": "Location",
    "C18": "Throttling headroom",
    "C19": "Cluster state",
}
# As `az aks check-acr` orders them, then from the registry outwards to the node.
# Decided in: state.py C1, C8, C18, C19; identity.py C3, C4; permission.py C5 to C7, C13, C14; network.py C2, C9 to C12,
# C17; image.py C15, C16.
ORDER = (
    *("C1", "C2", "C17", "C3", "C6", "C13", "C7", "C9", "C10", "C11", "C12"),
    *("C4", "C5", "C14", "C15", "C16", "C8", "C18", "C19"),
)
# The verdict CAN needs each of these to have run.
_NEEDED = frozenset({"C1", "C3", "C4", "C6", "C9", "C19"})
_NEEDED_FOR_IMAGE = frozenset({"C15", "C16"})
# While one of these is unknown nothing says that it can pull: the registry, the identity, or its permission. Of C3 the
# existence of a known identity does not count here.
_DECISIVE = frozenset({"C1", "C3", "C6"})
# The verdict can be CAN while one of these is unknown.
_ADVISORY = frozenset({"C2", "C5", "C7", "C8", "C12", "C13", "C14", "C17", "C18"})


def in_order(checks: Iterable[Check]) -> tuple[Check, ...]:
    """The checks in the order of ORDER; those of one id keep theirs."""
    return tuple(sorted(checks, key=lambda check: ORDER.index(check.id)))


def unknown(id_: str, title: str, why: str | ServiceError, fix: str = "") -> Check:
    """A check that is UNKNOWN, with the reason as its evidence."""
    if isinstance(why, ServiceError):
        return Check(id_, title, CheckState.UNKNOWN, str(why), fix=fix or why.remedy)
    return Check(id_, title, CheckState.UNKNOWN, why, fix=fix)


class Answer(StrEnum):
    """The answer of all checks together."""

    CAN = "can pull"
    CANNOT = "can't pull"
    PROBABLY = "probably"
    UNDECIDED = "unknown"


@dataclass(frozen=True)
class Verdict:
    """`failed` and `undetermined`: the checks that decide it; `missing`: ids of needed checks that did not run.

    `decisive`: those of `undetermined` without which nothing says that it can pull.
    """

    answer: Answer
    failed: tuple[Check, ...]
    undetermined: tuple[Check, ...]
    missing: tuple[str, ...]
    decisive: tuple[Check, ...] = ()

    @property
    def sentence(self) -> str:
        """'Can't pull: AcrPull is assigned to …', 'Unknown whether it can pull. …' or 'Can probably pull. …'."""
        others = [check.title for check in self.undetermined if check not in self.decisive]
        others += [f"{TITLES[one]} (did not run)" for one in self.missing]
        also = f" Unknown: {', '.join(others)}." if others else ""
        match self.answer:
            case Answer.CANNOT:
                return f"Can't pull: {' '.join(check.evidence for check in self.failed)}"
            case Answer.UNDECIDED:
                why = "".join(f" {check.title} unknown: {check.evidence}" for check in self.decisive)
                return f"Unknown whether it can pull.{why}{also}"
            case Answer.PROBABLY:
                return f"Can probably pull.{also}"
        return "Can pull."


def verdict(checks: Iterable[Check], *, image: bool = False) -> Verdict:
    """The verdict. `image`: the question names an image, and its checks count too.

    One failure is enough for CANNOT, whatever else is unknown. UNDECIDED if the registry, the identity model, the
    identity or its permission is unknown. CAN only if each needed check has run, none failed, and only advisory ones
    are unknown.
    """
    checks = in_order(checks)
    failed = tuple(check for check in checks if check.state is CheckState.FAILED)
    undetermined = tuple(check for check in checks if check.state is CheckState.UNKNOWN and check.id not in _ADVISORY)
    decisive = tuple(check for check in undetermined if check.id in _DECISIVE and check.title != EXISTENCE)
    needed = _NEEDED | _NEEDED_FOR_IMAGE if image else _NEEDED
    ran = {check.id for check in checks}
    missing = tuple(id_ for id_ in ORDER if id_ in needed and id_ not in ran)
    if failed:
        answer = Answer.CANNOT
    elif decisive or _DECISIVE & set(missing):
        answer = Answer.UNDECIDED
    else:
        answer = Answer.PROBABLY if undetermined or missing else Answer.CAN
    return Verdict(answer, failed, undetermined, missing, decisive)
