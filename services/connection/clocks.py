"""The console's clock against a registry's: what is counted by a wrong one is wrong."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError, as_service_error

# Between the console's clock and a registry's.
MOST_APART = timedelta(minutes=5)


def require_same_time(client: RegistryClient, title: str, now: datetime) -> None:
    """Raises ServiceError (ClocksApart) where the registry answers at another time than `now`: ages and days would be
    wrong. An answer that says no time says nothing."""
    with as_service_error(title):
        answered = client.raw("/acr/v1/_catalog?n=1").headers.get("Date", "")
    try:
        there = parsedate_to_datetime(answered)
    except ValueError:
        return
    if abs(there.replace(tzinfo=UTC) - now) > MOST_APART:
        cause = f"The console's clock says {now:%Y-%m-%d %H:%M} UTC, and the registry's {there:%Y-%m-%d %H:%M}."
        raise ServiceError(title, cause, "Set the clock of the console's machine or database.", "ClocksApart")
