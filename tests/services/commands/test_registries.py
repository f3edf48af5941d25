"""The `az`, `docker` and `skopeo` lines: what they say, and that no name can become more than a word of them."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.commands import access as az_access
from services.commands import aks as az_aks
from services.commands import child_resources as az_child_resources
from services.commands import images as az_images
from services.commands import registries as az_registries
from services.commands import settings as az_settings
from services.commands import sign_in as az_sign_in
from tests.support.shell_lines import DIGEST, SAMPLES, fixes, made, makers

NULL_USER = "00000000-0000-0000-0000-000000000000"
HOSTILE = [
    "a b",
    "a;touch gone",
    "$(touch gone)",
    "`touch gone`",
    "a'b",
    'a"b',
    "a\nb",
    "a|b",
    "a&b",
    "a>b",
    "*",
    "~",
    "#a",
    "\\",
    "!a",
    "größe",
    "",
]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (az_registries.show_usage("contosoacr"), "az acr show-usage --name contosoacr --output table"),
        (
            az_registries.show_resource_id("contosoacr"),
            "ACR_ID=$(az acr show --name contosoacr --query id --output tsv)",
        ),
        (
            az_images.show_tags("contosoacr", "team/app"),
            "az acr repository show-tags --name contosoacr --repository team/app --orderby time_desc --detail",
        ),
        (
            az_images.show_manifest("contosoacr", "app", "v1"),
            "az acr manifest show --registry contosoacr --name app:v1",
        ),
        (
            az_images.show_manifest("contosoacr", "app", DIGEST),
            f"az acr manifest show --registry contosoacr --name app@{DIGEST}",
        ),
        (az_images.pull("contosoacr.azurecr.io", "app", "v1"), "docker pull contosoacr.azurecr.io/app:v1"),
        (az_images.pull("contosoacr.azurecr.io", "app", DIGEST), f"docker pull contosoacr.azurecr.io/app@{DIGEST}"),
        (
            az_sign_in.sign_in_with_token("contosoacr", "contosoacr-h4sh.azurecr.io"),
            "az acr login --name contosoacr --expose-token --query accessToken --output tsv"
            f" | docker login contosoacr-h4sh.azurecr.io --username {NULL_USER} --password-stdin",
        ),
        (
            az_images.add_tag("contosoacr", "contosoacr-h4sh.azurecr.io", "team/app", DIGEST, "v2"),
            "az acr import --name contosoacr"
            f" --source contosoacr-h4sh.azurecr.io/team/app@{DIGEST} --image team/app:v2",
        ),
        (
            az_images.add_tag("contosoacr", "contosoacr.azurecr.io", "app", DIGEST, "v2", move=True),
            f"az acr import --name contosoacr --source contosoacr.azurecr.io/app@{DIGEST} --image app:v2 --force",
        ),
        (
            az_images.tag_for_registry("contoso/app:v1", "contosoacr.azurecr.io", "team/app", "v1"),
            "docker tag contoso/app:v1 contosoacr.azurecr.io/team/app:v1",
        ),
        (az_images.push("contosoacr.azurecr.io", "team/app", "v1"), "docker push contosoacr.azurecr.io/team/app:v1"),
        (
            az_sign_in.skopeo_sign_in("contosoacr", "contosoacr-h4sh.azurecr.io"),
            "az acr login --name contosoacr --expose-token --query accessToken --output tsv"
            f" | skopeo login contosoacr-h4sh.azurecr.io --username {NULL_USER} --password-stdin",
        ),
        (
            az_images.skopeo_copy("oci-archive:image.tar", "contosoacr.azurecr.io", "team/app", "v1"),
            "skopeo copy --all oci-archive:image.tar docker://contosoacr.azurecr.io/team/app:v1",
        ),
        (
            az_aks.show_kubelet_identity("aks1", "contoso-rg"),
            "CLIENT_ID=$(az aks show --name aks1 --resource-group contoso-rg"
            " --query identityProfile.kubeletidentity.clientId --output tsv)",
        ),
        (
            az_access.assign_role("c1", "Container Registry Repository Reader", "/subscriptions/s1"),
            "az role assignment create --assignee c1 --role 'Container Registry Repository Reader'"
            " --scope /subscriptions/s1",
        ),
        (
            az_access.list_role_assignments("/subscriptions/s1"),
            "az role assignment list --scope /subscriptions/s1 --include-inherited --output table",
        ),
        (
            az_access.list_assignments_of("o1", "/subscriptions/s1"),
            "az role assignment list --assignee o1 --scope /subscriptions/s1 --include-inherited --include-groups "
            "--output table",
        ),
        (
            az_access.list_deny_assignments("/subscriptions/s1"),
            "az rest --method get --url '/subscriptions/s1/providers/Microsoft.Authorization/denyAssignments"
            "?api-version=2022-04-01&$filter=atScope()'",
        ),
        (az_access.show_role("AcrPull"), "az role definition list --name AcrPull"),
        (
            az_access.assign_role_by_object_id("o1", "AcrPull", "/subscriptions/s1", "n1", principal_type="Group"),
            "az role assignment create --name n1 --assignee-object-id o1 --assignee-principal-type Group "
            "--role AcrPull --scope /subscriptions/s1",
        ),
        (
            az_access.assign_role_by_object_id("o1", "AcrPull", "/subscriptions/s1", "n1", condition="(a 'b')"),
            "az role assignment create --name n1 --assignee-object-id o1 --assignee-principal-type ServicePrincipal"
            """ --role AcrPull --scope /subscriptions/s1 --condition '(a '"'"'b'"'"')' --condition-version 2.0""",
        ),
        (
            az_access.assign_role_by_object_id("o1", "AcrPush", "/subscriptions/s1", None, principal_type="Group"),
            "az role assignment create --assignee-object-id o1 --assignee-principal-type Group --role AcrPush"
            " --scope /subscriptions/s1",
        ),
        (
            az_access.remove_assignment("/subscriptions/s1/a1"),
            "az role assignment delete --ids /subscriptions/s1/a1",
        ),
        (
            az_aks.check_acr("aks1", "contoso-rg", "contosoacr-h4sh.azurecr.io"),
            "az aks check-acr --name aks1 --resource-group contoso-rg --acr contosoacr-h4sh.azurecr.io",
        ),
        (
            az_images.untag("contosoacr", "team/app", "v2"),
            "az acr repository untag --name contosoacr --image team/app:v2",
        ),
        (
            az_images.delete_image("contosoacr", "team/app", DIGEST),
            f"az acr repository delete --name contosoacr --image team/app@{DIGEST}",
        ),
        (
            az_images.delete_repository("contosoacr", "team/app"),
            "az acr repository delete --name contosoacr --repository team/app",
        ),
        (
            az_images.purge("contosoacr", "team/app", "pr-*", 30, 3, untagged=True),
            "az acr run --registry contosoacr --cmd "
            """'acr purge --filter '"'"'team/app:^pr\\-.*$'"'"' --ago 30d --keep 3 --untagged --dry-run' /dev/null""",
        ),
        (
            az_images.lock("contosoacr", "team/app", "v2", delete=True, write=False, list=True, read=True),
            "az acr repository update --name contosoacr --image team/app:v2"
            " --delete-enabled true --write-enabled false --list-enabled true --read-enabled true",
        ),
        (
            az_images.lock("contosoacr", "team/app", DIGEST, delete=False, write=True, list=True, read=True),
            f"az acr repository update --name contosoacr --image team/app@{DIGEST}"
            " --delete-enabled false --write-enabled true --list-enabled true --read-enabled true",
        ),
        (
            az_images.lock_repository("contosoacr", "team/app", delete=True, write=True, list=False, read=False),
            "az acr repository update --name contosoacr --repository team/app"
            " --delete-enabled true --write-enabled true --list-enabled false --read-enabled false",
        ),
        (
            az_images.import_image("contosoacr", "docker.io/library/nginx:1.29", "nginx:1.29", "nginx:stable"),
            "az acr import --name contosoacr --source docker.io/library/nginx:1.29"
            " --image nginx:1.29 --image nginx:stable",
        ),
        (
            az_images.import_image(
                "contosoacr", f"app@{DIGEST}", "app:v1", repositories=("old/app",), resource_id="/s/r", force=True
            ),
            f"az acr import --name contosoacr --source app@{DIGEST} --registry /s/r"
            " --image app:v1 --repository old/app --force",
        ),
        (
            az_images.import_image("contosoacr", "ghcr.io/o/app:v1", "app:v1", user="a robot"),
            "az acr import --name contosoacr --source ghcr.io/o/app:v1 --image app:v1"
            " --username 'a robot' --password \"$SOURCE_PASSWORD\"",
        ),
        (
            az_images.save("contosoacr.azurecr.io", "team/app", "v1", "app.tar"),
            "docker save --output app.tar contosoacr.azurecr.io/team/app:v1",
        ),
        (
            az_images.copy_to_archive("contosoacr.azurecr.io", "team/app", "v1", "app.tar"),
            "skopeo copy --all docker://contosoacr.azurecr.io/team/app:v1 oci-archive:app.tar:v1",
        ),
        (
            az_images.copy_to_archive("contosoacr.azurecr.io", "app", DIGEST, "app.tar"),
            f"skopeo copy --all docker://contosoacr.azurecr.io/app@{DIGEST} oci-archive:app.tar",
        ),
        (
            az_sign_in.helm_sign_in("contosoacr", "contosoacr-h4sh.azurecr.io"),
            "az acr login --name contosoacr --expose-token --query accessToken --output tsv | "
            f"helm registry login contosoacr-h4sh.azurecr.io --username {NULL_USER} --password-stdin",
        ),
        (
            az_sign_in.make_pull_token("contosoacr", "cluster-pull", "team/app"),
            "TOKEN_PASSWORD=$(az acr token create --registry contosoacr --name cluster-pull --repository team/app"
            " content/read metadata/read --query 'credentials.passwords[0].value' --output tsv)",
        ),
        (
            az_sign_in.make_pull_secret("contosoacr.azurecr.io", "cluster-pull"),
            "kubectl create secret docker-registry cluster-pull --docker-server=contosoacr.azurecr.io"
            ' --docker-username=cluster-pull --docker-password="$TOKEN_PASSWORD"',
        ),
        (
            az_access.assign_role_by_object_id("p", "AcrPush", "/s", "n", principal_type="Group"),
            "az role assignment create --name n --assignee-object-id p --assignee-principal-type Group"
            " --role AcrPush --scope /s",
        ),
        (
            az_access.list_role_assignments("/s"),
            "az role assignment list --scope /s --include-inherited --output table",
        ),
        (
            az_registries.create_group("s1", "casacloud_rg1", "eastus"),
            "az group create --subscription s1 --name casacloud_rg1 --location eastus",
        ),
        (
            az_registries.create_registry("s1", "casacloud_rg1", "casaacr01", "Standard", "eastus"),
            "az acr create --subscription s1 --resource-group casacloud_rg1 --name casaacr01 --sku Standard"
            " --location eastus --role-assignment-mode rbac",
        ),
        (
            az_registries.create_registry(
                "s1",
                "rg",
                "contosoacr",
                "Premium",
                "eastus",
                abac=True,
                public_access=False,
                name_scope="TenantReuse",
                tags=(("team", "a b"), ("x", "")),
            ),
            "az acr create --subscription s1 --resource-group rg --name contosoacr --sku Premium --location eastus"
            " --role-assignment-mode rbac-abac --public-network-enabled false --dnl-scope TenantReuse"
            " --tags 'team=a b' x=",
        ),
        (
            az_registries.check_name("s1", "contosoacr", name_scope="ResourceGroupReuse", group="rg"),
            "az acr check-name --subscription s1 --name contosoacr --dnl-scope ResourceGroupReuse --resource-group rg",
        ),
        (
            az_registries.register_provider("s1"),
            "az provider register --subscription s1 --namespace Microsoft.ContainerRegistry --wait",
        ),
        (
            az_settings.update_registry("contosoacr", "--sku", "Premium"),
            "az acr update --name contosoacr --sku Premium",
        ),
        (
            az_child_resources.add_webhook("contosoacr", "hook1", ("push", "delete"), "eastus", scope="team/app:*"),
            'az acr webhook create --registry contosoacr --name hook1 --uri "$SERVICE_URI"'
            " --actions push delete --location eastus --scope 'team/app:*'",
        ),
        (
            az_child_resources.add_webhook(
                "contosoacr",
                "hook1",
                ("push",),
                "eastus",
                enabled=False,
                header_names=("Authorization", "X-Key's"),
            ),
            'az acr webhook create --registry contosoacr --name hook1 --uri "$SERVICE_URI" --actions push'
            ' --location eastus --status disabled --headers Authorization="$HEADER_AUTHORIZATION"'
            """ 'X-Key'"'"'s='"$HEADER_X_KEY_S\"""",
        ),
        (
            az_child_resources.add_scope_map(
                "contosoacr", "map1", ("app", "team/*"), ("content/read", "metadata/read"), "For a device"
            ),
            "az acr scope-map create --registry contosoacr --name map1 --repository app content/read metadata/read"
            " --repository 'team/*' content/read metadata/read --description 'For a device'",
        ),
        (
            az_child_resources.generate_token_password("contosoacr", "device", "password2", None),
            "az acr token credential generate --registry contosoacr --name device --password2",
        ),
        (
            az_sign_in.sign_in_as_token("device", "contosoacr.azurecr.io"),
            'printf %s "$TOKEN_PASSWORD" | docker login contosoacr.azurecr.io --username device --password-stdin',
        ),
    ],
)
def test_lines(line: str, expected: str) -> None:
    assert line == expected


