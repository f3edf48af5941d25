"""Sign-ins and accounts as rows that all processes share.

A browser has a random cookie; the table has its SHA-256 and, sealed, the tokens that Entra gave. Nothing that Entra
gave reaches the browser.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection, Engine, Row, and_, delete, exists, insert, select, update

from services.database.engine import clock, reading, writing
from services.database.tables import accounts, jobs, sign_ins
from services.jobs.audit import add_entry
from services.jobs.jobs import CONTINUED_WITHIN
from services.sign_in.app_roles import AppRole, known_roles

# How often it is written down that someone is there.
SEEN_EVERY = timedelta(minutes=1)
_UNREADABLE = "The sign-in could not be read"
_UNWRITABLE = "The sign-in could not be recorded"


@dataclass(frozen=True)
class SignIn:
    """A sign-in that is valid until `ends`. `account` is the key of an Identity, `login` the name it signs in with,
    `roles` those of the console's application, as Entra named them when it began. `unreadable`: they were sealed with a
    key that the console no longer has, so that nobody passes by it."""

    id: str
    account: str
    login: str
    ends: datetime
    roles: tuple[AppRole, ...] = ()
    unreadable: bool = False


@dataclass(frozen=True)
class Person:
    """Who has an account: the name that people read, and the one that they sign in with."""

    name: str
    login: str


@dataclass(frozen=True)
class Tokens:
    """MSAL's cache of an account as text; `version` is to be given to `save_tokens`."""

    text: str
    version: int


class UnreadableTokens(ValueError):
    """The tokens were sealed with a key that the console no longer has."""


def sealing_keys(text: str) -> MultiFernet:
    """Fernet keys with commas between them, the newest first: that one seals, all unseal. Raises ValueError."""
    return MultiFernet([Fernet(key.strip()) for key in text.split(",")])


