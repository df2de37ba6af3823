"""What is known of each net, and what of it a model contradicts."""

from dataclasses import replace
from typing import Any

import hydra
import pytest
import torchvision
import yaml
from helpers.every_model import NAMES
from helpers.small_models import SpatialMean, as_model

from benchmark.cli.app.build import build
from benchmark.cli.app.places import CONF
from benchmark.core.errors import UserError
from benchmark.core.types import InputFormat, Model, Weights
from benchmark.diagnostics.doctor.passport import EMBEDDED, FOLDER, Passport, chosen, find

WRITTEN = sorted(path.stem for path in FOLDER.glob("*.yaml"))
TRAINED = sorted(path.stem for path in EMBEDDED.glob("*.json") if path.stem in NAMES)
"""Of classifiers that a yaml names: not those of texts, nor the two of the planted tag."""


def passport(name: str) -> Passport:
    found = find(name)
    assert found is not None
    return found


def composed(name: str) -> Any:
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        return hydra.compose("config", [f"model={name}"]).model


def model(**changes: Any) -> Model:
    """A net that is fed as BVLC GoogLeNet is."""
    form = InputFormat(224, (104.0, 117.0, 123.0), order="bgr")
    return replace(as_model(SpatialMean(), "googlenet_bvlc"), input=form, **changes)


@pytest.mark.parametrize("name", [*WRITTEN, *TRAINED])
def test_a_passport_says_what_the_models_yaml_says(name: str) -> None:
    known, cfg = passport(name), composed(name)
    form: InputFormat = build(cfg.input)
    assert (form.size, form.order, form.scale) == (known.input.size, known.input.order, known.input.scale)
    assert [float(value) for value in form.mean] == list(known.input.mean)
    assert [float(value) for value in form.std] == list(known.input.std)
    if "IMAGENET" not in cfg.weights:
        assert cfg.weights == known.file
        assert set(cfg.checksums) == set(known.checksums)


@pytest.mark.parametrize("name", [*WRITTEN, *TRAINED])
def test_a_passport_states_errors_with_a_transform_that_exists_and_a_source(name: str) -> None:
    for entry in passport(name).expected:
        assert (CONF / "transform" / f"{entry.transform}.yaml").is_file()
        assert (CONF / "dataset" / f"{entry.dataset}.yaml").is_file()
        assert 0 < entry.top5 < entry.top1 < 0.6
        assert 0 < entry.tolerance <= 0.03
        assert entry.source


def test_a_model_of_texts_has_no_passport() -> None:
    assert find("vqa_embedded") is None


@pytest.mark.parametrize("name", ["vgg16", "alexnet", "googlenet", "resnet50", "squeezenet1_0"])
def test_torchvisions_own_numbers_are_quoted(name: str) -> None:
    entries = {weights.name: weights for weights in torchvision.models.get_model_weights(name)}
    weights = entries["IMAGENET1K_V1"]
    stated = weights.meta["_metrics"]["ImageNet-1K"]
    known = passport(name)
    (entry,) = [entry for entry in known.expected if entry.transform == "center_crop"]
    assert 100 * (1 - entry.top1) == pytest.approx(stated["acc@1"])
    assert 100 * (1 - entry.top5) == pytest.approx(stated["acc@5"])
    assert weights.url.endswith(known.file)
    assert known.checksums[0].removeprefix("sha256:") in known.file


def test_every_net_of_table_1_has_a_passport() -> None:
    nets = {"vgg16_caffe", "vgg16_jcjohnson", "alexnet_bvlc", "googlenet_bvlc", "vgg16_cam", "googlenet_cam"}
    assert nets <= set(WRITTEN)
    for name in nets:
        keys = yaml.safe_load((FOLDER / f"{name}.yaml").read_text()).keys()
        assert {"file", "where", "checksums", "input", "expected"} == keys


def test_an_option_other_than_the_passports_is_named_with_the_remedy() -> None:
    known = passport("googlenet_bvlc")
    assert known.misfits(model()) == []
    turned = replace(model(), input=InputFormat(224, (104.0, 117.0, 123.0), order="rgb", scale=1 / 255))
    order, scale = known.misfits(turned)
    assert order.startswith("model.input.order=rgb: googlenet_bvlc was trained with bgr")
    assert scale.startswith("model.input.scale=0.00392157")
    (mean,) = known.misfits(replace(model(), input=replace(model().input, mean=(103.939, 116.779, 123.68))))
    assert mean.startswith("model.input.mean=[103.939,116.779,123.68]: ")
    assert "[104,117,123]" in mean


def test_a_hash_tells_the_file_only_where_a_sha256_is_known() -> None:
    def of(digest: str) -> Model:
        return model(weights=Weights("file", digest))

    known = passport("vgg16")
    assert known.is_of(of("397923af" + "0" * 56)) is True
    assert known.is_of(of("1" * 64)) is False
    assert "NOT this file's" in known.lines(of("1" * 64))[1]
    assert passport("googlenet_bvlc").is_of(of("1" * 64)) is None  # of the zoo's file the sha1 is known
    assert passport("vgg16_caffe").is_of(of("1" * 64)) is None


def test_the_error_of_the_same_mean_is_preferred() -> None:
    known = passport("alexnet_bvlc")
    entry = known.expected[0]
    both = replace(known, expected=(entry, replace(entry, mean_image=False, top1=0.5)))
    for mean_image in (True, False):
        found = both.expectation("ilsvrc_val", "center_crop", mean_image)
        assert found is not None
        assert found.mean_image == mean_image
    assert known.expectation("ilsvrc_val", "ten_crop", False) is None
    assert known.expectation("embedded", "warp", False) is None


def test_the_option_chooses_the_models_own_none_or_anothers() -> None:
    own = chosen("auto", model())
    assert own is not None
    assert own.name == "googlenet_bvlc"
    assert chosen("none", model()) is None
    other = chosen("vgg16", model())
    assert other is not None
    assert other.name == "vgg16"
    assert chosen("auto", replace(model(), name="mine")) is None
    with pytest.raises(UserError, match=r"passport=nobody: choose auto, none, or one of alexnet"):
        chosen("nobody", model())


def test_a_damaged_passport_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("benchmark.diagnostics.doctor.passport.FOLDER", tmp_path)
    for text in ("file: x\n", "- 1\n", "a: [\n"):
        (tmp_path / "net.yaml").write_text(text)
        with pytest.raises(UserError, match=r"net\.yaml: not a passport") as refused:
            find("net")
        assert "\n" not in str(refused.value)
