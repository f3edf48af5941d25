"""Recorded answers with one member removed, null or of another type: a value or a ServiceError, never anything else."""

import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection.errors import ServiceError
from tests.services import (
    test_recorded_access,
    test_recorded_aks,
    test_recorded_arm,
    test_recorded_costs,
    test_recorded_data_plane,
    test_recorded_registries,
)
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
    """A recording whose answer has a change. `everywhere`: also in what its replay puts together from its body."""

    def __init__(self, file: str, change: Change, *, everywhere: bool) -> None:
        super().__init__(file)
        odd = change.of(self.body)
        self.response = {**self.response, "body": odd, "raw_body": as_sent(odd).decode()}
        if everywhere:
            self.body = odd


def came_through_services(at: TracebackType | None) -> bool:
    while at:
        if at.tb_frame.f_code.co_filename.startswith(SERVICES):
            return True
        at = at.tb_next
    return False


def replay(area: Area, file: str, change: Change, *, everywhere: bool) -> None:
    """What a replay expects does not hold any more, which is all right; what leaves a service must be its error."""
    found = [read for pattern, read in area.read.items() if Path(file).match(pattern)]
    read: Callable[[Recording], None] = found[0]
    try:
        read(OddRecording(file, change, everywhere=everywhere))
    except (AssertionError, ServiceError, pytest.fail.Exception):
        pass
    except Exception as error:
        if came_through_services(error.__traceback__):
            raise AssertionError(f"{file}, {change}: {type(error).__name__}: {error}") from error


CASES = [
    (area, file, change)
    for area in AREAS
    for file in area.read_files
    if RECORDINGS[file].body is not None
    for change in changes(RECORDINGS[file].body)
]


@given(st.data())
def test_an_odd_member_costs_no_more_than_an_error(data: st.DataObject) -> None:
    area, file, change = data.draw(st.sampled_from(CASES))
    replay(area, file, change, everywhere=data.draw(st.booleans()))
