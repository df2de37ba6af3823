"""Targets: what a method explains, where a model's scores depend on a text beside the image.

A method explains output k of a model, whatever it stands for: a class's logit, an answer's logit, a word's
log-probability, a caption's sum of them. What is no classifier becomes one by a module that gives ``[N, T]``
target scores for images. The question or caption that belongs to an image is *bound* to the module while a
batch is explained, so that no method knows of words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from benchmark.core.errors import UserError
from benchmark.core.types import Sample

if TYPE_CHECKING:  # so that whoever only reads results need not wait for torch
    from torch import Tensor, nn

PROBE = "?"
"""The text that is bound where a model is tried out on noise."""


CAPTION = "<caption>"
"""The target that is the sum of the log-probabilities of a caption's words."""


@dataclass(frozen=True, slots=True)
class TextSample(Sample):
    """An image with a question or caption; its ``image_id`` is unique, its ``path`` need not be.

    Attributes:
        text: The question, or the caption whose words are scored; empty for one that the model makes.
    """

    text: str = ""


@runtime_checkable
class TextBound(Protocol):
    """A module whose scores depend on a text for each image of a batch.

    Attributes:
        texts: Texts of the images to come, one an image; ``None`` while none are bound.
    """

    texts: tuple[str, ...] | None


@runtime_checkable
class QuestionOnly(Protocol):
    """A module that also answers without the image, by a model of its own: the question-only baseline."""

    def without_image(self) -> Tensor:
        """Return answers' scores ``[N, T]`` for the texts that are bound."""
        ...


@contextmanager
def bound(module: nn.Module, texts: Sequence[str]) -> Iterator[None]:
    """Bind a text to each image of the batches in the ``with`` block; what was bound before returns then.

    A module that needs no texts is left as it is.
    """
    if not isinstance(module, TextBound):
        yield
        return
    before, module.texts = module.texts, tuple(texts)
    try:
        yield
    finally:
        module.texts = before


@contextmanager
def rows(module: nn.Module, images: Sequence[int]) -> Iterator[None]:
    """Bind the texts of the given images of the batch, for inputs that are made of them (covered, changed).

    Args:
        module: The module, within :func:`bound`.
        images: Number of the image in the batch that each input of the ``with`` block is made of.
    """
    texts = module.texts if isinstance(module, TextBound) else None
    with bound(module, [texts[image] for image in images] if texts else ()):
        yield


def texts_of(module: TextBound, inputs: Tensor) -> tuple[str, ...]:
    """Return the texts that are bound, one for each of the images ``[N, …]``.

    Raises:
        UserError: If there is not one text for each image.
    """
    if module.texts is None or len(module.texts) != len(inputs):
        raise UserError(
            "this model looks at an image and a text, and these images have none; choose a dataset of "
            "questions or captions (docs/language.md)"
        )
    return module.texts


def text_of(sample: Sample) -> str:
    """Return a sample's question or caption; an empty text where it has none."""
    return sample.text if isinstance(sample, TextSample) else ""
