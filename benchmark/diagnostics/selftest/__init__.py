"""Checks that need no images, made on the user's own device before a long run."""

from benchmark.diagnostics.selftest import agreement, excitation, gradients, side_effects
from benchmark.diagnostics.selftest.check import Check

_GRAD_CAM, _RULES = "benchmark/attribution/grad_cam.py", "benchmark/attribution/common/excitation.py"

CHECKS: tuple[Check, ...] = (
    Check(
        "Grad-CAM is ReLU(CAM) over the cells",
        f"{_GRAD_CAM}: its weights or its ReLU; or cam.py beside it",
        gradients.grad_cam_is_cam,
    ),
    Check(
        "weights before and after max pooling agree",
        f"{_GRAD_CAM}: the mean of the gradients; or the device's max pooling",
        gradients.weights_survive_pooling,
    ),
    Check(
        "the counterfactual is the negative part",
        f"{_GRAD_CAM}: its ReLU, or something that is not linear in the gradients; or "
        "grad_cam_counterfactual.py beside it, if it is named",
        gradients.counterfactual_is_the_negative_part,
    ),
    Check(
        "guided backprop reaches every ReLU",
        "benchmark/attribution/common/relu_rules.py: a ReLU that torch's graph hides or renames",
        agreement.every_relu_is_guided,
    ),
    Check(
        "MWP conserves mass, layer by layer",
        f"{_RULES}: the rule in RULES of the function named",
        excitation.mass_is_conserved,
    ),
    Check(
        "the contrast sums to zero",
        f"{_RULES}: the step with negated weights at the classifier",
        excitation.contrast_sums_to_zero,
    ),
    Check(
        "LRN and batch norm are passed as the identity",
        f"{_RULES}: their entries in RULES",
        excitation.normalization_is_the_identity,
    ),
    Check(
        "a batch gives what its images give alone",
        "the method named: something summed over, or indexed by, the images of a batch",
        agreement.batch_is_its_images,
    ),
    Check(
        "the device agrees with the CPU in float64",
        "run.precision (float16 overflows above 65504), the device or its driver; or the method named, if it "
        "fails alone",
        agreement.device_agrees_with_float64,
    ),
    Check(
        "a positive factor on a map moves no box",
        "benchmark/localizers/: the one named compares a map with something other than itself",
        agreement.scale_moves_no_box,
    ),
    Check(
        "threads and order move no box",
        "benchmark/localizers/common/grabcut.py: GrabCut's random numbers, kept for each thread",
        agreement.threads_move_no_box,
    ),
    Check(
        "a method leaves nothing behind",
        "benchmark/models/forward.py, or the method named: something set outside a with block",
        side_effects.nothing_is_left_behind,
    ),
)
"""In the order in which they are made: the cheap and informative ones first."""
