"""What a message proposes to type is typed, and is not refused for the same reason."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from helpers.commands import Command

import benchmark
from benchmark.cli.app.places import CONF

PACKAGE = Path(benchmark.__file__).parent
PROPOSAL = re.compile(r"\btype (.*?)(?:; |\n)")

QUOTES = ": must be KEY=VALUE, a value with special characters in quotes; type "
COMMAS = ": several values; for one with commas in it type "
NONE = ": to choose none of a group, type ~"
EACH = "to run each of them type -m "
ONE_OR_A_LIST = "type "
CASES = {
    ("run", "experiment=null"): NONE,
    ("explain-gap", "experiment=null"): NONE,
    ("run", "experiment=occlusion", "method@reference=null"): ": to have none, type ",
    ("run", "dataset.root=/a=b"): QUOTES,
    ("run", "dataset.root=/a&b c;d"): QUOTES,
    ("run", "dataset.root=/Bücher"): QUOTES,
    ("run", 'dataset.root=/$HOME/it\'s "x"&'): QUOTES,
    ("run", "model.weights=/a,b"): COMMAS,
    ("doctor", "dataset=ilsvrc_val", "dataset.root=/a,b"): COMMAS,
    ("run", "+localizer=cam_20"): ": there is a choice already; to change it type ",
    ("run", "localizer=gradcam_15,cam_20"): EACH,
    ("run", "localizer=[gradcam_15,cam_20]"): EACH,
    ("doctor", "model=[vgg16_compact,alexnet_compact]"): EACH,
    ("train", "dataset@train_set=[embedded_train,ilsvrc_train]"): EACH,
    ("run", "localizer=[cam_20]"): ONE_OR_A_LIST,
    ("run", "metric=localization,gt_known"): ONE_OR_A_LIST,
    ("matrix", "localizer=[gradcam_15,cam_20]"): ONE_OR_A_LIST,
    ("matrix", "localizers=gradcam_15,cam_20"): ONE_OR_A_LIST,
    ("run", "localizer.threshold=range(1,3)"): ": a sweep; to run all of it type -m ",
    ("run", "model.name=50", "dataset.limit=1"): ": must be text; type ",
}
"""A command to the part of its message that proposes something."""
OTHERS = {
    "for ILSVRC's type",  # no remedy, but a notice; tests/test_docs.py composes its words
    ": this starts nothing; type ",  # before there is a command: tests/cli/test_mistakes.py
}


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BENCHMARK_RESULTS", str(tmp_path))
    monkeypatch.setenv("BENCHMARK_CACHE", str(tmp_path))


@pytest.mark.parametrize(("typed", "part"), CASES.items(), ids=[" ".join(typed) for typed in CASES])
def test_what_is_proposed_is_understood(typed: tuple[str, ...], part: str, command: Command) -> None:
    status, printed, message = command(*typed)
    assert (status, printed) == (2, "")
    refused = message.splitlines(keepends=True)[-1]
    assert part in refused
    remedies = [shlex.split(found) for found in PROPOSAL.findall(refused)]
    assert remedies
    others = [word for word in typed[1:] if not refused.startswith(f"error: {word}")]
    for remedy in remedies:
        for words in shown(remedy, others):
            assert command(typed[0], *words, "--cfg", "job")[::2] == (0, ""), words


def shown(remedy: list[str], others: list[str]) -> Iterator[list[str]]:
    """The words of a proposed command; of a sweep, which cannot be shown, those of each job."""
    *sweep, word = remedy
    key, _, values = word.partition("=")
    for each in values.replace("range(1,3)", "1,2").split(",") if sweep else ():
        yield [*others, f"{key}={each}"]
    if not sweep:
        yield [*others, word]


def literals(kind: type[ast.stmt] | type[ast.Module]) -> Iterator[str]:
    """The texts inside the statements of a kind, a zero in the place of what is filled in."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for node in ast.walk(statement) if isinstance(statement, kind) else ():
                parts = node.values if isinstance(node, ast.JoinedStr) else [node]
                texts = [part.value if isinstance(part, ast.Constant) else "\0" for part in parts]
                yield "".join(text for text in texts if isinstance(text, str))


def test_every_proposal_of_the_package_has_a_case() -> None:
    proposals = {text for text in literals(ast.Module) if re.search(r"\btype (-m |~)?(\0|$)", text)}
    known = {*CASES.values(), *OTHERS}
    assert [text for text in proposals if not any(part in text for part in known)] == []
    assert [part for part in CASES.values() if not any(part in text for text in proposals)] == []


def test_every_option_that_a_refusal_names_exists() -> None:
    options = set(_options())
    # An option that no yaml states, which is added with a plus; torchrun's; explain-gap's own.
    elsewhere = {"model.entry", "nproc_per_node", "score.target"}
    named = {
        key
        for text in literals(ast.Raise)
        for key in re.findall(r"(?<![\w.\0@])([a-z]\w*(?:@\w+)?(?:\.[a-z_]+)*)=(?=[\w\0/\[])", text)
    }
    assert len(named) > 40
    assert {key for key in named if key.partition("@")[0] not in options} - elsewhere == set()


def _options() -> Iterator[str]:
    """Every option and group of the yamls, by its dotted name."""
    for path in CONF.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        group = path.parent.relative_to(CONF).as_posix().replace("/", ".").strip(".")
        yield group
        yield from _keys(yaml.safe_load(text) or {}, "" if "@package _global_" in text else group)


def _keys(tree: object, prefix: str) -> Iterator[str]:
    for key, node in tree.items() if isinstance(tree, dict) else ():
        yield f"{prefix}.{key}".strip(".")
        yield from _keys(node, f"{prefix}.{key}".strip("."))
