"""The pull matrix as squares: each pair has a sign and a colour, and its reason as a tooltip."""

from collections.abc import Sequence
from html import escape
from textwrap import wrap

import plotly.graph_objects as go

from services.pull_checks.matrix import Answer, Pair
from ui.elements.chart_theme import MEANINGS, Meaning, layout, palette

SIGNS = {
    Answer.CAN: "✓",
    Answer.SOME: "◐",
    Answer.CANNOT: "✗",
    Answer.NETWORK: "⇄",
    Answer.UNKNOWN: "?",
    Answer.NO_ROLE: "–",
}
MEANS = {
    Answer.CAN: Meaning.GOOD,
    Answer.SOME: Meaning.ATTENTION,
    Answer.CANNOT: Meaning.BAD,
    Answer.NETWORK: Meaning.BAD,
    Answer.UNKNOWN: Meaning.UNKNOWN,
}
LABELS = {Answer.CANNOT: "Role without effect", Answer.NETWORK: "Network refuses"}
ROW_PX, HEAD_PX = 34, 150


def matrix_figure(pairs: Sequence[Pair], theme: str) -> go.Figure:
    """A row for each cluster, a column for each registry. Every pair of `pairs` is drawn once.

    plotly can't select squares of a heat map: unseen points over them take clicks and tooltips, and a point's index is
    that of its pair in `pairs`. The signs are a trace for each answer, so that each has its colour and none fades when
    another is clicked.
    """
    colours = palette(theme)
    clusters = list(dict.fromkeys(pair.cluster.id for pair in pairs))
    registries = list(dict.fromkeys(pair.registry.id for pair in pairs))
    by_ids = {(pair.cluster.id, pair.registry.id): pair for pair in pairs}
    names = {pair.cluster.id: pair.cluster.name for pair in pairs} | {
        pair.registry.id: pair.registry.name for pair in pairs
    }
    rows = [[by_ids.get((cluster, registry)) for registry in registries] for cluster in clusters]
    order = list(Answer)
    # Without a role nothing is wrong, and nothing to look at: pale.
    pale = colours.panel, colours.text
    looks = {answer: MEANINGS[theme][MEANS[answer]] if answer in MEANS else pale for answer in order}
    fill = [looks[answer][0] for answer in order]
    steps = [(edge / len(order), colour) for number, colour in enumerate(fill) for edge in (number, number + 1)]
    squares = go.Heatmap(
        x=[str(number) for number in range(len(registries))],
        y=[str(number) for number in range(len(clusters))],
        z=[[order.index(pair.answer) if pair else None for pair in row] for row in rows],
        zmin=-0.5,
        zmax=len(order) - 0.5,
        colorscale=steps,
        showscale=False,
        xgap=2,
        ygap=2,
        hoverinfo="skip",
    )
    unseen = {"marker": {"opacity": 0}}
    points = go.Scatter(
        x=[str(registries.index(pair.registry.id)) for pair in pairs],
        y=[str(clusters.index(pair.cluster.id)) for pair in pairs],
        mode="markers",
        marker={"opacity": 0, "size": ROW_PX - 6, "symbol": "square"},
        selected=unseen,
        unselected=unseen,
        hovertext=[_hover(pair) for pair in pairs],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
    )
    signs = []
    for answer in order:
        of_answer = [pair for pair in pairs if pair.answer is answer]
        font = {"textfont": {"color": looks[answer][1]}}
        signs.append(
            go.Scatter(
                x=[str(registries.index(pair.registry.id)) for pair in of_answer],
                y=[str(clusters.index(pair.cluster.id)) for pair in of_answer],
                mode="text",
                text=[SIGNS[answer]] * len(of_answer),
                hoverinfo="skip",
                showlegend=False,
                selected=font,
                unselected=font,
                **font,
            )
        )
    return go.Figure(
        [squares, points, *signs],
        layout(
            colours,
            HEAD_PX + ROW_PX * len(clusters),
            xaxis={
                "tickvals": [str(number) for number in range(len(registries))],
                "ticktext": [escape(names[registry]) for registry in registries],
                "tickangle": -60,
                "side": "top",
                "showgrid": False,
                "type": "category",
            },
            yaxis={
                "tickvals": [str(number) for number in range(len(clusters))],
                "ticktext": [escape(names[cluster]) for cluster in clusters],
                "autorange": "reversed",
                "showgrid": False,
                "type": "category",
            },
        ),
    )


def _hover(pair: Pair) -> str:
    reason = "<br>".join(escape(line) for line in wrap(pair.reason, 60))
    return f"{escape(pair.cluster.name)} ← {escape(pair.registry.name)}: {answer_label(pair).lower()}<br>{reason}"


def answer_label(pair: Pair) -> str:
    """The answer in words, with its cause where it is unknown: 'Unknown: group members not read'."""
    label = LABELS.get(pair.answer, pair.answer.capitalize())
    return f"{label}: {pair.cause}" if pair.cause else label
