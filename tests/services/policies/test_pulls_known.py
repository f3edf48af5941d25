"""For how many days pulls are known."""

from datetime import UTC, datetime, timedelta

from services.policies.pulls import known_for
from services.pulls.pulls import RegistryPulls

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def test_pulls_are_known_for_as_long_as_they_are_logged() -> None:
    def since(days: int) -> RegistryPulls:
        return RegistryPulls(since=NOW - timedelta(days=days))

    assert known_for(since(90), 90, NOW) and known_for(since(400), 90, NOW)
    assert not known_for(since(89), 90, NOW)
    assert not known_for(RegistryPulls(), 90, NOW)
