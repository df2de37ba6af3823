"""A probe: its features are stored once, its head is the net's, and mistakes are told."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import crowded, painted
from helpers.painted import tiny
from safetensors.torch import load_file, save_file

from benchmark.core.code_hash import code_fingerprint
from benchmark.core.errors import UserError
from benchmark.core.types import MeanImage
from benchmark.datasets.images import read_sample
from benchmark.training import features
from benchmark.training.distributed import World
from benchmark.training.job import Job, Trained
from benchmark.training.options import ProbeOptions, PublishedNumbers
from benchmark.training.passport import finished, write
from benchmark.training.probe import probe
from benchmark.training.validate import measure
from benchmark.transforms.normalize import to_input


def origin(folder: Path, outputs: int = 5) -> Path:
    """A net of another number of classes, whose first layer sees colours."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {key: value.clone() for key, value in tiny(outputs=outputs).module.state_dict().items()}
    save_file(state, folder / "given.safetensors")
    return folder / "given.safetensors"


def job(folder: Path, **changes: Any) -> Job[ProbeOptions]:
    path = origin(folder)
    run = {key: changes.pop(key) for key in ("precision", "batch_size", "unreadable") if key in changes}
    usual = {"loss": "bce", "init": str(path), "strengths": [0.1, 0.001], "folds": 4}
    return crowded.job(folder, ProbeOptions(**{**usual, **changes}), path, **run)


def run(this: Job[ProbeOptions]) -> Trained:
    return probe(this, World(this.learning.settings))


def test_the_net_that_is_saved_is_the_given_one_with_the_head_that_was_measured(tmp_path: Path) -> None:
    this = job(tmp_path)
    made = run(this)
    write(this, made, World(this.learning.settings))
    state, given = load_file(this.weights), load_file(origin(tmp_path))
    for key in state.keys() - {"fc.weight", "fc.bias"}:
        assert torch.equal(state[key], given[key])
    module = tiny(outputs=3).module
    module.load_state_dict(state)
    found = measure(this.checking, module, this.options.objective, 3, World(this.learning.settings))
    assert found == made.found
    assert found["map"] > 0.75
    assert (made.copied, made.left) == (["conv1", "block.3x3"], ["fc"])


def test_the_passport_says_what_the_probe_was_made_of(tmp_path: Path) -> None:
    beside = PublishedNumbers({"VGG-16": 79.09}, "a paper", "another net")
    this = job(tmp_path, published=beside)
    passport = write(this, run(this), World(this.learning.settings))
    assert json.loads(this.passport.read_text()) == passport == finished(this)
    assert passport["features"] == {"images": 24, "views": 2, "of": 8}
    assert set(passport["held_out_loss"]) == {"0.1", "0.001"}
    assert passport["strength"] == min((0.1, 0.001), key=lambda s: passport["held_out_loss"][f"{s:g}"])
    assert passport["published"]["numbers"] == {"VGG-16": 79.09}
    assert passport["initialised_from"]["new"] == ["fc"]
    assert passport["n"] == 16


def test_validation_images_have_no_say_in_the_strength_or_the_weights(tmp_path: Path) -> None:
    one, other = job(tmp_path / "one"), job(tmp_path / "other")
    unlike = crowded.load(str(tmp_path / "unlike"), "unlike", 9, 77)
    other = replace(other, checking=replace(other.checking, dataset=unlike))
    first, second = run(one), run(other)
    assert first.facts == second.facts
    assert torch.equal(first.state["fc.weight"], second.state["fc.weight"])
    assert first.found["n"] != second.found["n"]


def test_features_are_the_inputs_of_the_classifier_and_those_of_the_mirrored_image(tmp_path: Path) -> None:
    this = job(tmp_path)
    run(this)
    kept = features.stored(this, this.learning, mirrored=True)
    module = this.learning.model.module
    form = this.learning.model.input
    pixels, _ = this.learning.transform(read_sample(this.learning.dataset.samples[5]), form.size)
    for view, shown in enumerate((pixels, pixels[:, ::-1])):
        seen = to_input(shown, form)[None]
        for name, layer in module.named_children():
            if name == "fc":
                break
            seen = layer(seen)
        torch.testing.assert_close(kept.values[5, view], seen[0])


class Killed(BaseException):
    """As Ctrl-C, or worse."""


