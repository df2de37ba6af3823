"""``./scripts/train`` as it is typed: one net, an experiment's nets, several processes, mistakes."""

import importlib
import json
import os
import subprocess
import sys
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import hydra
import pytest
import torch
from helpers.commands import Command
from safetensors.torch import load_file, save_file

from benchmark.cli.app.build import build
from benchmark.cli.app.places import CONF
from benchmark.training import passport as passports

TESTS = Path(__file__).resolve().parents[1]


def tiny(**options: int) -> Any:
    """The net of the helpers beside the tests of training, which are no package."""
    sys.path.insert(0, str(TESTS))
    try:
        return importlib.import_module("helpers.painted").tiny(**options)
    finally:
        sys.path.remove(str(TESTS))


def words(folder: Path) -> list[str]:
    """A training of a second, on the CPU."""
    sets = [
        word
        for part, count, seed in (("train_set", 20, 1), ("val_set", 12, 2))
        for word in (
            f"~dataset@{part}",
            f"+{part}._target_=helpers.painted.load",
            f"+{part}.root={folder}/painted",
            f"+{part}.name={part}",
            f"+{part}.count={count}",
            f"+{part}.seed={seed}",
        )
    ]
    recipe = [
        "iterations=8",
        "batch_size=8",
        "validate_every=4",
        "checkpoint_every=4",
        "log_every=2",
        "lr=0.05",
    ]
    return [
        *(
            "~model",
            "+model._target_=helpers.painted.tiny",
            "+model.name=tiny",
            "run.device=cpu",
            "tracking=none",
        ),
        *sets,
        *(f"train.{option}" for option in recipe),
        f"results_dir={folder}/results",
    ]


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch, command: Command) -> Command:
    """``train("key=value", …)``: exit status, stdout and stderr."""
    monkeypatch.syspath_prepend(str(TESTS))
    return partial(command, "train")


def made(folder: Path) -> tuple[Path, dict[str, object]]:
    (path,) = folder.glob("results/training/tiny-*/tiny.json")
    return path, json.loads(path.read_text())


def test_a_net_is_trained_once_and_the_same_command_says_so(train: Command, tmp_path: Path) -> None:
    status, printed, told = train(*words(tmp_path), "train.iterations=40")
    path, passport = made(tmp_path)
    assert status == 0
    assert "tiny: all layers start at random" in told
    assert "40/40" in told
    assert str(path) in printed
    assert {child.name for child in path.parent.iterdir()} == {
        *("checkpoint.pt", "curve.csv", "tiny.json", "tiny.safetensors")
    }
    assert passport["command"] == [*words(tmp_path), "train.iterations=40"]
    assert passport["n"] == 12
    assert isinstance(passport["cls_top1"], float)
    assert passport["cls_top1"] < 0.2
    stamps = {child: child.stat().st_mtime_ns for child in path.parent.iterdir()}
    status, printed, told = train(*words(tmp_path), "train.iterations=40")
    assert (status, told) == (0, "")
    assert printed.startswith("tiny: already trained\n")
    assert {child: child.stat().st_mtime_ns for child in path.parent.iterdir()} == stamps


def test_a_passport_is_agreed_with_or_not(train: Command, tmp_path: Path) -> None:
    published = tmp_path / "published"
    assert train(*words(tmp_path), f"train.publish={published}")[0] == 0
    path, passport = made(tmp_path)
    stated = published / "tiny.json"
    assert stated.read_bytes() == path.read_bytes()
    assert (published / "tiny.safetensors").read_bytes() == path.with_suffix(".safetensors").read_bytes()
    status, printed, _ = train(*words(tmp_path), f"train.passport={stated}")
    assert status == 0
    assert "agrees with the passport's" in printed
    assert isinstance(passport["cls_top1"], float)
    stated.write_text(json.dumps({**passport, "cls_top1": passport["cls_top1"] + 0.031}))
    status, printed, _ = train(*words(tmp_path), f"train.passport={stated}")
    assert status == 3
    assert "FAILED: does not agree with the passport's" in printed


def test_a_net_starts_from_what_was_trained_last_under_a_name(train: Command, tmp_path: Path) -> None:
    assert train(*words(tmp_path))[0] == 0
    path, first = made(tmp_path)
    status, _, told = train(*words(tmp_path), "train.init=trained:tiny", "+model.outputs=2", "train.seed=1")
    assert status == 0
    assert f"3 layers from {path.with_suffix('.safetensors')}; new at random: none" in told
    others = [json.loads(p.read_text()) for p in tmp_path.glob("results/training/*/tiny.json") if p != path]
    assert others[0]["initialised_from"] == {
        "file": "tiny.safetensors",
        "sha256": first["sha256"],
        "copied": ["conv1", "block.3x3", "fc"],
        "new": [],
    }


