"""Role assignments that somebody asks others to make, as those who may carry them out find them.

A request is fulfilled by whoever makes that very assignment, from the request or by themselves, or declined by someone
who may make it, with a reason that whoever asked sees.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, exists, func, insert, or_, select, update

from services.connection.errors import ServiceError
from services.database.engine import clock, reading, writing
from services.database.tables import requests
from services.jobs.audit import add_entry, login_of

# So many open ones are listed, the newest.
LISTED = 200
# So many open ones may one identity have.
MOST_OF_ONE = 20


# So many characters has the reason of a declined one at most.
MOST_REASON = 300
# So long it is shown that a request was carried out or declined.
ANSWERED_SHOWN = timedelta(days=14)


@dataclass(frozen=True)
class Wanted:
    """The assignment that is asked for: on a registry (`scope`, its resource id), by the name and the condition that
    Azure gets. `query` is that of the page Assign role with the same plan."""

    scope: str
    assignment: str
    condition: str
    title: str
    query: Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """What `who` asks; `login` is their name."""

    id: str
    who: str
    login: str
    asked: datetime
    wanted: Wanted


@dataclass(frozen=True)
class Answered:
    """A request that was carried out (`done`), or declined with a `reason`; when, and by whom ("" where that person is
    signed in no more)."""

    request: Request
    at: datetime
    by: str
    done: bool
    reason: str = ""


def ask(engine: Engine, who: str, login: str, wanted: Wanted) -> Request:
    """Records a request, or returns the open one of `who` for the same.

    Raises ServiceError: NoDatabase, or TooManyRequests of one identity.
    """
    title = "The request could not be recorded"
    with writing(engine, title) as db:
        if known := db.execute(_same(db, wanted).where(requests.c.who == who)).first():
            return _request(known)
        mine = (requests.c.who == who) & requests.c.closed.is_(None)
        if (db.execute(select(func.count()).where(mine)).scalar() or 0) >= MOST_OF_ONE:
            cause = f"You have {MOST_OF_ONE} open requests."
            raise ServiceError(title, cause, "Withdraw one under Activity first.", "TooManyRequests")
        request = secrets.token_hex(8)
        db.execute(
            insert(requests).values(
                id=request, who=who, login=login, asked=clock(db), scope=wanted.scope.casefold(),
                assignment=wanted.assignment, condition=wanted.condition, title=wanted.title,
                query=dict(wanted.query), outcome="",
            )
        )  # fmt: skip
        add_entry(
            db, who, "requested", "", request=request, title=wanted.title, scope=wanted.scope,
            assignment=wanted.assignment, condition=wanted.condition,
        )  # fmt: skip
        return _request(db.execute(select(requests).where(requests.c.id == request)).one())


def open_requests(engine: Engine, who: str, scopes: Collection[str] = ()) -> tuple[Request, ...]:
    """The newest `LISTED` open ones of `who`, and of everybody for these registries, the newest first.

    Raises ServiceError (NoDatabase).
    """
    shown = or_(requests.c.who == who, requests.c.scope.in_([scope.casefold() for scope in scopes]))
    newest = select(requests).where(requests.c.closed.is_(None), shown).order_by(requests.c.asked.desc()).limit(LISTED)
    with reading(engine, "The requests could not be read") as db:
        return tuple(_request(row) for row in db.execute(newest))


def fulfil(engine: Engine, who: str, wanted: Wanted) -> int:
    """Closes what everybody asked for by that assignment, which is there now, also what was declined and is still shown
    as that; returns how many there were.

    Raises ServiceError (NoDatabase)."""
    with writing(engine, "The request could not be closed") as db:
        declined = select(requests).where(*_of(wanted), requests.c.outcome == "declined", _recent(db))
        found = [*db.execute(_same(db, wanted)).all(), *db.execute(declined).all()]
        for row in found:
            _close(db, who, row.id, "fulfilled")
        return len(found)


def withdraw(engine: Engine, who: str, request: str) -> None:
    """Closes a request of `who`. Raises ServiceError (NoDatabase)."""
    with writing(engine, "The request could not be withdrawn") as db:
        if db.execute(_open(db).where(requests.c.who == who, requests.c.id == request)).first():
            _close(db, who, request, "withdrawn")


def requests_for(engine: Engine, wanted: Wanted) -> tuple[Request, ...]:
    """The open ones of everybody for that assignment, the oldest first. Raises ServiceError (NoDatabase)."""
    with reading(engine, "The requests could not be read") as db:
        found = select(requests).where(requests.c.closed.is_(None), *_of(wanted)).order_by(requests.c.asked)
        return tuple(_request(row) for row in db.execute(found))


def decline(engine: Engine, who: str, wanted: Wanted, reason: str) -> int:
    """Closes what others ask for by that assignment, with the reason that they see; returns how many there were.

    For those who may assign it. Raises ServiceError: NoDatabase, NoReason, LongReason, or ClosedAlready where none is
    open.
    """
    title = "The request could not be declined"
    if not reason.strip():
        raise ServiceError(title, "There is no reason.", "Say why: whoever asked sees it.", "NoReason")
    if len(reason.strip()) > MOST_REASON:
        cause = f"The reason has {len(reason.strip()):,} characters, at most {MOST_REASON} fit."
        raise ServiceError(title, cause, "Shorten it.", "LongReason")
    with writing(engine, title) as db:
        found = [row for row in db.execute(_same(db, wanted)).all() if row.who != who]
        if not found:
            of_others = select(requests.c.outcome).where(*_of(wanted), requests.c.who != who)
            outcome = db.execute(of_others.order_by(requests.c.closed.desc()).limit(1)).scalar()
            cause = f"It was {outcome} already." if outcome else "Nobody else asks for it."
            raise ServiceError(title, cause, "Nothing was changed.", "ClosedAlready")
        for row in found:
            _close(db, who, row.id, "declined", reason.strip())
        return len(found)


def answered_requests(engine: Engine, who: str) -> tuple[Answered, ...]:
    """Those of `who` that were carried out or declined in the last `ANSWERED_SHOWN` and not asked for again, the newest
    first.

    Raises ServiceError (NoDatabase)."""
    with reading(engine, "The requests could not be read") as db:
        mine = (requests.c.who == who) & requests.c.outcome.in_(("fulfilled", "declined"))
        recent = mine & _recent(db)
        again = requests.alias()
        same = and_(*(again.c[name] == requests.c[name] for name in ("scope", "assignment", "condition")))
        later = exists().where(again.c.who == who, same, again.c.asked > requests.c.asked)
        rows = db.execute(select(requests).where(recent, ~later).order_by(requests.c.closed.desc())).all()
        return tuple(
            Answered(_request(row), row.closed, login_of(db, row.closed_by), row.outcome == "fulfilled", row.reason)
            for row in rows
        )


def _recent(db: Connection) -> ColumnElement[bool]:
    return requests.c.closed > clock(db) - ANSWERED_SHOWN


def _same(db: Connection, wanted: Wanted) -> Any:
    return _open(db).where(*_of(wanted))


def _of(wanted: Wanted) -> tuple[ColumnElement[bool], ...]:
    return (
        requests.c.scope == wanted.scope.casefold(),
        requests.c.assignment == wanted.assignment,
        requests.c.condition == wanted.condition,
    )


def _open(db: Connection) -> Any:
    """The open ones, locked until the transaction's end."""
    found = select(requests).where(requests.c.closed.is_(None))
    return found.with_for_update() if db.dialect.name == "postgresql" else found


def _close(db: Connection, who: str, request: str, outcome: str, reason: str = "") -> None:
    closed = {"closed": clock(db), "closed_by": who, "outcome": outcome, "reason": reason}
    db.execute(update(requests).where(requests.c.id == request).values(closed))
    add_entry(db, who, f"request {outcome}", "", request=request, **({"reason": reason} if reason else {}))


def _request(row: Row[Any]) -> Request:
    wanted = Wanted(row.scope, row.assignment, row.condition, row.title, row.query)
    return Request(row.id, row.who, row.login, row.asked, wanted)
