"""What an image is made of and how it was built."""

import streamlit as st

from services.images.manifests import ImageConfig, Manifest, parse_time
from services.wording import counted
from ui.elements.table import show_facts, table_of
from ui.elements.text import ago, exact, plain, short, size


def show_layers(image: Manifest) -> None:
    """The layers from the base up, with their share of the largest."""
    st.subheader(f"Layers ({len(image.layers)}, {size(image.layer_bytes)} compressed)", anchor=False)
    largest = max((layer.size for layer in image.layers), default=1) or 1
    st.dataframe(
        table_of(
            [
                {
                    "Layer": short(layer.digest),
                    "Size": size(layer.size),
                    "Share": layer.size / largest,
                    "Type": layer.media_type,
                }
                for layer in image.layers
            ]
        ),
        hide_index=True,
        alt="Layers from the base up",
        column_config={"Share": st.column_config.ProgressColumn(format=" ", min_value=0, max_value=1)},
    )


def show_config(config: ImageConfig) -> None:
    """What the image runs, how it was built, and its labels. The texts are the builder's: shown as text."""
    built = parse_time(config.created)
    st.subheader("Runs", anchor=False)
    show_facts(
        {
            "Built": f"{ago(built)} ({exact(built)})" if built else plain(config.created) or "not said",
            "Platform": plain(config.platform),
            "Command": plain(config.command) or "not set",
            "User": plain(config.user) or "root",
            "Ports": plain(", ".join(config.ports)) or "none",
        },
    )
    if config.history:
        st.subheader(f"History ({counted(len(config.history), 'step')})", anchor=False)
        st.dataframe(
            table_of(
                [
                    {
                        "Step": step.command,
                        "Made a layer": not step.empty,
                        "When": step.created,
                        "Comment": step.comment,
                    }
                    for step in config.history
                ]
            ),
            hide_index=True,
            alt="How the image was built, from the base up",
            column_config={"Step": st.column_config.TextColumn(width="large")},
        )
    show_pairs("Labels", config.labels)


def show_pairs(title: str, pairs: tuple[tuple[str, str], ...]) -> None:
    """Labels or annotations; nothing where there are none."""
    if pairs:
        st.subheader(title, anchor=False)
        st.dataframe(table_of([{"Name": name, "Value": value} for name, value in pairs]), hide_index=True, alt=title)
