"""The commands in README.md and docs/ are understood, and their links lead somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import every_option
import hydra
import option_pages
import pytest
import yaml
from helpers.commands import Command
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs_hooks import relinked
from omegaconf import OmegaConf

import benchmark.cli.app.entry_point  # noqa: F401 - registers what the configurations refer to
from benchmark.cli.__main__ import COMMANDS
from benchmark.cli.app.places import CONF
from benchmark.cli.app.rows import rows
from benchmark.cli.app.words import FORMS, Typed, completed
from benchmark.core.nested import flatten

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "results" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_COMMAND = re.compile(r"(?:\./scripts/|gradcam-benchmark )([\w-]+)(.*)")
SCRIPTS = ("test", "mutate", "slurm-node", "docs")
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
    """A folder ``mine`` with the files that the pages show, in the working folder."""
    monkeypatch.chdir(tmp_path)
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for name, block in re.findall(
            r"`(mine/[\w/.]+)`:\n\n```\w+\n(.*?)^```$", text, re.DOTALL | re.MULTILINE
        ):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(block, encoding="utf-8")


@pytest.fixture
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


def _leaves(group: str, name: str) -> dict[str, object]:
    """The options that a yaml sets, each with its value, by the names under which they are typed."""
    text = (CONF / group / f"{name}.yaml").read_text(encoding="utf-8")
    own = yaml.safe_load(text)
    place = re.search(r"^# @package (\S+)", text)
    prefix = "" if place and place[1] == "_global_" else f"{place[1] if place else group.replace('/', '.')}."
    own = {key: value for key, value in own.items() if key not in ("defaults", "hydra")}
    return {f"{prefix}{key}": value for key, value in flatten(own).items() if "_target_" not in key}


@pytest.mark.parametrize("group", option_pages.GROUPS)
def test_the_page_of_a_group_has_every_option_of_every_choice(group: str) -> None:
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", option_pages.page(group), re.M | re.S))
    files = {
        path.relative_to(CONF / group).with_suffix("").as_posix() for path in (CONF / group).rglob("*.yaml")
    }
    assert set(sections) == files
    for name, section in sections.items():
        told = re.findall(r"^\| `(\S+?)` \| (.*?) \| (?:`(.*?)`) \| (.*?) \|$", section, re.M)
        assert all(kind or "${" in default for _, kind, default, _ in told)
        assert [option for option, *_, meaning in told if not meaning] == []
        shown = flatten({option: yaml.safe_load(default) for option, _, default, _ in told})
        assert shown == {**_leaves(group, name)}


@pytest.mark.usefixtures("composer")
@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("dataset", "embedded_vqa"),
        ("model", "vgg16_compact"),
        ("localizer", "grabcut_500"),
        ("train", "voc2007"),
    ],
)
def test_what_a_choice_is_laid_over_has_its_other_options(group: str, name: str) -> None:
    cfg = hydra.compose("train" if group == "train" else "config", [f"{group}={name}"])

    def options(name: str, place: str) -> Iterator[str]:
        choice = every_option.choices(group)[name]
        yield from (option.name.replace(group, place, 1) for option in choice.options)
        for inner, other in choice.within.items():
            yield from options(other, inner.replace(group, place, 1) if inner else place)

    composed = flatten({group: OmegaConf.to_container(cfg[group])})
    assert {key for key in composed if "_target_" not in key} <= {*options(name, group)}


def test_a_comment_is_the_meaning_and_an_annotation_the_range() -> None:
    (threshold,) = (
        one
        for one in every_option.choices("localizer")["gradcam_15"].options
        if one.name.endswith("threshold")
    )
    assert threshold == every_option.Option(
        "localizer.threshold", "a number in [0, 1)", "0.15", "fraction of the maximum, in [0, 1)"
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as ``./scripts/docs`` builds them; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), strict=True, site_dir=str(folder)))
    return folder


def test_the_site_is_built_without_a_warning_and_leads_to_every_page(site: Path) -> None:
    made = {path.relative_to(site).as_posix() for path in site.rglob("*.html")} - {"404.html"}
    assert {f"{path.stem}.html" for path in (ROOT / "docs").glob("*.md")} < made
    assert {"index.html", "options/localizer.html", "options/commands.html"} < made
    navigation = (site / "index.html").read_text(encoding="utf-8")
    links = set(re.findall(r'<a href="([\w./-]+\.html)" class="md-nav__link', navigation))
    assert links | {"index.html"} == made


def test_the_site_needs_no_network(site: Path) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in site.rglob("*.html"))
    loaded = re.findall(r'<(?:script|img|iframe|source)[^>]*?src="?([^">\s]+)', text)
    loaded += re.findall(r'<link[^>]*?href="?([^">\s]+)', text)
    assert loaded
    assert [place for place in loaded if "//" in place] == []


def test_a_link_out_of_docs_becomes_one_to_its_page_or_a_name() -> None:
    page = "[a](../README.md#cite) [b](../tests/test_docs.py) [c](data.md) [d](https://e.org) ![f](g.png)"
    assert relinked(page, "docs/data.md") == (
        "[a](index.md#cite) b (`tests/test_docs.py`) [c](data.md) [d](https://e.org) ![f](g.png)"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("own_folder")
def test_the_parts_that_a_page_shows_are_measured(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (line,) = (words for _, words in COMMAND_LINES if "method=mean_activation" in words)
    few = ["dataset.count=24", "dataset.limit=3", "tracking=none", "pictures=0", f"results_dir={tmp_path}"]
    status, printed, told = command("run", *shlex.split(line), *few, f"cache_dir={tmp_path}")
    assert status == 0, told
    assert "mean_activation" in printed
    assert "full_width" in printed


@pytest.mark.parametrize(
    # In an order that is the same in all processes that share the tests.
    "block",
    sorted({block for page in PAGES for block in _blocks(page, "python") if "import explain" in block}),
)
def test_the_lines_of_python_give_the_shapes_that_stand_behind_them(block: str) -> None:
    *lines, last = block.splitlines()
    names: dict[str, object] = {}
    exec("\n".join(lines), names)
    expression, _, said = last.partition("#")
    shapes = [tuple(map(int, one.split(","))) for one in re.findall(r"\(([\d, ]+)\)", said)]
    assert shapes
    assert [tuple(one) for one in eval(f"[{expression}]", names)] == shapes
