"""The rooms of the package: which there are, and which may import which."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path

import benchmark

PACKAGE = Path(benchmark.__file__).parent
ORDER = (
    {"core"},
    {"datasets", "transforms", "models"},
    {"attribution", "localizers", "metrics"},
    {"pipeline"},
    {"reporting"},
    {"tasks"},
    {"training", "diagnostics"},
    {"cli"},
)
"""A room imports from itself and from the rooms of the sets before its own."""
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}


def imports(path: Path) -> Iterator[str]:
    """The dotted names inside the package that a file imports, in functions as well."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module == "benchmark":
            names = [f"benchmark.{alias.name}" for alias in node.names]
        yield from (name.removeprefix("benchmark.") for name in names if name.startswith("benchmark."))


def upward(root: Path) -> list[str]:
    """Each import of another room that does not stand before the importing one."""
    found = []
    for path in sorted(root.rglob("*.py")):
        room = path.relative_to(root).parts[0]
        for name in imports(path) if room in LEVEL else ():
            other = name.partition(".")[0]
            if other != room and LEVEL.get(other, -1) >= LEVEL[room]:
                found.append(f"{path.relative_to(root)} imports {name}")
    return found


def test_the_root_holds_the_rooms_and_nothing_loose() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if any(path.glob("**/*.py"))}
    found = folders | {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert found == {*LEVEL, "__init__.py", "__main__.py", "py.typed"}


def test_no_import_points_upward() -> None:
    assert upward(PACKAGE) == []


def test_an_import_turned_upward_is_found(tmp_path: Path) -> None:
    for lower, higher in pairwise(ORDER):
        for room in lower | higher:
            (tmp_path / room).mkdir(exist_ok=True)
        path = tmp_path / min(lower) / "turned.py"
        path.write_text(f"def f():\n    from benchmark.{min(higher)}.part import g\n")
        assert upward(tmp_path) == [f"{min(lower)}/turned.py imports {min(higher)}.part"]
        path.unlink()


CHOICES = {"attribution", "datasets", "localizers", "metrics", "transforms"}
"""Rooms whose files are choices of a yaml, save those in their folders ``common``."""
NAMED_ON_PURPOSE = {
    "diagnostics/selftest/gradients.py imports attribution.grad_cam"
}  # it proves Grad-CAM's formula


def choices_by_name(root: Path) -> set[str]:
    """Each import of a class from a file that a yaml alone should name."""
    yamls = " ".join(path.read_text(encoding="utf-8") for path in (PACKAGE.parent / "conf").rglob("*.yaml"))
    found = set()
    for path in sorted(root.rglob("*.py")):
        for name in imports(path):
            room, _, module = name.partition(".")
            if (
                room in CHOICES
                and module
                and "common" not in module
                and re.search(rf"benchmark\.{name}\.[A-Z]", yamls)
            ):
                found.add(f"{path.relative_to(root)} imports {name}")
    return found


def test_nobody_imports_a_choice_by_name(tmp_path: Path) -> None:
    assert choices_by_name(PACKAGE) == NAMED_ON_PURPOSE
    (tmp_path / "one.py").write_text("from benchmark.metrics.gt_known import GtKnown\n")
    assert choices_by_name(tmp_path) == {"one.py imports metrics.gt_known"}


def test_no_class_name_is_defined_twice() -> None:
    places: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


LONGEST_CHAIN = 9


def module_of(path: Path) -> str:
    """A file's dotted name inside the package."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def eager(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a file is imported, save those for type checkers alone."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node


def graph() -> dict[str, set[str]]:
    """Module to the modules of the package that its import imports."""
    files = {module_of(path): path for path in PACKAGE.rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, path in files.items():
        names: list[str] = []
        for node in eager(ast.parse(path.read_text(encoding="utf-8")).body):
            if isinstance(node, ast.ImportFrom):
                names += [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
        inside = {name.removeprefix("benchmark.") for name in names if name.startswith("benchmark.")}
        found[name] = (inside & set(files)) - {name}
    return found


def test_imports_run_in_no_circle_and_no_chain_of_them_is_long() -> None:
    imported = graph()
    depth: dict[str, int] = {}
    for name in TopologicalSorter(imported).static_order():  # which refuses a circle
        depth[name] = 1 + max((depth[other] for other in imported[name]), default=0)
    assert max(depth.values()) <= LONGEST_CHAIN, max(depth, key=lambda name: depth[name])
