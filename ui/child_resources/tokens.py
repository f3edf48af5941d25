"""Tokens and scope maps of a registry: reads them; dialogs create, enable, disable and delete them."""

from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from services.child_resources.scope_map_removal import apply_scope_map_removal, plan_scope_map_removal
from services.child_resources.scope_maps import Grant, Right, ScopeMap, list_scope_maps
from services.child_resources.token_creation import apply_token, plan_token
from services.child_resources.token_removal import TokenRemovalResult, apply_token_removal, plan_token_removal
from services.child_resources.tokens import Password, Token, apply_token_status, list_tokens, plan_token_status
from services.connection.changes import Outcome
from services.connection.parallel import Partial
from services.connection.resource_ids import same_id
from services.jobs.changes import Answer, Change
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.errors import show_error
from ui.elements.notices import dialog, say_done
from ui.elements.outcomes import WORDS
from ui.elements.text import as_option, plain
from ui.elements.writing import PlainPlan, close_button, confirm, dialog_panel
from ui.loaders import registries as registry_loaders
from ui.loaders.registries import BY_ID, Loaded
from ui.navigation import pages
from ui.navigation.links import open_page
from ui.runtime import connection
from ui.runtime.changes import confirm_and_run, run


@dataclass(frozen=True)
class Listing:
    """A registry's tokens and scope maps."""

    tokens: Partial[Token]
    maps: Partial[ScopeMap]

    def map_of(self, token: Token) -> ScopeMap | None:
        return next((one for one in self.maps.values if same_id(one.id, token.scope_map_id)), None)

    def permissions_of(self, token: Token) -> list[str]:
        """What the token's scope map allows, one repository per line."""
        scope_map = self.map_of(token)
        if scope_map:
            return grant_words(scope_map)
        if self.maps.refused:
            return ["unknown: its scope map is not among those that could be read"]
        return ["nothing: its scope map does not exist"]


@st.cache_resource(ttl="2m", show_spinner="Reading tokens", max_entries=200, hash_funcs=BY_ID)
def listed(who: str, registry: Registry) -> Loaded[Listing]:
    session = connection.session(who)
    return Loaded(Listing(list_tokens(session, registry), list_scope_maps(session, registry)), datetime.now(UTC))


def forget(who: str, registry: Registry) -> None:
    """Drops the tokens and the scope maps that were read, and the registry with its usage."""
    listed.clear(who, registry)
    registry_loaders.registry.clear(who, registry.id)


def grant_words(scope_map: ScopeMap) -> list[str]:
    """What a scope map allows, one repository per line."""
    return [*(grant.words for grant in scope_map.grants), *scope_map.others]


def password_words(password: Password) -> str:
    """password1 expires 2026-12-01"""
    if not password.expiry:
        return f"{password.name} does not expire"
    over = password.expiry <= datetime.now(UTC)
    return f"{password.name} {'expired' if over else 'expires'} {password.expiry:%Y-%m-%d}"


@dialog("Create token", width="large")
def create(who: str, registry: Registry, listing: Listing) -> None:
    """Asks for its name, repositories and rights, and creates the scope map and the token."""
    with dialog_panel():
        name, grants = _ask(who, registry)
        plan = plan_token(registry, listing.tokens.all_values(), listing.maps.all_values(), name, grants)
        filled = bool(name and grants)  # Until then, every empty field would be an error.

        def done(result: Outcome) -> str:
            next_step = (
                " It can sign in once it has a password: generate one here." if result is Outcome.CREATED else ""
            )
            return f"Token {plain(name)}: {WORDS[result]}.{next_step}"

        confirm_and_run(
            plan if filled else PlainPlan(commands=plan.commands),
            "Create token",
            f"{registry.name}, token {name}",
            lambda report: apply_token(connection.session(who), plan, report),
            lambda: forget(who, registry),
            done,
            ready=filled,
            access=True,
            then=lambda: open_page(pages.TOKENS, registry=st.query_params["registry"], token=name),
        )


