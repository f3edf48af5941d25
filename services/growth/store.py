"""Snapshots in the console's database: one a day of each registry that was read completely, for all who see it."""

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import Engine, delete, func, select

from services.database.engine import put_rows, reading, writing
from services.database.tables import snapshots
from services.growth.history import Snapshot, thinned
from services.registries.registry import Registry

_PART = 500


def key_of(registry: Registry) -> str:
    """What names a registry for ever: another one of the same name was created at another time."""
    created = registry.created.isoformat() if registry.created else ""
    return f"{registry.id.lower()} {created}"


def add_snapshots(engine: Engine, registry: Registry, found: Iterable[Snapshot]) -> None:
    """Keeps the snapshots of a day in place of earlier ones of the same day, and removes those of old days but for the
    first of each month. Raises ServiceError (NoDatabase)."""
    key, listed = key_of(registry), list(found)
    if not listed:
        return
    day = listed[0].day
    mine = snapshots.c.registry == key
    with writing(engine, "The snapshot of the registry could not be recorded") as db:
        db.execute(delete(snapshots).where(mine, snapshots.c.day == day))
        for at in range(0, len(listed), _PART):
            put_rows(db, snapshots, [_row(key, one) for one in listed[at : at + _PART]])
        days = list(db.execute(select(snapshots.c.day).where(mine).distinct()).scalars())
        if old := set(days) - thinned(days, day):
            db.execute(delete(snapshots).where(mine, snapshots.c.day.in_(old)))


def read_history(engine: Engine, registry: Registry, days: int = 400) -> tuple[Snapshot, ...]:
    """The snapshots of the last `days` days, the oldest first. Raises ServiceError (NoDatabase)."""
    mine = snapshots.c.registry == key_of(registry)
    with reading(engine, "The snapshots of the registry could not be read") as db:
        last = db.execute(select(func.max(snapshots.c.day)).where(mine)).scalar()
        if last is None:
            return ()
        since = snapshots.c.day > last - timedelta(days=days)
        rows = db.execute(select(snapshots).where(mine, since).order_by(snapshots.c.day, snapshots.c.repository)).all()
    return tuple(
        Snapshot(
            row.day, row.repository, row.unique_bytes, row.shared_bytes, row.untagged_bytes, row.tags, row.manifests
        )
        for row in rows
    )


def _row(key: str, one: Snapshot) -> dict[str, str | int | date]:
    return {
        "registry": key,
        "day": one.day,
        "repository": one.repository,
        "unique_bytes": one.unique,
        "shared_bytes": one.shared,
        "untagged_bytes": one.untagged,
        "tags": one.tags,
        "manifests": one.manifests,
    }
