"""What each built-in role may do at a registry in either mode, and the guide's tables beside today's truth."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.access.permissions import Permission
from services.access.rights import OtherRight, Right, SignIn, in_order, rights_of, sign_in_of
from services.access.role_definitions import BUILT_IN, RoleDefinition
from services.registries.registry import Mode
from services.roles.advice import UseCase, advise, listed_roles, use_case
from services.roles.descriptions import WORDS, RoleWords


@dataclass(frozen=True)
class RoleRow:
    """One role at a registry in one mode. `ignored`: it is about images, and this mode does not ask for what it has."""

    role: RoleDefinition
    mode: Mode
    rights: frozenset[Right]
    sign_in: SignIn
    ignored: bool
    words: RoleWords

    @property
    def extras(self) -> tuple[Right, ...]:
        """What it gives beside the permissions."""
        return tuple(right for right in in_order(self.rights) if isinstance(right, OtherRight))


def role_table(mode: Mode, roles: Mapping[str, RoleDefinition] | None = None) -> tuple[RoleRow, ...]:
    """A row for each built-in role. `roles`, by GUID, are as Azure says them: they go before the built-in table."""
    return tuple(_row(role, mode) for role in listed_roles(roles or {}))


def _row(role: RoleDefinition, mode: Mode) -> RoleRow:
    rights = rights_of(role, mode)
    elsewhere = rights_of(role, Mode.LEGACY if mode is Mode.ABAC else Mode.ABAC)
    return RoleRow(
        role, mode, rights, sign_in_of(rights, mode), bool(elsewhere and not rights), WORDS.get(role.id, RoleWords(""))
    )


@dataclass(frozen=True)
class GuideRow:
    """A row of the guide's table of roles: what it says of each, and what it leaves out."""

    roles: tuple[str, ...]
    sign_in: bool
    push: bool
    pull: bool
    left_out: str

    @property
    def name(self) -> str:
        return "/".join(self.roles)


GUIDE = (
    GuideRow(("AcrPull",), True, False, True, "It can also list repositories and tags."),
    GuideRow(
        ("AcrPush",),
        True,
        True,
        True,
        "It can't delete, change locks or import images. It can list repositories and tags.",
    ),
    GuideRow(
        ("AcrDelete",),
        True,
        False,
        False,
        "It can delete, but can't read: to find what to delete, or to delete by tag, assign AcrPull too.",
    ),
    GuideRow(
        ("Owner", "Contributor"),
        True,
        True,
        True,
        "The two differ: Owner can assign roles, Contributor can't, and so can't attach a cluster. Both can delete "
        "images, manage the registry and read its admin password.",
    ),
)
# What the guide's table has no row for, and should.
NOT_IN_GUIDE = (
    "Reader can sign in and pull in Legacy mode, as its */read includes pull/read. In ABAC mode it gives no access to "
    "images.",
    "In ABAC mode other roles give access to images: Container Registry Repository Reader, Writer and Contributor, and "
    "Container Registry Repository Catalog Lister, without which repositories can't be listed.",
)


@dataclass(frozen=True)
class GuideCell:
    """What the guide says of a role, and what is so in one mode: yes, no, or identity only."""

    what: str
    guide: bool
    today: str

    @property
    def differs(self) -> bool:
        return self.today != _yes(self.guide)


def _yes(so: bool) -> str:
    return "yes" if so else "no"


def compare_guide(
    row: GuideRow, mode: Mode, roles: Mapping[str, RoleDefinition] | None = None
) -> tuple[tuple[GuideCell, ...], str]:
    """The guide's three columns of a row in `mode`, and why they differ: "" where they do not."""
    # By this console's own names: Azure may rename a role.
    known = {BUILT_IN[role.id].name: _row(role, mode) for role in listed_roles(roles or {})}
    rows = [known[name] for name in row.roles]
    sign_in = min((one.sign_in for one in rows), key=list(SignIn)[::-1].index)
    cells = (
        GuideCell("Can sign in", row.sign_in, sign_in),
        GuideCell("Can push", row.push, _yes(all(Permission.PUSH in one.rights for one in rows))),
        GuideCell("Can pull", row.pull, _yes(all(Permission.PULL in one.rights for one in rows))),
    )
    return cells, _why(row, mode, rows) if any(cell.differs for cell in cells) else ""


def _why(row: GuideRow, mode: Mode, rows: Iterable[RoleRow]) -> str:
    names = " and ".join(row.roles)
    if mode is Mode.LEGACY:
        return f"{names}: Azure's definition today differs from the guide's."
    if any(one.rights for one in rows):
        return f"In ABAC mode {names} manage the registry only: access to images needs data actions, which they lack."
    return f"In ABAC mode {names} is ignored: access to images needs data actions, which it lacks."


@dataclass(frozen=True)
class GuideUse:
    """A row of the guide's table of use cases, beside the least roles that the search finds today, by mode."""

    use: str
    guide: str
    case: UseCase
    today: Mapping[Mode, tuple[str, ...]]
    note: str


def guide_uses(roles: Mapping[str, RoleDefinition] | None = None) -> tuple[GuideUse, ...]:
    """The guide's three use cases."""
    given = (
        ("CI/CD pipeline (push + pull)", "AcrPush", "CI/CD pipeline", ""),
        ("Runtime service (pull only)", "AcrPull", "Service that pulls", ""),
        (
            "Admin managing the registry",
            "Contributor",
            "Administrator",
            "Contributor is enough too, but gives more: in Legacy mode it can pull, push and delete every image.",
        ),
    )
    return tuple(
        GuideUse(
            use,
            role,
            use_case(name),
            {
                mode: tuple(one.role.name for one in advise(use_case(name).wanted, mode, roles=roles).given)
                for mode in Mode
            },
            note,
        )
        for use, role, name, note in given
    )


def defined_by_azure(roles: Mapping[str, RoleDefinition]) -> int:
    """How many of the table's roles are as Azure defines them."""
    return len(BUILT_IN.keys() & roles.keys())
