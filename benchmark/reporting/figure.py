"""Figures as png: the same bytes for the same numbers and the same matplotlib, imported only to draw."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 110


def png(draw: Callable[[Figure], None], width: float, height: float) -> bytes:
    """Draw a figure, whatever a user's own matplotlib settings are.

    Args:
        draw: Draws into the empty figure.
        width: Inches.
        height: Inches.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        figure = Figure(figsize=(width, height), layout="constrained", dpi=_DPI)
        FigureCanvasAgg(figure)
        draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
