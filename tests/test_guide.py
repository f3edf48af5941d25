"""docs/guide.md: its views are in the navigation, and its lines are those that the views show."""

import re
from pathlib import Path

from services.access.role_definitions import ACR_PULL
from services.commands import access as az_access
from services.commands import aks as az_aks
from services.commands import images as az_images
from services.commands import registries as az_registries
from services.commands import settings as az_settings
from services.commands import sign_in as az_sign_in
from services.roles.planned_assignment import assignment_name
from ui.navigation.pages import PAGES

ROOT = Path(__file__).parent.parent
SUBSCRIPTION = "b63a40da-5629-452a-9350-e48460eae13f"
GROUP, NAME, SERVER, REPOSITORY = "casacloud_rg1", "casaacr01", "casaacr01.azurecr.io", "nodejstemplate"
DIGEST = "sha256:071c78f94cdb1bc855d04026c961d3edb4777fa34b443243972da36539570cdd"
CLUSTER, CLUSTER_GROUP, CLIENT = "aks1", "resource-group-4", "d55c1efa-7418-42a5-9dc4-34467aba4ca0"
KUBELET = "7d2f894e-14ab-41d0-b83d-dda90d45c7d6"
REGISTRY_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{CLUSTER_GROUP}"
    f"/providers/Microsoft.ContainerRegistry/registries/{NAME}"
)
# By the guide's headings, in its order; "" where the guide has no line of its own to run.
LINES = {
    "Azure Container Registry": az_registries.list_registries(SUBSCRIPTION),
    "First we need to create a resource group": az_registries.create_group(SUBSCRIPTION, GROUP, "eastus"),
    "Create ACR": az_registries.create_registry(SUBSCRIPTION, GROUP, NAME, "Standard", "eastus"),
    "Schema": az_registries.check_name(SUBSCRIPTION, NAME),
    "ACR RBAC roles / permissions": az_access.show_role("AcrPull"),
    "Tipical Usecase": az_access.assign_role_by_object_id(
        KUBELET, "AcrPull", REGISTRY_ID, assignment_name(REGISTRY_ID, KUBELET, ACR_PULL)
    ),
    "login to ACR": az_sign_in.sign_in(NAME),
    "Get ACR server URL": az_registries.show_login_server(NAME),
    "Tag it to push to ACR": az_images.tag_for_registry(
        "casacloud/nodejstemplate:v1.0.0", SERVER, REPOSITORY, "v1.0.0"
    ),
    "Check the tag created": "",
    "Push image to ACR": az_images.push(SERVER, REPOSITORY, "v1.0.0"),
    "Check of Image is present in ACR": az_images.list_repositories(NAME),
    "Show the repository": az_images.show_repository(NAME, REPOSITORY),
    "Show all the tags for perticular repository": az_images.show_tags(NAME, REPOSITORY),
    "Create another image tag and push": az_images.add_tag(NAME, SERVER, REPOSITORY, DIGEST, "v1.0.1"),
    "Delete a perticular image tag": az_images.untag(NAME, REPOSITORY, "v1.0.1"),
    "Verify tags": az_images.show_tags(NAME, REPOSITORY),
    "Delete a repository from an Azure Container Registry.": az_images.delete_repository(NAME, REPOSITORY),
    "Pricing SKU": az_settings.update_registry(NAME, "--sku", "Premium"),
    "Which one you should consider": az_registries.show_usage(NAME),
    "Azure container registry Attach to AKS": "",
    "Verify AKS and ACR integration - should fail": az_aks.check_acr(CLUSTER, CLUSTER_GROUP, SERVER),
    "We need to get the ACR ID": az_registries.show_resource_id(NAME),
    "Get AKS cluster's managed identity ID": az_aks.show_kubelet_identity(CLUSTER, CLUSTER_GROUP),
    "Assign AcrPull role to the AKS managed identity": az_access.assign_role(CLIENT, "AcrPull", REGISTRY_ID),
    "Verify AKS and ACR integration": az_aks.check_acr(CLUSTER, CLUSTER_GROUP, SERVER),
    "If you check the AKS JSON you will see 2 different Identities, which to use?": az_aks.show_identities(
        CLUSTER, CLUSTER_GROUP
    ),
    "identity": "",
    "identityProfile.kubeletidentity": "",
    "Short difference between Identity and kubeletidentity": "",
}


def _rows() -> list[list[str]]:
    table = re.findall(r"^\| (.*) \|$", (ROOT / "docs" / "guide.md").read_text(), re.MULTILINE)
    return [re.split(r" \| ", row) for row in table][1:]


def test_every_heading_has_its_place_and_the_line_that_the_view_shows() -> None:
    rows = [row for row in _rows() if not set(row[0]) <= set("-|")]
    assert {row[0]: row[3].strip("`").replace("\\|", "|").replace("–", "") for row in rows} == LINES
    assert [row[0] for row in rows] == list(LINES)


def test_every_view_is_one_of_the_console() -> None:
    titles = {page.title for page in PAGES}
    named = {view for row in _rows() if len(row) == 4 for view in row[1].split(", ")}
    assert named - titles <= {"---", "view"}
    assert len(named & titles) > 8
