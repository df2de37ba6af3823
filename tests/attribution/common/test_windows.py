"""Windows of covered images against whole covered images, on chains of every kind of layer they know."""

from collections.abc import Callable

import pytest
import torch
from helpers.small_models import SMALL, images, small, vgg_like
from torch import Tensor, nn

from benchmark.attribution.common.occluded import Grid, Sheet, runs
from benchmark.attribution.common.windows import Windowed, windows


def plain() -> nn.Sequential:
    """Padding, groups, pooling that rounds up, and layers that work cell by cell."""
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.LocalResponseNorm(3, alpha=0.5),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Sequential(nn.Conv2d(4, 4, 5, padding=2, groups=2), nn.BatchNorm2d(4), nn.Dropout()),
        nn.MaxPool2d(2, 2, ceil_mode=True),
        nn.Flatten(),
        nn.LazyLinear(5),
    )


def strided() -> nn.Sequential:
    """Strides, rests that no window reaches, padded pooling, cells that a stride passes over."""
    return nn.Sequential(
        nn.Conv2d(3, 4, 5, stride=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, padding=1),
        nn.Conv2d(4, 4, 1, stride=2),
        nn.Flatten(),
        nn.LazyLinear(5),
    )


def by_whole_images(network: nn.Module, inputs: Tensor, instead: Tensor, grid: Grid) -> Tensor:
    total = range(len(inputs) * grid.positions)
    scores: Tensor = network(Sheet(inputs, instead, len(total)).cover(list(runs(grid, total))))
    return scores


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(
    "grid", [Grid(47, 5, 5), Grid(27, 5, 2), Grid(26, 6, 5), Grid(15, 1, 1), Grid(24, 6, 6)]
)
@pytest.mark.parametrize(("build", "layers"), [(plain, 8), (strided, 4)])
def test_scores_equal_those_of_whole_images(
    build: Callable[[], nn.Sequential], layers: int, grid: Grid, last: bool
) -> None:
    torch.manual_seed(0)
    network, form = build().double().eval(), torch.channels_last if last else torch.contiguous_format
    inputs = images(2, grid.size).contiguous(memory_format=form)
    instead = images(2, grid.size, seed=2)
    with torch.no_grad():
        wanted = by_whole_images(network, inputs, instead, grid)
        first = windows(network, grid)
        assert first[-1].side < first[-1].cells
        assert len(first) == layers or grid.size < 47
        shown, total = Windowed(network, first, inputs, instead, grid), len(wanted)
        made = torch.cat([shown.scores(range(i, min(i + 7, total))) for i in range(0, total, 7)])
    torch.testing.assert_close(made, wanted, rtol=1e-12, atol=1e-14)
    assert torch.equal(inputs, images(2, grid.size))


def test_a_square_that_a_stride_passes_over_changes_nothing() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 1, stride=5), nn.Flatten(), nn.LazyLinear(2)).double().eval()
    grid = Grid(10, 3, 1)
    inputs, instead = images(1, 10), images(1, 10, seed=2)
    with torch.no_grad():
        wanted = by_whole_images(network, inputs, instead, grid)
        made = Windowed(network, windows(network, grid), inputs, instead, grid).scores(range(len(wanted)))
    torch.testing.assert_close(made, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("build", SMALL)
def test_no_window_is_as_large_as_its_map(build: Callable[[], nn.Module]) -> None:
    first = windows(small(build).module, Grid(12, 5, 3))  # type: ignore[arg-type]
    assert all(window.needed**2 <= 72 for window in first)


def test_where_a_hook_looks_whole_images_are_shown() -> None:
    network, grid = small(vgg_like).module, Grid(12, 2, 2)
    count = len(windows(network, grid))
    assert count == 2
    for place, left in ((network.get_submodule("1"), 1), (network, 0)):
        hook = place.register_forward_hook(lambda *_: None)
        assert len(windows(network, grid)) == left
        hook.remove()
    assert len(windows(network, grid)) == count


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(3, 3, 3, padding=(2, 1)),
        nn.Conv2d(3, 3, 3, dilation=2),
        nn.Conv2d(3, 3, 3, padding="same"),
        nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"),
        nn.ReLU(),  # first of all it could write into the image
        nn.BatchNorm2d(3).train(),
    ],
)
def test_what_a_window_could_not_tell_is_no_window(layer: nn.Module) -> None:
    assert (
        windows(
            nn.Sequential(layer, nn.Conv2d(3, 3, 3)).eval() if not layer.training else layer, Grid(12, 2, 2)
        )
        == []
    )


def test_a_layer_that_normalises_by_its_batch_is_no_window() -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3, track_running_stats=False)).eval()
    assert len(windows(network, Grid(12, 2, 2))) == 1
