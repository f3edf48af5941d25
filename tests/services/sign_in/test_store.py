"""Sign-ins as rows: who is found by a cookie, until when, and what is left behind; on both databases."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, select, text, update

from services.connection.errors import ServiceError
from services.database.tables import accounts, audit, sign_ins
from services.jobs.audit import verify
from services.jobs.jobs import JobItem, begin
from services.sign_in.app_roles import AppRole
from services.sign_in.store import Person, SignIns, UnreadableTokens, sealing_keys

CLOUD = "https://arm.example"
ENGINEER, DEVELOPER = "tenant/engineer", "tenant/developer"
IDLE, LONGEST = timedelta(minutes=60), timedelta(hours=12)
KEY = Fernet.generate_key().decode()


def store_of(database: Engine, keys: str = KEY) -> SignIns:
    return SignIns(lambda: database, sealing_keys(keys), IDLE, LONGEST, CLOUD)


@pytest.fixture
def store(database: Engine) -> SignIns:
    return store_of(database)


def signed_in(store: SignIns, account: str = ENGINEER, cookie: str | None = None, tokens: str = "tokens") -> str:
    name = account.partition("/")[2]
    return store.begin(account, Person(name.capitalize(), f"{name}@contoso.example"), tokens, cookie)


def entries(database: Engine) -> list[dict[str, str]]:
    with database.connect() as db:
        return [json.loads(text) for text in db.execute(select(audit.c.entry).order_by(audit.c.number)).scalars()]


def age(database: Engine, by: timedelta, *columns: str) -> None:
    """Lets time pass for every sign-in."""
    with database.begin() as db:
        for row in db.execute(select(sign_ins)).all():
            values = {name: getattr(row, name) - by for name in columns}
            db.execute(update(sign_ins).where(sign_ins.c.id == row.id).values(values))


def test_a_cookie_finds_its_person_and_nothing_else_does(store: SignIns) -> None:
    cookie = signed_in(store)
    found = store.find(cookie)
    assert found
    assert (found.account, found.login) == (ENGINEER, "engineer@contoso.example")
    assert store.find_by_id(found.id) == found
    for other in ("", found.id, hashlib.sha256(cookie.encode()).hexdigest(), cookie[:-1], f"{cookie} "):
        assert store.find(other) is None


def test_what_is_stored_is_neither_cookie_nor_token(store: SignIns, database: Engine) -> None:
    cookie = signed_in(store, tokens="a refresh token")
    with database.connect() as db:
        (row,) = db.execute(select(sign_ins)).all()
        sealed = db.execute(select(accounts.c.tokens)).scalar_one()
    assert row.cookie_hash == hashlib.sha256(cookie.encode()).hexdigest()
    assert cookie not in str(row)
    assert b"refresh" not in sealed
    assert sealed.startswith(b"gAAAA")


def test_a_sign_in_ends_by_idleness_and_by_time(store: SignIns, database: Engine) -> None:
    cookie = signed_in(store)
    age(database, IDLE - timedelta(minutes=1), "seen", "ends")
    found = store.find(cookie)
    assert found
    assert found.ends - datetime.now(UTC) < timedelta(minutes=2)
    store.touch(found.id)
    found = store.find(cookie)
    assert found
    assert found.ends - datetime.now(UTC) > timedelta(minutes=50)
    age(database, IDLE, "seen")
    assert store.find(cookie) is None
    other = signed_in(store)
    age(database, LONGEST, "ends")
    assert store.find(other) is None
    assert not store.signed_in(ENGINEER)


def test_signing_in_again_keeps_the_tabs_under_another_cookie(store: SignIns) -> None:
    first = signed_in(store)
    before = store.find(first)
    second = signed_in(store, cookie=first)
    after = store.find(second)
    assert before
    assert after
    assert after.id == before.id
    assert second != first
    assert store.find(first) is None


def test_another_person_in_the_same_browser_ends_the_first_one_s(store: SignIns, database: Engine) -> None:
    first = signed_in(store)
    second = signed_in(store, DEVELOPER, cookie=first)
    assert store.find(first) is None
    found = store.find(second)
    assert found
    assert found.account == DEVELOPER
    assert [one["what"] for one in entries(database)] == [
        "signed in",
        "signed out, as another person signed in",
        "signed in",
    ]


def test_signing_out_ends_one_browser_alone_and_only_once(store: SignIns) -> None:
    here, there = signed_in(store), signed_in(store)
    ended = store.end(here)
    assert ended
    assert ended.account == ENGINEER
    assert store.find(here) is None
    assert store.find(there)
    assert store.signed_in(ENGINEER)
    assert store.end(here) is None


def test_the_tokens_go_with_the_last_sign_in(store: SignIns) -> None:
    cookie = signed_in(store)
    assert store.tokens(ENGINEER)
    store.end(cookie)
    assert store.tokens(ENGINEER) is None
    assert store.person(ENGINEER) is None


def test_a_job_keeps_its_person_s_tokens(store: SignIns, database: Engine) -> None:
    cookie = signed_in(store)
    other = signed_in(store, DEVELOPER)
    items = [JobItem("v1", "sha256:1")]
    begin(database, f"{CLOUD} {ENGINEER}", "remove tags", "r.example", "app", items, {}, timedelta(seconds=30))
    store.end(cookie)
    store.end(other)
    assert store.tokens(ENGINEER)
    assert store.tokens(DEVELOPER) is None


def test_who_was_faster_wins_and_the_other_learns_of_it(store: SignIns) -> None:
    signed_in(store)
    known = store.tokens(ENGINEER)
    assert known
    assert store.save_tokens(ENGINEER, "renewed here", known.version) == known.version + 1
    assert store.save_tokens(ENGINEER, "renewed there", known.version) is None
    after = store.tokens(ENGINEER)
    assert after
    assert after.text == "renewed here"


def test_keys_are_changed_by_putting_a_new_one_before_the_old(store: SignIns, database: Engine) -> None:
    signed_in(store)
    new = Fernet.generate_key().decode()
    both = store_of(database, f"{new},{KEY}")
    known = both.tokens(ENGINEER)
    assert known
    both.save_tokens(ENGINEER, known.text, known.version)
    assert store_of(database, new).tokens(ENGINEER)
    with pytest.raises(UnreadableTokens):
        store.tokens(ENGINEER)


def test_the_log_has_who_signed_in_and_out_and_holds_together(store: SignIns, database: Engine) -> None:
    cookie = signed_in(store)
    store.refuse("access_denied")
    store.end(cookie)
    found = entries(database)
    assert [(one["what"], one["who"]) for one in found] == [
        ("signed in", f"{CLOUD} {ENGINEER}"),
        ("sign-in refused", ""),
        ("signed out", f"{CLOUD} {ENGINEER}"),
    ]
    assert found[0]["login"] == "engineer@contoso.example"
    assert cookie not in json.dumps(found)
    assert verify(database).fault == ""


def test_without_its_entry_in_the_log_there_is_no_sign_in(store: SignIns, database: Engine) -> None:
    with database.begin() as db:
        db.execute(text("DROP TABLE audit"))
    with pytest.raises(ServiceError) as refused:
        signed_in(store)
    assert refused.value.code == "NoDatabase"
    with database.connect() as db:
        assert db.execute(select(sign_ins)).all() == []
        assert db.execute(select(accounts)).all() == []


def test_app_roles_are_those_of_the_sign_in(store: SignIns, database: Engine) -> None:
    person = Person("Engineer", "engineer")
    cookie = store.begin(ENGINEER, person, "", None, [AppRole.OPERATOR])
    found = store.find(cookie)
    assert found
    assert found.roles == (AppRole.OPERATOR,)
    assert entries(database)[-1]["roles"] == ["Console.Operator"]
    again = store.find(store.begin(ENGINEER, person, "", cookie, []))
    assert again
    assert (again.id, again.roles) == (found.id, ())


def test_roles_that_are_written_into_the_table_are_none(store: SignIns, database: Engine) -> None:
    operator = store.begin(ENGINEER, Person("Engineer", "engineer"), "", None, [AppRole.OPERATOR])
    viewer = store.begin(DEVELOPER, Person("Developer", "developer"), "", None, [AppRole.VIEWER])
    with database.begin() as db:
        of_engineer = select(sign_ins.c.roles).where(sign_ins.c.account == ENGINEER).scalar_subquery()
        db.execute(update(sign_ins).where(sign_ins.c.account == DEVELOPER).values(roles=of_engineer))
    found = store.find(viewer)
    assert found
    assert found.roles == ()
    with database.begin() as db:
        db.execute(update(sign_ins).values(roles=b'["Console.Operator"]'))
    assert store.find(operator) is None


@pytest.mark.parametrize("roles", [[AppRole.AUDITOR], [AppRole.OPERATOR], []])
def test_a_sign_in_ends_with_the_key_of_its_roles(store: SignIns, database: Engine, roles: list[AppRole]) -> None:
    cookie = store.begin(ENGINEER, Person("Engineer", "engineer"), "", None, roles)
    known = store.find(cookie)
    assert known
    later = store_of(database, Fernet.generate_key().decode())
    assert later.find(cookie) is None
    assert later.find_by_id(known.id) is None
    again = later.find(later.begin(ENGINEER, Person("Engineer", "engineer"), "", cookie, roles))
    assert again
    assert (again.id, again.roles) == (known.id, tuple(roles))
    other = store_of(database, Fernet.generate_key().decode())
    assert other.end(cookie) is None
