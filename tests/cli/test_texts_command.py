"""``experiment=vqa`` and ``experiment=caption`` from a folder of transformers to a table, and misused."""

import json
from pathlib import Path

import pytest
from helpers.commands import Command
from helpers.tiny_multimodal import ANSWERS, saved

FEW = ("dataset.of.count=24", "dataset.limit=4", "reference.patch=16", "reference.stride=16")
QUIET = ("bootstrap.resamples=100", "pictures=2", "tracking=none", "model=multimodal")
TARGETS = f"model.targets=[{','.join(ANSWERS)}]"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "experiment", "targets"),
    [
        ("ViltForQuestionAnswering", "vqa", ()),
        ("BlipForQuestionAnswering", "vqa", (TARGETS,)),
        ("BlipForConditionalGeneration", "caption", (TARGETS,)),
    ],
)
def test_a_model_of_a_folder_goes_the_whole_way_to_a_table(
    run: Command, command: Command, tmp_path: Path, kind: str, experiment: str, targets: tuple[str, ...]
) -> None:
    folder = saved(kind, tmp_path / "model")
    words = (f"experiment={experiment}", *QUIET, *FEW, f"model.folder={folder}", *targets)
    status, printed, complaint = run(*words)
    assert status == 4, complaint  # rectified by GELU, for which guided backpropagation has no rule
    (table,) = tmp_path.glob(f"*/{experiment}*.json")
    content = json.loads(table.read_text())
    assert set(content["open"]) == {f"{experiment}/guided_backprop", f"{experiment}/guided_grad_cam"}
    results = {json.loads(path.read_text())["row"] for path in table.with_suffix("").glob("*.json")}
    assert results >= {f"{experiment}/grad_cam", f"{experiment}/centre"}
    assert "not comparable" in printed
    status, held, _ = command("verify", str(table))
    assert (status, "sound: all " in held) == (0, True), held


def test_a_word_without_a_target_and_an_unknown_answer_are_one_line(run: Command, tmp_path: Path) -> None:
    blip = saved("BlipForConditionalGeneration", tmp_path / "blip")
    words = (*QUIET, *FEW, "row=caption/grad_cam", f"model.folder={blip}")
    status, _, complaint = run("experiment=caption", *words, "model.targets=[disc,ball]")
    assert status != 0
    assert "has no output for class box of embedded_captions" in complaint
    assert "Traceback" not in complaint
    status, _, complaint = run("experiment=caption", *words, "dataset=embedded", TARGETS)
    assert status != 0
    assert "Traceback" not in complaint
