"""The text that a new policy begins with: as the address says, of what nobody uses, or of a clean-up's rule."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import streamlit as st

from services.deletion.cleanup_rules import Rule
from services.policies.starting import UNUSED, policy_of_cleanup
from services.policies.text import format_policy
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.policies.draft import NEW, TEMPLATE

_UNUSED, _CLEAN_UP = "unused", "clean-up"


def link_to_unused(label: str) -> None:
    """A link to a new policy of what nobody uses."""
    link_to(pages.POLICIES, label, policy=NEW, start=_UNUSED)


def link_to_policy_of(registry: str, repositories: Sequence[str], rule: Rule) -> None:
    """A link to a new policy that chooses what the rule of a clean-up chooses; nothing where none can.

    Its address has other names than that of the clean-up: Streamlit drops those that were bound to a widget there.
    """
    if policy_of_cleanup(registry, repositories, rule) is None:
        return
    link_to(
        pages.POLICIES,
        "Make a retention policy of this rule",
        policy=NEW,
        start=_CLEAN_UP,
        registry=registry,
        within=registry,
        of=list(repositories),
        pattern=rule.pattern,
        older_than=str(rule.older_than.days),
        untagged="true" if rule.leftovers else "",
    )


# What an address has that begins a policy.
STARTING = ("start", "within", "of", "pattern", "older_than", "untagged")


def starting_text() -> str:
    """The text as the address says; the template where it says nothing that can be understood.

    `registry` of the address is the one of the simulation, which changes; `within` is the policy's.
    """
    query = st.query_params
    policy = None
    if query.get("start") == _UNUSED:
        policy = UNUSED
    elif query.get("start") == _CLEAN_UP:
        with suppress(ValueError, OverflowError):
            rule = Rule(
                query.get("pattern", ""),
                timedelta(int(query.get("older_than", ""))),
                leftovers=query.get("untagged") == "true",
            )
            policy = policy_of_cleanup(query.get("within", ""), query.get_all("of"), rule)
    return format_policy(policy) if policy else TEMPLATE
