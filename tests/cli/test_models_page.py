"""What docs/models.md shows: any classifier, and maps of pytorch-grad-cam, go to a table."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from helpers.commands import Command

from benchmark.models.assembly import tell

PAGE = Path(__file__).resolve().parents[2] / "docs" / "models.md"
WORDS = ("model=googlenet_compact", "dataset.count=24", "dataset.limit=2")


def test_the_script_of_the_page_makes_a_folder_that_a_run_reads(
    run: Command, cache: Path, tmp_path: Path
) -> None:
    (script,) = re.findall(
        r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    names: dict[str, Any] = {"__name__": "make_maps"}
    exec(compile(script, str(PAGE), "exec"), names)
    names["make_maps"](str(tmp_path / "maps"), *WORDS, f"cache_dir={cache}")
    made = [np.load(path) for path in sorted((tmp_path / "maps").iterdir())]
    assert [len(each.files) >= 5 for each in made] == [True, True]
    words = ("method=from_files", f"method.folder={tmp_path / 'maps'}", *WORDS, "tracking=none", "pictures=0")
    status, printed, told = run(*words)
    assert status == 0, told
    assert "from_files" in printed


def test_a_folder_without_maps_of_these_images_is_one_line(run: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "other.npy", np.eye(7))
    status, _, told = run("method=from_files", f"method.folder={tmp_path}", *WORDS)
    assert status == 2
    assert "2 of 2 images have no map of their ground-truth class, the first ILSVRC2012_val_00000001" in told
    assert "Traceback" not in told


def test_a_transformer_of_timms_goes_to_a_table_that_says_which_layer_was_read(
    run: Command, tmp_path: Path
) -> None:
    words = (
        "model=timm",
        "model.name=test_vit.r160_in1k",
        "model.weights=random",
        "pictures=0",
        "tracking=none",
    )
    tell.cache_clear()  # of tests before
    status, _, told = run(*words, "+model.arguments.num_classes=24", "dataset.count=24", "dataset.limit=2")
    assert status == 0, told
    assert told.count("layers found by a probe: last_conv blocks.5.norm1") == 1, "once in a process"
    (found,) = tmp_path.glob("embedded-*/*/test_vit*.json")
    content = json.loads(found.read_text(encoding="utf-8"))
    assert content["conditions"]["layers"]["last_conv"] == "blocks.5.norm1"
    assert content["conditions"]["input"]["size"] == 160
