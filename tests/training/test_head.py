"""The linear head against scikit-learn's, and by the condition that its optimum fulfils."""

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.training.head import fit, held_out
from benchmark.training.objective import BinaryCrossEntropy, CrossEntropy


def data(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Features ``[n, 6]`` far from zero mean and unit scale, and truths of three classes."""
    random = np.random.default_rng(seed)
    features = 50 + 30 * random.normal(size=(n, 6)) * np.array([1, 2, 0.5, 1, 0.1, 0])
    truth = (features[:, :3] + 20 * random.normal(size=(n, 3)) > 50).astype(np.float32)
    return torch.from_numpy(features), torch.from_numpy(truth)


@pytest.mark.parametrize("strength", [1.0, 0.05])
def test_each_class_is_the_logistic_regression_of_another_library(strength: float) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    features, truth = data(80)
    (head,) = fit(features, truth, BinaryCrossEntropy().loss, 3, [strength])
    x = features.numpy()
    z = (x - x.mean(0)) / np.sqrt(((x - x.mean(0)) ** 2).mean())
    for number in range(3):
        other = linear_model.LogisticRegression(C=1 / (strength * len(x)), tol=1e-10, max_iter=10_000)
        other.fit(z, truth[:, number].numpy())
        np.testing.assert_allclose(head(features)[:, number], other.decision_function(z), atol=1e-4)


def test_at_the_optimum_the_gradient_of_loss_and_penalty_is_zero_on_images_that_count() -> None:
    features, truth = data(40)
    truth[::5, 1] = -1
    strength = 0.1
    (head,) = fit(features, truth, BinaryCrossEntropy().loss, 3, [strength])
    scale = (features - features.mean(0)).square().mean().sqrt()
    z = (features - features.mean(0)) / scale
    excess = torch.where(truth >= 0, head(features).sigmoid() - truth, 0.0)
    gradient = excess.T @ z / len(z) + strength * head.weight * scale
    assert gradient.abs().max() < 1e-5
    assert excess.mean(0).abs().max() < 1e-5


def test_a_class_that_counts_nowhere_stays_at_zero() -> None:
    features, truth = data(20)
    truth[:, 2] = -1
    (head,) = fit(features, truth, BinaryCrossEntropy().loss, 3, [0.1])
    assert not head.weight[2].any()
    assert head.bias[2] == 0


def test_the_path_of_strengths_ends_where_a_direct_fit_does() -> None:
    features, truth = data(30)
    loss = BinaryCrossEntropy().loss
    path, direct = (
        fit(features, truth, loss, 3, [1.0, 0.1, 0.02])[-1],
        fit(features, truth, loss, 3, [0.02])[0],
    )
    torch.testing.assert_close(path(features), direct(features), rtol=1e-3, atol=1e-3)


def test_held_out_images_are_judged_once_by_heads_that_never_saw_them() -> None:
    """A label that only memory can know is not known to a head that never saw the image."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(30, 2, 200, generator=generator)
    features[:, 1] = features[:, 0]  # the second view must not leak into another fold
    labels = torch.randint(0, 2, (30,), generator=generator)
    loss = CrossEntropy().loss
    seen = fit(features.flatten(0, 1), labels.repeat_interleave(2), loss, 2, [1e-3])[0](features[:, 0])
    assert (seen.argmax(1) == labels).all()
    judged, right = [], 0
    for out, (logits,) in held_out(features, labels, loss, 2, [1e-3], folds=5, seed=0):
        judged += out.tolist()
        right += int((logits.argmax(1) == labels[out]).sum())
    assert sorted(judged) == list(range(30))
    assert right < 24
