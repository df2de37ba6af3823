r"""The 1000 classes: WNIDs in sorted order, the order of the outputs of torchvision's and Caffe's networks.

``classes.csv`` (WNID, the devkit's own number 1…1000, words) was written from the ILSVRC2012 devkit's
``meta.mat`` and Caffe's ``synset_words.txt`` by
``python make_classes.py meta.mat synset_words.txt > classes.csv``, which is::

    import csv, sys, scipy.io
    meta, synset_words = sys.argv[1:]
    synsets = scipy.io.loadmat(meta, squeeze_me=True)["synsets"]
    ids = {s["WNID"]: int(s["ILSVRC2012_ID"]) for s in synsets if s["num_children"] == 0}
    with open(synset_words, encoding="utf-8") as lines:
        rows = [(w, ids[w], name.strip()) for w, name in (line.split(" ", 1) for line in lines)]
    csv.writer(sys.stdout, lineterminator="\n").writerows([("wnid", "ilsvrc_id", "name"), *sorted(rows)])

A user's own ``meta.mat`` or synset list is compared with it by :func:`check_meta` and
:func:`check_synsets`.
"""

import csv
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import zip_longest
from pathlib import Path

from benchmark.core.errors import UserError
from benchmark.core.text_lists import read_class_list
from benchmark.datasets.ilsvrc.text import NO_LAST, OFFICIAL_COUNT

_READ_META = """
import json, re, resource, sys, scipy.io
resource.setrlimit(resource.RLIMIT_AS, (1 << 32, resource.RLIM_INFINITY))
synsets = scipy.io.loadmat(sys.argv[1], squeeze_me=True)["synsets"]
number = next(name for name in synsets.dtype.names if re.fullmatch(r"ILSVRC20\\d\\d_ID", name))
print(json.dumps({str(s["WNID"]): int(s[number]) for s in synsets}))
"""


@dataclass(frozen=True)
class Classes:
    """The classes, in the order of their WNIDs.

    Attributes:
        wnids: WordNet ids, such as ``n01440764``; a label is an index into them.
        ilsvrc_ids: The devkit's number of each class, 1…1000.
        names: Each class in words, such as ``tench, Tinca tinca``.
    """

    wnids: tuple[str, ...]
    ilsvrc_ids: tuple[int, ...]
    names: tuple[str, ...]

    @cached_property
    def labels(self) -> dict[str, int]:
        """Return the label of each WNID."""
        return {wnid: label for label, wnid in enumerate(self.wnids)}

    @cached_property
    def labels_of_ilsvrc_ids(self) -> dict[int, int]:
        """Return the label of each of the devkit's class numbers."""
        return {number: label for label, number in enumerate(self.ilsvrc_ids)}

    @cached_property
    def last_image(self) -> int:
        """Return the highest number that an image may have: 50,000 in the official set."""
        return OFFICIAL_COUNT if self == load_classes() else NO_LAST

    def label(self, wnid: str, where: Path) -> int:
        """Return the label of a WNID.

        Raises:
            UserError: If it is not one of the classes, with ``where`` it was found.
        """
        if wnid not in self.labels:
            raise UserError(
                f"{where}: {wnid} is not a WNID of the {len(self.wnids)} classes{self._whose()}; correct or "
                "remove it, or name the list of your classes (dataset.classes=)"
            )
        return self.labels[wnid]

    def _whose(self) -> str:
        return " of ILSVRC2012" if self == load_classes() else ""


def read_classes(path: Path) -> Classes:
    """Read the classes of a user's own collection, as :func:`benchmark.core.text_lists.read_class_list` does.

    The class's number for the devkit is its position, from 1.

    Raises:
        UserError: If the file cannot be read, names no class, or does not name each once in sorted order.
    """
    words_of: dict[str, str] = {}
    last = ""
    for where, wnid, name in read_class_list(path, "give WNIDs in sorted order, one a line"):
        if not re.fullmatch(r"n\d{8}", wnid) or wnid <= last:
            raise UserError(
                f"dataset.classes={where}: {wnid} after {last or 'nothing'}; each line begins with a WNID "
                "(n and eight digits), in sorted order, each once"
            )
        words_of[wnid], last = name, wnid
    if not words_of:
        raise UserError(f"dataset.classes={path}: names no class; give WNIDs in sorted order, one a line")
    wnids, names = tuple(words_of), tuple(words_of.values())
    return Classes(wnids, tuple(range(1, len(wnids) + 1)), names)


@cache
def load_classes() -> Classes:
    """Return the classes of ILSVRC 2012-2017 CLS-LOC."""
    with (Path(__file__).parent / "classes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Classes(
        tuple(row["wnid"] for row in rows),
        tuple(int(row["ilsvrc_id"]) for row in rows),
        tuple(row["name"] for row in rows),
    )


def ilsvrc_ids(wnids: Sequence[str]) -> tuple[int, ...]:
    """Return the devkit's number (1…1000) of each WNID, as used in its submission files.

    Raises:
        KeyError: If a WNID is not one of the 1000.
    """
    classes = load_classes()
    return tuple(classes.ilsvrc_ids[classes.labels[wnid]] for wnid in wnids)


def check_meta(path: Path, classes: Classes) -> None:
    """Compare a devkit's ``meta.mat`` (2012) or ``meta_clsloc.mat`` (later years) with the classes.

    Raises:
        UserError: If it cannot be read or numbers a class differently.
    """
    # In a process of its own, since scipy ends its process on many a damaged .mat file.
    done = subprocess.run([sys.executable, "-P", "-c", _READ_META, path], capture_output=True, check=False)
    if done.returncode:
        reason = (done.stderr.decode(errors="replace").strip() or "scipy cannot read it").rpartition("\n")[2]
        raise UserError(f"{path}: not a devkit's meta.mat ({reason}); unpack the devkit anew")
    numbered = json.loads(done.stdout)
    found = {wnid: number for wnid, number in numbered.items() if number <= len(classes.wnids)}
    expected = dict(zip(classes.wnids, classes.ilsvrc_ids, strict=True))
    for wnid in sorted(expected.keys() | found.keys()):
        if found.get(wnid) != expected.get(wnid):
            raise UserError(
                f"{path}: {wnid} has ILSVRC id {found.get(wnid)}, not {expected.get(wnid)}; "
                "use the devkit of ILSVRC2012 CLS-LOC"
            )


def check_synsets(path: Path, classes: Classes) -> None:
    """Compare a synset list (``LOC_synset_mapping.txt``, ``synset_words.txt``) with the classes.

    Raises:
        UserError: If its classes differ, or are not in the order of sorted WNIDs.
    """
    found = [each.identifier for each in read_class_list(path)]
    for row, (wnid, expected) in enumerate(zip_longest(found, classes.wnids, fillvalue=""), start=1):
        if wnid != expected:
            raise UserError(
                f"{path}, line {row}: {wnid or 'nothing'} where {expected or 'nothing'} is expected; "
                f"the {len(classes.wnids)} WNIDs must be there in sorted order; use the list that belongs "
                "to the images, and for a collection of your own name it (dataset.classes=)"
            )
