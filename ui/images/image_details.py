"""An image's layers, its config and its build history."""

import streamlit as st

from services.images.manifests import ImageConfig, Manifest, parse_time
from services.wording import counted
from ui.elements.columns import Sizes, ago_column
from ui.elements.table import UTC, show_facts, show_rows
from ui.elements.text import ago, exact, plain, short, size


def show_layers(image: Manifest) -> None:
    """Shows the layers from the base up, each with its size relative to the largest."""
    st.subheader(f"Layers ({len(image.layers)}, {size(image.layer_bytes)} compressed)", anchor=False)
    largest = max((layer.size for layer in image.layers), default=1) or 1
    show_rows(
        [
            {
                "Layer": short(layer.digest),
                "Size": layer.size,
                "Share": layer.size / largest,
                "Type": layer.media_type,
            }
            for layer in image.layers
        ],
        "Layers from the base up",
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
