"""The commands in README.md and docs/ are understood, and their links lead somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import hydra
import pytest

import benchmark.cli.app.entry_point  # noqa: F401 - registers what the configurations refer to
from benchmark.cli.__main__ import COMMANDS
from benchmark.cli.app.places import CONF
from benchmark.cli.app.rows import rows
from benchmark.cli.app.words import FORMS, Typed, completed

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "results" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_COMMAND = re.compile(r"(?:\./scripts/|gradcam-benchmark )([\w-]+)(.*)")
SCRIPTS = ("test", "mutate", "slurm-node")
"""Scripts that compose no configuration."""
# Words that cannot misfit a row.
_SAME_ROWS = ("experiment=", "dataset", "run.", "tracking", "results_dir=", "cache_dir=", "pictures=", "row=")


def _blocks(page: Path, language: str = "") -> list[str]:
    text = page.read_text(encoding="utf-8")
    fences = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [block for name, block in fences if name == language]


def _commands() -> Iterator[tuple[str, str, str]]:
    """Each command line of a page or of a command's help: where it stands, the command, its words."""
    for page in PAGES:
        yield from _found(page, "\n".join(_blocks(page)))
    for config in sorted(CONF.glob("*.yaml")):
        text = config.read_text(encoding="utf-8").partition("Examples:")[2]
        yield from _found(config, text.replace("\\\n", " "))


def _found(path: Path, text: str) -> Iterator[tuple[str, str, str]]:
    for line in text.splitlines():
        if found := _COMMAND.match(line.strip()):
            yield path.name, found[1], found[2].strip()


def test_each_fault_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 10
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)`", row.rpartition(" | ")[2])
        assert named, row
        assert all((ROOT / name).is_file() for name in named), row


# Each command once, where it stands first.
COMMAND_LINES = {(command, words): page for page, command, words in reversed([*_commands()])}


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder ``mine`` with the experiment that docs/hydra.md shows, in the working folder."""
    monkeypatch.chdir(tmp_path)
    (experiment,) = _blocks(ROOT / "docs" / "hydra.md", "yaml")
    folder = tmp_path / "mine" / "experiment"
    folder.mkdir(parents=True)
    (folder / "my_table.yaml").write_text(experiment, encoding="utf-8")


@pytest.fixture(scope="module")
def composer() -> Iterator[None]:
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        yield


def test_the_pages_show_every_command() -> None:
    assert {command for command, _ in COMMAND_LINES} >= {*COMMANDS, "test"}


@pytest.mark.usefixtures("own_folder", "composer")
@pytest.mark.parametrize(
    ("command", "text"),
    [
        pytest.param(*line, id=" ".join((page, *line)))
        for line, page in COMMAND_LINES.items()
        if line[0] not in SCRIPTS
    ],
)
def test_a_command_of_the_pages_composes(command: str, text: str) -> None:
    words = shlex.split(text, comments=True)
    name = "config" if command == "run" else command
    typed = completed(Typed.of(words, FORMS.get(command)), name)
    first = list(typed.words)
    if "--multirun" in typed.flags:  # the first job
        first = [re.sub(r"=([^\[,(]+),.*", r"=\1", word) for word in first]
        first = [re.sub(r"=range\(\d+\)$", "=0", word) for word in first if not word.startswith("hydra")]
    cfg = hydra.compose(name, [*typed.searched, *first])
    if typed.value("dataset.root"):  # the embedded images have no folder of the user's
        assert cfg.dataset.name != "embedded"
    if command == "run" and any(not word.startswith(_SAME_ROWS) for word in first):
        assert rows(cfg, [*typed.searched, *first])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_relative_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
