"""Comparison of the class lists that lie beside the user's images with the classes of the dataset."""

import re
from itertools import zip_longest
from pathlib import Path

from benchmark.core.errors import UserError
from benchmark.datasets.ilsvrc.classes import Classes
from benchmark.datasets.ilsvrc.text import fields


def check_meta(path: Path, classes: Classes) -> None:
    """Compare a devkit's ``meta.mat`` (2012) or ``meta_clsloc.mat`` (later years) with the classes.

    Raises:
        UserError: If it cannot be read or numbers a class differently.
    """
    import scipy.io  # here: few datasets come with a devkit

    try:
        synsets = scipy.io.loadmat(path, squeeze_me=True)["synsets"]
        number = next(name for name in synsets.dtype.names if re.fullmatch(r"ILSVRC20\d\d_ID", name))
        found = {str(s["WNID"]): int(s[number]) for s in synsets if int(s[number]) <= len(classes.wnids)}
    # scipy raises almost any exception on a damaged .mat file.
    except Exception as error:
        raise UserError(f"{path}: not a devkit's meta.mat ({error}); unpack the devkit anew") from error
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
    found = [words[0] for _, words in fields(path)]
    for row, (wnid, expected) in enumerate(zip_longest(found, classes.wnids, fillvalue=""), start=1):
        if wnid != expected:
            raise UserError(
                f"{path}, line {row}: {wnid or 'nothing'} where {expected or 'nothing'} is expected; "
                f"the {len(classes.wnids)} WNIDs must be there in sorted order; use the list that belongs "
                "to the images, and for a collection of your own name it (dataset.classes=)"
            )
