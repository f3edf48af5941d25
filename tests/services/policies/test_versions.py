"""The last version of each minor."""

import pytest

from services.policies.versions import last_of_minors


@pytest.mark.parametrize(
    ("names", "last"),
    [
        (["1.4.6", "1.4.7", "1.5.0", "latest"], {"1.4.7", "1.5.0"}),
        (["1.4.9", "1.4.10"], {"1.4.10"}),
        (["v1.4.7", "1.4.7", "1.4.2"], {"v1.4.7", "1.4.7"}),
        (["1.4.7-rc.2", "1.4.7", "1.4.7-rc.10"], {"1.4.7"}),
        (["1.4.7-rc.2", "1.4.7-rc.10", "1.4.6"], {"1.4.7-rc.10"}),
        (["1.4.7-alpine", "1.4.8", "1.4.6-alpine"], {"1.4.7-alpine", "1.4.8"}),
        (["1.4", "1", "01.4.7", "1.4.7.8", "x1.4.7"], set()),
    ],
)
def test_the_last_of_each_minor(names: list[str], last: set[str]) -> None:
    assert last_of_minors(names) == last
