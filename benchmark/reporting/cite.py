"""What a paper says of a table: a paragraph on how it was made, and a BibTeX entry with the run's facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from benchmark.core.nested import flatten
from benchmark.reporting.render.latex import escape
from benchmark.reporting.text import one_line

if TYPE_CHECKING:
    from benchmark.core.types import Result
    from benchmark.reporting.table import Table

_NAME = "gradcam-benchmark"
_PAPER = """@inproceedings{selvaraju2017gradcam,
  author = {Selvaraju, Ramprasaath R. and Cogswell, Michael and Das, Abhishek and Vedantam, Ramakrishna and
            Parikh, Devi and Batra, Dhruv},
  title = {{Grad-CAM}: Visual Explanations from Deep Networks via Gradient-based Localization},
  booktitle = {IEEE International Conference on Computer Vision (ICCV)},
  year = {2017},
}"""
_DIGITS = 12
_PLACE = r"(?:results_dir|weights_dir|pictures)="
_PLACES = re.compile(rf""" (?:"{_PLACE}[^"]*"|'{_PLACE}[^']*'|{_PLACE}\S+)""")
"""Options of a command that are of one machine, or change no number, with the quotes that a shell needs."""
_BRACES = {r"\{": r"\textbraceleft{}", r"\}": r"\textbraceright{}"}
"""BibTeX counts a brace, even one that LaTeX sets as a character."""


def citation(table: Table, manifest: Mapping[str, Any] | None, year: int) -> str:
    """Write the paragraph and the entries as a .bib file, which takes text outside of entries for a comment.

    Args:
        table: The table, as it is on disk.
        manifest: Its manifest, for the command and the hashes of the records; ``None`` if there is none.
        year: Year of the run.
    """
    facts = [
        re.sub(r"\\[{}]", lambda brace: _BRACES[brace[0]], escape(one_line(fact)))
        for fact in _facts(table, manifest)
    ]
    entry = [
        f"@misc{{{_key(table)},",
        "  author = {{The Grad-CAM benchmark authors}},",
        "  title = {{Grad-CAM} benchmark: a reference harness for {Table}~1 of the {Grad-CAM} paper},",
        f"  year = {{{year}}},",
        f"  note = {{{' '.join(facts)}}},",
        "}",
    ]
    paragraph = " ".join([*facts, *(escape(one_line(fact)) for fact in _conditions(table))])
    paragraph = paragraph.replace("@", r"\char64{}")  # which BibTeX would take for the beginning of an entry
    intro = "How this table was made, in LaTeX, to be pasted into a paper:"
    return f"{intro}\n\n{paragraph}\n\nTo be cited:\n\n" + "\n".join(entry) + f"\n\n{_PAPER}\n"


def _key(table: Table) -> str:
    """Return a key of characters that BibTeX takes everywhere."""
    name = "".join(char if char.isascii() and char.isalnum() else "-" for char in table.name)
    return f"{_NAME}-{name}-{table.dataset.fingerprint[:8]}"


def _facts(table: Table, manifest: Mapping[str, Any] | None) -> Iterator[str]:
    """Say what was measured, with which code and data."""
    commits = _values(table.measured, "commit")
    dirty = " with changed files" if "True" in _values(table.measured, "dirty") else ""
    commit = f", commit {' and '.join(one[:_DIGITS] for one in commits)}{dirty}" if commits else ""
    note = table.dataset
    part = "all of it" if note.complete else "not the whole official set"
    yield f"“{one_line(table.title)}” was measured by {_NAME} {_version()}{commit},"
    yield f"on {note.name} ({note.images} images, {part}, fingerprint {note.fingerprint[:_DIGITS]})."
    if manifest:
        yield f"It is made again by: {_PLACES.sub('', manifest['commands']['run'])}."
        hashes = sorted(records["sha256"] for records in manifest["inputs"]["records"].values())
        if hashes:
            shown = ", ".join(one[:_DIGITS] for one in hashes)
            yield f"The records that every number follows from have sha256 {shown}."


def _conditions(table: Table) -> Iterator[str]:
    """Say under which conditions."""
    nets = dict.fromkeys(f"{row.model} ({_weights(row)})" for row in table.measured)
    yield f"Networks and weights: {'; '.join(nets)}."
    shared = {
        "Input": [
            f"{row.conditions.get('transform')}, {(row.conditions.get('input') or {}).get('size')} pixels"
            for row in table.measured
        ],
        "Box protocols": [row.localizer for row in table.measured if row.localizer],
        "Computed": [flatten(row.conditions).get("run.precision", "") for row in table.measured],
    }
    for what, values in shared.items():
        text = "; ".join(filter(None, dict.fromkeys(values)))
        if text:
            yield f"{what}: {text}."
    devices, packages = _values(table.measured, "device"), ("python", "torch", "torchvision", "numpy")
    software = [f"{name} {' and '.join(_values(table.measured, name))}" for name in packages]
    yield f"Device: {', '.join(devices) or 'not recorded'}; {', '.join(software)}."
    yield "Intervals are 95 % bootstrap intervals over the images."
    if table.open:
        yield f"Not measured: {', '.join(row.row for row in table.open)}."


def _weights(row: Result) -> str:
    weights = row.conditions.get("weights")
    if not isinstance(weights, Mapping):
        return "weights not recorded"
    return f"{weights.get('source')}, sha256 {str(weights.get('sha256'))[:_DIGITS]}"


def _values(rows: Sequence[Result], key: str) -> list[str]:
    """Return what makers of some rows recorded of themselves, each value once."""
    makers: Iterable[Mapping[str, Any]] = (
        maker for row in rows for maker in row.conditions.get("made_by") or () if isinstance(maker, Mapping)
    )
    return sorted({str(maker[key]) for maker in makers if key in maker})


def _version() -> str:
    try:
        return version(_NAME)
    except PackageNotFoundError:
        return "(not installed)"
