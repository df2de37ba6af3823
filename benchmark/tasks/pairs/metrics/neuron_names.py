"""Whether the names of a class's most important units name the class (paper §7)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from benchmark.core.bootstrap import Numbers
from benchmark.core.errors import UserError
from benchmark.core.options import Count, Fraction, Natural
from benchmark.core.paired import Statistic
from benchmark.core.types import BoolArray, ImageArray, View
from benchmark.reporting.neuron_names import NeuronNames, read_names
from benchmark.reporting.sheet import Panel
from benchmark.tasks.neurons.pictures import active_area
from benchmark.tasks.pairs.metrics.common.map_metric import MapMetric
from benchmark.tasks.pairs.statistics import answered, class_mean, column, image_mean
from benchmark.tasks.pairs.types import Answers, ClassPolicy, Pairs, Reading

if TYPE_CHECKING:
    from benchmark.pipeline.scene import Scene

_SHOWN = 5  # units on each side, on a picture sheet


@dataclass(frozen=True)
class NamedNeurons(MapMetric, group="pair_metric.neuron_names"):
    """The share of pairs of which a unit that speaks most for the class bears one of the class's own names.

    A name is the class's own if its words stand, one after the other, in the class's name: ``dog`` in
    ``dog``, ``striped`` in ``striped disc with ball``, ``tabby cat`` in ``tabby, tabby cat``. Of the units
    with the greatest α only those with α > 0 count, of those with the least only those with α < 0.

    ============================  ====================================================================
    ``neurons_name_class``        at least one of the units for the class bears such a name
    ``neurons_name_class_chance`` the same with the names shuffled over all units of the layer, those without
                                  a name included; its interval is over images and shuffles together
    ``neurons_name_class_gain``   the difference of these two, image by image and shuffle by shuffle
    ``neurons_name_class_macro``  the first, as the mean over classes of each class's share
    ``neurons_against``           at least one of the units against the class bears such a name
    ``neurons_named``             share of the units for the class that bear any name
    ============================  ====================================================================

    Where a layer is averaged and read by one linear layer (GoogLeNet), α is that layer's weight divided by
    the number of cells, the same for every image: then only the classes are different trials.

    Attributes:
        table: A csv of names (:mod:`benchmark.reporting.neuron_names`) of the same layer.
        least: A unit bears the name of its best concept if their IoU is greater.
        shuffles: Number of permutations of the names over the units.
        seed: Of the permutations.
        gives: Names of its statistics.
    """

    table: str | None = None
    least: Fraction = 0.05
    shuffles: Count = 200
    seed: Natural = 0
    reads: ClassVar[tuple[str, ...]] = ("neurons",)
    gives: ClassVar[tuple[str, ...]] = (
        *("neurons_name_class", "neurons_name_class_chance", "neurons_name_class_gain"),
        *("neurons_name_class_macro", "neurons_against", "neurons_named"),
    )

    def check(self, policy: ClassPolicy, readings: Mapping[str, Reading]) -> None:
        """Refuse a table that cannot be read, before anything is measured.

        Raises:
            UserError: With the file, or the option where no file is named.
        """
        _ = self._names

    def check_scene(self, scene: Scene, readings: Mapping[str, Reading]) -> None:
        """Refuse names of another layer than the row's, and tell those of other weights.

        Raises:
            UserError: With the file.
        """
        origin, model = self._names.origin, scene.model
        role = getattr(readings["neurons"], "layer", "last_conv")
        layer = model.layers.get(role, role)
        if origin.get("layer", layer) != layer:
            raise UserError(
                f"{self.table}: names of {origin.get('model')}'s layer {origin['layer']}, and the row's is "
                f"{layer} of {model.name}; name the csv of this network by pair_metric.neuron_names.table"
            )
        if origin.get("weights", model.weights.sha256) != model.weights.sha256:
            print(
                f"{self.table}: names of {origin.get('model')}'s units, measured with other weights than "
                f"those of {model.name}: they are its own only where the layers up to {layer} are the same",
                file=sys.stderr,
            )

    @cached_property
    def _names(self) -> NeuronNames:
        if self.table is None:
            raise UserError(
                "pair_metric.neuron_names.table is not set; name the csv that ./scripts/run "
                "experiment=neurons wrote for this network"
            )
        return read_names(self.table)

    @cached_property
    def _by_unit(self) -> dict[int, str]:
        return {unit: name.concept for unit, name in self._names.above(self.least).items()}

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Return the shares.

        Raises:
            UserError: If the pairs lack the columns of the reading ``neurons``, the table has fewer units
                than the layer, or the classes have no names.
        """
        pairs = answers.pairs
        units, alphas = (column(pairs, name, "neurons") for name in ("units", "alphas"))
        if not len(pairs):
            return {}
        count = self._names.units
        if units.max() >= count:
            raise UserError(
                f"{self.table}: has {count} units, and the layer has unit {units.max()}; name the csv of "
                "this layer"
            )
        half = units.shape[1] // 2
        own = self._own(answers)
        kinds = np.full(count, -1)  # of each unit, its name's place in ``own``
        kinds[list(self._by_unit)] = [list(own).index(name) for name in self._by_unit.values()]
        belongs = np.array([*own.values(), np.zeros(len(answers.classes), np.bool_)], np.bool_)
        label, row = pairs.columns["label"], np.arange(len(pairs))[:, None]
        speaks = {"for": alphas[:, :half] > 0, "against": alphas[:, half:] < 0}

        def any_own(which: str, names: np.ndarray[tuple[int], np.dtype[np.int_]]) -> BoolArray:
            part = units[:, :half] if which == "for" else units[:, half:]
            return np.asarray((belongs[names[part], label[row]] & speaks[which]).any(1))

        random, own_name = np.random.default_rng(self.seed), any_own("for", kinds)
        shuffled = np.stack([any_own("for", random.permutation(kinds)) for _ in range(self.shuffles)], 1)
        every, named = np.ones(len(pairs), np.bool_), (kinds[units[:, :half]] >= 0) & speaks["for"]
        part = named.sum(1) / np.maximum(speaks["for"].sum(1), 1)
        return answered(
            {
                "neurons_name_class": image_mean(pairs, own_name, every, fraction=True),
                "neurons_name_class_chance": _over_shuffles(pairs, shuffled),
                "neurons_name_class_gain": _over_shuffles(pairs, own_name[:, None] - shuffled.astype(float)),
                "neurons_name_class_macro": class_mean(pairs, own_name, every),
                "neurons_against": image_mean(pairs, any_own("against", kinds), every, fraction=True),
                "neurons_named": image_mean(pairs, part, every),
            }
        )

    def _own(self, answers: Answers) -> dict[str, BoolArray]:
        """Return of each name that a unit bears whether it is each class's own, ``[classes]``."""
        if not answers.classes:
            raise UserError(
                "pair_metric neuron_names: there are no names of classes that a unit's name could be one of"
            )
        classes = [[_words(name) for name in one.split(",")] for one in answers.classes]
        return {
            name: np.array([any(_within(_words(name), words) for words in one) for one in classes], np.bool_)
            for name in dict.fromkeys(self._by_unit.values())
        }

    def sentences(self, answers: Answers) -> list[str]:
        """Return sentences such as ``dog: because of dog (units 3, 7); in spite of cat (unit 8)``."""
        return [
            f"{answers.classes[label].partition(',')[0]}: because of {self._listed(units, alphas, 1)}; "
            f"in spite of {self._listed(units, alphas, -1)}"
            for label, units, alphas in zip(
                *(answers.pairs.columns[name].tolist() for name in ("label", "units", "alphas")), strict=True
            )
        ]

    def _listed(self, units: Sequence[int], alphas: Sequence[float], sign: int) -> str:
        by_name: dict[str, list[int]] = {}
        half = len(units) // 2
        part = slice(None, half) if sign > 0 else slice(half, None)
        for unit, alpha in zip(units[part], alphas[part], strict=True):
            if alpha * sign > 0:
                by_name.setdefault(self._by_unit.get(unit, "no name"), []).append(unit)
        return ", ".join(f"{name} ({_numbers(own)})" for name, own in by_name.items()) or "nothing"

    def headings(self, room: int) -> list[str]:
        """Return the headings of :meth:`panels`: of the units for the class, and of those against it."""
        rest = [""] * (self._shown(room) - 1)
        return ["units for it", *rest, "units against it", *rest] if room > 1 else []

    @staticmethod
    def _shown(room: int) -> int:
        """Return how many units for the class are shown, and as many against it."""
        return min(room // 2, _SHOWN)

    def panels(self, pair: Pairs, pixels: ImageArray, view: View, room: int) -> Iterator[Panel]:
        """Yield the masks of a single pair's units on its image, half of them for the class, half against.

        A mask is where the unit's map is above its threshold; without a threshold, above half its maximum.
        """
        units, alphas, maps = (pair.columns[name][0] for name in ("units", "alphas", "unit_maps"))
        half, limits, shown = len(units) // 2, self._names.thresholds(), self._shown(room)
        for first in (0, half):
            for place in range(first, first + min(shown, half)):
                unit = int(units[place])
                limit = limits.get(unit, float(maps[place].max()) / 2)
                caption = f"{unit}: {self._by_unit.get(unit, 'no name')}", f"α {alphas[place]:+.2g}"
                yield Panel(caption, pixels, heat=active_area(maps[place], view, limit))
            yield from [Panel()] * (shown - half)


def _over_shuffles(pairs: Pairs, hits: Numbers | BoolArray) -> Statistic:
    """Take the mean over pairs of an image, then over images, and on its own images over all shuffles.

    Args:
        pairs: Stored pairs.
        hits: ``[n, s]`` of each pair in each shuffle.

    Returns:
        A statistic whose resample ``r`` is of shuffle ``r mod s`` alone, so that the interval is of images
        and shuffles.
    """
    images = list(dict.fromkeys(pairs.image_ids))
    place = np.array([images.index(image) for image in pairs.image_ids])
    sums = np.zeros((len(images), hits.shape[1]))
    np.add.at(sums, place, hits)
    values = sums / np.bincount(place)[:, None]

    def reduce(means: Numbers) -> Numbers:
        if len(means) == 1:
            return np.asarray(means.mean(axis=1))
        rows = np.arange(len(means))
        return np.asarray(means[rows, rows % means.shape[1]])

    return Statistic(tuple(images), values, reduce)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _within(words: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether words stand one after the other among others."""
    size = len(words)
    return size > 0 and any(
        list(others[at : at + size]) == list(words) for at in range(len(others) - size + 1)
    )


def _numbers(units: Sequence[int]) -> str:
    return ("unit " if len(units) == 1 else "units ") + ", ".join(map(str, units))
