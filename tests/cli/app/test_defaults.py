"""What a short command line means."""

import pytest

from benchmark.cli.app.defaults import completed


@pytest.mark.parametrize(
    ("typed", "added"),
    [
        ([], ["experiment=table1", "dataset=embedded"]),
        (["localizer.threshold=0.25"], ["experiment=table1", "dataset=embedded"]),
        (["dataset.limit=48"], ["experiment=table1", "dataset=embedded"]),
        (["experiment=table1"], ["dataset=embedded"]),
        (["experiment=googlenet", "+model.note=x"], ["dataset=embedded"]),
        (["model=alexnet_compact", "method=c_mwp"], ["dataset=embedded"]),
        (["method=c_mwp"], ["dataset=embedded", "model=vgg16_compact"]),
        (["localizer=cam_20"], ["dataset=embedded", "model=vgg16_compact"]),
        (["experiment=occlusion"], ["dataset=embedded", "dataset.limit=120", "dataset.order=stratified"]),
        (["experiment=occlusion", "dataset.order=id"], ["dataset=embedded", "dataset.limit=120"]),
        (["experiment=occlusion", "dataset.limit=48"], ["dataset=embedded"]),
    ],
)
def test_without_images_the_embedded_ones_are_meant(typed: list[str], added: list[str]) -> None:
    assert completed(typed, {}) == [*typed, *added]


@pytest.mark.parametrize(
    "place", ["dataset.root=/x", "dataset=ilsvrc_val", "dataset.images=/x", "dataset.root="]
)
def test_who_names_images_gets_those(place: str) -> None:
    for named in ("experiment=googlenet", "experiment=occlusion", "method=cam"):
        assert completed([place, named], {}) == [place, named]
    assert completed([place], {}) == [place, "experiment=table1"]


def test_the_environment_may_name_the_images() -> None:
    assert completed([], {"BENCHMARK_ILSVRC": "/x"}) == ["experiment=table1"]
    assert completed([], {"BENCHMARK_ILSVRC": ""}) == ["experiment=table1", "dataset=embedded"]


@pytest.mark.parametrize("flag", ["--help", "-h", "--hydra-help"])
def test_a_question_about_the_command_is_left_as_it_is(flag: str) -> None:
    assert completed([flag], {}) == [flag]
