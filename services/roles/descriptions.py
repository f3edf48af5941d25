"""What each built-in role is for, and what to know before it is assigned.

https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-directory-reference
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RoleWords:
    """`use`: what it can do. `trap`: what to know before it is assigned, "" where there is nothing."""

    use: str
    trap: str = ""


_ABAC_IGNORES = "In ABAC mode it is ignored."
_LEGACY_IGNORES = "In Legacy mode it is ignored."
_UNTAG = "Unknown whether it can remove a tag: Microsoft's documentation contradicts itself."
_ABAC_CONTROL = "In ABAC mode it gives no access to images."
_CATALOG = "It can't list repositories: that needs Container Registry Repository Catalog Lister."

# By GUID, as the table of role definitions.
WORDS: Mapping[str, RoleWords] = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": RoleWords(
        "Can manage the registry and assign roles on it.",
        f"In Legacy mode it can also pull, push and delete every image. {_ABAC_CONTROL}",
    ),
    "b24988ac-6180-42a0-ab88-20f7382dd24c": RoleWords(
        "Can manage the registry, but can't assign roles.",
        "It can't attach a cluster, which is a role assignment. In Legacy mode it can also pull, push and delete every "
        f"image. {_ABAC_CONTROL}",
    ),
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": RoleWords(
        "Can see the registry and its settings.",
        f"In Legacy mode it can also pull every image, as */read includes pull/read. {_ABAC_CONTROL}",
    ),
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": RoleWords(
        "Can assign roles and create custom roles.",
        "It can assign itself any other role. In Legacy mode it can also pull every image, through */read.",
    ),
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": RoleWords(
        "Can assign and remove roles, and so attach a cluster.",
        "It can assign itself any other role, unless a condition limits which. In Legacy mode it can also pull every "
        "image, through */read.",
    ),
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": RoleWords(
        "Can pull from every repository of a Legacy registry, and list repositories and tags.",
        f"It can't see the registry in the portal or with az acr list. {_ABAC_IGNORES}",
    ),
    "8311e382-0749-4cb8-b61a-304f252e45ec": RoleWords(
        "Can push to and pull from every repository of a Legacy registry.",
        "It can't delete, change locks or import: az acr import needs the action importImage. "
        f"{_UNTAG} {_ABAC_IGNORES}",
    ),
    "c2f4ef07-c644-48eb-af81-4b1b4947fb11": RoleWords(
        "Can delete from every repository of a Legacy registry.",
        f"It can't read: to find what to delete, or to delete by tag, assign AcrPull too. {_ABAC_IGNORES}",
    ),
    "6cef56e8-d556-48e5-a04f-b8e64114680f": RoleWords(
        "Can sign images for Docker content trust.",
        "Content trust can't be enabled any more, and is removed on 31 March 2028.",
    ),
    "cdda3590-29a3-44f6-95f2-9f980659eb04": RoleWords("Can read images in quarantine (preview)."),
    "c8d4ff99-41c3-41a8-9f60-21dfdad59608": RoleWords("Can read images in quarantine and release them (preview)."),
    "b93aa761-3e63-49ed-ac28-beffa264f7ac": RoleWords(
        "Can pull and list tags, in all repositories, or in some with a condition.",
        f"{_CATALOG} {_LEGACY_IGNORES}",
    ),
    "2a1e307c-b015-4ebd-883e-5b7698a07328": RoleWords(
        "Can pull, push and change locks, in all repositories, or in some with a condition.",
        f"It can't delete. {_CATALOG} {_UNTAG} {_LEGACY_IGNORES}",
    ),
    "2efddaa5-3f1f-4df3-97df-af3f13818f4c": RoleWords(
        "Can pull, push, change locks and delete, in all repositories, or in some with a condition.",
        f"{_CATALOG} {_LEGACY_IGNORES}",
    ),
    "bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7": RoleWords(
        "Can list all repositories of an ABAC registry by name.",
        f"A condition can't limit it to some. {_LEGACY_IGNORES}",
    ),
    "3bc748fc-213d-45c1-8d91-9da5725539b9": RoleWords(
        "Can manage the registry, its network, webhooks, replicas, tokens and scope maps.",
        "It gives no access to images by itself, but it can read the admin password and create tokens, which do. It "
        "can read role assignments, but can't assign roles or see the storage used.",
    ),
    "69b07be0-09bf-439a-b9a6-e73de851bd59": RoleWords(
        "Can read the registry's settings, network, webhooks, replicas and tokens.",
        "Although a reader by name, it can read the admin password: where the admin user is on, that gives access to "
        "every image. It can also change diagnostic settings and alert rules. It can't see the storage used.",
    ),
    "fb382eab-e894-4461-af04-94435c366c3f": RoleWords(
        "Can create and run tasks, upload their sources and manage their agent pools.",
        "A task runs its own code. In ABAC mode a task has no access to images by default: its identity needs roles.",
    ),
    "577a9874-89fd-4f24-9dbd-b5034d0ad23a": RoleWords(
        "Can import and pull images, in both modes.",
        "It applies to all repositories: a condition can't limit it.",
    ),
    "bf94e731-3a51-4a7c-8c54-a1ab9971dfc1": RoleWords("Can move images between registries with transfer pipelines."),
    "df87f177-bb12-4db1-9793-a413691eff94": RoleWords("Can create and delete cache rules."),
    "c357b964-0002-4b64-a50d-7a28f02edc52": RoleWords("Can read cache rules."),
    "f094fb07-0703-4400-ad6a-e16dd8000e14": RoleWords("Can create and delete credential sets of cache rules."),
    "29093635-9924-4f2c-913b-650a12949526": RoleWords("Can read credential sets of cache rules."),
}