def test_a_killed_probe_goes_on_with_the_features_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.pipeline.scene.LEAST", 4)  # so that there are several pieces
    whole = run(job(tmp_path / "whole"))
    computed: list[int] = []
    real = features._computed

    def fragile(scene: Any, shard: range, *rest: Any) -> Any:
        if len(computed) == 4:
            raise Killed
        computed.append(shard.start)
        return real(scene, shard, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(features, "_computed", fragile)
        with pytest.raises(Killed):
            run(job(tmp_path / "killed"))
    (folder,) = (tmp_path / "killed" / "training" / "features").iterdir()
    first = sorted(folder.iterdir())
    assert [int(path.stem) for path in first] == computed
    first[1].write_bytes(first[1].read_bytes()[:50])  # a damaged one is made again
    stamps = {path: path.stat().st_mtime_ns for path in first}
    resumed = run(job(tmp_path / "killed"))
    assert [path for path in first if path.stat().st_mtime_ns != stamps[path]] == [first[1]]
    assert all(torch.equal(resumed.state[key], whole.state[key]) for key in whole.state)
    assert resumed.found == whole.found


def test_probes_that_differ_in_their_head_alone_share_the_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(job(tmp_path))
    monkeypatch.setattr(features, "_computed", None)
    made = run(job(tmp_path, strengths=[0.5], seed=3))
    assert made.facts["strength"] == 0.5
    assert made.facts["held_out_loss"] == {}
    folders = {
        job(tmp_path).folder,
        job(tmp_path, strengths=[0.5]).folder,
        job(tmp_path, mirrored=False).folder,
    }
    assert len(folders) == 3
    assert job(tmp_path, strengths=[0.001, 0.1], publish="x").folder in folders


def test_one_class_an_image_can_be_probed_too(tmp_path: Path) -> None:
    path = origin(tmp_path)
    chosen = ProbeOptions(init=str(path), strengths=(0.1, 0.01), folds=2)
    made = run(painted.job(tmp_path, chosen, origin=path))
    assert set(made.found) == {"cls_top1", "cls_top5", "n"}


def test_an_unreadable_validation_image_is_left_out_where_that_was_asked_for(tmp_path: Path) -> None:
    this = job(tmp_path, unreadable="skip")
    broken = this.checking.dataset.samples[6].path
    assert broken is not None
    broken.write_bytes(broken.read_bytes()[:60])
    assert run(this).found["n"] == 15
    with pytest.raises(UserError, match=broken.name):
        run(job(tmp_path, batch_size=5))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"init": None}, r"train\.init=null: must be weights, whose features the probe learns from"),
        ({"strengths": []}, r"train\.strengths=\[\]"),
        ({"strengths": [0.0]}, r"train\.strengths=\[0\.0\]"),
        ({"strengths": "0.1"}, r"train\.strengths=0\.1"),
        ({"folds": 1}, r"train\.folds=1"),
        ({"mirrored": 1}, r"train\.mirrored=1"),
        ({"folds": 25}, r"train_set: 24 images for train\.folds=25"),
    ],
)
def test_an_option_out_of_range_is_named(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        run(job(tmp_path, **changes))


def test_a_file_that_lacks_a_layer_and_a_net_without_a_linear_head_are_refused(tmp_path: Path) -> None:
    this = job(tmp_path)
    state = load_file(origin(tmp_path))
    save_file({key: value for key, value in state.items() if "3x3" not in key}, tmp_path / "half.safetensors")
    with pytest.raises(UserError, match=r"half\.safetensors: without layer block\.3x3 of tiny"):
        run(replace(this, origin=tmp_path / "half.safetensors"))
    for role, says in {"conv1": "classifier, here conv1, Conv2d", "": "here none"}.items():
        layers = {"classifier": role} if role else {}
        model = replace(this.learning.model, layers=layers)
        with pytest.raises(UserError, match=says):
            run(replace(this, learning=replace(this.learning, model=model)))


def test_one_process_trains_a_probe(tmp_path: Path) -> None:
    this = job(tmp_path)
    with pytest.raises(UserError, match="start it without torchrun"):
        probe(this, World(this.learning.settings, 0, 2))


def test_images_that_are_both_learnt_and_validated_on_are_refused(tmp_path: Path) -> None:
    this = job(tmp_path)
    with pytest.raises(UserError, match=r"train_set and val_set share 24 images \(some_1_000, …\)"):
        replace(this, checking=this.learning)


def test_other_classes_than_the_nets_are_refused(tmp_path: Path) -> None:
    path = origin(tmp_path)
    chosen = ProbeOptions(loss="bce", init=str(path))
    with pytest.raises(UserError, match="has 4 outputs and dataset"):
        run(crowded.job(tmp_path, chosen, path, outputs=4))


def folder_of(this: Job[ProbeOptions]) -> Path:
    return features._folder(this, this.learning, mirrored=True)


def test_features_of_a_net_with_a_mean_image_have_an_address_of_their_own(tmp_path: Path) -> None:
    this = job(tmp_path)
    folders = {folder_of(this)}
    for value in (100.0, 101.0):
        image = MeanImage("mean.npy", f"{value}", np.full((24, 24, 3), value, np.float32))
        model = replace(this.learning.model, input=replace(this.learning.model.input, mean_image=image))
        folders.add(folder_of(replace(this, learning=replace(this.learning, model=model))))
    assert len(folders) == 3


def test_features_are_made_anew_after_a_change_of_code_or_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    this = job(tmp_path)
    folders = {folder_of(this)}
    monkeypatch.setattr(features, "code_fingerprint", lambda parts: code_fingerprint(parts) + "!")
    folders.add(folder_of(this))
    monkeypatch.setattr(features, "package_versions", lambda: {"torch": "9"})
    folders.add(folder_of(this))
    assert len(folders) == 3
