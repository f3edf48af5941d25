"""Tags that workloads pull by."""

from collections.abc import Sequence

import streamlit as st

from services.deletion.running_images import list_places
from services.registries.registry import Registry
from ui.elements.text import plain
from ui.loaders import running

# Tags named in a warning; the rest is counted.
_SHOWN = 10


def warn_of_pods(who: str, registry: Registry, repository: str, tags: Sequence[str]) -> None:
    """Names those of the tags that workloads name, as far as clusters and apps are known, before they are removed."""
    seen = running.seen_of(who, registry, repository)
    named = {tag: seen.by_tag[tag] for tag in tags if tag in seen.by_tag} if seen else {}
    if not named:
        return
    lines = [f"{plain(tag)}: {plain(list_places(places))}" for tag, places in [*named.items()][:_SHOWN]]
    if len(named) > _SHOWN:
        lines.append(f"… and {len(named) - _SHOWN:,} more tags")
    said = ["New pods can't pull an image by a tag that is removed. Named by:", *lines]
    st.warning("  \n".join(said), icon=":material/deployed_code_alert:")
