"""How many questions are answered as the dataset answers them, with the image and without."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from benchmark.core.paired import Statistic
from benchmark.tasks.pairs.metrics.common.map_metric import MapMetric
from benchmark.tasks.pairs.statistics import answered, column, image_sums, pair_share
from benchmark.tasks.pairs.types import Answers, ratios


@dataclass(frozen=True)
class AnswerAccuracy(MapMetric, group="pair_metric.answer_accuracy"):
    """The share of questions whose best answer is the dataset's own, word by word.

    The intervals are over images, each with all its questions.

    =====================  ===================================================================
    ``accuracy``           of the model
    ``accuracy_question``  of the same kind of model, trained on the question alone
    ``accuracy_gain``      the difference: what the image adds
    =====================  ===================================================================
    """

    reads: ClassVar[tuple[str, ...]] = ("answers",)
    gives: ClassVar[tuple[str, ...]] = ("accuracy", "accuracy_question", "accuracy_gain")

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Return the shares; without a question-only model the first alone.

        Raises:
            UserError: If the pairs lack the columns of the reading ``answers``.
        """
        images = tuple(image_id.rpartition("_q")[0] or image_id for image_id in answers.pairs.image_ids)
        pairs = replace(answers.pairs, image_ids=images)
        asked, blind = column(pairs, "answer", "answers"), column(pairs, "blind_rank", "answers")
        right, guessed = pairs.columns["rank"] == 0, blind == 0
        known = asked & ~np.isnan(blind)
        gains = np.stack([right.astype(float) - guessed, np.ones(len(pairs))], axis=1)
        return answered(
            {
                "accuracy": pair_share(pairs, right, asked),
                "accuracy_question": pair_share(pairs, guessed, known),
                "accuracy_gain": Statistic(*image_sums(pairs, gains, known), ratios),
            }
        )
