"""What became of a change: what is there afterwards counts, and what nobody can tell is said to be unknown."""

from collections.abc import Callable

import pytest

from services.connection.changes import Outcome, remove, write
from services.connection.errors import ServiceError, says_gone, says_not_found

LOST = ServiceError("T", "The connection was lost.", "R", "ConnectionLost")
NO_TAG = ServiceError("T", "No such tag.", "R", "TAG_UNKNOWN", 404)
NO_RESOURCE = ServiceError("T", "No such resource.", "R", "ResourceNotFound", 404)
NO_ROLE = ServiceError("T", "No.", "R", "AuthorizationFailed", 403)
PROXY = ServiceError("T", "Not found.", "R", "", 404)
Step = Callable[[], str]


def answers(answer: str | ServiceError) -> Step:
    def step() -> str:
        if isinstance(answer, ServiceError):
            raise answer
        return answer

    return step


@pytest.mark.parametrize("sent", ["", LOST])
def test_a_change_that_shows_is_made_whatever_it_was_answered(sent: str | ServiceError) -> None:
    assert write("T", answers(sent), answers("new"), "new".__eq__, says_gone) == "new"


@pytest.mark.parametrize("found", ["old", NO_TAG, PROXY, LOST])
def test_a_change_that_was_accepted_and_does_not_show(found: str | ServiceError) -> None:
    assert write("T", answers(""), answers(found), "new".__eq__, says_gone) is None


@pytest.mark.parametrize("found", ["old", NO_TAG])
def test_a_change_that_failed_and_is_not_there(found: str | ServiceError) -> None:
    with pytest.raises(ServiceError) as raised:
        write("T", answers(NO_ROLE), answers(found), "new".__eq__, says_gone)
    assert raised.value is NO_ROLE


@pytest.mark.parametrize("found", [PROXY, LOST])
def test_a_change_that_failed_and_cannot_be_read_back(found: ServiceError) -> None:
    with pytest.raises(ServiceError, match="lost") as raised:
        write("T", answers(LOST), answers(found), "new".__eq__, says_gone)
    assert raised.value.remedy.startswith("Whether it was done is not known.")


@pytest.mark.parametrize(
    ("sent", "left", "outcome"),
    [
        ("", NO_TAG, Outcome.DELETED),
        (LOST, NO_TAG, Outcome.DELETED),
        (NO_TAG, NO_TAG, Outcome.ALREADY_DONE),
        ("", "there", Outcome.NOT_CONFIRMED),
        ("", PROXY, Outcome.NOT_CONFIRMED),
        (NO_TAG, "there", Outcome.NOT_CONFIRMED),
        (NO_TAG, LOST, Outcome.NOT_CONFIRMED),
    ],
)
def test_a_deletion(sent: str | ServiceError, left: str | ServiceError, outcome: Outcome) -> None:
    assert remove("T", answers(sent), answers(left), says_gone) is outcome


@pytest.mark.parametrize(
    ("left", "remedy"), [("there", "R"), (PROXY, "Whether it was done is not known."), (LOST, "Whether it was done")]
)
def test_a_deletion_that_failed(left: str | ServiceError, remedy: str) -> None:
    with pytest.raises(ServiceError, match="No") as raised:
        remove("T", answers(NO_ROLE), answers(left), says_gone)
    assert raised.value.remedy.startswith(remedy)


def test_each_plane_says_gone_in_its_own_words() -> None:
    assert says_gone(NO_TAG) and says_not_found(NO_RESOURCE)
    for error in (PROXY, NO_ROLE, LOST, ServiceError("T", "C", "R", "SubscriptionNotFound", 404)):
        assert not says_gone(error) and not says_not_found(error)
    assert not says_gone(NO_RESOURCE) and not says_not_found(NO_TAG)
