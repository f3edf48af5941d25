"""How a plan of a deletion is shown: its figures, what is deleted with its age, and folded what stays and why."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import streamlit as st

from services.deletion.plan import Why
from services.deletion.plan_rows import DeletedManifest, KeptManifest, count_kinds
from services.images.repository_contents import RepositoryContents
from services.registries.registry import Registry
from services.wording import counted
from ui.deletion.figures import freed, show_figures
from ui.deletion.places import Places
from ui.elements.columns import ago_column
from ui.elements.styled_table import Worded
from ui.elements.table import TEXTS, UTC, indented, show_rows
from ui.elements.text import short, size
from ui.navigation import pages
from ui.navigation.links import link_to

_WHY = {
    Why.CHOSEN: "Chosen",
    Why.CHILD: "Part of {}",
    Why.REFERRER: "Refers to {}",
    Why.ATTACHED: "Attached to {}",
}
STAY = ("manifest stays", "manifests stay")


def show_deletion(
    places: Places,
    who: str,
    registry: Registry,
    contents: RepositoryContents,
    deleted: Sequence[DeletedManifest],
    kept: Sequence[KeptManifest],
    stays: tuple[str, str] = STAY,
) -> None:
    """Shows the figures of a deletion, in a closed expander what stays, and the table of what is deleted. `stays`: what
    one and many that stay are called."""
    of_all = {contents.name: deleted}
    bytes_freed = freed(who, registry, [contents], of_all)
    with places.figures:
        show_figures(who, registry, of_all, bytes_freed, unread=not contents.complete)
    with places.folded:
        show_kept({contents.name: kept}, stays)
    if deleted:
        with places.lists:
            show_deleted(of_all, unread=frozenset() if contents.complete else frozenset((contents.name,)))
            if bytes_freed.counted_at is None:
                link_to(pages.STORAGE, "Read the registry for the exact size", registry=st.query_params["registry"])


def show_deleted(deleted: Mapping[str, Sequence[DeletedManifest]], unread: frozenset[str] = frozenset()) -> None:
    """Shows the table of what is deleted, with the repository where there are several. `unread`: the repositories whose
    manifests could not all be read."""
    broken = any(one.item.breaks for found in deleted.values() for one in found)
    rows = [
        {
            **_repository(name, deleted),
            "Manifest": indented(short(one.item.digest), one.depth),
            "Tags": list(one.item.tags),
            "Deleted because": _why(one, unread=name in unread),
            "Pushed": one.row.created,
            "Last update": one.row.updated,
            "Size": one.item.size,
            **({"Breaks": [short(digest) for digest in one.item.breaks]} if broken else {}),
        }
        for name, found in deleted.items()
        for one in found
    ]
    show_rows(
        rows,
        "What is deleted, the oldest first",
        key="plan of the deletion",
        columns={
            "Tags": st.column_config.ListColumn(width="medium"),
            "Pushed": ago_column(),
            "Last update": ago_column("Moving a tag or changing a lock also updates it"),
            "Size": Worded(size, "Compressed layers, those that others share among them"),
            "Breaks": st.column_config.ListColumn(
                width="small", help="Indexes that can't be pulled completely without it"
            ),
        },
        types={"Tags": TEXTS, "Pushed": UTC, "Last update": UTC, "Breaks": TEXTS},
    )


def _repository(name: str, of: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    return {"Repository": name} if len(of) > 1 else {}


def _why(one: DeletedManifest, *, unread: bool) -> str:
    if unread and one.item.why is Why.CHOSEN:
        return "Unknown: not every manifest could be read"
    return _WHY[one.item.why].format(short(one.item.of))


def show_kept(kept: Mapping[str, Sequence[KeptManifest]], stays: tuple[str, str] = STAY) -> None:
    """Shows in a closed expander what stays of each repository, and why; nothing where nothing stays."""
    every = [one for found in kept.values() for one in found]
    if not every:
        return
    label = f"{counted(len(every), *stays)}: {count_kinds(every)}"
    with st.expander(label, icon=":material/lock:"):
        show_rows(
            [
                {
                    **_repository(name, kept),
                    "Manifest": short(one.row.digest),
                    "Tags": list(one.tags),
                    "Stays": one.kind,
                    "Reason": one.reason or None,
                    "Pushed": one.row.created,
                }
                for name, found in kept.items()
                for one in found
            ],
            "What stays, and why",
            key="what stays",
            columns={
                "Tags": st.column_config.ListColumn(width="medium"),
                "Reason": st.column_config.TextColumn(width="large"),
                "Pushed": ago_column(),
            },
            types={"Tags": TEXTS, "Reason": pa.string(), "Pushed": UTC},
        )
