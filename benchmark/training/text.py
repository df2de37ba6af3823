"""Train a model of texts: the head that looks at a frozen network's maps and a question or caption.

The maps of each image are computed once and kept in half precision, so that a training takes minutes on two
cores whatever the network below.
"""

import sys
import time
from collections import Counter as Counted
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from safetensors.torch import save as as_safetensors
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from benchmark.core.code_hash import code_fingerprint
from benchmark.core.device import reproducible
from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.options import Count, NonNegative, Positive, unfit
from benchmark.core.progress import Counter
from benchmark.core.protocols import Dataset
from benchmark.core.provenance import fingerprint
from benchmark.core.targets import CAPTION, TextSample, text_of
from benchmark.core.types import Sample
from benchmark.models.text.lexicon import Lexicon, words_of
from benchmark.models.text.trained import LEXICON, TextHead, TextNet
from benchmark.pipeline.batches import read_batches
from benchmark.pipeline.scene import Scene
from benchmark.training.distributed import World
from benchmark.training.job import Job, Trained
from benchmark.training.objective import CrossEntropy
from benchmark.training.options import TrainingOptions
from benchmark.training.validate import groups

Maps = tuple[Tensor, Mapping[str, int]]
"""Maps ``[images, C, h, w]`` in half precision, and the row of each image file."""
_KEPT = 64  # images whose maps are one file


@dataclass(frozen=True)
class TextObjective(CrossEntropy):
    """What is learnt from texts; measured by the share of wrong answers, or of captions that differ."""

    title = "error"

    def check(self, dataset: Dataset, part: str) -> None:
        """Refuse images without texts; ``part`` names the dataset's option.

        Raises:
            UserError: With the remedy.
        """
        lacking = next(
            (s.image_id for s in dataset.samples if not isinstance(s, TextSample) or not s.text), None
        )
        if lacking is not None:
            raise UserError(
                f"{part}: image {lacking} of {dataset.name} has no text to learn from; choose questions, or "
                "captions that are given"
            )

    def sentence(self, passport: Mapping[str, Any]) -> str:
        """Return each measure in percent, for a reader."""
        return ", ".join(f"{name} {100 * share:.2f} %" for name, share in passport["right"].items())


@dataclass(frozen=True, kw_only=True)
class TextOptions(TrainingOptions):
    """Options of ``conf/train/text.yaml``.

    Attributes:
        epochs: Times that each text is learnt from.
        batch_size: Texts of a step.
        lr: Greatest learning rate of AdamW; it rises over the first tenth, and falls to 0.
        weight_decay: Of AdamW.
        least: Times that a word stands in the training texts, below which it is unknown.
    """

    epochs: Count = 10
    batch_size: Count = 64
    lr: Positive = 2e-3
    weight_decay: NonNegative = 0.01
    least: Count = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.init is not None:
            raise unfit(
                "train.init", self.init, "null: the head learns from the start, what is below is given"
            )

    @property
    def objective(self) -> CrossEntropy:
        """Return what is learnt, and measured."""
        return TextObjective()

    def identity(self) -> dict[str, Any]:
        """Return what of these options can change the weights."""
        return {**super().identity(), "kind": "text"}


def teach(job: Job[TextOptions], world: World) -> Trained:
    """Train the head of a model of texts.

    Raises:
        UserError: If the model is none, an image cannot be read, or there are several processes.
    """
    began, options, module = time.monotonic(), job.options, job.learning.model.module
    if not isinstance(module, TextNet):
        raise UserError(
            f"model={job.name}: train=text trains models of texts; choose vqa_embedded, caption_embedded …"
        )
    if world.size > 1:
        raise UserError(f"a model of texts is trained by one process, not {world.size}; start it alone")
    module.to(job.learning.settings.torch_device)
    learning, checking = _maps(job, job.learning, module.cnn), _maps(job, job.checking, module.cnn)
    torch.manual_seed(options.seed)
    head = _new_head(module, _lexicon(job.learning.dataset, options.least))
    with reproducible():
        _fit(job, head, learning)
    _round(head)
    right = {name: float(found.double().mean()) for name, found in _right(job, head, checking).items()}
    error = 1 - next(iter(right.values()))
    state = {name: tensor.detach().half().cpu().contiguous() for name, tensor in head.state_dict().items()}
    found = {"cls_top1": error, "cls_top5": error, "n": len(job.checking.dataset.samples)}
    facts = {"right": right, "words": len(head.lexicon.words), "targets": len(head.lexicon.targets)}
    seconds = time.monotonic() - began
    return Trained({**state, LEXICON: head.lexicon.stored()}, found, [], ["head"], seconds, facts)


def _lexicon(dataset: Dataset, least: int) -> Lexicon:
    counts = Counted(word for sample in dataset.samples for word in words_of(text_of(sample)))
    words = tuple(sorted(word for word, count in counts.items() if count >= least))
    captions = CAPTION in dataset.classes
    return Lexicon(words, (CAPTION, *words) if captions else tuple(dataset.classes))


