"""What every metric of a yaml refuses where it is made, and how lists may be given."""

from typing import Any

import pytest
from helpers.random_records import make
from omegaconf import OmegaConf

from benchmark.cli.app.config import CONF, build
from benchmark.core.errors import UserError
from benchmark.metrics.max_box_acc_v2 import MaxBoxAccV2

FILES = sorted((CONF / "metric").glob("*.yaml"))
NODES: dict[str, Any] = {path.stem: dict(OmegaConf.load(path).items())[path.stem] for path in FILES}
WRONG: tuple[tuple[str, Any], ...] = (
    *(("iou", value) for value in (0, -0.5, 1.5, float("nan"), "half", True, None, [0.5])),
    *(("ious", value) for value in (0.5, "0.5", None, [], [0], [0.5, 1.5], ["half"], [True], [[0.5]])),
    *(("resamples", value) for value in (0, -1, 1000.0, "many", True, None)),
    *(("seed", value) for value in (-1, 0.5, "0", False, None)),
)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [(name, option, value) for name, node in NODES.items() for option, value in WRONG if option in node],
)
def test_an_option_out_of_range_is_refused_where_the_metric_is_made(
    name: str, option: str, value: Any
) -> None:
    with pytest.raises(UserError, match=rf"^metric\.{name}\.{option} is [^\n]*$"):
        build(NODES[name], **{option: value})


def test_every_option_of_every_metric_is_tried() -> None:
    options = {option for option, _ in WRONG}
    for name, node in NODES.items():
        assert set(node) - {"_target_"} <= options, name


@pytest.mark.parametrize("name", NODES)
def test_options_at_the_ends_of_their_ranges_are_taken(name: str) -> None:
    ends: dict[str, Any] = {"iou": 1, "ious": [1], "resamples": 1, "seed": 0}
    given = {option: value for option, value in ends.items() if option in NODES[name]}
    assert build(NODES[name], **given)(make(0))


def test_overlaps_may_be_any_kind_of_list() -> None:
    lists = ([0.3, 0.5], (0.3, 0.5), OmegaConf.create([0.3, 0.5]))
    first, *others = [MaxBoxAccV2(ious=given)(make(0)) for given in lists]
    assert others == [first, first]
