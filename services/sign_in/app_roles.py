"""App roles of the console's application in Entra: what they allow where Azure is asked as the console's own identity.

Entra names those of a person in the claim `roles` of the id token.
https://learn.microsoft.com/entra/identity-platform/howto-add-app-roles-in-apps
"""

from collections.abc import Collection
from enum import StrEnum

from services.connection.write_permission import WritePermission


class AppRole(StrEnum):
    """The roles, by their value in Entra."""

    VIEWER = "Console.Viewer"
    OPERATOR = "Console.Operator"
    AUDITOR = "Console.Auditor"


_ASK = "Ask whoever assigns the console's app roles in Microsoft Entra, then sign in again."
OPERATOR_PERMISSION = WritePermission(
    access_refusal=(
        "Everyone here acts as the console's own identity: role assignments, tokens, passwords, the admin user and "
        "headers of webhooks are not changed, and service URIs are not shown."
    ),
    remedy="Ask someone with Owner or User Access Administrator to change it in Azure.",
)


def known_roles(claim: object) -> tuple[AppRole, ...]:
    """The console's roles of an id token's claim `roles`, in their own order; others mean nothing here."""
    found = claim if isinstance(claim, list | tuple) else ()
    return tuple(role for role in AppRole if role.value in found)


def shared_permission(roles: Collection[AppRole]) -> WritePermission:
    """What someone with these roles may change where Azure is asked as the console's own identity."""
    if AppRole.OPERATOR in roles:
        return OPERATOR_PERMISSION
    have = f"Your role is {', '.join(roles)}, which reads." if roles else "You have no role in this console."
    return WritePermission(f"{have} Changes need {AppRole.OPERATOR}.", remedy=_ASK)


def sees_everyone(roles: Collection[AppRole]) -> bool:
    """Whether someone with these roles sees the activity of everyone."""
    return AppRole.AUDITOR in roles
