"""A dataset as the pipeline sees it, whatever it was read from, and the fingerprint of its images."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from benchmark.core.types import Sample


class Report(Protocol):
    """A report of what was found in a user's folders."""

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        ...


@dataclass(frozen=True)
class ImageSet:
    """The selected images of a dataset.

    Attributes:
        name: The dataset's key, which names its results.
        classes: Identifiers of the classes, in the order of the labels.
        class_names: Each class in words.
        samples: The selected images, in the selected order.
        skipped: Images left out by ``dataset.missing=skip``, each with what it lacks.
        version: Version of the rule of fingerprints, and anything else that the numbers depend on, such as
            the hash of a file of masks.
        line: Maps a sample to its line for the fingerprint: id, file size, and annotations.
        report: A report of what was found on disk.
        count: Number of images of the whole set; ``None`` if it is not an official one.
    """

    name: str
    classes: tuple[str, ...]
    class_names: tuple[str, ...]
    samples: tuple[Sample, ...]
    skipped: Mapping[str, str]
    version: str
    line: Callable[[Sample], str]
    report: Report
    count: int | None

    @cached_property
    def fingerprint(self) -> str:
        """Return the sha256 of everything about the images that can change a number.

        It is taken over one line for each sample in the order of ids, and the ids in the samples' own order.
        The lines hold file sizes and annotations, but neither paths nor dates, so it does not depend on where
        the files lie. Pixels are not read: the size in bytes stands for them.
        """
        return self._digest(self.samples)

    @cached_property
    def annotations(self) -> str:
        """Return the same without the sizes of the files."""
        return self._digest([replace(sample, bytes=None) for sample in self.samples])

    def _digest(self, samples: Sequence[Sample]) -> str:
        digest = hashlib.sha256(f"{self.version}\n".encode())
        for sample in sorted(samples, key=lambda sample: sample.image_id):
            digest.update(f"{self.line(sample)}\n".encode())
        digest.update(" ".join(sample.image_id for sample in samples).encode())
        return digest.hexdigest()

    @property
    def complete(self) -> bool:
        """Return whether the whole set is in it."""
        return len(self.samples) == self.count

    @property
    def conditions(self) -> dict[str, Any]:
        """Return what is stored with every number about the images and their annotations."""
        return {"images": len(self.samples), "complete": self.complete}
