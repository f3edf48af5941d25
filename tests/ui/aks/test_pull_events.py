"""The titles that a diagnosis gives to checks that have not run."""

from services.pull_checks import image, network, state
from services.pull_checks.checks import Check
from services.pull_checks.event_causes import CAUSES
from services.pull_checks.public_addresses import Outbound
from tests.support.pull_samples import a_cluster
from tests.support.shell_lines import registry
from ui.aks.pull_events import TITLES


def test_every_check_of_a_cause_has_a_title() -> None:
    assert {check for one in CAUSES for check in one.checks} <= TITLES.keys()


def test_titles_are_those_of_the_checks() -> None:
    cluster, found = a_cluster(), image.ImageFacts("app:v1", "")
    public = network.public_path(registry(), Outbound(()))
    checks: list[Check | None] = [
        state.registry_state(registry()),
        state.throttling(cluster, registry()),
        network.location(cluster, registry()),
        network.outbound(registry(), public, public),
        network.rules(registry(), public, public),
        network.data_endpoints(cluster, registry()),
        image.platform(cluster, found),
        image.image_state(found),
    ]
    assert {check.id: check.title for check in checks if check}.items() <= TITLES.items()
