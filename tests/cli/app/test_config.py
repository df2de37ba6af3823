"""Configurations compose, rows take the user's overrides, and mistakes get one line."""

from collections.abc import Iterator
from pathlib import Path

import hydra
import pytest
from helpers.random_records import make
from omegaconf import DictConfig

from benchmark.cli.app.build import build, plain
from benchmark.cli.app.places import CONF
from benchmark.cli.app.rows import composed as made
from benchmark.cli.app.rows import refuse_fixed, rows, variation
from benchmark.core.errors import UserError

GROUPS = ("dataset", "transform", "method", "localizer", "tracking", "run")
ENTRY_POINTS = sorted(path.stem for path in CONF.glob("*.yaml") if path.stem not in ("base", "light"))
EXPERIMENTS = sorted(
    path.stem for path in (CONF / "experiment").glob("*.yaml") if "\ntable:" in path.read_text()
)
PARTS = [(group, path.stem) for group in GROUPS for path in sorted((CONF / group).glob("*.yaml"))]
OF_PAIRS = [
    (group, path.stem)
    for group in ("classes", "reading", "pair_metric", "task")
    for path in sorted((CONF / group).glob("*.yaml"))
]
NEEDED = {"max_box": ["localizer.threshold=0.3"]}


@pytest.fixture(autouse=True)
def composing() -> Iterator[None]:
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        yield


def composed(*overrides: str) -> DictConfig:
    return hydra.compose("config", list(overrides))


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_every_entry_point_composes_and_has_a_script_of_its_name(name: str) -> None:
    assert hydra.compose(name)
    script = "run" if name == "config" else name
    assert (Path(CONF).parent / "scripts" / script).is_file()


@pytest.mark.parametrize(("group", "name"), PARTS)
def test_every_yaml_builds_what_bears_its_name(group: str, name: str, tmp_path: Path) -> None:
    cfg = composed(f"{group}={name}", *NEEDED.get(name, []), f"results_dir={tmp_path}")
    if name.startswith("embedded_") and "of" in cfg[group]:  # texts or montages of embedded images
        few = {"count": 24, "root": {**cfg[group].of.root, "cache": str(tmp_path), "images": 24}}
        montages = {"count": 10, "cache": str(tmp_path)} if name == "embedded_two" else {}
        made = build(cfg[group], of={**cfg[group].of, **few}, **montages)
        count = montages.get("count", 72 if "vqa" in name else 24)
        assert (made.name, made.complete, len(made.samples)) == (name, True, count)
        return
    if name.startswith("easy_vqa"):  # which comes with its package
        pytest.importorskip("easy_vqa", reason="the package easy-vqa is not installed")
        assert build(cfg[group]).name == name
        return
    if name.startswith("embedded"):
        made = build(cfg[group], count=24, root={**cfg[group].root, "cache": str(tmp_path), "images": 24})
        assert (made.name, made.complete, len(made.samples)) == (name, True, 24)
        return
    if group == "dataset":
        with pytest.raises(UserError, match=r"dataset\.root"):
            build(cfg[group])  # nothing is where it would have to be
        return
    part = build(cfg[group])
    if group in ("transform", "method", "localizer"):
        assert str(part.name).startswith(name)


@pytest.mark.parametrize(("group", "name"), OF_PAIRS)
def test_every_yaml_of_pairs_builds_what_bears_its_name(group: str, name: str) -> None:
    if group == "task":
        assert type(build(composed(f"task={name}").task)).__module__ == f"benchmark.tasks.{name}.task"
        return
    listed = group != "classes"
    others = {"adversarial": ["summary", "box"]}.get(name, []) if group == "reading" else []  # it reads these
    words = f"{group}=[{','.join([*others, name])}]" if listed else f"{group}={name}"
    cfg = composed("task=pairs", words)[group]
    assert not listed or list(cfg) == [*others, name]
    made = build(cfg[name] if listed else cfg)
    assert (made.name, type(made.version)) == (name, int)


def test_every_method_can_be_the_reference() -> None:
    for path in sorted((CONF / "method").glob("*.yaml")):
        cfg = composed("task=pairs", f"method@reference={path.stem}")
        assert (cfg.method.name, build(cfg.reference).name) == ("grad_cam", path.stem)
        assert plain(cfg.reference) == plain(composed(f"method={path.stem}").method)


def test_every_metric_gives_estimates_under_a_name_of_its_own() -> None:
    every = sorted(path.stem for path in (CONF / "metric").glob("*.yaml"))
    metrics = [build(node) for node in composed(f"metric=[{','.join(every)}]").metric.values()]
    assert {*composed().metric, "anatomy"} == {*every}, "the experiment failures alone counts what went wrong"
    keys = [key for metric in metrics for key in metric(make(seed=3))]
    assert len(set(keys)) == len(keys) >= 8


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_row_of_every_experiment_composes(experiment: str) -> None:
    typed = [f"experiment={experiment}"]
    cfg = composed(*typed)
    found = rows(cfg, typed)
    assert [row.name for row in found] == list(cfg.table.rows)
    if len({row.cfg.method.name for row in found}) > 1 or cfg.table.name not in ("adversarial", "bias"):
        assert all(row.name.endswith(f"/{row.cfg.method.name}") for row in found)