def _ask(who: str, registry: Registry) -> tuple[str, tuple[Grant, ...]]:
    name = st.text_input("Name", placeholder="contoso-device", help="The user name to sign in with.").strip()
    names = registry_loaders.catalogue(who, registry.login_server).value.names
    repositories = st.multiselect(
        "Repositories",
        names,
        key=f"repositories of a token in {registry.id}",  # Names that are read later must not undo the choice.
        accept_new_options=True,
        placeholder="Choose some, or type a name",
        help="team/* is every repository whose name begins so, * is all. A repository need not exist yet.",
    )
    rights = st.pills(
        "Permissions",
        list(Right),
        selection_mode="multi",
        default=[Right.PULL, Right.READ_METADATA],
        format_func=lambda right: as_option(right.words),
    )
    chosen = tuple(right for right in Right if right in rights)
    return name, tuple(Grant(repository.strip(), chosen) for repository in dict.fromkeys(repositories))


@dialog("Change status")
def change_status(who: str, registry: Registry, token: Token) -> None:
    """Disables an enabled token, or enables a disabled one."""
    with dialog_panel():
        plan = plan_token_status(registry, token, enabled=not token.enabled)
        effect = " Its passwords that have not expired work again." if plan.enabled else ""
        st.markdown(f"**{plain(token.name)}** will be {'enabled' if plan.enabled else 'disabled'}.{effect}")
        confirm_and_run(
            plan,
            f"{'Enable' if plan.enabled else 'Disable'} token",
            f"{registry.name}, token {token.name}",
            lambda report: apply_token_status(connection.session(who), plan, report),
            lambda: forget(who, registry),
            lambda result: f"Token {plain(token.name)}: {WORDS[result]}.",
            access=True,
        )


@dialog("Delete token", width="medium")
def delete(who: str, registry: Registry, token: Token, listing: Listing) -> None:
    """Shows what is deleted with it, and asks for its name to be typed."""
    with dialog_panel():
        plan = plan_token_removal(registry, listing.tokens.all_values(), listing.maps.all_values(), token)
        st.markdown(f"The token **{plain(token.name)}** of {plain(registry.name)} will be deleted, and with it:")
        st.markdown(f"- {counted(len(token.passwords), 'password')}")
        if plan.scope_map:
            st.markdown(f"- its scope map {plain(plan.scope_map.name)}, which no other token uses")
        elif token.scope_map:
            st.markdown(f"- not its scope map {plain(token.scope_map)}, which stays")
        label = "Delete token"
        if confirm(plan, label, typed=token.name, access=True):
            session = connection.session(who)
            result = run(
                label,
                Change(label, f"{registry.name}, token {token.name}", plan.commands),
                lambda report: apply_token_removal(session, plan, report),
                lambda: forget(who, registry),
                lambda result: Answer(_deleted(token, result), result.token.is_done and not result.map_error),
            )
            _show_deleted(token, result)


def _deleted(token: Token, result: TokenRemovalResult) -> str:
    sentence = f"Token {plain(token.name)}: {WORDS[result.token]}."
    if result.scope_map:
        sentence += f" Its scope map {plain(token.scope_map)}: {WORDS[result.scope_map]}."
    return sentence


def _show_deleted(token: Token, result: TokenRemovalResult) -> None:
    sentence = _deleted(token, result)
    if result.map_error:
        st.success(sentence, icon=":material/check_circle:")
        show_error(result.map_error)
        close_button("Close", key="close")
        return
    say_done(sentence)
    open_page(pages.TOKENS, registry=st.query_params["registry"])


@dialog("Delete scope map")
def delete_map(who: str, registry: Registry, listing: Listing) -> None:
    """Deletes a scope map that no token uses."""
    with dialog_panel():
        tokens = listing.tokens.all_values()
        plans = [plan_scope_map_removal(registry, one, tokens) for one in listing.maps.values]
        unused = [plan for plan in plans if not plan.blockers]
        plan = st.selectbox("Scope map", unused, format_func=lambda one: one.scope_map.name)
        for words in grant_words(plan.scope_map):
            st.markdown(f"- {plain(words)}")
        confirm_and_run(
            plan,
            "Delete scope map",
            f"{registry.name}, scope map {plan.scope_map.name}",
            lambda report: apply_scope_map_removal(connection.session(who), plan, report),
            lambda: forget(who, registry),
            lambda result: f"Scope map {plain(plan.scope_map.name)}: {WORDS[result]}.",
            access=True,
        )
