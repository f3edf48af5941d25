"""Checks of whether a cluster can pull from a registry: what each says, in which order, and what they say together.

Their ids and rules are the same whoever runs them; C6 is what `az aks check-acr` calls validating the permission.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.connection.errors import ServiceError


class CheckState(StrEnum):
    """WARNING: as far as is known it does not prevent a pull. UNKNOWN counts as neither passed nor failed."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """One check. `evidence`: the very assignment, rule or address. `symptom`: what a pod's event then says; `fix`: what
    to do. Both are "" where it passed."""

    id: str
    title: str
    state: CheckState
    evidence: str
    symptom: str = ""
    fix: str = ""


# The order of a transcript of `az aks check-acr`, and then from near to far.
ORDER = (
    *("C1", "C2", "C17", "C3", "C6", "C13", "C7", "C9", "C10", "C11", "C12"),
    *("C4", "C5", "C14", "C15", "C16", "C8", "C18", "C19"),
)
# Without the state of each of these nobody can say that a pull works.
_NEEDED = frozenset({"C1", "C3", "C4", "C6", "C9", "C19"})
_OF_AN_IMAGE = frozenset({"C15", "C16"})
# Where one of these is unknown it can still be said that a pull works.
_ADVISORY = frozenset({"C2", "C5", "C7", "C8", "C12", "C13", "C14", "C17", "C18"})


def in_order(checks: Iterable[Check]) -> tuple[Check, ...]:
    """As they are shown; checks of the same id stay as they came."""
    return tuple(sorted(checks, key=lambda check: ORDER.index(check.id)))


def unknown(id_: str, title: str, why: str | ServiceError, fix: str = "") -> Check:
    """For what is unknown, and why."""
    if isinstance(why, ServiceError):
        return Check(id_, title, CheckState.UNKNOWN, str(why), fix=fix or why.remedy)
    return Check(id_, title, CheckState.UNKNOWN, why, fix=fix)


class Answer(StrEnum):
    """What all checks say together."""

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
            lacking = [check.title for check in self.undetermined]
            lacking += [f"check {one} did not run" for one in self.missing]
            return f"Probably can pull. Unknown: {', '.join(lacking)}."
        return "Can pull."


def verdict(checks: Iterable[Check], *, image: bool = False) -> Verdict:
    """One answer. `image`: a certain image was asked for, and its checks count too.

    CAN only where each check that it takes has run, and none failed or is unknown. One failure is enough for
    CANNOT, whatever else is unknown.
    """
    checks = in_order(checks)
    failed = tuple(check for check in checks if check.state is CheckState.FAILED)
    undetermined = tuple(check for check in checks if check.state is CheckState.UNKNOWN and check.id not in _ADVISORY)
    needed = _NEEDED | _OF_AN_IMAGE if image else _NEEDED
    ran = {check.id for check in checks}
    missing = tuple(id_ for id_ in ORDER if id_ in needed and id_ not in ran)
    answer = Answer.CANNOT if failed else Answer.PROBABLY if undetermined or missing else Answer.CAN
    return Verdict(answer, failed, undetermined, missing)
