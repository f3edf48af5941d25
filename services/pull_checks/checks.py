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


@dataclass(frozen=True)
class Verdict:
    """`failed` and `undetermined`: the checks that decide it; `missing`: ids of needed checks that did not run."""

    answer: Answer
    failed: tuple[Check, ...]
    undetermined: tuple[Check, ...]
    missing: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """'Can't pull: AcrPull is assigned to …', or 'Probably can pull. Unknown: Outbound address.'"""
        if self.answer is Answer.CANNOT:
            return f"Can't pull: {' '.join(check.evidence for check in self.failed)}"
        if self.answer is Answer.PROBABLY:
            unknown_titles = [check.title for check in self.undetermined]
            unknown_titles += [f"check {one} did not run" for one in self.missing]
            return f"Probably can pull. Unknown: {', '.join(unknown_titles)}."
        return "Can pull."


def verdict(checks: Iterable[Check], *, image: bool = False) -> Verdict:
    """The verdict. `image`: the question names an image, and its checks count too.

    CAN only if each needed check has run, none failed, and only advisory ones are unknown. One failure is enough
    for CANNOT, whatever else is unknown.
    """
    checks = in_order(checks)
    failed = tuple(check for check in checks if check.state is CheckState.FAILED)
    undetermined = tuple(check for check in checks if check.state is CheckState.UNKNOWN and check.id not in _ADVISORY)
    needed = _NEEDED | _NEEDED_FOR_IMAGE if image else _NEEDED
    ran = {check.id for check in checks}
    missing = tuple(id_ for id_ in ORDER if id_ in needed and id_ not in ran)
    answer = Answer.CANNOT if failed else Answer.PROBABLY if undetermined or missing else Answer.CAN
    return Verdict(answer, failed, undetermined, missing)
