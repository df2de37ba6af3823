"""Neuron names: both layouts, recomputed from their counts, and NetDissect's published files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from helpers.commands import Command

from benchmark.core.errors import UserError
from benchmark.reporting.neuron_names import Name, names_of, read_names, write_names

NETDISSECT = """\
unit,category,label,score,object-label,object-truth,object-activation,object-intersect,object-iou,part-label,part-truth,part-activation,part-intersect,part-iou
3,part,wheel,0.25,bicycle,100,50.0,10,0.07142857142857142,wheel,60,40.0,20,0.25
1,object,dog,0.1,dog,30,80.0,10,0.1,,24,0.0,6,0.3333333333333333
"""
OURS = (
    (0, "body", "disc", 100, 40, 20, 20 / 120, 1.5),
    (0, "head", "ball", 50, 40, 10, 10 / 80, 1.5),
    (2, "body", "ring", 10, 90, 1, 1 / 99, 0.25),
)


def test_netdissect_s_layout_is_read_unit_by_unit_and_category_by_category(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text(NETDISSECT)
    names = read_names(tmp_path / "n.csv")
    assert names.units == 3
    assert names.best() == {0: Name("part", "", 1 / 3), 2: Name("part", "wheel", 0.25)}
    assert set(names.above(0.25)) == {0}
    assert names.by_category(0.04) == {"object": (2, 2), "part": (2, 2)}
    assert (names.iou == names.stated).all()
    assert names.thresholds() == {}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    made = names_of(OURS, {"model": "net", "units": 4})
    write_names(tmp_path / "own.csv", made)
    names = read_names(tmp_path / "own.csv")
    assert (names.units, names.origin["model"]) == (4, "net")
    assert names.best() == {0: Name("body", "disc", 1 / 6), 2: Name("body", "ring", 1 / 99)}
    assert names.thresholds() == {0: 1.5, 2: 0.25}
    np.testing.assert_allclose(names.iou, names.stated, atol=5e-7)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "has no column unit"),
        ("unit,dog-label\n1,x\n", "has no column dog-truth"),
        ("# {\nunit\n", "line 1: is damaged"),
        (NETDISSECT.replace("60,40.0", "60,forty"), "line 2: is damaged"),
        (NETDISSECT.replace("30,80.0", "30,80.5"), "line 3: is damaged (80.5 is no count)"),
        (NETDISSECT.replace("\n1,obj", "\n0,obj"), "line 3: is damaged (unit 0)"),
        (NETDISSECT.partition("\n")[0], "has no unit"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line_that_names_it(
    tmp_path: Path, text: str, complaint: str
) -> None:
    (tmp_path / "n.csv").write_text(text)
    with pytest.raises(UserError) as refused:
        read_names(tmp_path / "n.csv")
    assert str(refused.value).startswith(f"{tmp_path / 'n.csv'}")
    assert complaint in str(refused.value)
    assert "experiment=neurons" in str(refused.value)


# Units above 0.04: all; by category object, part, scene, material, texture, colour (networks_summary.csv).
PUBLISHED = [
    ("caffe_reference_imagenet", 97, (49, 26, 5, 4, 45, 6), 61),
    ("caffe_reference_places205", 107, (78, 14, 17, 4, 31, 2), 79),
    ("caffe_reference_places365", 118, (81, 17, 21, 3, 47, 2), 91),
    ("ResNet-152-model_imagenet", 1325, (858, 268, 494, 49, 407, 3), 242),
    ("ResNet-152-model_places365", 1452, (774, 308, 1045, 19, 300, 2), 347),
]


@pytest.mark.parametrize(("name", "detectors", "units", "unique"), PUBLISHED)
def test_netdissect_s_published_files_follow_exactly_from_their_counts(
    shared: Path, name: str, detectors: int, units: Sequence[int], unique: int
) -> None:
    names = read_names(shared / "netdissect" / f"{name}.csv")
    assert (names.iou == names.stated).all()
    assert len(names.above(0.04)) == detectors
    found = names.by_category(0.04)
    kinds = ("object", "part", "scene", "material", "texture", "color")
    assert tuple(found[kind][0] for kind in kinds) == units
    assert sum(concepts for _, concepts in found.values()) == unique


def test_the_command_prints_detectors_and_how_many_ious_its_counts_give(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "n.csv").write_text(NETDISSECT.replace("0.0714", "0.0814"))
    status, printed, _ = command("neurons", f"names={tmp_path / 'n.csv'}", "least=0.05")
    assert status == 0
    assert "3 units, 2 of them detectors (IoU > 0.05)" in printed
    assert "recomputed 3 of 4 IoUs to the last digit, the others to 0.01" in printed
    status, _, complaint = command("neurons")
    assert (status, complaint.count("\n")) == (2, 1)
    assert "name a csv" in complaint
