"""A gap as text, csv and picture: every number is there, and so is what is missing."""

import csv
import io
from dataclasses import replace

import numpy as np

from benchmark.reporting.render import terminal
from benchmark.tasks.boxes.gap.gap import Gap
from benchmark.tasks.boxes.gap.plot import picture
from benchmark.tasks.boxes.gap.render import layout, rows
from benchmark.tasks.boxes.gap.scoring import Outcomes
from benchmark.tasks.boxes.gap.waterfall import PublishedError, State, Step, effect, waterfall

EVERY = np.ones(10, np.bool_)
PAPER, RUN = (Outcomes(np.arange(10) < wrong, EVERY) for wrong in (6, 4))
FALL = waterfall(
    PublishedError(0.5, 0.2),
    [
        State("", "", None, "./scripts/run first"),
        State("weights", "a → b", PAPER),
        State("threshold", "2 → 1", RUN),
    ],
    [None, 0.2, 0.2],
    200,
)
GAP = Gap(
    row="vgg16/grad_cam",
    metric="loc_top1",
    images="ten images",
    complete=False,
    run="vgg16, grad_cam, gradcam_15 v1",
    waterfall=FALL,
    same=("layer", "IoU"),
    alone=(
        Step("ground truth", "first box", effect(RUN, PAPER, 200), PAPER.error),
        Step("preprocessing", "ten crops", None, missing="./scripts/run transform=ten_crop"),
    ),
    verdict="matches",
    reproduced="reproduced by others: 55.82",
)


def test_the_text_has_the_walk_from_published_to_measured_and_what_needs_a_run() -> None:
    text = terminal.render(layout(GAP))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0].endswith("from the published number to the measured one [not the published images]")
    order = [line.split(" ")[0] for line in lines if "." in line and line.split(" ")[0] in WALK]
    assert order[: len(WALK)] == WALK
    for told in ("published – – – 50.00", "threshold -20.00", "0 / 2 40.00", "ground truth +20.00", "60.00"):
        assert any(told in line for line in lines), told
    for told in ("weights (a → b): ./scripts/run first", "preprocessing, ten crops: ./scripts/run transform"):
        assert told in " ".join(lines)
    assert "layer, IoU" in text
    assert "reproduced by others: 55.82" in text


WALK = ["published", "classification", "images,", "threshold", "measured"]


def test_the_csv_has_every_step_and_setting_and_its_walk_sums_up() -> None:
    lines = list(csv.DictReader(io.StringIO(rows(GAP))))
    walk = [line for line in lines if line["part"] == "walk"]
    assert [line["convention"] for line in walk] == [
        *("published", "weights", "classification", "images, and what is not known", "threshold", "measured")
    ]
    total = float(walk[0]["error"]) + sum(float(line["effect"]) for line in walk if line["effect"])
    assert abs(total - float(walk[-1]["error"])) < 1e-12
    assert [line["setting"] for line in lines if line["part"] == "alone"] == ["first box", "ten crops"]
    assert {len(line) for line in lines} == {11}


def test_without_a_published_number_the_title_and_the_walk_begin_at_the_paper_s_conventions() -> None:
    states = [State("", "", PAPER), State("threshold", "2 → 1", RUN)]
    bare = replace(GAP, waterfall=waterfall(None, states, [None, None], 200), complete=True)
    text = terminal.render(layout(bare))
    assert text.splitlines()[0].endswith("from the paper's conventions to the run's")
    assert "published   " not in text


def test_the_picture_is_a_png_and_the_same_twice() -> None:
    first = picture(GAP)
    assert first.startswith(b"\x89PNG")
    assert picture(GAP) == first
