"""Names of models, rows and tables as names of files."""

import pytest

from benchmark.core.errors import UserError
from benchmark.pipeline.names import file_name, refuse_shared_files, stem


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("vgg16/grad_cam", "vgg16-grad_cam"),
        ("timm/resnet50.a1_in1k", "timm-resnet50.a1_in1k"),
        ("vgg16/cam/threshold=0.1", "vgg16-cam-threshold=0.1"),
    ],
)
def test_a_usual_name_is_the_files_name_with_dashes_for_slashes(name: str, file: str) -> None:
    assert file_name(name) == file


@pytest.mark.parametrize(
    "name", ["..", "../x", ".hidden", "a b", 'q"uote', "a\\b", "a:b", "x" * 300, "é" * 300, "*?"]
)
def test_any_other_name_is_one_part_of_a_path_too_and_never_the_name_of_another(name: str) -> None:
    file = file_name(name)
    assert not set(file) & set("/\\ \"'*?:")
    assert not file.startswith(".")
    assert len(file.encode()) <= 130
    assert file not in {file_name(other) for other in (f"{name}x", f"{name}-", f"-{name[1:]}")}


def test_a_tables_own_name_is_made_a_files_as_well() -> None:
    assert "/" not in stem("../my table", ["localizer.threshold=0.1"])
    assert stem("table1", ["localizer.threshold=0.1"]) == "table1+localizer.threshold-0.1"


def test_rows_that_would_share_a_file_are_refused() -> None:
    refuse_shared_files(["vgg16/cam", "vgg16/grad_cam", "a b", "a-b"], "table1")
    with pytest.raises(
        UserError, match="table table1: rows VGG16/cam and vgg16-cam share a file; rename one"
    ):
        refuse_shared_files(["VGG16/cam", "vgg16-cam"], "table1")
