"""What answers say is what a plain count and an independent library say, and planted accuracies come back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.commands import Command
from helpers.small_study import METHODS, manifest, write

from benchmark.core.errors import UserError
from benchmark.core.types import Result
from benchmark.tasks.study.agreement import Level, alpha
from benchmark.tasks.study.analysis import TwoWay, analyse
from benchmark.tasks.study.answers import Answer, read_answers
from benchmark.tasks.study.simulate import Simulation

ACCURACY = dict(zip(METHODS, (0.5333, 0.4444, 0.6037, 0.6123), strict=True))
RATING = {"guided_backprop": 1.0, "guided_grad_cam": 1.27}
PLANTED = Simulation(workers=36, accuracy=ACCURACY, rating=RATING)


def simulated(folder: Path, simulation: Simulation = PLANTED) -> list[Answer]:
    path = folder / "answers.csv"
    study = manifest()
    path.write_text(simulation.text(study))
    return read_answers([path], study)


def measured(row: Any) -> Result:
    assert isinstance(row, Result)
    return row


def test_planted_accuracies_and_ratings_lie_in_the_intervals_and_are_called_simulated(tmp_path: Path) -> None:
    table = analyse(simulated(tmp_path), manifest(), TwoWay(resamples=2000), None)
    assert "SIMULATED" in table.title
    assert "simulated" in table.name
    assert all(row.row.startswith("simulated/") for row in table.rows)
    found = {
        row.row.removeprefix("simulated/"): next(iter(measured(row).metrics.values())) for row in table.rows
    }
    wanted = {f"vgg16/{name}": value for name, value in ACCURACY.items()}
    wanted |= {f"trust/{name}": value for name, value in RATING.items()}
    assert found.keys() == wanted.keys()
    for row, value in wanted.items():
        assert found[row].low < value < found[row].high, row
        assert 0 < found[row].high - found[row].low < (0.35 if row.startswith("vgg16") else 1), row
    assert found["vgg16/deconvnet"].n == 36 * 40 / 4


def test_accuracy_interval_and_difference_are_those_of_a_plain_loop(tmp_path: Path) -> None:
    answers, bootstrap = simulated(tmp_path), TwoWay(resamples=40, seed=3)
    table = analyse(answers, manifest(), bootstrap, None)
    workers = sorted({one.worker for one in answers})
    images = sorted({one.item.image_id for one in answers})
    rng = np.random.default_rng(3)
    drawn = [rng.multinomial(len(names), [1 / len(names)] * len(names), 40) for names in (workers, images)]
    accuracy: dict[str, list[float]] = {}
    for method in ("guided_grad_cam", "guided_backprop"):
        own = [one for one in answers if one.item.rows == (f"vgg16/{method}",)]
        for times, seen in zip(*drawn, strict=True):
            weights = [times[workers.index(a.worker)] * seen[images.index(a.item.image_id)] for a in own]
            right = [one.value == one.item.label for one in own]
            accuracy.setdefault(method, []).append(float(np.average(right, weights=weights)))
    (row,) = (r for r in table.rows if r.row == "simulated/vgg16/guided_grad_cam")
    estimate = measured(row).metrics["discrimination"]
    assert estimate[1:3] == pytest.approx(np.quantile(accuracy["guided_grad_cam"], [0.025, 0.975]))
    apart = np.subtract(accuracy["guided_grad_cam"], accuracy["guided_backprop"])
    (difference,) = (
        one.estimate
        for one in table.differences
        if {one.first.rpartition("/")[2], one.second.rpartition("/")[2]} == set(accuracy)
        and one.metric == "discrimination"
    )
    assert difference[1:3] == pytest.approx(np.quantile(apart, [0.025, 0.975]))


@pytest.mark.parametrize("level", ["nominal", "interval"])
def test_alpha_is_the_packages(level: Level) -> None:
    krippendorff = pytest.importorskip("krippendorff", reason="the package krippendorff is not installed")
    rng = np.random.default_rng(0)
    table = rng.integers(-2, 3, (7, 30)).astype(float)
    table[rng.random(table.shape) < 0.4] = np.nan
    units = [column[~np.isnan(column)].tolist() for column in table.T]
    wanted = krippendorff.alpha(reliability_data=table, level_of_measurement=level)
    assert alpha(units, level) == pytest.approx(wanted)
    assert alpha([[1], [2]], level) is None
    assert alpha([[1, 1], [1, 1, 1]], level) is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("item,answer", "question,answer"), "has no column item"),
        ((",d0-0,", ",d9999,"), "line 2: there is no question 'd9999'"),
        (("simulated-004", "simulated-000"), "answered d0-0 already ("),
        ((",simulated\n", ",person\n"), "simulated answers stand beside people's"),
        ((",t0-0,2,", ",t0-0,3,"), "the answer '3' is none of -2, -1, 0, 1, 2"),
        ((",d0-0,", ",d0-0,more,"), "line 2: has not as many values as there are columns"),
        (("study,", "study,", "x" * 12), "answers the study 'xxxxxxxxxxxx'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_answers_that_do_not_belong_to_the_study_are_refused(
    tmp_path: Path, change: tuple[str, ...], complaint: str
) -> None:
    study = manifest()
    certain = dict.fromkeys(METHODS, 1.0)
    sure = Simulation(workers=8, accuracy=certain, rating=dict.fromkeys(METHODS, 2.0), spread=0.0)
    text = sure.text(study)
    text = text.replace(study.study, change[2]) if len(change) > 2 else text.replace(change[0], change[1], 1)
    path = tmp_path / "answers.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=rf"^{path}") as refused:
        read_answers([path], study)
    assert complaint in str(refused.value)


def test_the_command_finds_the_manifest_and_prints_the_papers_numbers_beside_people_alone(
    command: Command, tmp_path: Path
) -> None:
    form = tmp_path / "voc2007" / "study-form"
    write(form, manifest())
    made_up = form / "answers" / "made_up.csv"
    status, printed, complaint = command("study", "simulate", str(made_up), "simulated.workers=8")
    assert (status, "simulated answers of 8 workers" in printed) == (0, True), complaint
    words = (f"answers=[{form / 'answers'},{made_up}]", "action=analyse", "bootstrap.resamples=100")
    status, printed, complaint = command("study", *words)
    assert status == 0, complaint
    assert "SIMULATED answers" in printed
    assert "61.23" not in printed
    made_up.write_text(made_up.read_text().replace("simulated", "person"))  # as if people had given them
    status, _, complaint = command("study", "simulate", str(made_up))
    assert (status, complaint.count("\n")) == (2, 1)
    assert "made_up.csv: is there and holds no simulated answers" in complaint
    status, printed, complaint = command("study", "analyse", str(made_up), "bootstrap.resamples=100")
    assert status == 0, complaint
    assert "61.23" in printed
    assert (tmp_path / "voc2007" / "study_answers.json").is_file()
    assert (tmp_path / "voc2007" / "study_answers_simulated.csv").is_file()
    status, _, complaint = command("study", "analyse", str(tmp_path / "none.csv"))
    assert (status, complaint.count("\n")) == (2, 1)
    assert "none.csv: is not there" in complaint
