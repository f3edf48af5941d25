"""A new password of a token: made by Azure, told once, and kept nowhere."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from azure.mgmt.containerregistry import models

from services.child_resources.tokens import Token, get_token
from services.connection.changes import changed
from services.connection.errors import ServiceError, as_service_error
from services.connection.session import AzureSession
from services.registries.registry import Registry

NAMES = ("password1", "password2")
LOST = (
    "A password may have been made that nobody has seen, and an older one of that name works no more then: make it "
    "again."
)


@dataclass(frozen=True)
class PasswordPlan:
    """`name`: password1 or password2. `expiry` None: it does not expire."""

    registry: Registry
    token: Token
    name: str
    expiry: datetime | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class NewPassword:
    """What Azure made. `value` is a secret: it is told this once, and must be kept in no cache, log or URL."""

    token: str
    name: str
    expiry: datetime | None
    value: str = field(repr=False)


def spare_name(token: Token, now: datetime) -> str:
    """Which of the two to make, so that the one in use goes on: one not there, else an expired one, else the older."""
    missing = [name for name in NAMES if token.password(name) is None]
    if missing:
        return missing[0]
    expired = [one.name for one in token.passwords if one.expiry and one.expiry <= now]
    by_age = sorted(token.passwords, key=lambda one: one.created or now)
    return (expired or [one.name for one in by_age])[0]


def plan_password(registry: Registry, token: Token, name: str, days: int | None, now: datetime) -> PasswordPlan:
    """A password that works for so many days from `now`; None: for good."""
    warnings: list[str] = []
    there = token.password(name)
    if there and not (there.expiry and there.expiry <= now):
        warnings.append(f"{name} is there already: whoever signs in with it is refused from then on.")
    if days is None:
        warnings.append("It works until it is replaced or its token goes. A password that ends is better.")
    if not token.enabled:
        warnings.append("The token is disabled: the password works once it is enabled.")
    return PasswordPlan(registry, token, name, now + timedelta(days=days) if days else None, tuple(warnings))


def generate_password(session: AzureSession, plan: PasswordPlan) -> NewPassword:
    """Has Azure make the password.

    Raises ServiceError where none was made: refused, or the token is another one by now. Where it may have been made,
    and its answer is lost, the remedy is `LOST`.
    """
    token, registry = plan.token, plan.registry
    title = f"Could not make {plan.name} of the token {token.name}"
    if get_token(session, registry, token.name) != token:
        raise changed(title, "The token is another one than was shown.")
    body = models.GenerateCredentialsParameters(token_id=token.id, name=plan.name, expiry=plan.expiry)
    client = session.registries(registry.subscription_id).registries
    taken = False
    try:
        with as_service_error(title):
            poller = client.begin_generate_credentials(registry.resource_group, registry.name, body)
            taken = True
            made = poller.result()
            (one,) = [one for one in made.passwords or () if one.name == plan.name and one.value]
    except ServiceError as error:
        if not taken and error.status is not None and 400 <= error.status < 500:
            raise
        raise replace(error, remedy=LOST) from error
    return NewPassword(made.username or token.name, plan.name, one.expiry, one.value or "")
