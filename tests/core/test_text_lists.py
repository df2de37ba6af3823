"""Lists as people keep them: one reader, whatever an editor, a spreadsheet or a shell did to the text."""

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.core.errors import UserError
from benchmark.core.text_lists import numbers, read_class_list, read_ids, read_text, rows, whole_numbers

Written = Callable[[str], Path]
IDS = {"ILSVRC2012_val_00000001", "ILSVRC2012_val_00000002"}
WNIDS = ["n01440764", "n01443537"]
TENCH = "tench, Tinca tinca"

WRAPPERS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda text: text.encode(),
    "windows": lambda text: text.replace("\n", "\r\n").encode(),
    "old mac": lambda text: text.replace("\n", "\r").encode(),
    "utf-8 mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "utf-16 of PowerShell": lambda text: text.encode("utf-16"),
    "utf-16 big-endian": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "utf-16 without mark": lambda text: text.encode("utf-16-le"),
    "big-endian without mark": lambda text: text.encode("utf-16-be"),
    "blanks, empty lines, comments": lambda text: (
        "# a list\n\n" + "".join(f"  {line} \t\n\n" for line in text.splitlines()) + "   # its end\n"
    ).encode(),
    "a spreadsheet's empty rows": lambda text: (text + ",,\n;;\n").encode(),
}


@pytest.fixture(params=WRAPPERS)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Written:
    """``written(text)``: the path of a file that holds the text in one of the forms."""

    def write(text: str) -> Path:
        path = tmp_path / "list.txt"
        path.write_bytes(WRAPPERS[request.param](text))
        return path

    return write


@pytest.mark.parametrize(
    "text",
    [
        "ILSVRC2012_val_00000001\nILSVRC2012_val_00000002\n",
        "ILSVRC2012_val_00000001.JPEG 65\nILSVRC2012_val_00000002.JPEG 970\n",
        "val/ILSVRC2012_val_00000001.JPEG,65\nval/ILSVRC2012_val_00000002.JPEG,970\n",
        'val\\ILSVRC2012_val_00000001.png\t65\tx\n"ILSVRC2012_val_00000002.jpg";"970"\n',
        "n01751748/ILSVRC2012_val_00000001.xml\nILSVRC2012_val_00000002 2\n",
    ],
)
def test_ids_are_the_first_column_without_folder_and_suffix(written: Written, text: str) -> None:
    assert read_ids(written(text)) == IDS


def test_a_name_with_a_suffix_may_hold_blanks_and_an_id_dots(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("my cat.jpg 3\nsecond.v2\n")
    assert read_ids(path) == {"my cat", "second.v2"}


def test_a_list_of_vocs_classes_is_no_list_of_images(tmp_path: Path) -> None:
    path = tmp_path / "cat_val.txt"
    path.write_text("000005 -1\n000007  1\n")
    with pytest.raises(UserError, match=r"cat_val\.txt: -1 says that an image does not hold a class"):
        read_ids(path)


@pytest.mark.parametrize(
    "text",
    [
        "n01440764 tench, Tinca tinca\nn01443537 goldfish\n",  # synset_words.txt, LOC_synset_mapping.txt
        'wnid,name\nn01440764,"tench, Tinca tinca"\nn01443537,goldfish\n',
        "n01440764\ttench, Tinca tinca\nn01443537\tgoldfish\n",
        "0 n01440764 tench, Tinca tinca\n1 n01443537 goldfish\n",
        '{"1": ["n01443537", "goldfish"], "0": ["n01440764", "tench, Tinca tinca"]}',  # Keras
        '[["n01440764", "tench, Tinca tinca"],\n["n01443537", "goldfish"]]',
    ],
)
def test_a_class_is_a_wnid_with_words(written: Written, text: str) -> None:
    if text.startswith(("{", "[")):
        path = written("")
        path.write_text(text)
    else:
        path = written(text)
    assert [(each.identifier, each.name) for each in read_class_list(path)] == [
        ("n01440764", TENCH),
        ("n01443537", "goldfish"),
    ]


@pytest.mark.parametrize(
    ("text", "identifiers"),
    [
        ("n01440764\nn01443537\n", WNIDS),
        ("n01443537 2 goldfish\nn01440764 1 tench\n", WNIDS[::-1]),  # the devkit's map_clsloc.txt
        ('{"n01443537": 1, "n01440764": 0}', WNIDS),  # torchvision's class_to_idx
        ('["n01440764", "n01443537"]', WNIDS),
        ("traffic light\ndining table\n", ["traffic light", "dining table"]),
        ("cat\t0\n dog \t1", ["cat", "dog"]),
    ],
)
def test_the_order_is_the_files_or_that_of_its_numbers(
    tmp_path: Path, text: str, identifiers: list[str]
) -> None:
    path = tmp_path / "classes"
    path.write_text(text)
    assert [each.identifier for each in read_class_list(path)] == identifiers


@pytest.mark.parametrize("text", ['{"0": "cat"', '{"1": "cat"}', '{"cat": 1}', "{}{}"])
def test_a_json_that_numbers_no_classes_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "classes.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"classes\.json: no json of classes numbered from 0 .*; look again"):
        read_class_list(path, "look again")


@pytest.mark.parametrize("content", [b"\xff\xd8\xff\xe0", b"PK\3\4\0\0", b"\xff\xfe\x00\x81\x00", b"ab\0\0"])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "archive"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"archive: cannot be read \(it is not text\); look again"):
        read_text(path, "look again")


def test_a_line_keeps_its_number_whatever_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text('# one\n\n a,"b" ;c\n')
    assert [(row.where, row.text, row.words) for row in rows(path)] == [
        (f"{path}, line 3", 'a,"b" ;c', ["a", "b", "c"])
    ]


def test_a_whole_number_may_be_written_with_a_fraction() -> None:
    assert whole_numbers(["12", "12.0", "1.2e1", "-3"], 4, "here") == [12, 12, 12, -3]
    assert numbers(["12.5"], 1, "here") == [12.5]
    for words in (["12.5"], ["x"], [], ["1", "2"], ["nan"], ["inf"], ["1e99"]):
        with pytest.raises(UserError, match=r"^here: .* where a (whole )?number is expected"):
            whole_numbers(words, 1, "here")
