"""Tiny vision-language models of transformers with random parameters, saved to a folder as real ones are."""

from pathlib import Path
from typing import Any

import pytest
import torch

WORDS = (
    *("a", "which", "body", "texture", "head", "with", "?"),
    *("disc", "box", "wedge", "cross", "star", "ring", "striped", "dotted", "checked", "ringed"),
    *("ball", "cube", "horn", "ears"),
)
ANSWERS = WORDS[7:]
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SIZE, PATCH = 32, 8
_TEXT: dict[str, Any] = {
    "vocab_size": len(SPECIAL) + len(WORDS),
    "hidden_size": 16,
    "encoder_hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "sep_token_id": 3,
    "pad_token_id": 0,
}
_VISION: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": SIZE,
    "patch_size": PATCH,
}


def saved(kind: str, folder: Path) -> Path:
    """Save a model of an architecture, its tokenizer and its image processor; skip where a package lacks."""
    transformers = pytest.importorskip("transformers", reason="the package transformers is not installed")
    torch.manual_seed(0)
    getattr(transformers, kind)(_config(transformers, kind)).save_pretrained(folder)
    _tokenizer(transformers).save_pretrained(folder)
    transformers.ViTImageProcessor(size={"height": SIZE, "width": SIZE}).save_pretrained(folder)
    return folder


def _config(transformers: Any, kind: str) -> Any:
    if kind.startswith("Blip"):
        return transformers.BlipConfig(text_config=_TEXT, vision_config=_VISION, projection_dim=16)
    if kind.startswith("Git"):
        return transformers.GitConfig(vision_config=_VISION, **_TEXT)
    if kind.startswith("Vilt"):
        labels = dict(enumerate(ANSWERS))
        own = {name: value for name, value in _TEXT.items() if name != "encoder_hidden_size"}
        return transformers.ViltConfig(**{**own, "image_size": SIZE, "patch_size": PATCH, "id2label": labels})
    decoder = transformers.BertConfig(**_TEXT, is_decoder=True, add_cross_attention=True)
    both = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        transformers.ViTConfig(**_VISION), decoder
    )
    both.decoder_start_token_id, both.pad_token_id = 2, 0
    return both


def _tokenizer(transformers: Any) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary = {word: number for number, word in enumerate((*SPECIAL, *WORDS))}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, **dict(zip(names, SPECIAL, strict=True))
    )
