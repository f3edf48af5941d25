"""The form of a policy: its name, its registries, its rules in their order, and the ceiling of a run."""

from dataclasses import replace
from typing import Any

import streamlit as st

from services.policies.policy import ALL, Ceiling, DeleteRule, KeepRule, Policy, Rule, UntaggedRule, describe_rule
from ui.elements.text import plain
from ui.policies.draft import Draft

_ICONS = {KeepRule: ":material/shield:", DeleteRule: ":material/delete:", UntaggedRule: ":material/label_off:"}
_ADD: dict[str, Rule] = {
    "Keep images": KeepRule("Keep"),
    "Delete images": DeleteRule("Delete", older_than_days=90),
    "Delete untagged manifests": UntaggedRule("Untagged", older_than_days=14),
}
_UP, _DOWN, _REMOVE = "Move up", "Move down", "Remove rule"
_PATTERNS = "Globs, separated by commas: * matches any characters, ? any one character"


def show_form(draft: Draft) -> None:
    """The form. What is typed into it changes the text beside it."""
    policy = draft.policy
    if policy is None:
        st.info("The form needs a text that is a policy.", icon=":material/edit_off:")
        return
    if draft.written and draft.problems:
        st.info("The form shows the last text without errors.", icon=":material/edit_off:")
    disabled = draft.written and bool(draft.problems)
    form = _Form(draft, disabled)
    with st.container(horizontal=True):
        form.text("Name", "name", policy.name, lambda value: replace(_policy(draft), name=value))
        form.text(
            "Registries",
            "registries",
            _joined(policy.registries),
            lambda value: replace(_policy(draft), registries=_patterns(value)),
            tip=_PATTERNS,
        )
    st.markdown("**Rules** :small[:gray[the first that matches decides]]")
    for number, rule in enumerate(policy.rules):
        label = f"{number + 1}. **{plain(rule.name)}** · {plain(describe_rule(rule))}"
        with st.expander(label, icon=_ICONS[type(rule)]):
            _show_rule(form, number, rule)
    added = st.menu_button("Add rule", list(_ADD), icon=":material/add:", disabled=disabled)
    if added:
        new = replace(_ADD[added], name=_free_name(policy, _ADD[added].name))
        draft.change(replace(policy, rules=(*policy.rules, new)), refill=True)
        st.rerun()
    with st.expander("Ask again above", icon=":material/front_hand:"):
        _show_ceiling(form, policy.ceiling)


class _Form:
    """Fields that change the draft when something is typed into them."""

    def __init__(self, draft: Draft, disabled: bool) -> None:
        self.draft, self.disabled = draft, disabled

    def key(self, field: str) -> str:
        return f"{field} of policy {self.draft.id} {self.draft.generation}"

    def _take(self, key: str, change: Any) -> None:
        self.draft.change(change(st.session_state[key]))

    def text(self, label: str, field: str, value: str, change: Any, tip: str | None = None) -> None:
        key = self.key(field)
        st.text_input(label, value, key=key, on_change=self._take, args=(key, change), disabled=self.disabled, help=tip)

    def number(
        self, label: str, field: str, value: int | None, change: Any, tip: str | None = None, most: int = 36_500
    ) -> None:
        key = self.key(field)
        st.number_input(
            label, 0, most, value, key=key, on_change=self._take, args=(key, change), disabled=self.disabled, help=tip,
            placeholder="Any",
        )  # fmt: skip

    def toggle(self, label: str, field: str, value: bool, change: Any, tip: str | None = None) -> None:
        key = self.key(field)
        st.toggle(label, value, key=key, on_change=self._take, args=(key, change), disabled=self.disabled, help=tip)


