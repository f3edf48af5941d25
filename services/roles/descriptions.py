"""What each built-in role is for, and what to know before it is assigned.

https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-directory-reference
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RoleWords:
    """`use`: what it is for. `trap`: what surprises those who assign it, "" where nothing does."""

    use: str
    trap: str = ""


_ABAC_IGNORES = "In ABAC mode it is ignored."
_UNTAG = "Whether it may remove a tag is not certain: Microsoft's sources disagree."
_ABAC_CONTROL = "In ABAC mode it reaches no image."

# By GUID, as the table of role definitions.
WORDS: Mapping[str, RoleWords] = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": RoleWords(
        "Everything about the resource, role assignments too.",
        f"In Legacy mode also every image. {_ABAC_CONTROL}",
    ),
    "b24988ac-6180-42a0-ab88-20f7382dd24c": RoleWords(
        "Everything about the resource but role assignments.",
        f"It can't attach a cluster: that is a role assignment. In Legacy mode also every image. {_ABAC_CONTROL}",
    ),
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": RoleWords(
        "Sees the registry and its settings.",
        f"In Legacy mode it also pulls every image: */read covers pull/read. {_ABAC_CONTROL}",
    ),
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": RoleWords(
        "Assigns roles, and makes custom ones.",
        "Whoever has it may take any other role. In Legacy mode it also pulls, by */read.",
    ),
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": RoleWords(
        "Assigns and removes roles: enough to attach a cluster.",
        "Whoever has it may take any other role, unless a condition limits which. In Legacy mode it also pulls, by "
        "*/read.",
    ),
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": RoleWords(
        "Pulls from every repository of a Legacy registry.",
        "It also lists repositories and tags. It does not see the registry in the portal or in az acr list. "
        f"{_ABAC_IGNORES}",
    ),
    "8311e382-0749-4cb8-b61a-304f252e45ec": RoleWords(
        "Pushes to and pulls from every repository of a Legacy registry.",
        f"It neither deletes nor changes locks, and it does not import: az acr import takes importImage/action. "
        f"{_UNTAG} {_ABAC_IGNORES}",
    ),
    "c2f4ef07-c644-48eb-af81-4b1b4947fb11": RoleWords(
        "Deletes from every repository of a Legacy registry.",
        f"It can't read: to find what to delete, or to delete by tag, it takes AcrPull beside it. {_ABAC_IGNORES}",
    ),
    "6cef56e8-d556-48e5-a04f-b8e64114680f": RoleWords(
        "Signs for Docker content trust.",
        "Content trust can't be switched on any more, and is removed on 31 March 2028.",
    ),
    "cdda3590-29a3-44f6-95f2-9f980659eb04": RoleWords("Reads images in quarantine (preview)."),
    "c8d4ff99-41c3-41a8-9f60-21dfdad59608": RoleWords("Reads images in quarantine, and lets them out (preview)."),
    "b93aa761-3e63-49ed-ac28-beffa264f7ac": RoleWords(
        "Pulls, and lists tags: from all repositories, or from some by a condition.",
        "It does not list repositories: that takes the Catalog Lister. In Legacy mode it is ignored.",
    ),
    "2a1e307c-b015-4ebd-883e-5b7698a07328": RoleWords(
        "Pulls, pushes and changes locks: in all repositories, or in some by a condition.",
        f"It neither deletes nor lists repositories. {_UNTAG} In Legacy mode it is ignored.",
    ),
    "2efddaa5-3f1f-4df3-97df-af3f13818f4c": RoleWords(
        "Pulls, pushes, changes locks and deletes: in all repositories, or in some by a condition.",
        "It does not list repositories: that takes the Catalog Lister. In Legacy mode it is ignored.",
    ),
    "bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7": RoleWords(
        "Lists the names of all repositories of an ABAC registry.",
        "No condition can limit it: all names or none. In Legacy mode it is ignored.",
    ),
    "3bc748fc-213d-45c1-8d91-9da5725539b9": RoleWords(
        "Manages a registry, its network, webhooks, replicas, tokens and scope maps.",
        "It reaches no image by itself, but it may read the admin password and make tokens, which do. It reads "
        "role assignments and can't assign roles, and does not see the storage used.",
    ),
    "69b07be0-09bf-439a-b9a6-e73de851bd59": RoleWords(
        "Reads a registry's settings, network, webhooks, replicas and tokens.",
        "A reader by name, but it may read the admin password: where the admin user is on, that is everything. It may "
        "also change diagnostic settings and alert rules, and does not see the storage used.",
    ),
    "fb382eab-e894-4461-af04-94435c366c3f": RoleWords(
        "Makes and runs tasks, uploads their sources, and manages their agent pools.",
        "Tasks run code. In ABAC mode a task has no rights to images by default: its identity needs roles of its own.",
    ),
    "577a9874-89fd-4f24-9dbd-b5034d0ad23a": RoleWords(
        "Imports images, and pulls, in both modes.",
        "It reaches all repositories: no condition limits it.",
    ),
    "bf94e731-3a51-4a7c-8c54-a1ab9971dfc1": RoleWords("Moves images between registries by transfer pipelines."),
    "df87f177-bb12-4db1-9793-a413691eff94": RoleWords("Makes and removes cache rules."),
    "c357b964-0002-4b64-a50d-7a28f02edc52": RoleWords("Reads cache rules."),
    "f094fb07-0703-4400-ad6a-e16dd8000e14": RoleWords("Makes and removes credential sets of cache rules."),
    "29093635-9924-4f2c-913b-650a12949526": RoleWords("Reads credential sets of cache rules."),
}
