"""Hydra's own flags and folders, as people know them, with every command."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from helpers.commands import Command

from benchmark.cli.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
TABLE = """
# @package _global_
table:
  name: mine
  title: "Mine on {dataset}"
  rows:
    vgg16/mine: ['model=${nets.vgg16}', method=grad_cam, localizer=mine]
    vgg16/cam: ['model=${nets.vgg16_cam}', method=cam, localizer=cam_20]
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of a user's own configurations, outside of the checkout."""
    for group, name, text in (
        ("experiment", "mine", TABLE),
        ("localizer", "mine", "defaults: [gradcam_15, _self_]\nname: mine\nthreshold: 0.3\n"),
    ):
        (tmp_path / "mine" / group).mkdir(parents=True)
        (tmp_path / "mine" / group / f"{name}.yaml").write_text(text)
    return tmp_path / "mine"


@pytest.fixture
def shown(command: Command) -> Callable[..., dict[str, object]]:
    """``shown("key=value", …)``: what ``--cfg job`` prints."""

    def show(*words: str) -> dict[str, object]:
        status, printed, complaint = command("run", *words)
        assert status == 0, complaint
        content: dict[str, object] = yaml.safe_load(printed)
        return content

    return show


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_its_help(command: Command, name: str) -> None:
    status, printed, complaint = command(name, "--help")
    assert (status, complaint) == (0, "")
    assert "Usage: ./scripts/" in printed


def test_flags_stand_before_behind_and_between_other_words(shown: Callable[..., dict[str, object]]) -> None:
    words = ("experiment=table1", "localizer.threshold=0.3")
    whole = shown("--cfg", "job", *words)
    assert whole["localizer"]["threshold"] == 0.3  # type: ignore[index]
    assert shown(*words, "--cfg", "job") == shown(words[0], "-c", "job", words[1]) == whole


def test_a_command_without_a_word_means_table1_and_any_word_means_one_cell(
    shown: Callable[..., dict[str, object]],
) -> None:
    for flags in ((), ("--notes",)):
        assert shown(*flags, "--cfg", "job") == shown("experiment=table1", *flags, "--cfg", "job")
    cell = shown("dataset.limit=16", "--cfg", "job")
    assert (cell["table"], cell["model"]["name"]) == (None, "googlenet_compact")  # type: ignore[index]


def test_part_of_the_embedded_images_is_an_option_of_the_experiment_that_is_shown(
    shown: Callable[..., dict[str, object]],
) -> None:
    def part(*words: str) -> tuple[object, object]:
        dataset = shown("experiment=occlusion", *words, "--cfg", "job", "--resolve")["dataset"]
        return dataset["limit"], dataset["order"]  # type: ignore[index]

    assert part() == (120, "stratified")
    assert part("dataset.limit=48") == (48, "stratified")
    assert part("dataset=voc2007") == (None, "id")


def test_one_row_of_a_table_is_shown_as_its_words_compose_it_and_what_is_typed_wins(
    shown: Callable[..., dict[str, object]],
) -> None:
    row = shown("experiment=table1", "row=vgg16/cam", "--cfg", "job")
    names = [row[group]["name"] for group in ("model", "method", "localizer")]  # type: ignore[index]
    assert names == ["vgg16_cam_compact", "cam", "cam_20"]
    words = ("row=vgg16/cam", "experiment=table1", "localizer=gradcam_15", "localizer.threshold=0.4")
    other = shown(*words, "--cfg", "job")
    assert (other["localizer"]["name"], other["localizer"]["threshold"]) == ("gradcam_15", 0.4)  # type: ignore[index]


@pytest.mark.parametrize("name", ["run", "explain-gap"])
def test_a_row_of_any_name_is_offered_and_chosen_in_its_quotes(
    command: Command, mine: Path, name: str
) -> None:
    text = TABLE.replace("vgg16/mine", '"my row=1, (a)"').replace("name: mine", "name: odd")
    (mine / "experiment" / "odd.yaml").write_text(text)
    words = ("--config-dir", str(mine), "experiment=odd")
    status, _, complaint = command(name, *words, *(["row=b"] if name == "run" else []))
    assert status == 2
    offered = re.search(r"choose (.*?) \| row=vgg16/cam", complaint)
    assert offered is not None, complaint
    (word,) = shlex.split(offered[1])
    status, printed, complaint = command(name, *words, word, "--cfg", "job")
    assert (status, complaint) == (0, "")
    assert yaml.safe_load(printed)["localizer"]["name"] == "mine"


