"""As whom the console asks Azure: the process's one identity, or where people sign in, each person as themselves, or
all of them as the process's, by app roles.

The application sets it as it starts; pages and loaders read it. They get a session with the permission of the browser
session that asks: without one, as in a thread, it only reads.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession, Identity
from services.sign_in.app_roles import OPERATOR_PERMISSION, AppRole, known_roles, sees_everyone
from ui.elements import write_permission
from ui.runtime.own_headers import ROLES

# Makes the session of an account.
MakeSession = Callable[[str], AzureSession]
# Raises AzureError where Entra gives no token for an account.
CheckAccount = Callable[[str], None]
# Who has an account.
Identify = Callable[[str], Identity]


@dataclass(frozen=True)
class _People:
    """The sessions of those who signed in, by account, each made once. `identify` is there where they share one."""

    make: MakeSession
    check: CheckAccount
    identify: Identify | None = None
    sessions: dict[str, AzureSession] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def session(self, account: str) -> AzureSession:
        with self.lock:
            if account not in self.sessions:
                self.sessions[account] = self.make(account)
            return self.sessions[account]


_sessions: list[AzureSession] = []
_people: list[_People] = []


# The console's own identity, for what no person asks for: schedules. Empty where it has none.
_own: list[AzureSession] = []


def use(session: AzureSession) -> None:
    """Makes `session` the connection of this process, whoever opens it."""
    _people[:] = []
    _sessions[:] = [session]
    _own[:] = [session]


def use_people(make: MakeSession, check: CheckAccount, own: AzureSession | None = None) -> None:
    """From now on each page asks as the person who signed in. `own`: the console's own connection, if it has one."""
    _people[:] = [_People(make, check)]
    _own[:] = [own] if own else []


def use_one_for_people(session: AzureSession, identify: Identify) -> None:
    """From now on people sign in, and each page asks Azure by `session`, the console's own."""
    _people[:] = [_People(lambda _account: session, lambda _account: None, identify)]
    _own[:] = [session]


def has_own_identity() -> bool:
    """Whether the console asks Azure as itself where no person does."""
    return bool(_own)


def own_session() -> AzureSession:
    """The connection of the console's own identity, with permission to change Azure; where people sign in, never
    access. Raises LookupError where it has none."""
    if not _own:
        raise LookupError("The console has no identity of its own")
    return _own[0].limited_to(OPERATOR_PERMISSION) if _people else _own[0]


def own_who() -> str:
    """Who the console is in Azure, as `who` of a person. Raises LookupError as `own_session`, ServiceError where it
    can't sign in."""
    session = own_session()
    return _key(session, session.identity.key)


def has_sign_in() -> bool:
    """Whether people sign in to this console."""
    return bool(_people)


def is_shared() -> bool:
    """Whether people sign in, and Azure is asked as the console's own identity."""
    return bool(_people and _people[0].identify)


def person() -> Identity:
    """Who sees the page; where nobody signs in, the identity of the process. Raises ServiceError as `current`."""
    if is_shared() and (identify := _people[0].identify):
        return identify(_account())
    return _current().identity


def roles() -> tuple[AppRole, ...]:
    """The app roles of whoever sees the page."""
    return known_roles((st.context.headers.get(ROLES.decode()) or "").split(",")) if _people else ()


def sees_everyones_activity() -> bool:
    """Whether the page may show what everyone did: to an auditor, or to the one person of a console without sign-in."""
    return sees_everyone(roles()) if _people else write_permission.current().allowed


def current() -> AzureSession:
    """The connection of whoever sees the page, with the permission of the running script's session.

    Raises ServiceError where people sign in and nobody has.
    """
    return _current().limited_to(write_permission.current())


def session(who: str) -> AzureSession:
    """The connection of `who`, as `current`. Raises LookupError where the page is another's, or the process now has
    another identity."""
    if _people and get_script_run_ctx(suppress_warning=True) is None:
        return _by_key(who).limited_to(write_permission.current())
    if who != _who():
        raise LookupError("The identity of the connection changed while a page was running")
    return current()


def session_for_jobs(who: str) -> AzureSession:
    """The connection of `who` with permission to change Azure, for jobs alone: whoever began one was allowed to. Where
    app roles decide, that is never access.

    Raises LookupError where it is not this console's, ServiceError where it can't sign in now.
    """
    if _is_own(who):
        return own_session()
    if not _people:
        if who != _key(_sessions[0], _sessions[0].identity.key):
            raise LookupError("Another identity began it")
        return _sessions[0]
    found = _by_key(who)
    if is_shared():
        return found.limited_to(OPERATOR_PERMISSION)
    _check(found)
    return found


def check_sign_in() -> None:
    """Raises ServiceError (SignInNeeded) where the person of this page must sign in again."""
    if _people and not is_shared():
        _check(_current())


def who() -> str:
    """The cloud and identity of the connection, part of every cache key. Raises ServiceError where sign-in fails."""
    return _who()


def is_of(who: str, account: str) -> bool:
    """Whether `who` is that account."""
    return who.rpartition(" ")[2] == account


def forget_account(account: str) -> None:
    """Drops the session of an account that is signed in nowhere any more, with the registries' tokens in it."""
    if _people:
        with _people[0].lock:
            _people[0].sessions.pop(account, None)


def _account() -> str:
    account = st.user.get("account")
    if not account:
        raise ServiceError("Nobody is signed in", "The page has no account.", "Open the page again.", "NoAccount")
    return str(account)


def _current() -> AzureSession:
    return _people[0].session(_account()) if _people else _sessions[0]


def _who() -> str:
    session = _current()
    return _key(session, _account() if _people else session.identity.key)


def _by_key(who: str) -> AzureSession:
    account = who.rpartition(" ")[2]
    found = _people[0].session(account)
    if who != _key(found, account):
        raise LookupError("Another cloud's identity")
    return found


def _check(session: AzureSession) -> None:
    with as_service_error(f"{session.identity.name or 'The person'} must sign in again"):
        _people[0].check(session.identity.key)


def _is_own(who: str) -> bool:
    """Whether `who` is the console itself; False where that can't be known, as it can't sign in."""
    try:
        return who == own_who()
    except (LookupError, ServiceError):
        return False


def _key(session: AzureSession, account: str) -> str:
    return f"{session.endpoints.resource_manager} {account}"
