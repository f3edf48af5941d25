"""Changing a registry's SKU: the plan, its cost before and after, the deed in the background, and how it ended."""

from dataclasses import dataclass

import streamlit as st

from services.commands import settings as az_settings
from services.connection.changes import Outcome
from services.pricing.money import cents, money
from services.registries.registry import Registry
from services.registries.skus import Sku
from services.registry_lifecycle.sku_change import SkuPlan, apply_sku_change, count_connected, plan_sku_change
from ui.elements.errors import panel, show_error
from ui.elements.text import plain
from ui.elements.writing import may_write, show_objections, show_read_only
from ui.loaders import registries as registry_loaders
from ui.loaders.registries import BY_ID
from ui.pricing.prices import PriceBook
from ui.runtime import connection
from ui.runtime.background import Reading, show_progress, start


@dataclass(frozen=True)
class _Change:
    """A change of this session, under way or over."""

    plan: SkuPlan
    reading: Reading[Outcome | None]


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=200, hash_funcs=BY_ID)
def _connected(who: str, registry: Registry) -> int | None:
    return count_connected(connection.session(who), registry)


@st.dialog("Change the SKU", width="medium")
def change_sku(who: str, registry: Registry, book: PriceBook, best: Sku | None) -> None:
    """Asks for the SKU, shows the plan, and starts the change."""
    with panel():
        st.markdown(f"**{plain(registry.name)}** is {plain(registry.sku)}.")
        others = [sku for sku in Sku if sku.value != registry.sku]
        first = others.index(best) if best in others else 0
        target = Sku(
            st.segmented_control("To", others, default=others[first], key=f"to {registry.id}") or others[first]
        )
        known = book.by_region.get(registry.location)
        plan = plan_sku_change(registry, target, _connected(who, registry), known, book.days)
        _show_cost(plan)
        show_objections(plan.blockers, plan.warnings)
        if not plan.blockers:
            st.markdown("There is no downtime. It is looked at again before it is changed, and read back after.")
        st.code(az_settings.update_registry(registry.name, "--sku", target.value), language="bash", wrap_lines=True)
        show_read_only()
        label = f"Change to {target.value}"
        if st.button(label, type="primary", disabled=bool(plan.blockers) or not may_write()):
            _changes()[registry.id] = _Change(plan, _begin(who, plan))
            st.rerun()


def _show_cost(plan: SkuPlan) -> None:
    if plan.before and plan.after:
        more = cents(plan.after.total) - cents(plan.before.total)
        words = "the same" if not more else f"{money(abs(more), plan.after.currency)} {'more' if more > 0 else 'less'}"
        st.markdown(
            f"A month costs {money(plan.before.total, plan.before.currency)} now, and would cost "
            f"**{money(plan.after.total, plan.after.currency)}**: {words}."
        )


def _begin(who: str, plan: SkuPlan) -> Reading[Outcome | None]:
    session = connection.session(who)

    def work(reading: Reading[Outcome | None]) -> None:
        try:
            reading.value = apply_sku_change(session, plan, lambda state: reading.report(0, 0, state))
        finally:  # Also what failed may have been done.
            registry_loaders.registry.clear(who, plan.registry.id)
            registry_loaders.inventory.clear(who)
            _connected.clear(who, plan.registry)

    return start(None, work, verb=f"{plan.registry.name}:")


def _changes() -> dict[str, _Change]:
    changes: dict[str, _Change] = st.session_state.setdefault("SKU changes", {})
    return changes


def show_changes() -> None:
    """Those that this session began: under way, or how each ended, until it is put away."""
    for key, change in list(_changes().items()):
        name, target = plain(change.plan.registry.name), change.plan.target
        show_progress(change.reading, f"SKU of {key}")
        if change.reading.running:
            continue
        if change.reading.error:
            show_error(change.reading.error)
        elif change.reading.value is Outcome.CHANGED:
            st.success(f"{name} is {target} now, as read back.", icon=":material/check_circle:")
        else:
            st.warning(
                f"Azure took the change of {name} to {target}, and it does not show yet: refresh in a minute.",
                icon=":material/pending:",
            )
        st.button("Put away", key=f"put away {key}", on_click=_put_away, args=(key,))


def _put_away(key: str) -> None:
    _changes().pop(key, None)
