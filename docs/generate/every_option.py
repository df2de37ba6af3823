"""Every option there is, read from the yamls in ``conf/``, their comments, and the objects that they name."""

import inspect
import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, is_dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

from benchmark.core.options import in_words

CONF = Path(__file__).parents[2] / "conf"
# Groups that stand at another place under another name.
_SAME = {"val_set": "dataset", "train_set": "dataset", "features": "model", "reference": "method"}
# Options that no object declares and many yamls have.
_SHARED = {
    "table.name": "name of the table's files",
    "table.title": "title; `{dataset}` stands for the name of the images",
    "table.published": "file of `results/published/` with the numbers beside the measured ones",
    "table.differences": "number whose paired differences are told",
    "table.rows": "a row of the table: the words that stand for it",
    "table.compare": "pairs of rows whose paired differences are told",
    "table.same_boxes": "pairs of rows whose boxes must be equal",
    "recipes": "words of one training, under what is typed",
    "embedded_images": "part of the embedded images that is taken where nothing else is typed",
    "task.sheet": "which images the picture sheet shows",
}


@dataclass(frozen=True)
class Option:
    """An option of a choice: its name as it is typed, what it may be, its default, and what it means."""

    name: str
    kind: str
    default: str
    meaning: str


@dataclass(frozen=True)
class Choice:
    """A yaml: its name, its introduction, and the options that it sets itself.

    ``words`` are the choices of other groups that it makes. ``within`` are those of its own group that it is
    laid over: it maps the place of options, such as ``dataset.of``, to the choice whose options stand there;
    the place ``""`` is the choice's own.
    """

    name: str
    about: str
    words: tuple[str, ...]
    within: Mapping[str, str]
    options: tuple[Option, ...]


@cache
def choices(group: str) -> dict[str, Choice]:
    """Return every choice of a group by its name, sorted."""
    return {
        name: replace(each, options=tuple(_explained(option, group, each) for option in each.options))
        for name, each in _read(group).items()
    }


@cache
def _read(group: str) -> dict[str, Choice]:
    files = sorted((CONF / group).rglob("*.yaml"))
    names = [path.relative_to(CONF / group).with_suffix("").as_posix() for path in files]
    return {name: _choice(group, name, path) for name, path in zip(names, files, strict=True)}


@cache
def _elsewhere(group: str) -> dict[str, Option]:
    """Return the options of a group by name, each from a choice that says what it means."""
    options = [option for each in _read(group).values() for option in each.options] if group else []
    return {
        option.name: option for option in sorted(options, key=lambda one: (bool(one.meaning), bool(one.kind)))
    }


def _below(group: str, choice: Choice, option: str) -> Iterator[Option]:
    """Yield what the choices that a choice is laid over say of an option."""
    for place, other in choice.within.items():
        name = f"{group}{option.removeprefix(place)}" if place and option.startswith(f"{place}.") else option
        if other in _read(group):
            yield from (one for one in _read(group)[other].options if one.name == name)
            yield from _below(group, _read(group)[other], name)


def _explained(option: Option, group: str = "", choice: Choice | None = None) -> Option:
    """Give an option what its yaml does not say of it, as other choices or groups have it."""
    first, _, rest = option.name.partition(".")
    places = [
        (group, option.name),
        (first, option.name),
        (_SAME.get(first, ""), f"{_SAME.get(first)}.{rest}"),
    ]
    known = [*_below(group, choice, option.name)] if choice else []
    known += [_elsewhere(place)[name] for place, name in places if name in _elsewhere(place)]
    kinds = [option.kind, *(one.kind for one in known)]
    said = [option.meaning, *(one.meaning for one in known)]
    said += [words for start, words in _SHARED.items() if f"{option.name}.".startswith(f"{start}.")]
    said += ["its name in results"] if option.name.endswith(".name") else []
    return replace(option, kind=next(filter(None, kinds), ""), meaning=next(filter(None, said), ""))


def of_command(text: str) -> tuple[Option, ...]:
    """Return the options that a command's own yaml has, beside those of the groups that it names."""
    return tuple(_explained(option) for option in _options(text, yaml.compose(text), ""))


def _choice(group: str, name: str, path: Path) -> Choice:
    text = path.read_text(encoding="utf-8")
    root = yaml.compose(text)
    everywhere = text.startswith("# @package _global_")
    laid = re.search(r"^# @package (\S+)", text)
    prefix = "" if everywhere else f"{(laid[1] if laid else group).replace('/', '.')}."
    return Choice(
        name,
        _about(text),
        tuple(_words(text)),
        dict(_within(group, text)),
        tuple(_options(text, root, prefix)),
    )


def _words(text: str) -> Iterator[str]:
    """Yield the choices of other groups that a yaml makes, as one would type them."""
    for entry in yaml.safe_load(text).get("defaults", []):
        for group, choice in entry.items() if isinstance(entry, dict) else ():
            named = group.removeprefix("override ").removeprefix("/")
            chosen = "null" if choice is None else str(choice).replace("'", "").replace(" ", "")
            yield f"{named.replace('@_global_.', '@')}={chosen}"


