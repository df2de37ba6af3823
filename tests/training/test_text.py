"""Heads of texts: they learn from images and texts, and are read again from their file with their words."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import painted
from helpers.painted import KINDS, Painted, tiny

from benchmark.core.errors import UserError
from benchmark.core.targets import CAPTION, QuestionOnly, TextSample, bound, text_of
from benchmark.core.types import Model, Sample
from benchmark.datasets.images import read_sample
from benchmark.models.text import answering, captioning
from benchmark.models.text.trained import TextNet
from benchmark.training.distributed import World
from benchmark.training.job import Job
from benchmark.training.passport import write
from benchmark.training.text import TextOptions, teach
from benchmark.transforms import Warp
from benchmark.transforms.normalize import to_input

ANSWERS = (*KINDS, "no", "yes")


def backbone() -> Model:
    torch.manual_seed(3)
    return replace(tiny(width=16), layers={"last_conv": "block"})


def worded(sample: Sample, number: int, label: int, text: str) -> TextSample:
    known = {each.name: getattr(sample, each.name) for each in fields(Sample)}
    return TextSample(**{**known, "image_id": f"{sample.image_id}_q{number}", "label": label}, text=text)


def questions(of: Painted) -> Painted:
    """Two questions about each picture: the first needs the image, the answer to the second is always yes."""
    asked = [
        worded(sample, number, *one)
        for sample in of.samples
        for number, one in enumerate([(sample.label, "Which way?"), (3, "Are there stripes?")])
    ]
    return replace(of, samples=tuple(asked), classes=ANSWERS, class_names=ANSWERS)


def captions(of: Painted) -> Painted:
    told = [worded(sample, 0, 0, f"some {KINDS[sample.label]} stripes") for sample in of.samples]
    return replace(of, samples=tuple(told), classes=(CAPTION, *KINDS), class_names=(CAPTION, *KINDS))


def job(folder: Path, model: Model, texts: Any, **options: Any) -> Job[TextOptions]:
    plain = painted.job(folder, painted.options(), tiny())
    scenes = [
        replace(scene, model=model, dataset=texts(scene.dataset))
        for scene in (plain.learning, plain.checking)
    ]
    recipe = TextOptions(**{"epochs": 60, "batch_size": 8, "lr": 0.02, **options})
    return Job(scenes[0], scenes[1], recipe, None, plain.config, plain.command, folder)


def seen(of: Job[TextOptions]) -> torch.Tensor:
    """The validation inputs."""
    size, form = of.checking.model.input.size, of.checking.model.input
    samples = of.checking.dataset.samples
    return torch.stack([to_input(Warp()(read_sample(sample), size)[0], form) for sample in samples])


def test_answers_are_learnt_from_image_and_question_and_read_again_from_the_file(tmp_path: Path) -> None:
    this = job(tmp_path, answering.load(backbone(), "vqa", "random", width=16), questions)
    made = teach(this, World(this.learning.settings))
    assert made.facts["right"]["answered"] == 1 - made.found["cls_top1"] > 0.9
    assert 0.6 < made.facts["right"]["question_only"] < 0.9  # one question of two
    passport = write(this, made, World(this.learning.settings))
    assert json.loads(this.passport.read_text()) == passport
    again = answering.load(backbone(), "vqa", str(this.weights), width=16)
    assert again.classes == ANSWERS
    samples = this.checking.dataset.samples
    labels = torch.tensor([sample.label for sample in samples])
    with bound(again.module, [text_of(sample) for sample in samples]):
        scores = again.module(seen(this))
        assert isinstance(again.module, QuestionOnly)
        blind = again.module.without_image()
    assert float((scores.argmax(1) == labels).double().mean()) == made.facts["right"]["answered"]
    assert float((blind.argmax(1) == labels).double().mean()) == made.facts["right"]["question_only"]


def test_captions_are_learnt_and_made_again_by_what_the_file_holds(tmp_path: Path) -> None:
    this = job(tmp_path, captioning.load(backbone(), "captions", "random", width=16), captions)
    made = teach(this, World(this.learning.settings))
    assert made.facts["right"]["caption"] > 0.9
    write(this, made, World(this.learning.settings))
    again = captioning.load(backbone(), "captions", str(this.weights), width=16)
    assert again.classes == (CAPTION, "lying", "some", "standing", "stripes")
    samples = this.checking.dataset.samples
    with bound(again.module, [""] * len(samples)):
        scores = again.module(seen(this))
        assert isinstance(again.module, TextNet)
        told = again.module.texts or ()
    right = [one == text_of(sample) for one, sample in zip(told, samples, strict=True)]
    assert sum(right) / len(right) == made.facts["right"]["caption"]
    word = scores[:, [again.classes.index(kind) for kind in KINDS]].argmax(1).tolist()
    assert [f"some {KINDS[one]} stripes" for one in word] == list(told)


def test_what_cannot_be_taught_or_read_is_one_line(tmp_path: Path) -> None:
    model = answering.load(backbone(), "vqa", "random", width=16)
    with pytest.raises(UserError, match=r"train_set: image some_1_000 of some has no text to learn from"):
        job(tmp_path, model, lambda of: of)
    plain = job(tmp_path, tiny(), questions)
    with pytest.raises(UserError, match=r"model=tiny: train=text trains models of texts"):
        teach(plain, World(plain.learning.settings))
    with pytest.raises(UserError, match=r"train\.init=FILE"):
        TextOptions(init="FILE")
    this = job(tmp_path, model, questions, epochs=1)
    write(this, teach(this, World(this.learning.settings)), World(this.learning.settings))
    with pytest.raises(UserError, match=r"of another model .*size mismatch"):
        answering.load(backbone(), "vqa", str(this.weights), width=8)
    with pytest.raises(UserError, match=r"of another model"):
        captioning.load(backbone(), "vqa", str(this.weights), width=16)
    with pytest.raises(UserError, match=r"its last maps are no part of a plain sequence"):
        answering.load(replace(backbone(), layers={"last_conv": "none"}), "vqa", str(this.weights))
    with pytest.raises(UserError, match=r"these images have none"):
        model.module(torch.zeros(1, 3, 24, 24))
