"""The command of a cell, derived from its result, is the one that measured it."""

from dataclasses import replace
from pathlib import Path

import pytest
from hydra import initialize_config_dir

import benchmark.cli.app.entry_point  # noqa: F401 - registers what the configurations refer to
from benchmark.cli.app.cell_command import cell_command
from benchmark.cli.app.places import CONF
from benchmark.reporting.archive import read_result

REFERENCE = Path(__file__).resolve().parents[3] / "results" / "reference"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        pytest.param(
            "embedded/table1/vgg16-backprop.json",
            "experiment=table1 row=vgg16/backprop dataset=embedded",
            id="an experiment's row as it is",
        ),
        pytest.param(
            "voc2007-300-dc8cab4e/counterfactual+pair_metric.counterfactual.limit-50/googlenet-guided_grad_cam.json",
            "experiment=counterfactual row=googlenet/guided_grad_cam dataset=voc2007 "
            "dataset.root=voc2007_subset pair_metric.counterfactual.limit=50 run.device=cpu",
            id="a row with options of its own",
        ),
    ],
)
def test_it_names_the_row_and_what_was_changed(file: str, expected: str) -> None:
    path = REFERENCE / file
    with initialize_config_dir(str(CONF), version_base="1.3"):
        assert cell_command(path.parent.name, read_result(path)) == f"./scripts/run {expected}"


def test_a_mandatory_option_is_named_also_where_the_name_is_made_of_it() -> None:
    path = REFERENCE / "embedded" / "table1" / "googlenet-cam.json"
    cell = read_result(path)
    localizer = {"name": "max_box_0.3", "threshold": 0.3}
    with initialize_config_dir(str(CONF), version_base="1.3"):
        words = cell_command("mine", replace(cell, config={**cell.config, "localizer": localizer})).split()
    assert words[-2:] == ["localizer=max_box", "localizer.threshold=0.3"]


def test_a_cell_of_no_experiment_is_named_by_its_parts() -> None:
    path = REFERENCE / "embedded" / "table1" / "googlenet-cam.json"
    with initialize_config_dir(str(CONF), version_base="1.3"):
        words = cell_command("googlenet_compact-cam-cam_20", read_result(path)).split()
    assert words == ["./scripts/run", "dataset=embedded", "method=cam", "localizer=cam_20"]