def test_a_users_configurations_are_found_in_every_row(command: Command, mine: Path, tmp_path: Path) -> None:
    few = ("dataset.count=24", "dataset.limit=2", "pictures=0", "tracking=none", "metric=[localization]")
    places = (f"results_dir={tmp_path}/results", f"cache_dir={tmp_path}/cache")
    own = f"hydra.run.dir={tmp_path / 'own'}"
    words = ("--config-dir", str(mine), *places, "experiment=mine", own)
    status, printed, complaint = command("run", *few, *words)
    assert status == 0, complaint
    assert "vgg16/mine" in printed
    assert (tmp_path / "own" / ".hydra" / "overrides.yaml").is_file()
    assert len(list(tmp_path.glob("results/embedded-2-*/mine*.json"))) == 1
    status, _, complaint = command("run", "experiment=mini", "--config-dir", str(mine))
    assert status == 2
    assert re.search(r"choose one of .*, ilsvrc_vgg16_cam, mine, ", complaint)


@pytest.mark.parametrize(
    ("name", "words", "shows"),
    [
        ("run", "localizer=mine", "threshold: 0.3"),
        ("matrix", "localizer=mine", "threshold: 0.3"),
        ("explain-gap", "experiment=mine", "Mine on"),
        ("train", "model=own", "name: own"),
        ("bench", "model=own", "name: own"),
        ("doctor", "model=own", "name: own"),
        ("selftest", "model=own", "name: own"),
        ("score", "dataset=own", "name: own"),
        ("sync", "tracking=own", "name: own"),
    ],
)
def test_every_command_finds_a_users_configurations(
    command: Command, mine: Path, name: str, words: str, shows: str
) -> None:
    for group in ("model", "dataset", "tracking"):
        (mine / group).mkdir()
        (mine / group / "own.yaml").write_text("name: own\n", encoding="utf-8")
    for searched in (("--config-dir", str(mine)), (f"hydra.searchpath=['file://{mine}']",)):
        status, printed, complaint = command(name, *searched, words, "--cfg", "job")
        assert (status, complaint) == (0, "")
        assert shows in printed


def test_a_matrix_goes_over_a_users_own_localizer_of_any_name(
    command: Command, mine: Path, tmp_path: Path
) -> None:
    (mine / "localizer" / "my own 1.5.yaml").write_text("defaults: [mine, _self_]\nname: my own\n")
    lists = ("methods=[cam]", "localizers=['my own 1.5',mine]", "baselines=[]", "model=vgg16_cam_compact")
    places = (f"results_dir={tmp_path}/results", f"cache_dir={tmp_path}/cache", "tracking=none")
    few = ("dataset.count=24", "dataset.limit=2", "metric=[localization]")
    status, printed, complaint = command("matrix", "--config-dir", str(mine), *few, *places, *lists)
    assert status == 0, complaint
    assert "my own 1.5" in printed
    assert list(tmp_path.glob("results/embedded-2-*/matrix-*/cam-my-own-1.5-*.json"))


def test_a_run_that_explain_gap_asks_for_is_started_with_the_users_own_configurations(
    command: Command, mine: Path, tmp_path: Path
) -> None:
    places = (f"results_dir={tmp_path}/results", f"cache_dir={tmp_path}/cache", "tracking=none")
    few = ("dataset.count=24", "dataset.limit=2", "row=vgg16/cam", "localizer=mine")
    status, _, complaint = command("explain-gap", "--config-dir", str(mine), *few, *places)
    assert status == 2
    words = shlex.split(complaint.partition("first: ./scripts/run ")[2])
    assert command("run", *words)[0] == 0


@pytest.mark.parametrize(
    "words",
    [
        *([], ["rum"], ["run", "--help"], ["run", "datset.root=x"], ["run", "run.batch_size=ab"]),
        *(["run", "experiment=table1", "--cfg", "job"], ["matrix", "--info", "defaults-tree"]),
    ],
)
def test_a_question_and_a_typo_import_no_heavy_package_and_write_nothing(
    words: list[str], tmp_path: Path
) -> None:
    code = (
        "import sys\nsys.path.insert(0, sys.argv.pop(1))\nfrom benchmark.cli.__main__ import main\n"
        "try:\n    main()\nfinally:\n"
        "    heavy = {'torch', 'torchvision', 'mlflow', 'matplotlib', 'pandas', 'scipy'} & set(sys.modules)\n"
        "    print('HEAVY', *heavy, file=sys.stderr)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(ROOT), *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr.splitlines()[-1] == "HEAVY", ended.stderr
    assert list(tmp_path.iterdir()) == []