def _show_rule(form: _Form, number: int, rule: Rule) -> None:
    def set_field(field: str, empty: Any = None) -> Any:
        """What changes a field of the rule as it is then; `empty` for a field that was emptied."""

        def change(value: Any) -> Policy:
            policy = _policy(form.draft)
            changed = replace(policy.rules[number], **{field: empty if value is None else value})
            return replace(policy, rules=(*policy.rules[:number], changed, *policy.rules[number + 1 :]))

        return change

    def set_patterns(field: str) -> Any:
        return lambda value: set_field(field)(_patterns(value))

    def key(field: str) -> str:
        return f"{field} of rule {number}"

    with st.container(horizontal=True):
        form.text("Rule name", key("name"), rule.name, set_field("name"))
        form.text(
            "Repositories", key("repositories"), _joined(rule.repositories), set_patterns("repositories"), _PATTERNS
        )
        if not isinstance(rule, UntaggedRule):
            form.text("Tags", key("tags"), _joined(rule.tags), set_patterns("tags"), _PATTERNS)
    with st.container(horizontal=True):
        if isinstance(rule, KeepRule):
            form.number("Only the newest", key("newest"), rule.newest or None, set_field("newest", 0))
        elif isinstance(rule, DeleteRule):
            form.number("Keep at least", key("at_least"), rule.at_least, set_field("at_least", 0),
                        "The newest of the tags that the rule matches, however old")  # fmt: skip
            form.number("Keep at most", key("at_most"), rule.at_most, set_field("at_most"),
                        "Those beyond are deleted, however new")  # fmt: skip
        if isinstance(rule, DeleteRule | UntaggedRule):
            form.number("Not updated for (days)", key("older_than_days"), rule.older_than_days,
                        set_field("older_than_days", 0 if isinstance(rule, UntaggedRule) else None))  # fmt: skip
        if isinstance(rule, DeleteRule):
            form.number("Not pulled for (days)", key("not_pulled_for_days"), rule.not_pulled_for_days,
                        set_field("not_pulled_for_days"), "Images whose last pull is unknown stay")  # fmt: skip
    if isinstance(rule, KeepRule):
        with st.container(horizontal=True):
            form.toggle("Only the last version of each minor", key("last_of_minor"), rule.last_of_minor,
                        set_field("last_of_minor"), "1.4.7 of 1.4.0 to 1.4.7")  # fmt: skip
            form.toggle("Only signed images", key("signed"), rule.signed, set_field("signed"))
    _show_moves(form, number)


def _show_moves(form: _Form, number: int) -> None:
    policy = _policy(form.draft)
    moves = [
        *([_UP] if number else []),
        *([_DOWN] if number + 1 < len(policy.rules) else []),
        *([_REMOVE] if len(policy.rules) > 1 else []),
    ]
    if not moves:
        return
    key = form.key(f"moves of rule {number}")
    chosen = st.menu_button("Move or remove", moves, type="tertiary", key=key, disabled=form.disabled)
    if not chosen:
        return
    rules = list(policy.rules)
    rule = rules.pop(number)
    if chosen != _REMOVE:
        rules.insert(number + (-1 if chosen == _UP else 1), rule)
    form.draft.change(replace(policy, rules=tuple(rules)), refill=True)
    st.rerun()


def _show_ceiling(form: _Form, ceiling: Ceiling) -> None:
    def set_field(field: str, most: int) -> Any:
        def change(value: Any) -> Policy:
            policy = _policy(form.draft)
            return replace(policy, ceiling=replace(policy.ceiling, **{field: most if value is None else value}))

        return change

    st.caption("A run that deletes more than any of these is confirmed twice.")
    with st.container(horizontal=True):
        form.number("Manifests", "manifests", ceiling.manifests, set_field("manifests", 0), most=1_000_000)
        form.number(
            "Share of a repository (%)", "share", ceiling.share_percent, set_field("share_percent", 0), most=100
        )
        form.number("Freed GiB", "gib", ceiling.gib, set_field("gib", 0), most=1_000_000)


def _policy(draft: Draft) -> Policy:
    if draft.policy is None:
        raise ValueError("The form of a draft without a policy")
    return draft.policy


def _joined(patterns: tuple[str, ...]) -> str:
    return ", ".join(patterns)


def _patterns(typed: str) -> tuple[str, ...]:
    found = (one.strip() for one in (typed or "").replace(",", " ").split())
    return tuple(dict.fromkeys(one for one in found if one)) or ALL


def _free_name(policy: Policy, name: str) -> str:
    taken = {rule.name for rule in policy.rules}
    return next(one for one in (name, *(f"{name} {number}" for number in range(2, 1000))) if one not in taken)
