"""How much of the maps' mass lies in a region, and how right the network is with and without it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from benchmark.core.options import Natural
from benchmark.core.paired import Statistic
from benchmark.tasks.pairs.metrics.common.map_metric import MapMetric
from benchmark.tasks.pairs.statistics import answered, class_mean, column, pair_share
from benchmark.tasks.pairs.types import Answers

_GIVES = ("accuracy", "mass", "mass_chance", "accuracy_with", "accuracy_without")
_OF_CLASS = ("mass", "accuracy_with", "accuracy_without")


@dataclass(frozen=True)
class RegionMass(MapMetric, group="pair_metric.region_mass"):
    """The share of a map's mass in a region such as a planted tag, per class, and the network's accuracy.

    Pairs are those of an image and a class that it holds, without classes of which all objects are difficult.

    =======================  ========================================================================
    ``accuracy``             share of the pairs whose class has the greatest score
    ``accuracy_with``, …     the same where the image has a region, and where it has none
    ``mass``                 share of the map's positive mass that lies in the region, mean over the
                             pairs of a class whose image has a region, then over the classes
    ``mass_chance``          the same of a map that is everywhere the same: the region's share
    ``…_3``                  of class 3 alone, an index into the dataset's classes
    =======================  ========================================================================

    Attributes:
        classes: Classes of which ``mass``, ``accuracy_with`` and ``accuracy_without`` are given alone.
        reads: Names of the readings whose columns it needs.
    """

    classes: tuple[Natural, ...] = ()
    reads: ClassVar[tuple[str, ...]] = ("region",)

    @property
    def gives(self) -> tuple[str, ...]:
        """Return the names of its statistics."""
        return (*_GIVES, *(f"{name}_{label}" for label in self.classes for name in _OF_CLASS))

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Return the shares.

        Raises:
            UserError: If the pairs lack the columns of the reading ``region``.
        """
        pairs, columns = answers.pairs, answers.pairs.columns
        trials, right = columns["labelled"] & ~columns["difficult"], columns["rank"] == 0
        share, mass = (column(pairs, f"region_{name}", "region") for name in ("share", "mass"))
        has, found = share > 0, {"accuracy": pair_share(pairs, right, trials)}
        for suffix, chosen in [
            ("", trials),
            *((f"_{k}", trials & (columns["label"] == k)) for k in self.classes),
        ]:
            found[f"mass{suffix}"] = class_mean(pairs, mass, chosen & has, fraction=False)
            found[f"accuracy_with{suffix}"] = pair_share(pairs, right, chosen & has)
            found[f"accuracy_without{suffix}"] = pair_share(pairs, right, chosen & ~has)
        found["mass_chance"] = class_mean(pairs, share, trials & has, fraction=False)
        return answered({name: found[name] for name in self.gives})
