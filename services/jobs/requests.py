"""Role assignments that somebody asks others to make, as those who may carry them out find them.

A request is fulfilled by whoever makes the assignment of its name, from the request or by themselves.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select, update

from services.database.engine import clock, reading, writing
from services.database.tables import requests
from services.jobs.audit import add_entry

# So many open ones are listed, the newest.
LISTED = 200


@dataclass(frozen=True)
class Request:
    """`who` asks, `login` is their name. `scope` is a registry's resource id, `assignment` the role assignment's name.
    It is carried out at `page` (the address of a page) with `query`."""

    id: str
    who: str
    login: str
    asked: datetime
    scope: str
    assignment: str
    title: str
    page: str
    query: Mapping[str, str]


def ask(
    engine: Engine,
    who: str,
    login: str,
    *,
    scope: str,
    assignment: str,
    title: str,
    page: str,
    query: Mapping[str, str],
) -> Request:
    """Records a request, or returns the open one of `who` for the same. Raises ServiceError (NoDatabase)."""
    with writing(engine, "The request could not be recorded") as db:
        same = _open(db).where(
            requests.c.who == who, requests.c.scope == scope.casefold(), requests.c.assignment == assignment
        )
        if known := db.execute(same).first():
            return _request(known)
        request = secrets.token_hex(8)
        db.execute(
            insert(requests).values(
                id=request, who=who, login=login, asked=clock(db), scope=scope.casefold(), assignment=assignment,
                title=title, page=page, query=dict(query), outcome="",
            )
        )  # fmt: skip
        add_entry(db, who, "requested", "", request=request, title=title, scope=scope, assignment=assignment)
        return _request(db.execute(select(requests).where(requests.c.id == request)).one())


def open_requests(engine: Engine) -> tuple[Request, ...]:
    """The newest `LISTED` open ones, of everybody, the newest first. Raises ServiceError (NoDatabase)."""
    with reading(engine, "The requests could not be read") as db:
        newest = select(requests).where(requests.c.closed.is_(None)).order_by(requests.c.asked.desc()).limit(LISTED)
        return tuple(_request(row) for row in db.execute(newest))


def fulfil(engine: Engine, who: str, scope: str, assignment: str) -> int:
    """Closes what everybody asked for by that assignment, which `who` has made; returns how many there were.

    Raises ServiceError (NoDatabase)."""
    with writing(engine, "The request could not be closed") as db:
        found = db.execute(
            _open(db).where(requests.c.scope == scope.casefold(), requests.c.assignment == assignment)
        ).all()
        for row in found:
            _close(db, who, row.id, "fulfilled")
        return len(found)


def withdraw(engine: Engine, who: str, request: str) -> None:
    """Closes a request of `who`. Raises ServiceError (NoDatabase)."""
    with writing(engine, "The request could not be withdrawn") as db:
        if db.execute(_open(db).where(requests.c.who == who, requests.c.id == request)).first():
            _close(db, who, request, "withdrawn")


def _open(db: Connection) -> Any:
    """The open ones, locked until the transaction's end."""
    found = select(requests).where(requests.c.closed.is_(None))
    return found.with_for_update() if db.dialect.name == "postgresql" else found


def _close(db: Connection, who: str, request: str, outcome: str) -> None:
    mine = requests.c.id == request
    db.execute(update(requests).where(mine).values(closed=clock(db), closed_by=who, outcome=outcome))
    add_entry(db, who, f"request {outcome}", "", request=request)


def _request(row: Row[Any]) -> Request:
    return Request(row.id, row.who, row.login, row.asked, row.scope, row.assignment, row.title, row.page, row.query)
