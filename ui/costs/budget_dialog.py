"""A budget created in Azure, or one that exists replaced."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

import streamlit as st

from services.arm.subscriptions import Subscription
from services.connection.changes import Outcome
from services.costs.budget_changes import (
    GRAINS,
    BudgetSpec,
    apply_budget,
    first_day,
    read_budget_plan,
)
from services.registries.registry import Registry
from ui.elements.notices import dialog
from ui.elements.outcomes import WORDS
from ui.elements.text import plain
from ui.elements.writing import close_button, dialog_panel
from ui.loaders import bills
from ui.runtime import connection
from ui.runtime.changes import confirm_and_run

CREATE = "Create budget"
_LIKELY_AMOUNT = 100


@dialog("Create budget", width="large")
def create_budget(
    who: str, subscriptions: Iterable[Subscription], registries: Iterable[Registry], currencies: Mapping[str, str]
) -> None:
    """Asks for the scope, the amount and who is told, shows the plan, and creates the budget. `currencies`: in which
    each subscription is billed, by its id."""
    with dialog_panel():
        by_id = {f"/subscriptions/{one.id}": one for one in subscriptions}
        if not by_id:
            st.markdown("No subscription could be read.")
            close_button()
            return
        scopes = {scope: f"subscription {one.name}" for scope, one in by_id.items()}
        for registry in registries:
            scope = f"/subscriptions/{registry.subscription_id}"
            if scope in by_id:
                group = f"{scope}/resourceGroups/{registry.resource_group}"
                scopes[group] = f"resource group {registry.resource_group} of {by_id[scope].name}"
        scope = st.selectbox("Scope", list(scopes), format_func=lambda one: scopes[one], width="stretch")
        subscription = by_id["/".join(scope.split("/")[:3])]
        currency = currencies.get(subscription.id, "")
        only = st.toggle("Only registries", value=True, help="Other resources of the scope do not count")
        with st.container(horizontal=True):
            name = st.text_input("Name", value="registries", width=220)
            amount = st.number_input(
                f"Amount, {currency}" if currency else "Amount, in the currency of the bill",
                min_value=0.0,
                value=float(_LIKELY_AMOUNT),
                step=10.0,
                format="%.2f",
                width=220,
            )
            grain = st.selectbox("Renewed", GRAINS, width=160)
        mails = st.text_input(
            "E-mail addresses",
            placeholder="team@contoso.com",
            help="Told at the part below, and of a forecast above 100 %",
        )
        threshold = st.number_input("Alert at, %", min_value=1, max_value=1000, value=80, width=160)
        spec = BudgetSpec(
            scope,
            name.strip(),
            Decimal(f"{amount:.2f}"),
            grain,
            first_day(datetime.now(UTC).date()),
            only,
            tuple(dict.fromkeys(mail for mail in mails.replace(",", " ").replace(";", " ").split())),
            int(threshold),
        )
        plan = read_budget_plan(connection.session(who), spec, subscription)
        st.caption("A budget tells by mail, some hours late. It stops nothing.")
        confirm_and_run(
            plan,
            "Replace budget" if plan.before else CREATE,
            f"{scopes[scope]}, budget {spec.name}",
            lambda report: apply_budget(connection.session(who), plan, subscription, report),
            lambda: bills.forget_recent_bills(who),
            lambda outcome: _done(spec, outcome),
            typed=spec.name if plan.before else "",
            effect=plan.e_tag,
        )


def _done(spec: BudgetSpec, outcome: Outcome) -> str:
    return f"Budget {plain(spec.name)}: {WORDS[outcome]}."
