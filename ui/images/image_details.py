"""An image's layers, its config and its build history."""

import streamlit as st

from services.images.manifests import ImageConfig, Kind, Manifest, parse_time
from services.wording import counted
from ui.elements.columns import Sizes, ago_column
from ui.elements.table import UTC, show_facts, show_rows
from ui.elements.text import ago, exact, plain, short, size


def show_layers(image: Manifest) -> None:
    """Shows the layers from the base up, each with its size relative to the largest; of an artifact its content."""
    title = "Layers" if image.kind is Kind.IMAGE else "Content"
    known = image.layer_bytes
    sizes = f"{size(known)} compressed" if known is not None else "sizes unknown: the manifest does not give them all"
    st.subheader(f"{title} ({len(image.layers)}, {sizes})", anchor=False)
    largest = max((layer.size or 0 for layer in image.layers), default=1) or 1
    show_rows(
        [
            {
                "Layer": short(layer.digest),
                "Size": layer.size,
                "Share": layer.size / largest if layer.size is not None else None,
                "Type": layer.media_type,
            }
            for layer in image.layers
        ],
        f"{title} from the base up" if image.kind is Kind.IMAGE else title,
        columns={
            "Size": Sizes(),
            "Share": st.column_config.ProgressColumn(
                format=" ", min_value=0, max_value=1, help="Relative to the largest layer"
            ),
        },
    )


def show_config(config: ImageConfig) -> None:
    """Shows what the image runs, how it was built, and its labels. The texts come from its builder."""
    built = parse_time(config.created)
    st.subheader("Configuration", anchor=False)
    show_facts(
        {
            "Built": f"{ago(built)} ({exact(built)})" if built else plain(config.created) or "Not recorded",
            "Platform": plain(config.platform),
            "Command": plain(config.command) or "Not set",
            "User": plain(config.user) or "root",
            "Ports": plain(", ".join(config.ports)) or "None",
        },
    )
    if config.history:
        st.subheader(f"History ({counted(len(config.history), 'step')})", anchor=False)
        show_rows(
            [
                {
                    "Step": step.command,
                    "Layer": not step.empty,
                    "Created": parse_time(step.created),
                    "Comment": step.comment,
                }
                for step in config.history
            ],
            "How the image was built, from the base up",
            columns={"Step": st.column_config.TextColumn(width="large"), "Created": ago_column()},
            types={"Created": UTC},
        )
    show_pairs("Labels", config.labels)


def show_pairs(title: str, pairs: tuple[tuple[str, str], ...]) -> None:
    """Labels or annotations; nothing where there are none."""
    if pairs:
        st.subheader(title, anchor=False)
        show_rows([{"Name": name, "Value": value} for name, value in pairs], title)
