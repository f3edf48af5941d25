"""A policy while it is edited: one text, which a form and a box of YAML both change."""

from dataclasses import dataclass, replace

import streamlit as st

from services.policies.policy import Policy, Rule
from services.policies.schema import schema_text
from services.policies.store import PolicyVersion
from services.policies.text import PolicyTextError, Problem, format_policy, parse_policy
from ui.elements.text import plain
from ui.navigation.url_choice import widget_key

NEW = "new"
TEMPLATE = """\
name: New policy
rules:
  - name: Releases
    action: keep
    tags: v*
  - name: Newest tags
    action: keep
    newest: 5
  - name: Old tags
    action: delete
    older_than_days: 90
  - name: Untagged manifests
    action: delete untagged
    older_than_days: 14
"""


@dataclass
class Draft:
    """What is edited of one policy. `policy` is what the form shows, None where no text was understood yet; `problems`
    what is wrong with `text`. `written`: whether the text was typed, so that the form may be older than it.

    `generation` counts what gives the form's fields other values than were typed into them.
    """

    id: str
    base: PolicyVersion | None
    text: str
    policy: Policy | None = None
    problems: tuple[Problem, ...] = ()
    written: bool = True
    generation: int = 0

    @property
    def saved(self) -> str:
        """The text as it is saved; "" where it was never."""
        return self.base.text if self.base else ""

    @property
    def changed(self) -> bool:
        return self.text != self.saved

    @property
    def sound(self) -> Policy | None:
        """The policy, where the text is one."""
        return self.policy if not self.problems else None

    def write(self, text: str) -> None:
        """Takes a text that was typed or restored."""
        self.text, self.written = text, True
        self._parse()
        self.generation += 1

    def change(self, policy: Policy, *, refill: bool = False) -> None:
        """Takes what the form has. `refill`: its fields get other values than they have."""
        self.policy, self.written = policy, False
        self.text = format_policy(policy)
        self._parse()
        self.policy = policy
        self.generation += refill

    def change_rule(self, number: int, rule: Rule) -> None:
        if self.policy:
            rules = (*self.policy.rules[:number], rule, *self.policy.rules[number + 1 :])
            self.change(replace(self.policy, rules=rules))

    def _parse(self) -> None:
        try:
            self.policy, self.problems = parse_policy(self.text), ()
        except PolicyTextError as error:
            self.problems = error.problems


def open_draft(policy: str, base: PolicyVersion | None, start: str = TEMPLATE) -> Draft:
    """The draft of this session. One without changes follows the version that is saved; a new one begins with the text
    `start`, and goes on where the same start was opened before."""
    kept: dict[str, Draft] = st.session_state.setdefault("drafts of policies", {})
    key = policy if base else f"{policy}: {start}"
    found = kept.get(key)
    if found is None or (not found.changed and found.base != base):
        found = kept[key] = Draft(key, base, "")
        found.write(base.text if base else start)
    return found


def discard_draft(policy: str) -> None:
    """Forgets what was typed."""
    st.session_state.get("drafts of policies", {}).pop(policy, None)


def show_text(draft: Draft) -> None:
    """The box of YAML, and below it what is wrong with its text."""
    box = widget_key(f"text of policy {draft.id}", draft.text)

    def take() -> None:
        draft.write(st.session_state[box])

    lines = min(max(draft.text.count("\n") + 2, 12), 34)
    st.text_area("YAML", draft.text, key=box, height=24 * lines, on_change=take)
    for problem in draft.problems[:5]:
        st.error(f"Line {problem.line}, column {problem.column}: {plain(problem.message)}", icon=":material/error:")
    if len(draft.problems) > 5:
        st.caption(f"{len(draft.problems) - 5:,} more")
    st.download_button(
        "Download JSON schema",
        schema_text(),
        "retention-policy.schema.json",
        "application/schema+json",
        icon=":material/data_object:",
        type="tertiary",
        on_click="ignore",
        help="Editors check and complete a policy's YAML by it",
    )
