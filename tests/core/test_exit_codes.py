"""The numbers by which a script learns how a command ended."""

import re
from pathlib import Path

from benchmark.core.exit_codes import ExitCode, worst

PAGE = Path(__file__).parents[2] / "docs" / "install.md"


def test_the_page_lists_every_code_and_no_other() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## Exit codes")[2]
    first_cells = re.findall(r"^\| ([\d, ]+) \|", section, re.MULTILINE)
    assert [int(code) for cell in first_cells for code in cell.split(",")] == list(ExitCode)


def test_the_gravest_code_wins_and_a_smaller_number_is_not_milder() -> None:
    assert worst([]) == 0
    assert worst([0, 5, 4, 0]) == 4
    assert worst([4, 3]) == 3
    assert worst([3, 2, 5]) == 2
    assert worst([2, 1]) == 1
    assert worst([1, 143, 130]) == 130
