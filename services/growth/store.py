"""Snapshots in the console's database: one a day of each registry that was read completely, for all who see it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from sqlalchemy import Connection, Engine, delete, func, select

from services.database.engine import clock, put_rows, reading, writing
from services.database.tables import snapshot_reads, snapshots
from services.growth.history import WHOLE, Snapshot, thinned
from services.registries.registry import Registry

_PART = 500


def key_of(registry: Registry) -> str:
    """What names a registry for ever: another one of the same name was created at another time."""
    created = registry.created.isoformat() if registry.created else ""
    return f"{registry.id.lower()} {created}"


def add_snapshots(engine: Engine, registry: Registry, found: Iterable[Snapshot]) -> None:
    """Keeps the snapshots of a day in place of earlier ones of the same day, unless the worker has read that day, and
    removes those of old days but for the first of each month. Raises ServiceError (NoDatabase)."""
    key, listed = key_of(registry), list(found)
    if not listed:
        return
    # Locked as the worker locks it: what it is writing is waited for, whole, and then stays.
    theirs = select(snapshot_reads.c.day).where(snapshot_reads.c.registry == key).with_for_update()
    with writing(engine, "The snapshot of the registry could not be recorded") as db:
        if listed[0].day not in db.execute(theirs).scalars().all():
            put_snapshots(db, key, listed)


def put_snapshots(db: Connection, key: str, listed: Sequence[Snapshot]) -> None:
    """The snapshots of a day of the registry with this `key_of`, in place of earlier ones; old days are
    thinned."""
    day = listed[0].day
    mine = snapshots.c.registry == key
    db.execute(delete(snapshots).where(mine, snapshots.c.day == day))
    for at in range(0, len(listed), _PART):
        put_rows(db, snapshots, [_row(key, one) for one in listed[at : at + _PART]])
    days = list(db.execute(select(snapshots.c.day).where(mine).distinct()).scalars())
    if old := set(days) - thinned(days, day):
        db.execute(delete(snapshots).where(mine, snapshots.c.day.in_(old)))


def remove_ahead(db: Connection, key: str, today: date) -> None:
    """Removes the snapshots of days to come, which a wrong clock made. `today` must be known to be right; the day after
    may be today already, where two processes read around midnight."""
    ahead = snapshots.c.day > today + timedelta(days=1)
    db.execute(delete(snapshots).where(snapshots.c.registry == key, ahead))


def read_history(engine: Engine, registry: Registry, days: int | None = None) -> tuple[Snapshot, ...]:
    """The snapshots of the last `days` days, or all that are kept, the oldest first; none of a day to come. Raises
    ServiceError (NoDatabase)."""
    with reading(engine, "The snapshots of the registry could not be read") as db:
        tomorrow = clock(db).date() + timedelta(days=1)
        mine = (snapshots.c.registry == key_of(registry)) & (snapshots.c.day <= tomorrow)
        wanted = select(snapshots).where(mine).order_by(snapshots.c.day, snapshots.c.repository)
        if days is not None:
            last = db.execute(select(func.max(snapshots.c.day)).where(mine)).scalar()
            if last is None:
                return ()
            wanted = wanted.where(snapshots.c.day > last - timedelta(days=days))
        rows = db.execute(wanted).all()
        return tuple(
            Snapshot(
                row.day, row.repository, row.unique_bytes, row.shared_bytes, row.untagged_bytes, row.tags,
                row.manifests, row.pulls, _decimal(row.cost), row.currency or "",
            )
            for row in rows
        )  # fmt: skip


def read_totals(
    engine: Engine, registries: Iterable[Registry], days: int | None = None
) -> Mapping[str, Mapping[date, int]]:
    """The bytes of each of these registries that has snapshots, by its id and day, the oldest first; of the last `days`
    days, or all that are kept; none of a day to come. Raises ServiceError (NoDatabase)."""
    ids = {key_of(one): one.id for one in registries}
    keys, found = list(ids), dict[str, dict[date, int]]()
    with reading(engine, "The snapshots of the registries could not be read") as db:
        today = clock(db).date()
        wanted = (snapshots.c.repository == WHOLE) & (snapshots.c.day <= today + timedelta(days=1))
        if days is not None:
            wanted &= snapshots.c.day > today - timedelta(days=days)
        for at in range(0, len(keys), _PART):
            of = select(snapshots.c.registry, snapshots.c.day, snapshots.c.unique_bytes + snapshots.c.shared_bytes)
            of = of.where(wanted, snapshots.c.registry.in_(keys[at : at + _PART])).order_by(snapshots.c.day)
            for key, day, size in db.execute(of):
                found.setdefault(ids[key], {})[day] = int(size)
    return found


def _decimal(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation as exc:
        raise ValueError("no number") from exc


def _row(key: str, one: Snapshot) -> dict[str, str | int | date | None]:
    return {
        "registry": key,
        "day": one.day,
        "repository": one.repository,
        "unique_bytes": one.unique,
        "shared_bytes": one.shared,
        "untagged_bytes": one.untagged,
        "tags": one.tags,
        "manifests": one.manifests,
        "pulls": one.pulls,
        "cost": None if one.cost is None else str(one.cost),
        "currency": one.currency or None,
    }
