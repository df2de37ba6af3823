"""A measured accuracy held against chance and against the net's passport."""

from dataclasses import dataclass

from benchmark.diagnostics.doctor import verdict
from benchmark.diagnostics.doctor.chance import fault
from benchmark.diagnostics.doctor.model import Accuracy
from benchmark.diagnostics.doctor.passport import Expected, Passport
from benchmark.pipeline.scene import Scene


@dataclass(frozen=True)
class Review:
    """What comes of it.

    Attributes:
        lines: For a person.
        problems: One line for each clear contradiction.
        suspicious: Whether it is worth while to try out what may be wrong.
    """

    lines: tuple[str, ...]
    problems: tuple[str, ...] = ()
    suspicious: bool = False


def review(scene: Scene, measured: Accuracy, passport: Passport | None, chosen: str) -> Review:
    """Hold an accuracy against chance, and against the passport as far as that is comparable.

    Args:
        scene: What it was measured on.
        measured: The accuracy, on at least one image.
        passport: Of the model, if it has one.
        chosen: Why these images may be no fair sample of the dataset; empty where they are one.
    """
    told = _against_passport(scene, measured, passport, chosen)
    wrong = fault(measured, len(scene.model.classes or scene.dataset.classes))
    return Review(told.lines, (wrong,), True) if wrong else told


def _against_passport(scene: Scene, measured: Accuracy, passport: Passport | None, chosen: str) -> Review:
    if passport is None:
        return Review((f"verdict     none: there is no passport of {scene.model.name} to compare with",))
    form = scene.model.input
    wanted = scene.dataset.name, scene.transform.name
    expected = passport.expectation(*wanted, form.mean_image is not None)
    if expected is None:
        stated = ", ".join(f"{e.dataset} with transform={e.transform}" for e in passport.expected)
        now = f"{wanted[0]} with transform={wanted[1]}"
        return Review(
            (f"verdict     not comparable: no error is stated for {now}; there is one for {stated}",)
        )
    found = verdict.judge(measured, expected)
    reservations = [*([chosen] if chosen else []), *_reservations(scene, passport, expected)]
    lines = [*verdict.lines(measured, expected, found), *(f"  but       {why}" for why in reservations)]
    clear = found.kind == verdict.CONTRADICTS and not reservations
    error = 100 * (1 - measured.top1)
    problem = (
        f"{scene.model.name}: top-1 error {error:.1f} % on {measured.n} images where its passport says "
        f"{100 * expected.top1:.1f} %; check weights, transform and model.input, or give passport=none"
    )
    return Review(tuple(lines), (problem,) if clear else (), found.kind != verdict.AGREES)


def _reservations(scene: Scene, passport: Passport, expected: Expected) -> list[str]:
    """What is other than where the stated error was measured, so that a difference is no contradiction."""
    found = []
    if passport.is_of(scene.model) is False:
        found.append("the file's hash is not the passport's: these may be other weights, of another error")
    if expected.mean_image != (scene.model.input.mean_image is not None):
        theirs, ours = ("image", "pixel") if expected.mean_image else ("pixel", "image")
        found.append(
            f"the mean {theirs} was subtracted there, here the mean {ours} (see model.input.mean_image)"
        )
    return found
