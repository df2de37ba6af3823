"""A reference harness for Table 1 of the Grad-CAM paper (Selvaraju et al., ICCV 2017).

``from benchmark import explain`` explains a batch with a PyTorch classifier of one's own
(:func:`benchmark.tasks.explain.arrays.explain`).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.tasks.explain.arrays import Explanation, explain

__all__ = ["Explanation", "explain"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import what is asked for only then, since PyTorch takes seconds."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from benchmark.tasks.explain import arrays

    return getattr(arrays, name)
