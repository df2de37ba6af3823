"""A stored picture is the method's colours, from their least to their greatest value."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.small_models import images
from helpers.small_scenes import METHODS, scene

from benchmark.attribution.guided_backprop import GuidedBackprop
from benchmark.attribution.guided_grad_cam import GuidedGradCAM
from benchmark.core.errors import UserError
from benchmark.core.types import Box, View
from benchmark.models.forward import forward_pass
from benchmark.tasks.pairs.readings.picture import MapPicture
from benchmark.tasks.pairs.types import Asked, Pair


@pytest.mark.parametrize("method", [GuidedGradCAM(), GuidedBackprop(), METHODS["cam"]], ids=lambda m: m.name)
def test_a_picture_is_scaled_over_pixels_and_channels(tmp_path: Path, method: object) -> None:
    on = scene(tmp_path)
    model, side = on.model, on.model.input.size
    forward = forward_pass(model, images(2, side).to(torch.float32), ("input", *METHODS["cam"].layers))
    classes = torch.tensor([[1, 0], [2, 2]])
    maps = method(model, forward, classes)  # type: ignore[operator]
    reading = MapPicture()
    values = reading.measure(Asked(model, forward, classes, maps.detach(), method))  # type: ignore[arg-type]
    assert values["picture"].shape == (2, 2, 3, side, side)
    pair = Pair(on.dataset.samples[0], 0, View(9, 9, Box(0, 0, 9, 9)))
    one = {name: value[0, 0].numpy() for name, value in values.items()}
    picture = reading.finish(pair, one)["picture"].astype(int)
    assert (picture.min(), picture.max(), picture.shape) == (0, 255, (side, side, 3))
    if isinstance(method, GuidedGradCAM):
        signed = next(iter(method.products(model, forward, classes)))[0].detach().numpy()
        signed = signed[::-1] if model.input.order == "bgr" else signed
        wanted = 255 * (signed - signed.min()) / (signed.max() - signed.min())
        assert np.abs(picture - wanted.transpose(1, 2, 0)).max() <= 0.51
    with pytest.raises(UserError, match="NaN or infinity in the map"):
        reading.finish(pair, one | {"finite": np.zeros((), np.float32)})
