"""The hash of code follows names through imports, and sees neither files nor layout."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmark.core import code_hash
from benchmark.core.code_hash import code_fingerprint, reached


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``package({"a.py": text}, "a", "f")``: the fingerprint of ``f`` in a package of the given files."""
    monkeypatch.syspath_prepend(str(tmp_path))
    count = 0

    def fingerprint(files: dict[str, str], module: str, name: str) -> str:
        nonlocal count
        count += 1
        folder = tmp_path / f"package{count}"
        for path, text in {"__init__.py": "", **files}.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text.replace("PACKAGE", folder.name))
        root: Any = type("root", (), {})
        root.__module__, root.__qualname__ = f"{folder.name}.{module}", name
        return code_fingerprint([root])

    yield fingerprint
    for cached in (code_hash._source, code_hash._is_module, code_hash._resolved):
        cached.cache_clear()
    for name in [name for name in sys.modules if name.startswith("package")]:
        del sys.modules[name]


HELPER = "LIMIT = 3\n\n\ndef helper(x):\n    return x * LIMIT\n"
MAIN = "from PACKAGE.b import helper\n\n\ndef f(x):\n    return helper(x) + 1\n"


def test_what_is_reached_through_imports_counts_at_any_distance(package: Any) -> None:
    base = package({"a.py": MAIN, "b.py": HELPER}, "a", "f")
    assert package({"a.py": MAIN, "b.py": HELPER}, "a", "f") == base
    assert package({"a.py": MAIN, "b.py": HELPER.replace("3", "4")}, "a", "f") != base
    assert package({"a.py": MAIN.replace("+ 1", "+ 2"), "b.py": HELPER}, "a", "f") != base


@pytest.mark.parametrize(
    "files",
    [
        {"a.py": "from PACKAGE import b\n\n\ndef f(x):\n    return b.helper(x) + 1\n", "b.py": HELPER},
        {"a.py": "import PACKAGE.b as other\n\ndef f(x):\n    return other.helper(x) + 1\n", "b.py": HELPER},
        {"a.py": "from PACKAGE.b import helper as h\n\ndef f(x):\n    return h(x) + 1\n", "b.py": HELPER},
        {"a.py": "def f(x):\n    from PACKAGE.b import helper\n\n    return helper(x) + 1\n", "b.py": HELPER},
        {"a.py": HELPER + "\n\ndef f(x):\n    return helper(x) + 1\n"},
        {
            "a.py": MAIN.replace("b", "c"),
            "c/__init__.py": "from PACKAGE.c.d import helper\n",
            "c/d.py": HELPER,
        },
        {"a.py": MAIN, "b.py": HELPER + "\n\ndef unused(x):\n    return -x\n"},
        {
            "a.py": MAIN.replace("return", '"""Say it."""\n    # and why\n    return'),
            "b.py": HELPER,
        },
    ],
    ids=["module", "alias", "name", "inside", "one file", "re-export", "unused", "comments"],
)
def test_where_code_lies_and_how_it_imports_does_not_count(package: Any, files: dict[str, str]) -> None:
    base = package({"a.py": MAIN, "b.py": HELPER}, "a", "f")
    assert package(files, "a", "f") == base


def test_a_method_of_the_package_reaches_its_rules_and_no_other_method() -> None:
    from benchmark.attribution import c_mwp

    assert isinstance(c_mwp, ModuleType)
    modules = {definition.module for definition in reached([c_mwp.ContrastiveMWP])}
    assert "benchmark.attribution.common.excitation" in modules
    assert "benchmark.models.forward" in modules
    assert "benchmark.attribution.grad_cam" not in modules
    assert not any(module.startswith(("torch", "numpy")) for module in modules)
