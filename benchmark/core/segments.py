"""The largest segment of a map above each of several levels, all of them in one pass over its runs.

A mask of a smooth map has few *runs* (maximal horizontal rows of true pixels) for its many pixels. So runs,
not pixels, are joined to segments: those of neighbouring rows that touch are the edges of a graph, and one
search for its connected components serves all levels.
"""

import numpy as np
import numpy.typing as npt

from benchmark.core.types import FloatArray, IntArray

_Numbers = npt.NDArray[np.intp]


def largest_segments(pixels: FloatArray, levels: FloatArray, connectivity: int = 8) -> IntArray:
    """Return the tight box of the largest connected segment of the pixels strictly above each level.

    The rule is that of :func:`benchmark.core.boxes.largest_component`: the most pixels; of equal ones the
    first by ``(y0, x0, y1, x1)``.

    Args:
        pixels: ``[h, w]``, at least one pixel, without NaN.
        levels: ``[t]``, in any order.
        connectivity: 8 if diagonal neighbours are connected, 4 if not.

    Returns:
        ``[t, 4]`` half-open boxes in the map's own pixels; ``0 0 0 0`` where no pixel is above the level.
    """
    height, width = pixels.shape
    stride = width + 1  # a column that no run covers keeps the rows apart, and a row the levels
    starts, ends = _runs(pixels, levels)
    found = np.zeros((len(levels), 4), np.int32)
    if not len(starts):
        return found
    segment = _joined(starts, ends, stride, touch=int(connectivity == 8))
    order = np.argsort(segment, kind="stable")  # so that a segment's runs stay in raster order
    starts, ends = starts[order], ends[order]
    first = np.flatnonzero(np.diff(segment[order], prepend=-1))
    last = np.append(first[1:], len(order)) - 1
    size = np.add.reduceat(ends - starts, first)
    level, y0 = np.divmod(starts[first] // stride, height + 1)
    most = np.zeros(len(levels), np.intp)
    np.maximum.at(most, level, size)
    largest = np.flatnonzero(size == most[level])  # so that few are sorted
    level, y0, y1 = level[largest], y0[largest], starts[last[largest]] // stride % (height + 1) + 1
    x0 = np.minimum.reduceat(starts % stride, first)[largest] - 1
    x1 = np.maximum.reduceat((ends - 1) % stride, first)[largest]
    ranked = np.lexsort((x1, y1, x0, y0, level))
    reached, best = np.unique(level[ranked], return_index=True)
    found[reached] = np.stack([x0, y0, x1, y1], axis=1)[ranked[best]]
    return found


def _runs(pixels: FloatArray, levels: FloatArray) -> tuple[_Numbers, _Numbers]:
    """Return where the runs of all levels start and end, ascending, as places in one long row.

    Row ``y`` of level ``k`` begins at ``(k (h + 1) + y) (w + 1)``, with a pixel that belongs to no run.
    """
    height, width = pixels.shape
    row = np.zeros(height * (width + 1) + 1, np.bool_)
    above = row[:-1].reshape(height, width + 1)[:, 1:]
    places = []
    for number, level in enumerate(levels):
        np.greater(pixels, level, out=above)
        changes = np.flatnonzero(row[1:] != row[:-1])
        places.append(changes + (number * (height + 1) * (width + 1) + 1))
    edges = np.concatenate(places) if places else np.empty(0, np.intp)
    return edges[::2], edges[1::2]


def _joined(starts: _Numbers, ends: _Numbers, stride: int, touch: int) -> npt.NDArray[np.int32]:
    """Number the segments, and return that of each run.

    Args:
        starts: ``[n]`` first place of each run, ascending.
        ends: ``[n]`` place after its last.
        stride: Places between a pixel and the one below it.
        touch: Places by which runs of two rows may miss each other.
    """
    from scipy.sparse import csr_array  # here, since it takes longer to import than a table to print
    from scipy.sparse.csgraph import connected_components

    first = np.searchsorted(ends, starts + (stride - touch), "right")
    count = np.maximum(np.searchsorted(starts, ends + (stride + touch), "left") - first, 0)
    edges = np.append(0, np.cumsum(count))
    below = np.arange(edges[-1]) + np.repeat(first - edges[:-1], count)
    graph = csr_array((np.ones(len(below)), below, edges), shape=(len(starts), len(starts)))
    segments: npt.NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return segments