def probed(folder: Path, *, seeds: tuple[int, int] = (1, 2)) -> list[str]:
    """A probe of a second, on the CPU, on the features of a net of another number of classes."""
    folder.mkdir(exist_ok=True)
    save_file(tiny(outputs=5).module.state_dict(), folder / "given.safetensors")
    sets = [
        word
        for part, count, seed in (("train_set", 24, seeds[0]), ("val_set", 16, seeds[1]))
        for word in (
            f"~dataset@{part}",
            f"+{part}._target_=helpers.crowded.load",
            f"+{part}.root={folder}/crowded",
            f"+{part}.name=some",
            f"+{part}.count={count}",
            f"+{part}.seed={seed}",
        )
    ]
    return [
        *("~model", "+model._target_=helpers.painted.tiny", "+model.name=tiny", "+model.outputs=3"),
        *("train=probe", "train.loss=bce", "run.device=cpu", "tracking=none", *sets),
        *(f"results_dir={folder}/results", f"weights_dir={folder}", f"train.publish={folder}/published"),
    ]


def test_a_probe_is_published_and_the_same_command_says_that_it_is_trained(
    train: Command, tmp_path: Path
) -> None:
    line = [*probed(tmp_path), "train.init=given.safetensors", *BESIDE]
    status, printed, told = train(*line)
    path, passport = made(tmp_path)
    assert status == 0
    assert f"tiny: features of {tmp_path}/given.safetensors, 8 an image" in told
    assert "tiny: held-out loss " in told
    assert "tiny: mAP " in printed
    assert "published: VGG-16 79.09 % (a paper); ours may differ: another net" in printed
    assert "curve.csv" not in printed
    assert (tmp_path / "published" / "tiny.safetensors").is_file()
    assert (tmp_path / "published" / "tiny.json").read_bytes() == path.read_bytes()
    assert isinstance(passport["map"], float)
    status, printed, told = train(*line)
    assert (status, told) == (0, "")
    assert printed.startswith("tiny: already trained\ntiny: mAP ")


def test_weights_that_are_published_over_others_are_told(train: Command, tmp_path: Path) -> None:
    line = [*probed(tmp_path), "train.init=given.safetensors"]
    assert "replaced" not in train(*line)[1]
    assert "replaced" not in train(*line)[1]
    before = sha256((tmp_path / "published" / "tiny.safetensors").read_bytes()).hexdigest()
    printed = train(*line, "train.strengths=[10]")[1]
    assert f"replaced: other weights of that name (sha256 {before[:8]}…) in {tmp_path}/published" in printed


VOC = ("voc2007_probe", "voc2007_vgg16", "voc2007_alexnet", "voc2007_vgg16_cam")


@pytest.mark.parametrize("experiment", VOC)
def test_the_experiments_on_voc_learn_from_train_alone_and_are_found_by_the_nets_of_voc(
    experiment: str,
) -> None:
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("train", [f"experiment={experiment}", "weights_dir=/w"])
    assert (cfg.train_set.split, cfg.val_set.split) == ("train", "val")
    options = build(cfg.train, init="given.caffemodel")
    assert options.objective.key == "map"
    assert options.publish == "/w"
    assert "Selvaraju" in str(options.published)
    assert cfg.model.name in cfg.nets.values()
    assert cfg.model.weights == f"{cfg.model.name}.safetensors"
    assert cfg.model.outputs == len(Path(cfg.model.classes).read_text(encoding="utf-8").split()) == 20


BESIDE = (
    "+train.published={_target_:benchmark.training.options.PublishedNumbers,numbers:{VGG-16:79.09},"
    "source:a paper,why:another net}",
)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "train.init=null: must be weights, whose features the probe learns from"),
        ("train.init=absent.caffemodel", "train.init=absent.caffemodel: no such file here, nor "),
        (
            "train.init=given.safetensors train.loss=cross_entropy",
            "shows several classes; set train.loss=bce",
        ),
        ("train.init=given.safetensors train.iterations=3", "train.iterations"),
        ("train.init=given.safetensors train.folds=99", "train_set: 24 images for train.folds=99"),
        ("train.init=given.safetensors val_set.seed=1", "train_set and val_set share 16 images"),
        ("train.init=given.safetensors model.outputs=4", "model tiny has 4 outputs"),
        ("train.init=given.safetensors train.loss=hinge", "train.loss=hinge: must be"),
    ],
)
def test_a_mistake_about_a_probe_is_one_line(train: Command, tmp_path: Path, typed: str, says: str) -> None:
    status, printed, told = train(*probed(tmp_path), *typed.split())
    assert (status, printed) == (2, "")
    lines = [line for line in told.splitlines() if not line.startswith("tiny: ")]
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert says in lines[0]


