"""``./scripts/verify``: sound runs are told so, and of others what differs."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.commands import Command
from helpers.handmade import table
from helpers.stored_tables import stored_table

from benchmark.reporting.archive import Archived, write_table


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored_table(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def made(sound: Path, tmp_path: Path) -> Path:
    """A copy of the table, to be changed."""
    shutil.copytree(sound.parents[1], tmp_path, dirs_exist_ok=True)
    return tmp_path / sound.relative_to(sound.parents[1])


def test_every_number_of_a_sound_table_is_derived_again(command: Command, made: Path) -> None:
    status, printed, complaint = command("verify", str(made))
    assert (status, complaint) == (0, "")
    for name in (
        "small/a-cam.json",
        "small.csv",
        "small.md",
        "small.tex",
        "small.txt",
        "manifest.json",
    ):
        assert re.search(rf"as derived: \d+ (numbers|hashes) in .*{name}", printed), printed
    assert re.search(r"sound: all \d+ numbers", printed)
    content = json.loads((made.with_name("small") / "made_of/manifest.json").read_text())
    assert content["inputs"]["dataset"]["fingerprint"] == "ab" * 32
    assert content["inputs"]["weights"][0] == {"source": "a.pth", "sha256": "cd" * 32, "rows": ["a/cam"]}
    assert len(content["inputs"]["records"]["a/cam"]["shards"]) == 2
    assert content["commands"]["run"] == "./scripts/run experiment=small"


def record(made: Path) -> str:
    """Another first class in the last image's record."""
    (path,) = made.parents[1].glob("records/a-cam-*/*.parquet")
    content = pq.read_table(path)
    classes = content["classes"].to_pylist()
    classes[-1][0] = 99
    at = content.column_names.index("classes")
    changed = content.set_column(
        at, content.schema.field(at), pa.array(classes, content.schema.field(at).type)
    )
    pq.write_table(changed.replace_schema_metadata(content.schema.metadata), path)
    return "image_id image_00059: classes is [99, "


def shard(made: Path) -> str:
    (path,) = made.parents[1].glob("runs/a-cam-*/*/records-00001.parquet")
    path.write_bytes(path.read_bytes()[:-9])
    return "records-00001.parquet: its sha256 is "


def digit(name: str, told: str) -> Callable[[Path], str]:
    """One digit of the first number that stands in a file as in the row's json."""

    def change(made: Path) -> str:
        value = json.loads((made.parent / "small/a-cam.json").read_text())["metrics"]["loc_top1"]["value"]
        old = repr(value) if name.endswith(("json", "csv")) else f"{100 * value:.2f}"
        new = old[:-1] + str((int(old[-1]) + 1) % 10)
        path = made.parent / name
        path.write_text(path.read_text().replace(old, new, 1))
        return told.format(new=new, old=old)

    return change


def sign(made: Path) -> str:
    """Another sign before the first number of a row."""
    path, digits = made.with_name("small.md"), re.compile(r"(?<=\| )(\d+\.\d\d)")
    text = path.read_text()
    path.write_text(digits.sub(r"-\1", text, count=1))
    (old,) = digits.findall(text)[:1]
    return f"it says -{old}, derived: {old}"


def check(made: Path) -> str:
    made.write_text(made.read_text().replace(" of 360 boxes", " of 361 boxes"))
    return "of 361 boxes equal in float32”, derived: “"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(record, id="record"),
        pytest.param(shard, id="shard"),
        pytest.param(check, id="check"),
        pytest.param(sign, id="sign"),
        pytest.param(digit("small/a-cam.json", "loc_top1"), id="json"),
        pytest.param(digit("small.csv", "is {new}, derived: {old}"), id="csv"),
        pytest.param(digit("small.md", "it says {new}, derived: {old}"), id="md"),
        pytest.param(digit("small.tex", "it says {new}, derived: {old}"), id="tex"),
    ],
)
def test_a_change_is_told_exactly_and_ends_with_an_exit_code(
    command: Command, made: Path, change: Callable[[Path], str]
) -> None:
    told = change(made)
    status, printed, _ = command("verify", f"results={made}")
    assert status == 3
    assert any(line.startswith("DIFFERS") and told in line for line in printed.splitlines()), printed
    assert "NOT SOUND" in printed


def test_another_layout_with_the_same_numbers_is_told_and_is_no_difference(
    command: Command, made: Path
) -> None:
    tex = made.with_name("small.tex")
    tex.write_text(tex.read_text().replace("not typed", "NOT typed"))
    status, printed, _ = command("verify", str(made))
    assert status == 0
    assert "note: small.tex: words alone differ, line 1: it says “" in printed


def test_a_line_that_somebody_added_is_told_alone(command: Command, made: Path) -> None:
    path = made.with_name("small.md")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:3], "Error 12.34 % by us.\n", *lines[3:]]))
    status, printed, _ = command("verify", str(made))
    assert status == 3
    (told,) = (line for line in printed.splitlines() if line.startswith("DIFFERS"))
    assert told == "DIFFERS  small.md: line 4: it says “Error 12.34 % by us.”, derived: “”"


def test_a_file_that_is_not_there_is_told(command: Command, made: Path) -> None:
    made.with_suffix(".md").unlink()
    status, printed, _ = command("verify", str(made))
    assert status == 0
    assert "note: small.md is not there, so that nothing of it was compared" in printed


def test_without_records_or_manifest_it_says_what_it_could_not_derive(
    command: Command, tmp_path: Path
) -> None:
    made = write_table(tmp_path / "data", Archived(table(published=None), None, {}))
    status, printed, _ = command("verify", str(made))
    assert status == 4
    assert "0 of 1 measured rows derived again" in printed
    assert "NOT VERIFIED: 1 row not derived again" in printed
    assert "a/cam: not derived again, its records are neither of boxes nor of pairs" in printed
    assert "there is no manifest.json" in printed


def test_a_metric_from_elsewhere_is_not_run(command: Command, made: Path) -> None:
    cell = made.parent / "small/a-cam.json"
    cell.write_text(cell.read_text().replace("benchmark.metrics.classification.Classification", "os.system"))
    status, printed, _ = command("verify", str(made))
    assert (
        "a/cam: not derived again, its metric classification is none of this package (os.system)" in printed
    )
    assert status == 3  # by the hash of the json