class SignIns:
    """All sign-ins of this console. Each method raises ServiceError (NoDatabase).

    A sign-in ends after `idle` without a sign of the person, and `longest` after it began. `cloud` is the endpoint of
    Resource Manager, by which the log names people as jobs do.
    """

    def __init__(
        self, database: Callable[[], Engine], keys: MultiFernet, idle: timedelta, longest: timedelta, cloud: str
    ) -> None:
        self._database = database
        self._keys = keys
        self._idle = idle
        self._longest = longest
        self._cloud = cloud

    def begin(
        self, account: str, person: Person, tokens: str, cookie: str | None, roles: Sequence[AppRole] = ()
    ) -> str:
        """Records a sign-in; returns the value of its cookie, which is stored nowhere.

        `cookie` is what the browser had. Where the same person was signed in there, the sign-in goes on under the new
        cookie, with all tabs; another person's ends.
        """
        value, sealed = secrets.token_urlsafe(32), self._keys.encrypt(tokens.encode())
        with writing(self._database(), _UNWRITABLE) as db:
            now = clock(db)
            before = self._valid(db, _hash(cookie), now) if cookie else None
            _save_account(db, account, person, sealed)
            times = {"begun": now, "seen": now, "ends": now + self._longest}
            if before and before.account == account:
                id_ = before.id
                sealed_roles = self._seal(id_, account, roles)
                new = {"cookie_hash": _hash(value), "roles": sealed_roles, **times}
                db.execute(update(sign_ins).where(sign_ins.c.id == id_).values(new))
            else:
                if before:
                    self._end(db, before, "signed out, as another person signed in")
                id_ = secrets.token_hex(8)
                sealed_roles = self._seal(id_, account, roles)
                new = {"id": id_, "cookie_hash": _hash(value), "account": account, "roles": sealed_roles, **times}
                db.execute(insert(sign_ins).values(new))
            add_entry(db, self._who(account), "signed in", "", login=person.login, sign_in=id_, roles=list(roles))
            self._prune(db, now)
        return value

    def find(self, cookie: str) -> SignIn | None:
        """The sign-in of that cookie, while it is valid: not once the key of its roles is gone."""
        return self._find(sign_ins.c.cookie_hash, _hash(cookie)) if cookie else None

    def find_by_id(self, sign_in: str) -> SignIn | None:
        """The sign-in of that id, while it is valid."""
        return self._find(sign_ins.c.id, sign_in)

    def touch(self, sign_in: str) -> None:
        """Records a sign of the person, at most once in `SEEN_EVERY`."""
        with reading(self._database(), _UNREADABLE) as db:
            seen, now = db.execute(select(sign_ins.c.seen).where(sign_ins.c.id == sign_in)).scalar(), clock(db)
        if seen and now - seen > SEEN_EVERY:
            with writing(self._database(), _UNWRITABLE) as db:
                db.execute(update(sign_ins).where(sign_ins.c.id == sign_in).values(seen=now))

    def end(self, cookie: str) -> SignIn | None:
        """Ends that browser's sign-in, in all its tabs and all processes; returns it, None where there was none.

        With the last sign-in of an account go its tokens, unless a job still needs them.
        """
        with writing(self._database(), "You could not be signed out") as db:
            now = clock(db)
            found = self._valid(db, _hash(cookie), now) if cookie else None
            if found:
                self._end(db, found, "signed out")
                self._prune(db, now)
        return found

    def refuse(self, why: str) -> None:
        """Records that a sign-in was refused: nobody knows whose."""
        with writing(self._database(), _UNWRITABLE) as db:
            add_entry(db, "", "sign-in refused", "", reason=why)

    def signed_in(self, account: str) -> bool:
        """Whether that person is signed in anywhere."""
        with reading(self._database(), _UNREADABLE) as db:
            now = clock(db)
            of_account = (sign_ins.c.account == account) & (sign_ins.c.ends > now)
            return bool(db.execute(select(exists().where(of_account & (sign_ins.c.seen > now - self._idle)))).scalar())

    def tokens(self, account: str) -> Tokens | None:
        """The tokens of an account, None where there are none. Raises UnreadableTokens too."""
        with reading(self._database(), _UNREADABLE) as db:
            row = db.execute(select(accounts).where(accounts.c.account == account)).one_or_none()
        if row is None:
            return None
        try:
            return Tokens(self._keys.decrypt(row.tokens).decode(), row.version)
        except InvalidToken as error:
            raise UnreadableTokens(account) from error

    def person(self, account: str) -> Person | None:
        """Who has that account; None where nobody has signed in with it."""
        with reading(self._database(), _UNREADABLE) as db:
            row = db.execute(select(accounts).where(accounts.c.account == account)).one_or_none()
        return Person(row.name, row.login) if row else None

    def version(self, account: str) -> int:
        """The version of an account's tokens, 0 where there are none."""
        with reading(self._database(), _UNREADABLE) as db:
            return db.execute(select(accounts.c.version).where(accounts.c.account == account)).scalar() or 0

    def save_tokens(self, account: str, text: str, version: int) -> int | None:
        """Writes tokens that were renewed, unless another process was faster; returns their version, or None."""
        with writing(self._database(), "Renewed tokens could not be stored") as db:
            mine = (accounts.c.account == account) & (accounts.c.version == version)
            sealed = self._keys.encrypt(text.encode())
            found = db.execute(update(accounts).where(mine).values(tokens=sealed, version=version + 1)).rowcount
        return version + 1 if found else None

    def _who(self, account: str) -> str:
        return f"{self._cloud} {account}"

    def _find(self, column: object, value: str) -> SignIn | None:
        with reading(self._database(), _UNREADABLE) as db:
            found = self._valid(db, value, clock(db), column)
        return None if found and found.unreadable else found

    def _valid(
        self, db: Connection, value: str, now: datetime, column: object = sign_ins.c.cookie_hash
    ) -> SignIn | None:
        joined = select(sign_ins, accounts.c.login).join(accounts, accounts.c.account == sign_ins.c.account)
        row = db.execute(joined.where(column == value)).one_or_none()  # type: ignore[arg-type]
        if row is None or row.ends <= now or row.seen + self._idle <= now:
            return None
        roles = self._roles(row)
        return SignIn(row.id, row.account, row.login, min(row.ends, row.seen + self._idle), roles or (), roles is None)

    def _seal(self, sign_in: str, account: str, roles: Sequence[AppRole]) -> bytes:
        return self._keys.encrypt(json.dumps([sign_in, account, *roles]).encode())

    def _roles(self, row: Row[Any]) -> tuple[AppRole, ...] | None:
        """Those that were sealed for this very sign-in; None where no key of the console opens them."""
        try:
            sign_in, account, *roles = json.loads(self._keys.decrypt(row.roles)) if row.roles else ("", "")
        except InvalidToken:
            return None
        return known_roles(roles) if (sign_in, account) == (row.id, row.account) else ()

    def _end(self, db: Connection, sign_in: SignIn, what: str) -> None:
        db.execute(delete(sign_ins).where(sign_ins.c.id == sign_in.id))
        add_entry(db, self._who(sign_in.account), what, "", login=sign_in.login, sign_in=sign_in.id)

    def _prune(self, db: Connection, now: datetime) -> None:
        """Removes the sign-ins that are over, and the accounts that neither a sign-in nor a job needs."""
        db.execute(delete(sign_ins).where((sign_ins.c.ends <= now) | (sign_ins.c.seen <= now - self._idle)))
        named = f"{self._cloud} " + accounts.c.account
        goes_on = (jobs.c.attempt > 0) & (jobs.c.lease_until >= now - CONTINUED_WITHIN)  # Later by its person alone.
        runs = goes_on | (jobs.c.lease_until >= now)  # Without an attempt nobody continues it.
        working = and_(jobs.c.who == named, jobs.c.ended.is_(None), runs)
        signed_in = exists().where(sign_ins.c.account == accounts.c.account)
        db.execute(delete(accounts).where(~signed_in, ~exists().where(working)))


def _save_account(db: Connection, account: str, person: Person, sealed: bytes) -> None:
    mine = accounts.c.account == account
    version = db.execute(select(accounts.c.version).where(mine).with_for_update()).scalar()
    values = {"name": person.name, "login": person.login, "tokens": sealed, "version": (version or 0) + 1}
    if version is None:
        db.execute(insert(accounts).values(account=account, **values))
    else:
        db.execute(update(accounts).where(mine).values(**values))


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
