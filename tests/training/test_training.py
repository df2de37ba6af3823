"""A training as a whole: resumed it is the same, started from a file it has its layers, and it learns."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.painted import job, options, tiny
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.pipeline.class_order import class_order
from benchmark.training import loop
from benchmark.training.distributed import World
from benchmark.training.job import Job, Trained
from benchmark.training.loader import Pictures, batches, spans
from benchmark.training.loop import train
from benchmark.training.objective import CrossEntropy
from benchmark.training.options import Schedule, TrainOptions
from benchmark.training.passport import finished, write
from benchmark.training.state import Learner, from_csv, start
from benchmark.training.validate import measure


def run(job: Job[TrainOptions]) -> Trained:
    return train(job, World(job.learning.settings))


def same(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


class Killed(BaseException):
    """As Ctrl-C, or worse."""


def kill_after(patch: pytest.MonkeyPatch, iterations: int) -> None:
    """Between two checkpoints: what came after the last one is lost."""
    step = loop._Session.step

    def fragile(session: Any, *rest: Any) -> None:
        if session.learner.iteration == iterations:
            raise Killed
        step(session, *rest)

    patch.setattr(loop._Session, "step", fragile)


@pytest.mark.parametrize("killed_after", [3, 8, 11])
def test_a_killed_training_goes_on_and_ends_with_the_same_bits(
    tmp_path: Path, killed_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    uncut, cut = (job(tmp_path / name, options()) for name in ("whole", "killed"))
    whole = run(uncut)
    torch.rand(3)  # another state of torch's own generator
    with monkeypatch.context() as patch:
        kill_after(patch, killed_after)
        with pytest.raises(Killed):
            run(job(tmp_path / "killed", options()))
    resumed = run(job(tmp_path / "killed", options()))
    assert same(resumed.state, whole.state)
    assert resumed.found == whole.found
    assert [p[:4] for p in from_csv(cut.curve)] == [p[:4] for p in from_csv(uncut.curve)]


def test_a_finished_training_knows_it_and_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    this = job(tmp_path, options())
    assert finished(this) is None
    passport = write(this, run(this), World(this.learning.settings))
    assert finished(this) == passport
    good = this.weights.read_bytes()
    this.weights.write_bytes(good + b"x")
    assert finished(this) is None
    write(this, run(job(tmp_path, options())), World(this.learning.settings))
    assert this.weights.read_bytes() == good, "from the last checkpoint, without a step"


def test_what_is_saved_is_the_plain_net_in_half_precision_and_what_was_measured(tmp_path: Path) -> None:
    this = job(tmp_path, options(half=True))
    made = run(this)
    write(this, made, World(this.learning.settings))
    state = load_file(this.weights)
    plain = tiny()
    assert {key: value.shape for key, value in state.items()} == {
        key: value.shape for key, value in plain.module.state_dict().items()
    }
    assert {value.dtype for value in state.values()} == {torch.float16}
    plain.module.load_state_dict(state)
    again = measure(this.checking, plain.module, CrossEntropy(), 2, World(this.learning.settings))
    assert again == made.found


def test_two_kinds_that_are_told_apart_at_a_glance_are_learnt(tmp_path: Path) -> None:
    this = job(tmp_path, options(iterations=60, validate_every=60))
    found = run(this).found
    assert found["n"] == 12
    assert found["cls_top1"] <= 1 / 12
    losses = [point.loss for point in from_csv(this.curve)]
    assert losses[-1] < losses[0] / 2


def test_the_curve_is_written_with_the_errors_where_they_were_measured(tmp_path: Path) -> None:
    this = job(tmp_path, options())
    run(this)
    rows = list(csv.DictReader(this.curve.read_text().splitlines()))
    assert [int(row["iteration"]) for row in rows] == [3, 4, 6, 8, 9, 12]
    assert [bool(row["top1_error"]) for row in rows] == [False, True, False, True, False, False]
    assert [float(row["lr"]) for row in rows] == pytest.approx(
        [options().lr_at(int(row["iteration"]) - 1) for row in rows], rel=1e-4
    )


def pictures(this: Job[TrainOptions]) -> Pictures:
    targets = this.options.objective.targets(this.learning.dataset.samples, class_order(this.learning, 2))
    return Pictures(this.learning, targets, this.options)


def started(this: Job[TrainOptions]) -> Learner:
    return start(this, pictures(this))


def test_layers_of_the_same_name_and_shape_are_copied_and_the_others_start_at_random(tmp_path: Path) -> None:
    given = {key: value.clone() for key, value in tiny(outputs=5).module.state_dict().items()}
    given["conv1.weight"] *= 3
    save_file(given, tmp_path / "given.safetensors")
    this = job(tmp_path, options(), origin=tmp_path / "given.safetensors")
    learner = started(this)
    assert (learner.copied, learner.left) == (["conv1", "block.3x3"], ["fc"])
    assert torch.equal(learner.net.get_parameter("conv1.layer.weight"), given["conv1.weight"])
    fresh = started(job(tmp_path, options()))
    assert torch.equal(learner.net.get_parameter("fc.weight"), fresh.net.get_parameter("fc.weight"))
    assert (fresh.copied, fresh.left) == ([], ["conv1", "block.3x3", "fc"])


def parameters(learner: Any, **wanted: float) -> Iterator[str]:
    """Names of the parameters in groups with these options."""
    names = {id(parameter): name for name, parameter in learner.net.named_parameters()}
    for group in learner.optimizer.param_groups:
        if all(group[key] == value for key, value in wanted.items()):
            yield from (names[id(parameter)] for parameter in group["params"])


def test_new_layers_learn_at_their_own_rate_and_biases_and_norms_do_not_decay(tmp_path: Path) -> None:
    save_file(tiny(outputs=5).module.state_dict(), tmp_path / "given.safetensors")
    chosen = options(new_layers_lr=10.0, weight_decay=0.1)
    learner = started(job(tmp_path, chosen, origin=tmp_path / "given.safetensors"))
    assert set(parameters(learner, factor=10.0)) == {"fc.weight", "fc.bias"}
    assert set(parameters(learner, weight_decay=0.1)) == {
        "conv1.layer.weight",
        "block.3x3.layer.weight",
        "fc.weight",
    }


def test_without_given_weights_no_layer_is_new(tmp_path: Path) -> None:
    learner = started(job(tmp_path, options(new_layers_lr=10.0)))
    assert set(parameters(learner, factor=10.0)) == set()


def test_one_step_of_sgd_is_the_gradient_reckoned_apart(tmp_path: Path) -> None:
    """w ← w - lr (∇ + λ w) for weights, without λ for biases, of the mean loss over the batch."""
    recipe = {"optimizer": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "batch_norm": False}
    chosen = options(**recipe, iterations=1, schedule=Schedule("constant"))
    this = job(tmp_path, chosen, tiny(dropout=0.0), precision="float64")
    made = run(this)
    module = tiny(dropout=0.0).module.double().requires_grad_(True)
    before = started(job(tmp_path, chosen, tiny(dropout=0.0), precision="float64")).net
    module.load_state_dict(before.state_dict())
    inputs, labels = first_batch(this)
    nn.functional.cross_entropy(module(inputs.double()), labels).backward()  # type: ignore[no-untyped-call]
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None
        decay = 0.01 * parameter if parameter.ndim > 1 else 0
        expected = parameter - 0.1 * (parameter.grad + decay)
        torch.testing.assert_close(made.state[name], expected.detach(), rtol=1e-9, atol=1e-12)


def first_batch(this: Job[TrainOptions]) -> tuple[Tensor, Tensor]:
    return next(iter(batches(pictures(this), spans(0, 1, this.options.batch_size), 0, pinned=False)))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"lr": 1e30, "batch_norm": False}, "diverged before iteration .*lower train.lr"),
        ({"half": True, "lr": 1e6, "batch_norm": False, "iterations": 1}, "too large for half precision"),
    ],
)
def test_a_training_that_goes_wrong_says_so(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        run(job(tmp_path, options(**changed)))


def test_float16_and_another_number_of_classes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"run\.precision=float16"):
        job(tmp_path, options(), precision="float16")
    with pytest.raises(UserError, match=r"model tiny has 3 outputs and dataset others 2 classes"):
        run(job(tmp_path, options(), tiny(outputs=3)))


def test_a_broken_checkpoint_is_named_with_the_remedy(tmp_path: Path) -> None:
    this = job(tmp_path, options())
    run(this)
    this.checkpoint.write_bytes(this.checkpoint.read_bytes()[:500])
    with pytest.raises(UserError, match=r"checkpoint\.pt: cannot be continued .*; delete .* to train anew"):
        run(job(tmp_path, options()))


def test_everything_that_changes_the_weights_changes_the_folder(tmp_path: Path) -> None:
    folders = {
        job(tmp_path, options()).folder,
        job(tmp_path, options(seed=1)).folder,
        job(tmp_path, options(), precision="bfloat16").folder,
        job(tmp_path, options(), channels_last=True).folder,
    }
    assert len(folders) == 4
    assert job(tmp_path, options(workers=2, cache=0, checkpoint_every=7)).folder in folders
