"""Models of transformers from a folder: tiny ones with random parameters, through the whole way."""

from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.tiny_multimodal import ANSWERS, SIZE, saved
from safetensors.torch import load_file, save_file

from benchmark.attribution.grad_cam import GradCAM
from benchmark.core.errors import UserError
from benchmark.core.targets import CAPTION, bound
from benchmark.core.types import Model
from benchmark.models.forward import forward_pass
from benchmark.models.text.folder import load

KINDS = {
    "BlipForConditionalGeneration": True,
    "BlipForQuestionAnswering": False,
    "GitForCausalLM": True,
    "ViltForQuestionAnswering": False,
    "VisionEncoderDecoderModel": True,
}
TEXTS = ("which body?", "a striped disc with ball", "which texture ?")


def model_of(kind: str, folder: Path) -> Model:
    return load(str(saved(kind, folder)), kind, None if kind.startswith("Vilt") else ANSWERS)


def images() -> torch.Tensor:
    return torch.randn(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("kind", "captions"), KINDS.items())
def test_each_kind_scores_its_targets_and_has_a_map_of_its_patches(
    kind: str, captions: bool, tmp_path: Path
) -> None:
    model = model_of(kind, tmp_path)
    assert model.classes == ((CAPTION, *ANSWERS) if captions else ANSWERS)
    with bound(model.module, TEXTS):
        together = forward_pass(model, images(), ("last_conv",))
        maps = GradCAM(relu=False)(model, together, torch.tensor([[0, 1], [2, 3], [4, 5]]))
    assert together.logits.shape == (3, len(model.classes))
    assert together.activations["last_conv"].shape == (3, 16, 4, 4)
    assert (maps.flatten(2).std(2) > 0).all()
    for number, text in enumerate(TEXTS):
        with bound(model.module, [text]):
            alone = forward_pass(model, images()[number : number + 1]).logits
        torch.testing.assert_close(alone[0], together.logits[number].detach(), rtol=1e-4, atol=1e-5)
    with pytest.raises(UserError, match=r"choose a dataset of questions or captions"):
        model.module(images())


def official(kind: str, net: Any, tokenizer: Any) -> torch.Tensor:
    """The score of the first image by the package's own way from pixels and texts."""
    pixels = images()[:1]
    if kind.startswith("Vilt"):
        asked = tokenizer(TEXTS[0], return_tensors="pt")
        logits: torch.Tensor = net(**asked, pixel_values=pixels).logits
        return logits[0]
    words = tokenizer(TEXTS[1], add_special_tokens=False, return_tensors="pt").input_ids
    start = torch.full_like(words[:, :1], 2)
    begun = torch.cat([start, words[:, :-1]], 1)
    if kind.startswith("Vision"):
        logits = net(pixel_values=pixels, decoder_input_ids=begun).logits
    else:
        logits = net(input_ids=begun, pixel_values=pixels).logits[:, -begun.shape[1] :]
    steps = logits.log_softmax(2)
    return steps.gather(2, words[..., None]).sum()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "BlipForQuestionAnswering"])
def test_scores_are_those_of_the_packages_own_forward_pass(kind: str, tmp_path: Path) -> None:
    model = model_of(kind, tmp_path)
    module: Any = model.module
    expected = official(kind, module.net, module.tokens.tokenizer)
    with bound(model.module, [TEXTS[0] if kind.startswith("Vilt") else TEXTS[1]]):
        found = model.module(images()[:1])[0]
    torch.testing.assert_close(found if kind.startswith("Vilt") else found[0], expected, rtol=1e-4, atol=1e-5)


def test_how_texts_become_tokens_is_of_the_models_identity_and_where_it_lies_is_not(tmp_path: Path) -> None:
    known = []
    for place in ("one", "moved"):
        torch.manual_seed(0)
        folder = saved("BlipForQuestionAnswering", tmp_path / place)
        known.append(load(str(folder), "x", ANSWERS).weights.sha256)
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text().replace('"[CLS]"', '"[SEP]"', 1))
    known.append(load(str(folder), "x", ANSWERS).weights.sha256)
    assert known[0] == known[1] != known[2]


def test_a_folder_that_lacks_a_file_or_is_of_another_kind_is_one_line(tmp_path: Path) -> None:
    folder = saved("BlipForQuestionAnswering", tmp_path)
    with pytest.raises(UserError, match=r"model.targets: x names no answers"):
        load(str(folder), "x")
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(
        config.replace("BlipForQuestionAnswering", "BlipForImageTextRetrieval")
    )
    with pytest.raises(UserError, match=r"BlipForImageTextRetrieval; known are"):
        load(str(folder), "x", ANSWERS)
    with pytest.raises(UserError, match=r"model.size=0: must be a whole number from 1 up, or null"):
        load(str(folder), "x", ANSWERS, size=0)
    (folder / "config.json").write_text(config)
    with pytest.raises(UserError, match=r"model.size=33: must be a multiple of 8, the side of a patch"):
        load(str(folder), "x", ANSWERS, size=33)
    whole = load_file(folder / "model.safetensors")
    first = min(whole)
    save_file({name: one for name, one in whole.items() if name != first}, folder / "model.safetensors")
    with pytest.raises(UserError, match=rf"model.safetensors: lacks {first} \(1 so\)"):
        load(str(folder), "x", ANSWERS)
    (folder / "model.safetensors").write_bytes(b"no weights")
    (folder / "config.json").write_text(config)
    with pytest.raises(UserError, match=r"cannot be read"):
        load(str(folder), "x", ANSWERS)
    for file in ("tokenizer.json", "preprocessor_config.json", "model.safetensors", "config.json"):
        (folder / file).unlink()
        with pytest.raises(UserError, match=rf"lacks {file}.*save_pretrained"):
            load(str(folder), "x", ANSWERS)
