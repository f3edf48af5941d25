"""Retention policies in the console's database: shared by all who use it, with every version and who saved it."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, insert, select, update

from services.connection.errors import ServiceError
from services.database.engine import clock, reading, writing
from services.database.tables import policies, policy_versions
from services.jobs.audit import add_entry, login_of
from services.policies.policy import Policy
from services.policies.text import PolicyTextError, parse_policy


@dataclass(frozen=True)
class PolicyVersion:
    """A policy as it was saved: `version` from 1, `text` as it was written, `login` the name of `who` or ""."""

    id: str
    version: int
    name: str
    text: str
    who: str
    login: str
    saved: datetime

    @property
    def policy(self) -> Policy | None:
        """The policy; None where this version of the console does not understand the text."""
        try:
            return parse_policy(self.text)
        except PolicyTextError:
            return None


def list_policies(engine: Engine) -> tuple[PolicyVersion, ...]:
    """The newest version of each policy, by name. Raises ServiceError (NoDatabase)."""
    with reading(engine, "The retention policies could not be read") as db:
        return tuple(sorted(map(_version, db.execute(_newest())), key=lambda one: (one.name.casefold(), one.id)))


def list_versions(engine: Engine, policy: str) -> tuple[PolicyVersion, ...]:
    """All versions of a policy, the newest first; none where it does not exist or was deleted.

    Raises ServiceError (NoDatabase)."""
    found = (
        select(policy_versions)
        .join(policies, policies.c.id == policy_versions.c.policy)
        .where(policies.c.id == policy, policies.c.deleted.is_(None))
        .order_by(policy_versions.c.version.desc())
    )
    with reading(engine, "The retention policy could not be read") as db:
        return tuple(map(_version, db.execute(found)))


def create_policy(engine: Engine, who: str, text: str) -> PolicyVersion:
    """Saves a new policy. Raises ServiceError: NoDatabase, NoPolicy for a text that is none, NameTaken."""
    title = "The retention policy was not saved"
    policy = _parsed(title, text)
    with writing(engine, title) as db:
        _require_name(db, title, policy.name, "")
        found = secrets.token_hex(8)
        db.execute(insert(policies).values(id=found, version=1))
        return _add(db, who, found, 1, policy.name, text)


def save_policy(engine: Engine, who: str, before: PolicyVersion, text: str) -> PolicyVersion:
    """Saves a text as the version after `before`. Raises ServiceError as `create_policy`, and ChangedMeanwhile where
    `before` is not the newest any more."""
    title = "The retention policy was not saved"
    policy = _parsed(title, text)
    with writing(engine, title) as db:
        _require_newest(db, title, before)
        _require_name(db, title, policy.name, before.id)
        mine = policies.c.id == before.id
        db.execute(update(policies).where(mine).values(version=before.version + 1))
        return _add(db, who, before.id, before.version + 1, policy.name, text)


def delete_policy(engine: Engine, who: str, before: PolicyVersion) -> None:
    """Removes a policy from the list; its versions are kept in the database. Raises ServiceError: NoDatabase,
    ChangedMeanwhile."""
    title = "The retention policy was not deleted"
    with writing(engine, title) as db:
        _require_newest(db, title, before)
        db.execute(update(policies).where(policies.c.id == before.id).values(deleted=clock(db)))
        add_entry(db, who, "deleted retention policy", "", policy=before.id, name=before.name)


def _parsed(title: str, text: str) -> Policy:
    try:
        return parse_policy(text)
    except PolicyTextError as error:
        cause = str(error.problems[0]) if error.problems else "It is no policy."
        raise ServiceError(title, cause, "Fix the text, then save it again.", "NoPolicy") from error


def _newest() -> Any:
    same = and_(policies.c.id == policy_versions.c.policy, policies.c.version == policy_versions.c.version)
    return select(policy_versions).join(policies, same).where(policies.c.deleted.is_(None))


def _require_newest(db: Connection, title: str, before: PolicyVersion) -> None:
    """Locks the policy until the transaction's end."""
    found = select(policies.c.version, policies.c.deleted).where(policies.c.id == before.id)
    row = db.execute(found.with_for_update() if db.dialect.name == "postgresql" else found).first()
    if row is None or row.deleted is not None or row.version != before.version:
        cause = "Somebody deleted it." if row is None or row.deleted else "Somebody saved another version of it."
        raise ServiceError(title, cause, "Open it again: your text is not lost until then.", "ChangedMeanwhile")


def _require_name(db: Connection, title: str, name: str, own: str) -> None:
    taken = (row for row in db.execute(_newest()) if row.policy != own and row.name.casefold() == name.casefold())
    if next(taken, None):
        raise ServiceError(title, f"Another policy is called {name}.", "Give it another name.", "NameTaken")


def _add(db: Connection, who: str, policy: str, version: int, name: str, text: str) -> PolicyVersion:
    db.execute(
        insert(policy_versions).values(
            policy=policy, version=version, name=name, text=text, who=who, login=login_of(db, who), saved=clock(db)
        )
    )
    add_entry(db, who, "saved retention policy", "", policy=policy, version=version, name=name, text=text)
    mine = (policy_versions.c.policy == policy) & (policy_versions.c.version == version)
    return _version(db.execute(select(policy_versions).where(mine)).one())


def _version(row: Row[Any]) -> PolicyVersion:
    return PolicyVersion(row.policy, row.version, row.name, row.text, row.who, row.login, row.saved)
