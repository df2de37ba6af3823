"""Models of the package transformers as classifiers of targets: captions and answers, by their scores.

The map that methods read is that of the last visual tokens that the score depends on, reshaped to a grid
without the class token: of the image encoder's output, or, in ViLT, of what enters its last layer.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from benchmark.core.targets import texts_of
from benchmark.models.text.tokens import Tokens, answer_scores, target_scores

_LONGEST = 20


class FolderNet(nn.Module, ABC):
    """A model of transformers as a classifier of targets.

    Attributes:
        net: The model.
        visual: Does nothing; the map of the visual tokens passes through it.
        texts: The images' texts, set by :func:`benchmark.core.targets.bound`.
        captions: Whether its targets are a caption and its words.
        names_answers: Whether it has answers of its own, and no others.
    """

    captions: ClassVar[bool] = True
    names_answers: ClassVar[bool] = False

    def __init__(self, net: Any, tokens: Tokens) -> None:
        super().__init__()
        self.net = net
        self.visual = nn.Identity()
        self.tokens = tokens
        self.texts: tuple[str, ...] | None = None
        self.targets: tuple[tuple[int, ...], ...] = ()

    @property
    def size(self) -> int:
        """Return the side of the input, pixels."""
        return self._side("image_size")

    @property
    def patch(self) -> int:
        """Return the side of a patch, pixels."""
        return self._side("patch_size")

    def _side(self, name: str) -> int:
        config = self.net.config
        config = getattr(config, "vision_config", None) or getattr(config, "encoder", None) or config
        side = getattr(config, name)
        return int(side if isinstance(side, int) else side[0])

    def scored(self, targets: Sequence[str]) -> None:
        """Set the answers or words that are scored."""
        self.targets = tuple(self.tokens.of(target) for target in targets)

    def forward(self, x: Tensor) -> Tensor:
        """Return target scores ``[N, T]`` of images with their texts.

        Raises:
            UserError: If there is not one text for each image.
        """
        return self.scores(x, texts_of(self, x))

    @abstractmethod
    def scores(self, x: Tensor, texts: tuple[str, ...]) -> Tensor:
        """Return target scores ``[N, T]`` of images with these texts."""

    def through(self, tokens: Tensor) -> Tensor:
        """Pass the last tokens, of which a square grid is made, through the map; a class token stays out."""
        side = int(tokens.shape[1] ** 0.5)
        before = tokens.shape[1] - side**2
        grid = tokens[:, before:].transpose(1, 2).reshape(len(tokens), -1, side, side)
        return torch.cat([tokens[:, :before], self.visual(grid).flatten(2).transpose(1, 2)], 1)


class CaptionNet(FolderNet):
    """One that makes captions word by word."""

    def scores(self, x: Tensor, texts: tuple[str, ...]) -> Tensor:
        """Return target scores of captions, which are made where they are not given."""
        seen = self.see(x)
        if not all(texts):
            made = self._made(seen)
            texts = self.texts = tuple(text or own for text, own in zip(texts, made, strict=True))
        numbers, counts = self.tokens.padded([self.tokens.of(text) for text in texts], x.device)
        steps = self.next_words(seen, self._begun(numbers))[:, :-1].log_softmax(2)
        return target_scores(steps, numbers, counts, self.targets)

    @abstractmethod
    def see(self, x: Tensor) -> Tensor:
        """Return the visual tokens ``[N, tokens, C]``, having passed through the map."""

    @abstractmethod
    def next_words(self, seen: Tensor, numbers: Tensor) -> Tensor:
        """Return the scores ``[N, L, V]`` of the word after each of ``[N, L]``."""

    @property
    @abstractmethod
    def start(self) -> int:
        """Return the number of the token that begins a caption."""

    def _begun(self, numbers: Tensor) -> Tensor:
        return torch.cat([torch.full_like(numbers[:, :1], self.start), numbers], 1)

    @torch.no_grad()
    def _made(self, seen: Tensor) -> list[str]:
        """Return captions, the likeliest token at each place."""
        numbers = torch.full((len(seen), 1), self.start, device=seen.device)
        for _ in range(_LONGEST):
            numbers = torch.cat([numbers, self.next_words(seen, numbers)[:, -1:].argmax(2)], 1)
        return [self.tokens.text(row) for row in numbers[:, 1:].tolist()]


class BlipCaptions(CaptionNet):
    """``BlipForConditionalGeneration``."""

    @property
    def start(self) -> int:
        """Return the decoder's own."""
        return int(self.net.config.text_config.bos_token_id)

    def see(self, x: Tensor) -> Tensor:
        """Return the image encoder's output."""
        return self.through(self.net.vision_model(pixel_values=x).last_hidden_state)

    def next_words(self, seen: Tensor, numbers: Tensor) -> Tensor:
        """Ask the decoder."""
        scores: Tensor = self.net.text_decoder(input_ids=numbers, encoder_hidden_states=seen).logits
        return scores


