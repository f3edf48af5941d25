"""Some repositories of a registry in ABAC mode, and the condition that lets a role reach those only.

https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.access.conditions import REPOSITORY_NAME
from services.access.role_definitions import CONTENT, METADATA
from services.connection.names import require_repository


@dataclass(frozen=True)
class RepositoryChoice:
    """Repositories by name, and all below each prefix; without any: all there are. A prefix ends in a slash."""

    names: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """'all repositories', or 'team/app, and all below backend/'."""
        if not (self.names or self.prefixes):
            return "all repositories"
        below = f"all below {', '.join(self.prefixes)}" if self.prefixes else ""
        return ", and ".join(part for part in (", ".join(self.names), below) if part)


ALL = RepositoryChoice()


def choice_from(text: str) -> RepositoryChoice:
    """What someone typed, with commas between: with a slash at its end a prefix, else a name. "" is all."""
    given = [part.strip() for part in text.split(",") if part.strip()]
    return RepositoryChoice(
        tuple(part for part in given if not part.endswith("/")), tuple(part for part in given if part.endswith("/"))
    )


# What the role that reads gives.
READ_ACTIONS = (CONTENT + "read", METADATA + "read")


def condition_for(choice: RepositoryChoice, actions: Iterable[str] = READ_ACTIONS) -> str:
    """The condition, version 2.0, that limits `actions` to the chosen repositories; "" for all repositories.

    `actions` are all data actions of the role that is assigned: what is left out stays allowed on every repository.
    In whatever order they are given, the condition is the same: two that differ can't stand beside each other.
    Raises ServiceError (InvalidRepository) for what can be no repository's name, or no prefix of one: a prefix without
    its slash would let `backend-secrets` through with `backend`, and a quote would end the condition.
    """
    title = "Could not choose these repositories"
    for name in choice.names:
        require_repository(title, name)
    for prefix in choice.prefixes:
        require_repository(title, prefix[:-1] if prefix.endswith("/") else f"{prefix}?")
    tests = [f"@Request[{REPOSITORY_NAME}] StringEqualsIgnoreCase '{name}'" for name in choice.names]
    tests += [f"@Request[{REPOSITORY_NAME}] StringStartsWithIgnoreCase '{prefix}'" for prefix in choice.prefixes]
    if not tests:
        return ""
    others = " AND ".join(f"!(ActionMatches{{'{action}'}})" for action in sorted(set(actions)))
    return f"(({others}) OR ({' OR '.join(tests)}))"