def _within(group: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield place and name of the choices of the same group that a yaml is laid over."""
    for entry in yaml.safe_load(text).get("defaults", []):
        if isinstance(entry, str) and not entry.startswith(("_self_", "/")):
            name, _, place = entry.partition("@")
            yield (f"{group}.{place}" if place else ""), name


def _options(text: str, root: yaml.Node | None, prefix: str, above: str = "") -> Iterator[Option]:
    """Yield each option of a mapping of a yaml, those of mappings in it as well."""
    if not isinstance(root, yaml.MappingNode):
        return
    lines = text.splitlines()
    target = next((value.value for key, value in root.value if key.value == "_target_"), None)
    hints, documented = _declared(target) if target else ({}, {})
    for key, value in root.value:
        name = f"{prefix}{key.value}"
        if key.value in ("_target_", "defaults", "hydra"):
            continue
        said = _comment(lines, key, value)
        meaning = said or documented.get(key.value, "") or above
        if isinstance(value, yaml.MappingNode) and value.value and "." not in value.value[0][0].value:
            yield from _options(text, value, f"{name}.", meaning)
        else:
            default = _source(text, value)
            yield Option(name, _kind(hints.get(key.value), yaml.safe_load(default)), default, meaning)


def _comment(lines: list[str], key: yaml.Node, value: yaml.Node) -> str:
    """Return the comment behind an option, or else the one above it and the options that it is one of."""
    start, end = key.start_mark.line, value.end_mark
    begun = key.end_mark.column + 1 if value.start_mark.line > start else value.start_mark.column + 1
    behind = [lines[start][begun:]] if isinstance(value, yaml.CollectionNode) else []
    behind += [lines[end.line][end.column :]] if end.line < len(lines) and end.column else []
    for rest in behind:
        if found := re.match(r"\s*#\s*(.*)", rest):
            return found[1]
    above = start - 1
    while above >= 0 and lines[above].strip() and not lines[above].lstrip().startswith("#"):
        if _indent(lines[above]) != _indent(lines[start]):
            return ""
        above -= 1
    said: list[str] = []
    while above >= 0 and lines[above].lstrip().startswith("#"):
        if _indent(lines[above]) != _indent(lines[start]):
            break
        said.insert(0, lines[above].strip(" #"))
        above -= 1
    return " ".join(said) if above >= 0 else ""  # what begins a file is about all of it


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _about(text: str) -> str:
    """Return the comment that begins a yaml, without its marks."""
    lines = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines())
    return "\n".join(line[1:].removeprefix(" ") for line in lines if not line.startswith("# @package"))


def _source(text: str, node: yaml.Node) -> str:
    """Return a value as the yaml has it, on one line, without comments."""
    if isinstance(node, yaml.ScalarNode):
        return text[node.start_mark.index : node.end_mark.index].strip() or "null"
    value = yaml.safe_load(yaml.serialize(node))
    return yaml.safe_dump(
        value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False
    ).strip()


@cache
def _declared(target: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what the object of ``_target_`` declares of its options: annotations and docstrings."""
    module, _, name = target.rpartition(".")
    try:
        made = getattr(import_module(module), name)
    except ImportError:  # of an extra that is not installed
        return {}, {}
    kinds = [made, *made.__mro__[1:-1], made.__init__] if inspect.isclass(made) else [made]
    hints: dict[str, Any] = {}
    said: dict[str, str] = {}
    for kind in reversed(kinds):
        hints |= _hints(kind)
        said |= _described(kind)
    # Functions that hand their options on name the class that has them.
    for other in re.findall(r":class:`(benchmark[\w.]+)`", said.get("options", "")):
        more, words = _declared(other)
        hints, said = more | hints, words | said
    return hints, said


def _hints(made: Any) -> dict[str, Any]:
    with suppress(NameError, TypeError):  # names that type checkers alone import; what has no annotations
        return get_type_hints(made, include_extras=True)
    return {}


def _described(made: Any) -> dict[str, str]:
    """Return the entries of the sections ``Args`` and ``Attributes`` of a docstring."""
    text = inspect.getdoc(made) or ""
    found: dict[str, str] = {}
    for section in re.findall(r"^(?:Args|Attributes):\n((?:(?: {4}.*)?\n?)*)", text, re.MULTILINE):
        for name, words in re.findall(r"^ {4}\**(\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE):
            found[name] = " ".join(words.split())
    return found


def _kind(hint: Any, value: Any) -> str:
    """Say what an option may be, by its annotation, or else by its default."""
    parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    with suppress(KeyError):
        return in_words(hint)
    null = ", or null" if NoneType in parts else ""
    if Path in parts:
        return f"a path{null}"
    if any(is_dataclass(part) for part in parts):
        return f"options of its own{null}"
    if isinstance(value, str) and "${" in value:
        return "" if "oc." in value else "as the option named"
    nouns = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        list: "a list",
        dict: "a mapping",
    }
    return "a text, or null" if value is None else nouns.get(type(value), "a text")
