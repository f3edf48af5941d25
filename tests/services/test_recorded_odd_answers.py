"""Recorded answers with one member removed, null or of another type: a value or a ServiceError, never anything else."""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from types import TracebackType

import pytest
from azure.core.exceptions import AzureError
from hypothesis import given, settings
from hypothesis import strategies as st

from services.connection.errors import MALFORMED, ServiceError
from tests.services import (
    test_recorded_access,
    test_recorded_aks,
    test_recorded_arm,
    test_recorded_costs,
    test_recorded_data_plane,
    test_recorded_registries,
)
from tests.support.canned import Canned
from tests.support.odd_json import Change, as_sent, changes
from tests.support.recordings import RECORDINGS, Area, Recording

SERVICES = str(Path(__file__).parents[2] / "services")
AREAS: tuple[Area, ...] = tuple(
    module.AREA
    for module in (
        test_recorded_access,
        test_recorded_aks,
        test_recorded_arm,
        test_recorded_costs,
        test_recorded_data_plane,
        test_recorded_registries,
    )
)


class OddRecording(Recording):
    """A recording whose answer has a change."""

    def __init__(self, file: str, change: Change) -> None:
        super().__init__(file)
        self.sent_body = change.of(self.body)
        self.response = {**self.response, "raw_body": as_sent(self.sent_body).decode()}


def service_of(at: TracebackType | None) -> tuple[str, str] | None:
    """The first function of a service that an error came through: its file, within services, and its name."""
    while at:
        code = at.tb_frame.f_code
        if code.co_filename.startswith(SERVICES):
            return code.co_filename.removeprefix(SERVICES), code.co_name
        at = at.tb_next
    return None


def may_leave(error: Exception) -> bool:
    """Whether it is the fault of a test's own expectations, or an error that the function says to raise."""
    found = service_of(error.__traceback__)
    if found is None:
        return True
    file, name = found
    return (file.startswith("/connection/") and isinstance(error, AzureError)) or (
        name.endswith("_from") and isinstance(error, MALFORMED)
    )


def replay(area: Area, file: str, change: Change) -> None:
    """What a replay expects does not hold any more, which is all right; what leaves a service must be its error."""
    (read,) = [read for pattern, read in area.read.items() if fnmatch(file, pattern)]
    try:
        read(OddRecording(file, change))
    except (AssertionError, ServiceError, pytest.fail.Exception):
        pass
    except Exception as error:
        if not may_leave(error):
            raise AssertionError(f"{file}, {change}: {type(error).__name__}: {error}") from error


CASES = [
    (area, file, change)
    for area in AREAS
    for file in area.read_files
    if RECORDINGS[file].body is not None
    for change in changes(RECORDINGS[file].body)
]


@pytest.fixture(scope="module", autouse=True)
def impatience() -> Iterator[None]:
    """An operation whose state is odd would be waited for without end: here it is given up."""

    def sleep(wire: Canned, duration: float) -> None:
        wire.slept.append(duration)
        assert len(wire.slept) < 100, "waited for without end"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Canned, "sleep", sleep)
        yield


# There are some 30,000 cases, of milliseconds each: PROPERTY_CASES=3000 tries about all of them.
@settings(max_examples=10 * settings.default.max_examples)
@given(st.sampled_from(CASES))
def test_an_odd_member_costs_no_more_than_an_error(case: tuple[Area, str, Change]) -> None:
    replay(*case)