PROGRAMS = ("az", "docker", "helm", "kubectl", "oras", "printf", "skopeo")


def test_every_line_is_a_command_of_a_known_program() -> None:
    lines = {name: made(maker) for name, maker in makers().items()}
    assert len(lines) > 15
    for line in (*lines.values(), *fixes().values()):
        assert re.sub(r"^[A-Z_]+=\$\(", "", line).split()[0] in PROGRAMS, line


def words(line: str) -> list[str]:
    """The words of a line, its shell operators as words of their own."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    return list(lexer)


NAMES = [name for name, value in SAMPLES.items() if isinstance(value, str)]


@given(st.fixed_dictionaries({name: st.text(max_size=30) for name in NAMES}))
@example(dict.fromkeys(NAMES, "$(touch gone)"))
@example(dict.fromkeys(NAMES, "'; touch gone; '"))
def test_no_name_becomes_more_than_a_word(names: dict[str, str]) -> None:
    names["reference"] = names["reference"].replace(":", "")  # With a colon it is a digest.
    marks = {name: f"<{name}>" for name in NAMES}
    for maker in makers().values():
        if maker is az_images.purge:  # Its names are words of a line within the line: see the test below.
            continue
        wanted = [
            re.sub("<([a-z_]+)>", lambda mark: names[mark[1]], word)
            for word in words(made(maker, {**SAMPLES, **marks}))
        ]
        assert words(made(maker, {**SAMPLES, **names})) == wanted


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
@example("$(touch gone)", "'; touch gone; '", "`touch gone`")
def test_no_name_becomes_more_than_a_word_of_what_the_registry_runs(registry: str, repository: str, glob: str) -> None:
    outer = shlex.split(az_images.purge(registry, repository, glob, 30, 0))
    assert (outer[4], outer[5], outer[7:]) == (registry, "--cmd", ["/dev/null"])
    assert shlex.split(outer[6])[4:] == ["--ago", "30d", "--dry-run"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_shell_hands_each_name_over_as_it_is(name: str, tmp_path: Path) -> None:
    script = 'az() { printf \'%s\\0\' "$@" >&2; }; kubectl() { az "$@"; }\n'
    for client in ("docker", "podman", "helm", "oras", "skopeo"):
        script += f'{client}() {{ cat >/dev/null; az "$@"; }}\n'
    lines = (
        az_images.show_repository(name, name),
        az_images.list_manifests(name, name),
        az_registries.show_resource_id(name),
        az_sign_in.sign_in_with_token(name, name),
        az_sign_in.podman_sign_in(name, name),
        az_sign_in.helm_sign_in(name, name),
        az_sign_in.oras_sign_in(name, name),
        az_sign_in.skopeo_sign_in(name, name),
        az_sign_in.make_pull_token(name, name, name),
        az_sign_in.make_pull_secret(name, name),
        az_sign_in.trust_github(name, name, name, name),
    )
    for line in lines:
        done = subprocess.run(
            ["/bin/sh", "-c", script + line], cwd=tmp_path, capture_output=True, check=True, timeout=30
        )
        assert name in done.stderr.decode().split("\0")
    assert list(tmp_path.iterdir()) == []
