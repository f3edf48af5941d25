"""What the present identity may do at a registry, by the registry's own answer.

The registry is asked for a token of all that can be asked for; its claims say what is granted of it. So does
`az acr check-health --repository`. Token flow: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.access.decisions import Verdict
from services.access.permissions import Permission
from services.connection.data_plane import RegistryClient
from services.connection.data_plane_tokens import Need
from services.connection.errors import ServiceError, as_service_error
from services.connection.names import require_repository
from services.images.tagging import UNTAG_RULE
from services.registries.registry import Mode

_TITLE = "Could not ask what is granted"
# Actions of a token: https://github.com/Azure/acr/blob/main/docs/Token-BasicAuth.md
_ACTIONS: Mapping[Permission, frozenset[str]] = {
    Permission.PULL: frozenset({"pull", "metadata_read"}),
    Permission.PUSH: frozenset({"push"}),
    Permission.READ_METADATA: frozenset({"metadata_read"}),
    Permission.CHANGE_LOCKS: frozenset({"metadata_write"}),
    Permission.DELETE: frozenset({"delete"}),
}
SIGN_IN, REMOVE_TAGS = "sign in", "remove tags"
_ON_REPOSITORY = (*_ACTIONS, REMOVE_TAGS)


@dataclass(frozen=True)
class Granted:
    """One thing to do (a Permission, SIGN_IN or REMOVE_TAGS), and whether the registry allows it.

    `asked` and `answer` are the evidence: what was asked, "" where nothing was, and the
    answer, never a token. `error` is the registry's refusal, or why the answer is unknown.
    """

    what: Permission | str
    verdict: Verdict
    asked: str
    answer: str
    error: ServiceError | None = None

    @property
    def label(self) -> str:
        """'sign in', 'list repositories', 'pull'."""
        return str(self.what)


def ask_granted(client: RegistryClient, mode: Mode, repository: str = "") -> tuple[Granted, ...]:
    """Signs in again and asks; three requests. No token that the console has is used, so that a new role counts.

    Without a repository all of them are asked for at once, which a registry in ABAC mode does not answer: there the
    rows about repositories are UNKNOWN. A refusal is a row's, so that no row is missing. Raises ServiceError
    (InvalidRepository) for what can be no repository's name.
    """
    if repository:
        require_repository(_TITLE, repository)
    signed_in = _sign_in(client, mode)
    if signed_in.verdict is not Verdict.YES:
        verdict, error = signed_in.verdict, signed_in.error
        after = (Permission.LIST_CATALOG, *_ON_REPOSITORY)
        return (signed_in, *(Granted(one, verdict, "", "not asked without signing in", error) for one in after))
    return (signed_in, *_on_catalogue(client), *_on_repository(client, mode, repository))


def _sign_in(client: RegistryClient, mode: Mode) -> Granted:
    asked = "/oauth2/exchange"
    try:
        with as_service_error(_TITLE):
            client.tokens.sign_in()
    except ServiceError as error:
        return Granted(SIGN_IN, _refusal(error), asked, _answered(error), error)
    proof = "it proves who you are, and no right yet" if mode is Mode.ABAC else "some role of yours counts here"
    return Granted(SIGN_IN, Verdict.YES, asked, f"accepted: {proof}")


def _on_catalogue(client: RegistryClient) -> tuple[Granted, ...]:
    need = Need("", frozenset({"*"}))

    def rows(actions: frozenset[str]) -> tuple[Granted, ...]:
        verdict = Verdict.YES if actions else Verdict.NO
        return (Granted(Permission.LIST_CATALOG, verdict, need.scope, _granted(actions)),)

    return _asked(client, need, (Permission.LIST_CATALOG,), rows)


def _on_repository(client: RegistryClient, mode: Mode, repository: str) -> tuple[Granted, ...]:
    if not repository and mode is Mode.ABAC:
        why = "not asked: in ABAC mode each repository has its own answer, so name one"
        return tuple(Granted(one, Verdict.UNKNOWN, "", why) for one in _ON_REPOSITORY)
    need = Need(repository or "*", frozenset().union(*_ACTIONS.values()))

    def rows(actions: frozenset[str]) -> tuple[Granted, ...]:
        if not actions and not repository:  # In ABAC mode, and the mode may have changed since it was read.
            why = "granted nothing: it may have left the wildcard out, so name a repository"
            return tuple(Granted(one, Verdict.UNKNOWN, need.scope, why) for one in _ON_REPOSITORY)
        held = need.actions if "*" in actions else actions
        of_actions = (
            Granted(one, Verdict.YES if needed <= held else Verdict.NO, need.scope, _granted(held & needed, needed))
            for one, needed in _ACTIONS.items()
        )
        return (*of_actions, _untagging(held, need.scope))

    return _asked(client, need, _ON_REPOSITORY, rows)


def _untagging(held: frozenset[str], scope: str) -> Granted:
    """Whether tags may be removed, as far as that is certain: see UNTAG_RULE."""
    if "delete" in held:
        return Granted(REMOVE_TAGS, Verdict.YES, scope, "granted delete")
    if partly := held & {"push", "metadata_write"}:
        return Granted(REMOVE_TAGS, Verdict.UNKNOWN, scope, f"{_granted(partly)}. {UNTAG_RULE}")
    return Granted(REMOVE_TAGS, Verdict.NO, scope, _granted(frozenset()))


def _asked(
    client: RegistryClient,
    need: Need,
    about: tuple[Permission | str, ...],
    rows: Callable[[frozenset[str]], tuple[Granted, ...]],
) -> tuple[Granted, ...]:
    try:
        with as_service_error(_TITLE):
            actions = client.tokens.granted(need)
    except ServiceError as error:
        return tuple(Granted(one, _refusal(error), need.scope, _answered(error), error) for one in about)
    return rows(actions)


def _refusal(error: ServiceError) -> Verdict:
    """401 is the registry's answer to who asks. All else, 403 of its network too, says nothing of their rights."""
    return Verdict.NO if error.status == 401 else Verdict.UNKNOWN


def _answered(error: ServiceError) -> str:
    answer = " ".join(str(part) for part in (error.status, error.code) if part) or "no answer"
    why = {
        401: ": no role of yours allows signing in",
        403: ": the network rules refuse this address, whoever asks",
    }
    return answer + why.get(error.status or 0, "")


def _granted(actions: frozenset[str], needed: frozenset[str] = frozenset()) -> str:
    lacking = f", without {', '.join(sorted(needed - actions))}" if actions and needed - actions else ""
    return f"granted {', '.join(sorted(actions)) or 'nothing of it'}{lacking}"
