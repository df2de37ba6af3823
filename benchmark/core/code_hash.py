"""Hash the code that a number depends on: what is reached from an object, definition by definition.

A definition is a function, a class or a constant at the top level of a module. Starting from the given ones,
every name that a definition uses is looked up where it was defined, through all imports, and so on. What is
hashed is each definition's syntax tree without docstrings, comments, layout and imports, and with every name
of ours in one form. So a number is measured again when code that makes it changes, and only then: a file that
is moved, split or merged, or that imports in another way, changes nothing.
"""

import ast
import hashlib
import importlib.util
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple


class Definition(NamedTuple):
    """A name at the top level of a module."""

    module: str
    name: str


@dataclass(frozen=True)
class _Source:
    """A module's top level: what it defines, and what its imports name (``None``: a whole module)."""

    definitions: dict[str, list[ast.stmt]]
    imports: dict[str, tuple[str, str | None]]


def code_fingerprint(parts: Iterable[Any]) -> str:
    """Return the sha256 of all code that is reached from the given parts.

    Args:
        parts: Functions, classes, or modules (all that they define); of any other object, its class.
    """
    texts = sorted(_resolved(definition).text for definition in reached(parts))
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def reached(parts: Iterable[Any]) -> set[Definition]:
    """Return the definitions that some parts use, at any distance, in their own packages and in this one."""
    todo = [definition for part in parts for definition in _roots(part)]
    found: set[Definition] = set()
    while todo:
        definition = todo.pop()
        if definition not in found:
            found.add(definition)
            todo += _resolved(definition).used
    return found


def _roots(part: Any) -> Iterator[Definition]:
    if isinstance(part, ModuleType):
        yield from (Definition(part.__name__, name) for name in _source(part.__name__).definitions)
    else:
        named = part if inspect.isclass(part) or inspect.isroutine(part) else type(part)
        yield Definition(named.__module__, named.__qualname__.partition(".")[0])


@cache
def _source(module: str) -> _Source:
    """Read the top level of a module; that of a module without Python source is empty."""
    found = _Source({}, {})
    spec = importlib.util.find_spec(module)
    if spec is None or not (spec.origin or "").endswith(".py"):
        return found
    for node in ast.parse(Path(str(spec.origin)).read_text(encoding="utf-8")).body:
        for name in _names_defined(node):
            found.definitions.setdefault(name, []).append(node)
        found.imports.update(_imported(node))
    return found


def _names_defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    targets = [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else targets
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


def _imported(tree: ast.AST) -> dict[str, tuple[str, str | None]]:
    """Map each name that an import in a tree binds to the module and the name in it."""
    bound: dict[str, tuple[str, str | None]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            bound |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            bound |= {alias.asname: (alias.name, None) for alias in node.names if alias.asname}
    return bound


def _package(module: str) -> str:
    return module.partition(".")[0]


class _Names:
    """What names stand for in the code of one package and in this one; all other code is not looked into."""

    def __init__(self, package: str) -> None:
        self.packages = {package, _package(__name__)}

    def of(self, module: str, name: str) -> Definition | str | None:
        """Find what a name stands for in a module: a definition, a module, or nothing of ours."""
        source = _source(module)
        if name in source.definitions:
            return Definition(module, name)
        return self.imported(*source.imports[name]) if name in source.imports else None

    def imported(self, module: str, name: str | None) -> Definition | str | None:
        """Find what an import names."""
        if _package(module) not in self.packages:
            return None
        if name is None:
            return module
        itself = _source(module).imports.get(name) == (
            module,
            name,
        )  # a package that imports a module of its own
        found = None if itself else self.of(module, name)
        return found or (f"{module}.{name}" if _is_module(f"{module}.{name}") else None)


@cache
def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is a module, not a package
        return False


class _Resolver(ast.NodeTransformer):
    """Replace each use of another definition by the definition's bare name, and collect the definitions."""

    def __init__(self, definition: Definition, imports: dict[str, tuple[str, str | None]]) -> None:
        self.names = _Names(_package(definition.module))
        self.definition, self.imports, self.used = definition, imports, set[Definition]()

    def _meaning(self, name: str) -> Definition | str | None:
        if name in self.imports:
            return self.names.imported(*self.imports[name])
        return self.names.of(self.definition.module, name)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        meaning = self._meaning(node.id)
        if isinstance(meaning, Definition):
            self.used.add(meaning)
            return ast.Name(meaning.name, node.ctx)
        if isinstance(meaning, str):  # a module as a value: any of its definitions may be used
            self.used |= {Definition(meaning, name) for name in _source(meaning).definitions}
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        module = self._meaning(node.value.id) if isinstance(node.value, ast.Name) else None
        meaning = self.names.imported(module, node.attr) if isinstance(module, str) else None
        if isinstance(meaning, Definition):
            self.used.add(meaning)
            return ast.Name(meaning.name, node.ctx)
        return node if isinstance(module, str) else self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        return None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        return None

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        bare = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if bare else self.generic_visit(node)


class _Resolved(NamedTuple):
    text: str
    used: frozenset[Definition]


@cache
def _resolved(definition: Definition) -> _Resolved:
    """Return a definition's tree as text, and the definitions that it uses."""
    text, used = [], set[Definition]()
    for node in _source(definition.module).definitions.get(definition.name, ()):
        copy = ast.parse(ast.unparse(node)).body[0]
        resolver = _Resolver(definition, _imported(copy))
        text.append(ast.dump(resolver.visit(copy)))
        used |= resolver.used
    return _Resolved("\n".join(text), frozenset(used - {definition}))
