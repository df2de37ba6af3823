import numpy as np
import pytest
from helpers.drawings import drawn
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmark.core.boxes import largest_component
from benchmark.core.segments import largest_segments
from benchmark.core.types import FloatArray

SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 12))
PLATEAUS = arrays(np.float32, SHAPES, elements=st.integers(-2, 5).map(float))  # many ties, constant maps too
VALUES = arrays(np.float32, SHAPES, elements=st.floats(-1, 1, width=32))
UNSEEN = arrays(np.float32, SHAPES, elements=st.sampled_from([-np.inf, 0.0, 1.0, 2.0]))
LEVELS = st.lists(st.one_of(st.integers(-3, 6).map(float), st.floats(-1, 1, width=32)), max_size=6)


@given(st.one_of(PLATEAUS, VALUES, UNSEEN), LEVELS, st.sampled_from([8, 4]))
def test_each_levels_box_is_that_of_the_masks_largest_component(
    pixels: FloatArray, levels: list[float], connectivity: int
) -> None:
    found = largest_segments(pixels, np.array(levels, np.float32), connectivity)
    expected = [largest_component(pixels > np.float32(one), connectivity) or (0, 0, 0, 0) for one in levels]
    assert found.tolist() == [list(box) for box in expected]


@pytest.mark.parametrize("shape", [(40, 60), (1, 300), (300, 1)])
def test_so_it_is_in_noise_of_thousands_of_segments(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).random(shape, np.float32)
    levels = np.linspace(0, 1, 21, dtype=np.float32)
    expected = [largest_component(pixels > level) or (0, 0, 0, 0) for level in levels]
    assert largest_segments(pixels, levels).tolist() == [list(box) for box in expected]


def test_runs_at_the_ends_of_neighbouring_rows_are_apart() -> None:
    pixels = drawn("...99", "9....", "9....", "9....")
    assert largest_segments(pixels, np.zeros(1, np.float32)).tolist() == [[0, 1, 1, 4]]
    assert largest_segments(pixels[:2], np.zeros(1, np.float32)).tolist() == [[3, 0, 5, 1]]


def test_levels_of_one_map_do_not_touch_each_other() -> None:
    pixels = drawn("9..", "...", "..9")
    assert largest_segments(pixels, np.array([0, 5, 9], np.float32)).tolist() == [[0, 0, 1, 1]] * 2 + [
        [0] * 4
    ]
