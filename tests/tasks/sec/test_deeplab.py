"""DeepLab-LargeFOV from a caffemodel of narrow layers: its layers, its rates, and a training that goes on."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.caffe_nets import Blobs, conv, shapes_of
from helpers.caffe_wire import Format, random_blobs
from helpers.commands import Command
from torch import Tensor

from benchmark.core.dense_crf import Crf
from benchmark.core.errors import UserError
from benchmark.tasks.sec import training
from benchmark.tasks.sec.segmenters.deeplab import DeepLabTraining, deeplab_large_fov
from benchmark.tasks.sec.training import Lesson, fit, predicted

WIDTH = 1 / 32
STAGES: Mapping[int, int] = {1: 2, 2: 2, 3: 3, 4: 3, 5: 3}


@pytest.fixture(scope="module")
def blobs() -> Blobs:
    return random_blobs({k: v for k, v in shapes_of(deeplab_large_fov(3, WIDTH)).items() if k != "fc8-SEC"})


@pytest.fixture(scope="module")
def options(blobs: Blobs, tmp_path_factory: pytest.TempPathFactory) -> DeepLabTraining:
    """A file with a classifier of ImageNet's beside the layers below it, as VGG-16's files have one."""
    path = tmp_path_factory.mktemp("weights") / "vgg16_20M.caffemodel"
    beyond = {"fc8": [np.zeros((5, 32, 1, 1), np.float32), np.zeros(5, np.float32)]}
    path.write_bytes(Format(v1=True).net({**blobs, **beyond}))
    return DeepLabTraining(str(path), iterations=4, batch_size=2, rate=1e-3, every=3, width=WIDTH)


def lessons(side: int = 97) -> list[Lesson]:
    random, made = np.random.default_rng(0), []
    for _ in range(3):
        features = torch.from_numpy(random.integers(0, 256, (3, side, side), np.uint8))
        pixels = random.integers(0, 256, (41, 41, 3)).astype(np.uint8)
        seeds = [random.choice([0, 1, 254], (41, 41)).astype(np.uint8) for _ in range(2)]
        made.append(Lesson(features, pixels, seeds, np.array([True, False])))
    return made


def below_the_classifier(blobs: Blobs, pixels: Tensor) -> Tensor:
    """The network layer by layer, as train.prototxt lists it."""
    x = pixels.float() - torch.tensor([104.0, 117.0, 123.0]).view(3, 1, 1)
    for stage, count in STAGES.items():
        for number in range(1, count + 1):
            around = 2 if stage == 5 else 1
            x = conv(blobs, f"conv{stage}_{number}", x, padding=around, dilation=around)
        x = F.max_pool2d(F.pad(x, (1, 1, 1, 1), value=-torch.inf), 3, 2 if stage < 4 else 1)
    x = F.conv2d(F.pad(x, (1, 1, 1, 1)), torch.full((x.shape[1], 1, 3, 3), 1 / 9), groups=x.shape[1])
    return conv(blobs, "fc7", conv(blobs, "fc6", x, padding=12, dilation=12))


def test_the_network_is_that_of_the_authors_file(blobs: Blobs, options: DeepLabTraining) -> None:
    shapes = shapes_of(deeplab_large_fov(21))
    assert [shapes[name][0] for name in ("fc6", "fc7", "fc8-SEC")] == [
        (1024, 512, 3, 3),
        (1024, 1024, 1, 1),
        (21, 1024, 1, 1),
    ]
    assert round(sum(np.prod(one) for own in shapes.values() for one in own) / 1e6, 1) == 20.5
    net = options.finished(options.net(lessons()))
    pixels = torch.randint(0, 256, (1, 3, 321, 321), generator=torch.Generator().manual_seed(0))
    found = net(pixels.to(torch.uint8))
    assert found.shape == (1, 3, 41, 41)
    weight = net.state_dict()["fc8-SEC.weight"]
    expected = torch.einsum("oc,nchw->nohw", weight[:, :, 0, 0], below_the_classifier(blobs, pixels))
    torch.testing.assert_close(found.detach(), expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def test_each_parameter_has_its_rate_and_decay(options: DeepLabTraining) -> None:
    net = options.net(lessons())
    names = [name for name, _ in net.named_parameters()]
    groups = dict(zip(names, options.optimiser(net).param_groups, strict=True))
    told = {name: (group["lr"], group["weight_decay"]) for name, group in groups.items()}
    assert told["conv1_1.weight"] == pytest.approx((0.001, 0.0005))
    assert told["fc7.bias"] == pytest.approx((0.002, 0))
    assert told["fc8-SEC.weight"] == pytest.approx((0.01, 0.0005))
    assert told["fc8-SEC.bias"] == pytest.approx((0.02, 0))
    assert [options.decay(step) for step in (0, 2, 3, 6)] == pytest.approx([1, 1, 0.1, 0.01])


def test_a_training_that_is_killed_goes_on_to_the_same_networks(
    options: DeepLabTraining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crf, given = Crf(iterations=1), lessons()
    whole = fit(given, options, crf)
    fresh = options.net(given)
    for (name, after), before in zip(whole[0].named_parameters(), fresh.parameters(), strict=True):
        assert not torch.equal(after, before), name
    assert any(not torch.equal(a, b) for a, b in zip(*(net.parameters() for net in whole), strict=True))

    monkeypatch.setattr(training, "_KEPT", 2)
    kept, original, done = tmp_path / "half.pt", training._step, iter((True, True, True, False))

    def killed(*words: Any) -> None:
        if not next(done):
            raise KeyboardInterrupt
        original(*words)

    monkeypatch.setattr(training, "_step", killed)
    with pytest.raises(KeyboardInterrupt):
        fit(given, options, crf, kept=kept)
    steps: list[int] = []

    def counted(*words: Any) -> None:
        steps.append(words[-1])
        original(*words)

    monkeypatch.setattr(training, "_step", counted)
    again = fit(given, options, crf, kept=kept)
    assert steps == [2, 3]
    for one, other in pairwise((whole, again)):
        for a, b in zip(one, other, strict=True):
            assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert predicted(whole[0], given[0].features, (50, 40)).shape == (40, 50)


def test_a_missing_file_and_one_of_another_network_are_one_line(
    options: DeepLabTraining, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"task\.training\.weights=PATH"):
        _ = DeepLabTraining(weights_dir=str(tmp_path)).path
    with pytest.raises(UserError, match="does not fit the model"):
        replace(options, width=1 / 16).net(lessons())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own
def test_the_experiment_trains_it_from_the_images(
    command: Command, options: DeepLabTraining, tmp_path: Path
) -> None:
    words = (
        *("run", "experiment=sec_deeplab", "dataset=embedded_masks", "dataset@val_set=embedded_masks"),
        *("dataset.count=24", "val_set.count=24", "dataset.limit=12", "val_set.after=12", "val_set.limit=2"),
        "val_set.split=null",  # every mask; VOC's has a list
        *(f"task.training.weights={options.weights}", f"task.training.width={WIDTH}"),
        *("task.training.iterations=2", "task.training.batch_size=2", "bootstrap.resamples=100"),
        *("pictures=0", "tracking=none", f"results_dir={tmp_path}", f"cache_dir={tmp_path / 'cache'}"),
    )
    status, out, err = command(*words, "notes=true")
    assert status == 3, err  # in two steps it learns the background alone, and the table says so
    assert "all of DeepLab-LargeFOV from vgg16_20M.caffemodel, 2 steps of 2" in out
    assert not [*tmp_path.rglob("*.unfinished.pt")]
    others = [word for word in words if not word.startswith("task.training")]
    status, _, err = command(*others, "segmenter@task.training=head")
    assert status == 2
    assert "experiment=sec_deeplab" in err
