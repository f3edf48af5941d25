"""The plan of a new registry, and the registries that this session creates."""

import streamlit as st

from services.arm.providers import NAMESPACE, register_provider
from services.commands import registries as az_registries
from services.connection.changes import Outcome
from services.connection.parallel import Refusal
from services.jobs.changes import Answer, Change
from services.registries.registry import Registry
from services.registry_lifecycle import code
from services.registry_lifecycle.creation import CreationResult, apply_creation
from services.registry_lifecycle.creation_plan import CreationPlan, RegistrySpec
from services.registry_lifecycle.names import NameScope
from ui.elements.errors import show_error
from ui.elements.outcomes import ICONS, WORDS, results_list
from ui.elements.text import plain
from ui.elements.writing import PlainPlan, confirm
from ui.loaders import clusters
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.registry_lifecycle.creation_form import Place, forget
from ui.runtime import connection
from ui.runtime.changes import confirm_and_run
from ui.runtime.session_runs import RunKind, begin, runs_of, show

_CREATIONS = RunKind[CreationPlan, CreationResult]("registry creations")


def offer_registration(who: str, place: Place) -> None:
    """Offers to register the resource provider, where the subscription can't have registries without."""
    if place.provider.registered:
        return
    name = plain(place.subscription.name)
    with st.container(border=True):
        if place.provider.state == "Registering":
            st.markdown(f":material/pending: **{NAMESPACE} is being registered in {name}.** It takes a minute or two.")
            st.button("Check again", icon=":material/refresh:", on_click=forget, args=(who,))
            return
        st.markdown(
            f":material/app_registration: **{NAMESPACE} is not registered in {name}.** Without it a subscription can't "
            "have registries. Registration costs nothing, creates nothing, and needs write access to the subscription."
        )
        confirm_and_run(
            PlainPlan(commands=(az_registries.register_provider(place.subscription.id),)),
            "Register provider",
            f"{NAMESPACE} in {place.subscription.name}",
            lambda _report: register_provider(connection.session(who), place.subscription.id),
            lambda: forget(who),
            lambda state: f"{NAMESPACE} in {name}: {plain(state)}.",
            in_dialog=False,
        )


def show_plan(who: str, plan: CreationPlan) -> None:
    """Shows what would be created, what it costs and what blocks it, and the button that starts it."""
    st.subheader("Plan", anchor=False)
    st.markdown("\n".join(f"{number}. {plain(step)}" for number, step in enumerate(plan.steps, 1)))
    if plan.cost:
        st.markdown(f"While empty, it costs **{plan.cost.words}** in a month of {plan.days} days.")
    else:
        st.markdown("Cost unknown: no price list has a price for it.")
    if not plan.blockers:
        st.markdown("Everything is checked again before anything is created, and verified after.")
    if confirm(
        plan,
        "Create registry",
        icon=":material/add:",
        in_dialog=False,
    ):
        _begin(who, plan)


def show_code(spec: RegistrySpec) -> None:
    """Shows the same registry as Bicep and Terraform, in a closed expander."""
    with st.expander("The same in Bicep and Terraform", icon=":material/code:"):
        _show_code(spec)


def _show_code(spec: RegistrySpec) -> None:
    with_bicep, with_terraform = st.tabs(["Bicep", "Terraform"])
    with with_bicep:
        subscription = spec.subscription_id
        if spec.new_group:
            st.markdown(f"`{code.MAIN_FILE}`, for the resource group")
            st.code(code.group_as_bicep(spec), language=None)
            deploy = az_registries.deploy_bicep_to_subscription(subscription, spec.location, code.MAIN_FILE)
        else:
            deploy = az_registries.deploy_bicep(subscription, spec.group, code.REGISTRY_FILE)
        st.markdown(f"`{code.REGISTRY_FILE}`")
        st.code(code.as_bicep(spec), language=None)
        st.code(deploy, language=None, wrap_lines=True)
    with with_terraform:
        st.code(code.as_terraform(spec), language=None)


def _begin(who: str, plan: CreationPlan) -> None:
    session = connection.session(who)

    def forget_all() -> None:
        forget(who)
        clusters.forget_registries(who)

    begin(
        _CREATIONS,
        _key(plan.spec),
        plan,
        lambda run: apply_creation(session, plan, run.report_state, stop=run.stop),
        forget_all,
        Change("Create registry", plan.spec.name, plan.commands),
        _result_line,
        verb=f"{plan.spec.name}:",
    )


def _key(spec: RegistrySpec) -> str:
    return f"{spec.subscription_id}/{spec.group}/{spec.name}".casefold()


def names_of_runs() -> set[str]:
    """The names, case folded, of the registries whose creation this session shows."""
    return {run.plan.spec.name.casefold() for run in runs_of(_CREATIONS).values()}


def has_run(spec: RegistrySpec) -> bool:
    """Whether this session shows a creation of that registry, running or ended."""
    return _key(spec) in runs_of(_CREATIONS)


def is_created() -> bool:
    """Whether this session shows a registry that was created: its summary stands in place of the form."""
    return any(
        run.reading.value is not None and run.reading.value.creation.outcome is Outcome.CREATED
        for run in runs_of(_CREATIONS).values()
    )


def show_creations() -> None:
    """Shows the creations that this session started, with their progress or result, until they are dismissed."""
    show(_CREATIONS, _show_end, stop="Stop waiting")


def _result_line(done: CreationResult) -> Answer:
    found = ((one.what, one.outcome) for one in (done.group, done.creation))
    errors = (Refusal(one.what, one.error) for one in (done.group, done.creation) if one.error)
    return results_list(found, errors)


def _show_end(_plan: CreationPlan, done: CreationResult) -> None:
    for one in (done.group, done.creation):
        words = "already exists" if one.outcome is Outcome.ALREADY_DONE else WORDS[one.outcome]
        st.markdown(f"{ICONS[one.outcome]} {plain(one.what)}: {words}")
        if one.error:
            show_error(one.error)
    for difference in done.differences:
        st.warning(plain(difference), icon=":material/warning:")
    if done.leftover_group:
        st.warning(
            f"The resource group {plain(done.leftover_group)} was created for it and stays, empty. Choose it as an "
            "existing group next time, or delete it:",
            icon=":material/warning:",
        )
        st.code(
            az_registries.delete_group(done.spec.subscription_id, done.leftover_group), language=None, wrap_lines=True
        )
    if done.registry and done.creation.outcome is Outcome.CREATED:
        _show_next_steps(done.registry, done.spec)
    elif done.registry:
        st.markdown(f"Provisioning state: {plain(done.registry.provisioning_state or 'not reported')}.")


def _show_next_steps(registry: Registry, spec: RegistrySpec) -> None:
    st.markdown("Login server")
    st.code(registry.login_server, language=None)
    own_domain = spec.name_scope is not NameScope.UNSECURE  # Then others may have the name too.
    key = registry.login_server if own_domain else registry.name
    st.markdown("**Next steps**")
    with st.container(horizontal=True):
        link_to(pages.REGISTRY, f"Open {plain(registry.name)}", registry=key)
        link_to(pages.PUSH, registry=key)
        link_to(pages.INTEGRATION_CHECKER, "Attach a cluster", registry=key)
        link_to(pages.SIGN_IN, "Sign in", registry=key)
    st.caption("Dismiss to create another. To undo, delete the registry from its own page.")
