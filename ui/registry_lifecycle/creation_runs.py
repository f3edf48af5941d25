"""The plan of a new registry, and the registries that are being created."""

import streamlit as st

from services.arm.providers import NAMESPACE, register_provider
from services.commands import registries as az_registries
from services.jobs.jobs import Job
from services.jobs.plans import details_of, plan_of
from services.registries.registry import Registry
from services.registry_lifecycle import code
from services.registry_lifecycle.creation_jobs import (
    creation_items,
    is_registry_created,
    registry_id_of,
    run_creation,
)
from services.registry_lifecycle.creation_plan import CreationPlan, RegistrySpec
from services.registry_lifecycle.names import NameScope
from ui.elements.errors import panel
from ui.elements.text import plain
from ui.elements.writing import PlainPlan, confirm
from ui.jobs.kinds import JobKind
from ui.jobs.notices import begin_and_show, show_jobs, show_results, shown_plans
from ui.loaders import clusters
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.registry_lifecycle.creation_form import Place, forget
from ui.runtime import connection
from ui.runtime.changes import confirm_and_run


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
    details = details_of(CreationPlan, plan, plan.commands)
    begin_and_show(who, CREATION, plan.spec.name, creation_items(plan.spec), details)


def _forget(job: Job) -> None:
    forget(job.who)
    clusters.forget_registries(job.who)


CREATION = JobKind("Create registry", "Creating", run_creation, _forget)


def _shown_specs(who: str) -> list[tuple[Job, RegistrySpec]]:
    return [(job, plan.spec) for job, plan in shown_plans(who, CREATION, CreationPlan)]


def names_of_runs(who: str) -> set[str]:
    """The names, case folded, of the registries whose creation this page shows."""
    return {spec.name.casefold() for _, spec in _shown_specs(who)}


def has_run(who: str, spec: RegistrySpec) -> bool:
    """Whether this page shows a creation of that registry, running or ended."""
    return any(_key(one) == _key(spec) for _, one in _shown_specs(who))


def _key(spec: RegistrySpec) -> str:
    return f"{spec.subscription_id}/{spec.group}/{spec.name}".casefold()


def is_created(who: str) -> bool:
    """Whether this page shows a registry that was created: its summary stands in place of the form."""
    return any(is_registry_created(job, spec) for job, spec in _shown_specs(who))


def show_creations(who: str) -> None:
    """Shows the creations that are running, and those that this session has seen end, until they are dismissed."""
    show_jobs(who, CREATION, lambda job: _show_end(who, job), stop="Stop waiting")


def _show_end(who: str, job: Job) -> None:
    show_results(job)
    spec = plan_of(CreationPlan, job).spec
    if is_registry_created(job, spec):
        with panel():
            _show_next_steps(registry_loaders.registry(who, registry_id_of(spec)).value, spec)


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
