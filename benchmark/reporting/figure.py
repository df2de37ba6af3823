"""Figures as png, with the same bytes for the same numbers and the same matplotlib."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 110
"""Dots an inch."""


def png(
    draw: Callable[[Figure], None],
    width: float,
    height: float,
    layout: Literal["constrained"] | None = "constrained",
    **chunks: str,
) -> bytes:
    """Draw a figure, whatever a user's own matplotlib settings are.

    Args:
        draw: Draws into the empty figure.
        width: Inches.
        height: Inches.
        layout: ``constrained``: matplotlib places the axes; ``None``: ``draw`` does.
        **chunks: Text chunks of the file.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        figure = Figure(figsize=(width, height), layout=layout, dpi=DPI)
        FigureCanvasAgg(figure)
        draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None, **chunks})
    return buffer.getvalue()