def test_words_of_ones_own_rows_are_laid_under_what_was_typed() -> None:
    """As the rows of a matrix and the nets of a training are made."""
    named = {"cam/gradcam_15": ["method=cam", "localizer=gradcam_15"], "cam/fong_mean": ["method=cam"]}
    named["cam/fong_mean"] += ["localizer=fong_mean"]
    words = ["localizer.threshold=0.4", "dataset.limit=7", "model=alexnet"]
    first, second = made(named, words)
    assert {row.cfg.dataset.limit for row in (first, second)} == {7}
    assert {row.cfg.model.name for row in (first, second)} == {"alexnet"}
    assert (first.cfg.localizer.threshold, first.changes) == (0.4, ("threshold=0.4",))
    assert (second.changes, second.fitting) == ((), tuple(words[1:]))
    with pytest.raises(UserError, match=r"localizer.threshold=0.4: no row has this option"):
        made({"cam/fong_mean": named["cam/fong_mean"]}, words)
    with pytest.raises(UserError, match="method=mwp: the rows go over a list of these"):
        refuse_fixed(["method=mwp"], ("method", "localizer"))


def test_without_a_table_the_configuration_is_its_own_row() -> None:
    typed = ["model=alexnet", "localizer.threshold=0.3"]
    (row,) = rows(composed(*typed), typed)
    assert (row.name, row.changes) == ("alexnet/grad_cam", ("threshold=0.3",))


def test_an_option_changes_the_rows_that_have_it_and_no_other() -> None:
    typed = ["experiment=googlenet", "localizer.threshold=0.25"]
    by_name = {row.name: row for row in rows(composed(*typed), typed)}
    assert by_name["googlenet/grad_cam"].cfg.localizer.threshold == 0.25
    assert by_name["googlenet/cam"].changes == ("threshold=0.25",)
    assert "threshold" not in by_name["googlenet/backprop"].cfg.localizer
    assert by_name["googlenet/backprop"].changes == ()


def test_a_group_that_the_user_chose_replaces_each_rows_choice() -> None:
    typed = ["experiment=googlenet", "localizer=cam_20", "model=squeezenet_caffe"]
    for row in rows(composed(*typed), typed):
        assert row.cfg.localizer.name == "cam_20"
        assert row.cfg.model.name == "squeezenet_caffe"


def test_an_option_that_no_row_has_is_an_error() -> None:
    typed = ["experiment=googlenet", "localizer=grabcut"]
    cfg = composed(*typed)
    with pytest.raises(UserError, match=r"localizer\.threshold=0\.2: no row of table googlenet"):
        rows(cfg, [*typed, "localizer.threshold=0.2"])


def test_what_changes_numbers_names_the_table_and_places_do_not() -> None:
    typed = [
        "experiment=table1",
        "dataset.root=/data",
        "dataset.blacklist=/data/blacklist.txt",
        "model.checksums=[]",
        "model.weights=/a/b.pth",
        "model.input.mean_image=/a/mean.npy",
        "run.batch_size=4",
        "tracking=none",
        "localizer.threshold=0.25",
        "method.layer=features.28",
    ]
    assert variation(typed) == ["localizer.threshold=0.25", "method.layer=features.28"]
    for changes_numbers in ("model.weights=random", "dataset.blacklist=none", "nets.vgg16=vgg16_caffe"):
        assert variation([changes_numbers]) == [changes_numbers]


def test_a_missing_value_is_named() -> None:
    with pytest.raises(UserError, match="threshold"):
        build(composed("localizer=max_box").localizer)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("method.relu=no", "method.relu=no: must be true or false"),
        ("run.channels_last=1", "run.channels_last=1: must be true"),
    ],
)
def test_a_word_that_is_neither_true_nor_false_is_refused_and_does_not_count_as_true(
    option: str, told: str
) -> None:
    group = option.partition(".")[0]
    with pytest.raises(UserError, match=told):
        build(composed("method=grad_cam", option)[group])


def test_an_option_that_a_part_does_not_have_is_named() -> None:
    with pytest.raises(UserError, match="colour"):
        build(composed("+localizer.colour=red").localizer)


def test_a_reference_that_the_user_chose_leaves_each_rows_method() -> None:
    typed = ["experiment=occlusion", "method@reference=backprop"]
    for row in rows(composed(*typed), typed):
        assert row.cfg.reference.name == "backprop"
        assert row.name.endswith(f"/{row.cfg.method.name}")
    typed = ["experiment=occlusion", "method=mwp"]
    assert {(row.cfg.reference.name, row.cfg.method.name) for row in rows(composed(*typed), typed)} == {
        ("occlusion", "mwp")
    }


def test_what_is_asked_of_pairs_names_the_table() -> None:
    typed = [
        "classes=predicted",
        "method=cam",
        "method@reference=mwp",
        "reading=[summary]",
        "bootstrap.seed=1",
    ]
    assert variation(["experiment=occlusion", "run.workers=2", *typed]) == sorted(typed)


@pytest.mark.parametrize("value", ["deconvnet", 1000, True])
def test_one_value_where_options_belong_is_refused(value: object) -> None:
    for take in (plain, build):
        with pytest.raises(UserError, match=f"KEY={value}: a group of options belongs there, not one value"):
            take(value)
