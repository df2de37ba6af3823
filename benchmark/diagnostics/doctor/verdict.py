"""The verdict on a measured accuracy, by comparison with chance and with the network's passport."""

from dataclasses import dataclass

from scipy.stats import binomtest

from benchmark.diagnostics.doctor.model import Accuracy
from benchmark.diagnostics.doctor.passport import Expected, Passport
from benchmark.pipeline.scene import Scene

AGREES, DOUBTFUL, CONTRADICTS = "agrees", "doubtful", "contradicts"
_ENOUGH = 20
_SUSPICIOUS = 0.05


@dataclass(frozen=True)
class Review:
    """The verdict on an accuracy.

    Attributes:
        lines: The review as lines of text.
        problems: One line for each clear contradiction.
        suspicious: Whether it is worth while to try out what may be wrong.
    """

    lines: tuple[str, ...]
    problems: tuple[str, ...] = ()
    suspicious: bool = False


def review(scene: Scene, measured: Accuracy, passport: Passport | None, chosen: str) -> Review:
    """Compare an accuracy with chance, and with the passport as far as that is comparable.

    Args:
        scene: Model, images and transform of the measurement.
        measured: The accuracy, on at least one image.
        passport: Passport of the model, if it has one.
        chosen: Why these images may be no fair sample of the dataset; empty where they are one.
    """
    found = _against_passport(scene, measured, passport, chosen)
    wrong = near_chance(measured, len(scene.model.classes or scene.dataset.classes))
    return Review(found.lines, (wrong,), True) if wrong else found


def near_chance(measured: Accuracy, outputs: int) -> str:
    """Say what a top-1 accuracy near chance means; nothing if it is above it, or the images are too few.

    Near is 5 % and less; of few outputs also more, if the accuracy's 99.9 % interval reaches down to chance
    and not up to half-way from chance to perfection: one that reaches both decides nothing.

    Args:
        measured: Accuracy measured on at least one image.
        outputs: Number of outputs, among which chance would choose.
    """
    if measured.n < _ENOUGH:
        return ""
    chance = 1 / outputs
    low, high = _interval(measured.top1, measured.n, 0.999)
    if measured.top1 > _SUSPICIOUS and (low > chance or high > (1 + chance) / 2):
        return ""
    return (
        f"top-1 accuracy {measured.top1:.1%} on {measured.n} images is near chance ({chance:.1%}): "
        "the order of classes or channels or the mean is wrong, or the weights are untrained; "
        "give trained weights (model.weights=FILE) and their own class order (model.classes=FILE)"
    )


def judge(measured: Accuracy, expected: Expected) -> str:
    """Compare both errors with the stated ones.

    Returns:
        ``agrees``: the stated errors lie in the measured 95 % intervals, widened by the tolerance;
        ``contradicts``: one lies outside the 99.9 % interval too, so widened; ``doubtful``: between.
    """

    def within(confidence: float) -> bool:
        bounds = [(_interval(e, measured.n, confidence), stated) for e, stated in _errors(measured, expected)]
        return all(low - expected.tolerance <= s <= high + expected.tolerance for (low, high), s in bounds)

    return AGREES if within(0.95) else DOUBTFUL if within(0.999) else CONTRADICTS


def lines(measured: Accuracy, expected: Expected) -> list[str]:
    """Return the comparison for a reader."""
    found = " and ".join(
        f"{name} {100 * error:.2f} % [{100 * low:.1f}, {100 * high:.1f}]"
        for name, error in (("top-1", 1 - measured.top1), ("top-5", 1 - measured.top5))
        for low, high in [_interval(error, measured.n, 0.95)]
    )
    mean = "mean image" if expected.mean_image else "mean pixel"
    return [
        f"expected    error top-1 {100 * expected.top1:.2f} % and top-5 {100 * expected.top5:.2f} % "
        f"with transform={expected.transform}, {mean} ({expected.source})",
        f"measured    error {found}, 95 % intervals on {measured.n} images",
        f"verdict     {_words(measured, expected)}",
    ]


def _against_passport(scene: Scene, measured: Accuracy, passport: Passport | None, chosen: str) -> Review:
    if passport is None:
        return Review((f"verdict     none: there is no passport of {scene.model.name} to compare with",))
    here = scene.dataset.name, scene.transform.name
    expected = passport.expectation(*here, scene.model.input.mean_image is not None)
    if expected is None:
        stated = ", ".join(f"{e.dataset} with transform={e.transform}" for e in passport.expected)
        now = f"{here[0]} with transform={here[1]}"
        return Review((f"verdict     not comparable: no error is stated for {now}, but for {stated}",))
    kind = judge(measured, expected)
    reservations = [*([chosen] if chosen else []), *_reservations(scene, passport, expected)]
    problem = (
        f"{scene.model.name}: top-1 error {100 * (1 - measured.top1):.1f} % on {measured.n} images where its "
        f"passport says {100 * expected.top1:.1f} %; check weights, transform and model.input, or give "
        "passport=none"
    )
    return Review(
        (*lines(measured, expected), *(f"  but       {why}" for why in reservations)),
        (problem,) if kind == CONTRADICTS and not reservations else (),
        kind != AGREES,
    )


def _reservations(scene: Scene, passport: Passport, expected: Expected) -> list[str]:
    """List what is other than where the stated error was measured: then a difference contradicts nothing."""
    found = []
    if passport.is_of(scene.model) is False:
        found.append("the file's hash is not the passport's: these may be other weights, of another error")
    if expected.mean_image != (scene.model.input.mean_image is not None):
        theirs, ours = ("image", "pixel") if expected.mean_image else ("pixel", "image")
        found.append(
            f"the mean {theirs} was subtracted there, here the mean {ours} (see model.input.mean_image)"
        )
    return found


def _interval(share: float, n: int, confidence: float) -> tuple[float, float]:
    """Return Wilson's (1927) score interval of a fraction observed on ``n >= 1`` images."""
    interval = binomtest(round(share * n), n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def _errors(measured: Accuracy, expected: Expected) -> tuple[tuple[float, float], ...]:
    """Return both errors, as measured and as stated."""
    return (1 - measured.top1, expected.top1), (1 - measured.top5, expected.top5)


def _words(measured: Accuracy, expected: Expected) -> str:
    kind, within = judge(measured, expected), f"{100 * expected.tolerance:g} points beyond chance"
    if kind == AGREES:
        return f"agrees: weights, class order and preprocessing are the passport's, within {within}"
    worse = sum(error - stated for error, stated in _errors(measured, expected)) > 0
    direction = (
        "more is wrong than stated: a few points come of preprocessing (transform, mean, model.input.order), "
        "tens of other weights or another class order"
        if worse
        else "less is wrong than stated: an easier sample, images that the net learned from, or other weights"
    )
    if kind == DOUBTFUL:
        return f"doubtful, allowing {within}; {direction}; more images tell (images=2000)"
    return f"does not agree, allowing {within}; {direction}"