@pytest.mark.slow
def test_two_processes_train_the_net_that_one_does(tmp_path: Path) -> None:
    """Without what differs by design: each process draws its own dropout and reckons its own batch norm."""
    plain = ("train=default", "+model.dropout=0.0", "run.precision=float64", "train.workers=0")
    common = [*words(tmp_path), *plain]
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}
    states = {}
    for name, launcher in {"one": [], "two": ["-m", "torch.distributed.run", "--nproc_per_node=2"]}.items():
        line = [
            sys.executable,
            *launcher,
            "-m",
            "benchmark.cli",
            "train",
            *common,
            f"results_dir={tmp_path}/{name}",
        ]
        done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("tiny: 8/8") == 1, "one process speaks"
        (path,) = (tmp_path / name).glob("training/*/tiny.json")
        assert json.loads(path.read_text())["processes"] == (1 if name == "one" else 2)
        states[name] = load_file(path.with_suffix(".safetensors"))
    for key, value in states["one"].items():
        torch.testing.assert_close(states["two"][key], value, rtol=1e-10, atol=1e-12)


EMBEDDED = {
    "vgg16_compact": "vgg16_cam_compact",
    "googlenet_cam_compact": "googlenet_compact",
}


def test_one_nets_mistake_is_told_and_the_others_are_trained(train: Command, tmp_path: Path) -> None:
    typed = words(tmp_path)
    net = ",".join(f"'{word}'" for word in typed if "model" in word)
    lost, after = f"lost:[{net},'train.init=/nowhere.pth']", f"after:[{net},'train.init=trained:lost']"
    shared = [word for word in typed if "model" not in word]
    status, printed, told = train(*shared, f"recipes={{{lost},{after},tiny:[{net}]}}")
    assert status == 2
    mistakes = [line for line in told.splitlines() if line.startswith("error: ")]
    assert mistakes[0].startswith("error: lost: /nowhere.pth: cannot be read")
    assert mistakes[1:] == [
        "error: after: train.init=trained:lost: lost could not be trained, for the reason above"
    ]
    assert printed.startswith("tiny: ")
    assert made(tmp_path)[1]["initialised_from"] is None


@pytest.mark.parametrize("split", ["embedded", "voc2007"])
def test_one_dataset_can_be_learned_from_and_validated_on(split: str) -> None:
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("train", [f"dataset@train_set={split}", f"dataset@val_set={split}"])
    assert cfg.train_set == cfg.val_set
    assert cfg.nets.vgg16 in ("vgg16_compact", "vgg16_voc")


def test_the_embedded_experiment_trains_every_compact_net_after_what_it_starts_from() -> None:
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("train", ["experiment=embedded"])
    names = list(cfg.recipes)
    assert set(names) == {path.stem for path in (CONF / "model").glob("*_compact.yaml")}
    for name, lines in cfg.recipes.items():
        assert f"model={name}" in lines
        starts = [line.partition("trained:")[2] for line in lines if "train.init=" in line]
        assert all(names.index(start) < names.index(name) for start in starts)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("train.iteratons=3", "did you mean train.iterations?"),
        ("train.iterations=0", "train.iterations=0: must be"),
        ("train.schedule.kind=cosin", "train.schedule.kind=cosin: must be"),
        ("train.optimizer=adam", "must be sgd | adamw"),
        ("train.init=/nowhere/x.pth", "/nowhere/x.pth"),
        ("train.init=trained:nothing", "train.init=trained:nothing: no such weights yet"),
        ("train.passport=/nowhere.json", "/nowhere.json: cannot be read as a passport"),
        ("train.batch_norm=maybe", "train.batch_norm=maybe"),
        ("run.precision=float16", "run.precision=float16"),
        ("run.device=cuda:99", "run.device=cuda:99"),
        ("+model.outputs=3", "model tiny has 3 outputs"),
        ("experiment=table1", "table1 is an experiment of ./scripts/run"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(train: Command, tmp_path: Path, typed: str, says: str) -> None:
    status, printed, told = train(*words(tmp_path), typed)
    assert status == 2
    assert says in told
    assert told.splitlines()[-1].startswith("error: ")
    assert len([line for line in told.splitlines() if not line.startswith("tiny: ")]) == 1
    if "passport" not in typed:
        assert printed == ""


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("model=vgg61", "model=vgg61: there is no such model"),
        ("train_set.rot=x", "train_set.rot"),
        ("dataset@train_set=ilsvrc_train", "train_set.root"),
        (
            "experiment=embedded model=squeezenet_caffe",
            "model=squeezenet_caffe: this experiment trains vgg16_cam_compact, ",
        ),
        ("experiment=embedded train.momentun=1", "did you mean train.momentum?"),
    ],
)
def test_a_mistake_about_models_and_datasets_is_one_line(
    train: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, says: str
) -> None:
    monkeypatch.delenv("BENCHMARK_ILSVRC", raising=False)
    status, printed, told = train(
        "model.width=0.05", "tracking=none", f"results_dir={tmp_path}", *typed.split()
    )
    assert (status, printed) == (2, "")
    assert says in told
    assert told.startswith("error: ")
    assert told.count("\n") == 1


def test_embedded_weights_lie_where_the_models_look_for_them() -> None:
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("train", ["model=vgg16_compact"])
    assert Path(cfg.model.weights_dir) == passports.EMBEDDED