class BlipAnswers(BlipCaptions):
    """``BlipForQuestionAnswering``: an answer's score is its log-probability, its end included."""

    captions = False

    def scores(self, x: Tensor, texts: tuple[str, ...]) -> Tensor:
        """Return the answers' scores ``[N, T]``.

        Questions of one length are asked together: transformers 5.24 forgets the mask of a cross-attention,
        so that what fills a shorter question up would be read.
        """
        seen = self.see(x)
        numbers, mask = self.tokens.whole(texts, x.device)
        lengths = mask.sum(1).tolist()
        found: dict[int, Tensor] = {}
        for length in set(lengths):
            alike = [image for image, own in enumerate(lengths) if own == length]
            found |= dict(zip(alike, self._answered(seen[alike], numbers[alike, :length]), strict=True))
        return torch.stack([found[image] for image in range(len(texts))])

    def _answered(self, seen: Tensor, numbers: Tensor) -> Tensor:
        asked = self.net.text_encoder(input_ids=numbers, encoder_hidden_states=seen)[0]

        def follow(begun: Tensor) -> Tensor:
            scores: Tensor = self.net.text_decoder(input_ids=begun, encoder_hidden_states=asked).logits
            return scores

        ends = [(*answer, self.tokens.end) for answer in self.targets]
        return answer_scores(follow, ends, self.start, len(seen), seen.device)


class GitCaptions(CaptionNet):
    """``GitForCausalLM``, whose decoder reads image and caption together."""

    @property
    def start(self) -> int:
        """Return the tokenizer's first token."""
        return int(self.tokens.tokenizer.cls_token_id)

    def see(self, x: Tensor) -> Tensor:
        """Return the image encoder's output."""
        return self.through(self.net.git.image_encoder(x).last_hidden_state)

    def next_words(self, seen: Tensor, numbers: Tensor) -> Tensor:
        """Ask the decoder, in the place of whose image encoder the tokens stand."""
        handle = self.net.git.image_encoder.register_forward_hook(lambda _module, _args, _output: _Seen(seen))
        try:
            pixels = seen.new_zeros(len(seen), 3, self.size, self.size)
            scores: Tensor = self.net(input_ids=numbers, pixel_values=pixels, use_cache=False).logits
        finally:
            handle.remove()
        return scores[:, -numbers.shape[1] :]


class _Seen:
    """What an image encoder returns, as far as it is read."""

    def __init__(self, tokens: Tensor) -> None:
        self.last_hidden_state = tokens


class EncoderDecoderCaptions(CaptionNet):
    """``VisionEncoderDecoderModel`` of a vision transformer and any decoder."""

    @property
    def start(self) -> int:
        """Return the decoder's own."""
        return int(self.net.config.decoder_start_token_id)

    def see(self, x: Tensor) -> Tensor:
        """Return the image encoder's output."""
        return self.through(self.net.encoder(pixel_values=x).last_hidden_state)

    def next_words(self, seen: Tensor, numbers: Tensor) -> Tensor:
        """Ask the decoder."""
        scores: Tensor = self.net(encoder_outputs=(seen,), decoder_input_ids=numbers, use_cache=False).logits
        return scores


class ViltAnswers(FolderNet):
    """``ViltForQuestionAnswering``: the model's own answers, by their logits.

    The answer is read off the question's first token, on which the last layer's visual tokens have no
    influence: the map is of what enters that layer. Patches keep their order, which the package shuffles.
    """

    captions = False
    names_answers = True

    def scores(self, x: Tensor, texts: tuple[str, ...]) -> Tensor:
        """Return the answers' logits ``[N, T]``."""
        numbers, mask = self.tokens.whole(texts, x.device)
        vilt, length = self.net.vilt, numbers.shape[1]

        def turn(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
            hidden = args[0]
            return (torch.cat([hidden[:, :length], self.through(hidden[:, length:])], 1), *args[1:])

        handle = vilt.encoder.layer[-1].register_forward_pre_hook(turn)
        try:
            patches = self._patches(x)
            ones = torch.ones(patches.shape[:2], dtype=torch.long, device=x.device)
            logits: Tensor = self.net(
                input_ids=numbers, attention_mask=mask.long(), image_embeds=patches, pixel_mask=ones
            ).logits
        finally:
            handle.remove()
        return logits

    def _patches(self, x: Tensor) -> Tensor:
        """Return the class token and all patches in raster order, with their places."""
        parts = self.net.vilt.embeddings
        cells = parts.patch_embeddings(x)
        count = self.net.config.image_size // self.net.config.patch_size
        places = parts.position_embeddings[:, 1:].transpose(1, 2).unflatten(2, (count, count))
        if places.shape[2:] != cells.shape[2:]:
            places = nn.functional.interpolate(places, cells.shape[2:], mode="bilinear", align_corners=True)
        patches = (cells + places).flatten(2).transpose(1, 2)
        first = (parts.cls_token + parts.position_embeddings[:, :1]).expand(len(x), -1, -1)
        return torch.cat([first, patches], 1)


KINDS: Mapping[str, Callable[[Any, Tokens], FolderNet]] = {
    "BlipForConditionalGeneration": BlipCaptions,
    "BlipForQuestionAnswering": BlipAnswers,
    "GitForCausalLM": GitCaptions,
    "ViltForQuestionAnswering": ViltAnswers,
    "VisionEncoderDecoderModel": EncoderDecoderCaptions,
}