def _new_head(module: TextNet, lexicon: Lexicon) -> TextHead:
    """Put a fresh head of the same kind and width in the place of the one that knows no word."""
    see = module.head.get_submodule("see")
    assert isinstance(see, nn.Conv2d)
    kind: Any = type(module.head)
    head: TextHead = kind(see.in_channels, lexicon, see.out_channels).to(see.weight.device)
    module.head = head
    return head.requires_grad_(True)


def _maps(job: Job[TextOptions], scene: Scene, cnn: nn.Module) -> Maps:
    """Return the maps of each image file of a dataset.

    They are kept below the results, some images a file that is named by all that its maps depend on: a
    training that was killed goes on, and models on one network share them.
    """
    by_file = {str(sample.path): sample for sample in scene.dataset.samples}
    single = [by_file[path] for path in sorted(by_file)]  # whatever the order of the texts
    kept = job.results / "training" / "maps"
    pieces, rows = [], {str(sample.path): row for row, sample in enumerate(single)}
    with (
        ThreadPoolExecutor(scene.settings.thread_count) as pool,
        Counter(f"{job.name}: maps of {scene.dataset.name}", len(single)) as counter,
        reproducible(),
    ):
        for part in groups(single, _KEPT):
            path = kept / f"{_identity(job, scene, part)[:24]}.safetensors"
            maps = _stored(path, len(part))
            if maps is None:
                maps = _seen(scene, cnn, part, pool)
                write_atomically(path, as_safetensors({"maps": maps}))
            pieces.append(maps)
            counter.add(len(part))
    return torch.cat(pieces), rows


def _identity(job: Job[TextOptions], scene: Scene, samples: Sequence[Sample]) -> str:
    model = scene.model
    below = {
        key: value for key, value in job.config["model"].get("backbone", {}).items() if key[:7] != "weights"
    }
    return fingerprint(
        {
            "network": [below, model.weights.sha256, model.input.identity(), scene.settings.identity()],
            "transform": job.config["transform"],
            "images": [[*Path(str(sample.path)).parts[-2:], sample.bytes] for sample in samples],
            "code": code_fingerprint([_seen, read_batches, scene.transform]),
        }
    )


def _stored(path: Path, count: int) -> Tensor | None:
    """Read maps, or ``None`` where they are absent or damaged."""
    try:
        maps = load(path.read_bytes())["maps"]
        return maps if len(maps) == count else None
    except (OSError, SafetensorError, KeyError):
        return None


@torch.no_grad()
def _seen(scene: Scene, cnn: nn.Module, samples: Sequence[Sample], pool: Executor) -> Tensor:
    """Compute maps ``[n, C, h, w]`` in half precision."""
    settings, pieces = scene.settings, []
    for batch in read_batches(scene, groups(samples, settings.batch_size), pool):
        if batch.skipped:
            raise UserError(next(iter(batch.skipped.values())))
        pieces.append(cnn(batch.inputs.to(settings.torch_device, settings.dtype)).half().cpu())
    return torch.cat(pieces).contiguous()


def _batch(
    maps: Maps, samples: Sequence[Sample], device: torch.device
) -> tuple[Tensor, tuple[str, ...], Tensor]:
    values, rows = maps
    chosen = values[[rows[str(sample.path)] for sample in samples]].to(device).float()
    labels = torch.tensor([sample.label for sample in samples], device=device)
    return chosen, tuple(map(text_of, samples)), labels


def _fit(job: Job[TextOptions], head: TextHead, maps: Maps) -> None:
    options, samples = job.options, job.learning.dataset.samples
    device = job.learning.settings.torch_device
    steps = options.epochs * -(-len(samples) // options.batch_size)
    optimizer = torch.optim.AdamW(head.parameters(), lr=options.lr, weight_decay=options.weight_decay)
    schedule = OneCycleLR(optimizer, options.lr, total_steps=steps, pct_start=0.1)
    generator = torch.Generator().manual_seed(options.seed)
    head.train()
    for epoch in range(options.epochs):
        total = 0.0
        order = torch.randperm(len(samples), generator=generator).tolist()
        for part in groups([samples[number] for number in order], options.batch_size):
            loss = head.loss(*_batch(maps, part, device))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(part)
        told = f"{job.name}: epoch {epoch + 1} of {options.epochs}, loss {total / len(samples):.4f}"
        print(told, file=sys.stderr, flush=True)
    head.eval().requires_grad_(False)


def _round(head: nn.Module) -> None:
    """Round parameters to half precision, as they are saved."""
    for parameter in head.parameters():
        parameter.data.copy_(parameter.data.half())


@torch.no_grad()
def _right(job: Job[TextOptions], head: TextHead, maps: Maps) -> dict[str, Tensor]:
    def each() -> Iterator[dict[str, Tensor]]:
        for part in groups(job.checking.dataset.samples, job.checking.settings.batch_size * 8):
            yield head.right(*_batch(maps, part, job.checking.settings.torch_device))

    found = [*each()]
    return {name: torch.cat([one[name].cpu() for one in found]) for name in found[0]}
