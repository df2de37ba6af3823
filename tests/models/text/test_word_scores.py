"""Scores of captions and words against sums that are taken one by one."""

import math

import torch

from benchmark.core.targets import CAPTION
from benchmark.models.text.captioning import CaptionHead
from benchmark.models.text.lexicon import END, FIRST, START, UNKNOWN, Lexicon
from benchmark.models.text.tokens import target_scores
from benchmark.models.text.words import caption_sum, word_scores

WORDS = Lexicon(("a", "and", "cat", "dog"), (CAPTION, "a", "and", "cat", "dog"))


def by_hand(head: CaptionHead, maps: torch.Tensor, caption: list[int]) -> list[float]:
    """The caption's sum and each word's score of one image, word by word."""
    state, before, places = head._begin(maps), START, []
    for word in caption:
        states, state = head.gru(head.embed(torch.tensor([[before]])), state)
        scores = head.out(states)[0, 0].double()
        places.append((scores - scores.logsumexp(0)).tolist())
        before = word
    total = math.fsum(place[word] for place, word in zip(places, caption, strict=True))
    words = []
    for word in range(FIRST, WORDS.size):
        own = [place[word] for place, there in zip(places, caption, strict=True) if there == word]
        words.append(own[0] if own else max(place[word] for place in places))
    return [total, *words]


def test_a_batch_of_captions_of_any_length_scores_as_each_of_them_word_by_word() -> None:
    torch.manual_seed(0)
    head, maps = CaptionHead(5, WORDS, 8).eval(), torch.rand(3, 5, 2, 2)
    texts = ("a dog and a cat", "cat", "a unicorn")
    scores = head(maps, texts)
    for image, text in enumerate(texts):
        numbers = WORDS.numbers([text], maps.device)[0].tolist()
        expected = by_hand(head, maps[image : image + 1], numbers)
        torch.testing.assert_close(scores[image], torch.tensor(expected), rtol=1e-4, atol=1e-5)


def test_a_made_caption_is_the_likeliest_word_at_each_place_and_stays_bound() -> None:
    torch.manual_seed(1)
    head, maps = CaptionHead(5, WORDS, 8).eval(), torch.rand(2, 5, 2, 2)
    first, second = head.completed(maps, ("", "a dog"))
    assert second == "a dog"
    assert (first,) == head.completed(maps[:1], ("",))
    for number, word in enumerate(first.split()):
        begun = WORDS.numbers([" ".join(first.split()[: number + 1])], maps.device)
        likeliest = head._steps(maps[:1], begun)[0, number]
        likeliest[[0, UNKNOWN, START] if number else [0, UNKNOWN, START, END]] = -torch.inf
        assert WORDS.words[int(likeliest.argmax()) - FIRST] == word


def test_a_made_caption_is_of_known_words_alone_so_that_what_is_scored_is_what_was_made() -> None:
    torch.manual_seed(1)
    head, maps = CaptionHead(5, WORDS, 8).eval(), torch.rand(1, 5, 2, 2)
    head.out.bias.data[UNKNOWN] = 50.0
    (made,) = head.made(maps)
    assert made
    assert torch.isfinite(head(maps, (made,))).all()


def test_a_word_of_several_tokens_is_scored_as_a_whole_where_it_first_stands() -> None:
    steps = torch.rand(2, 4, 6).log_softmax(2)
    numbers = torch.tensor([[2, 3, 2, 3], [3, 2, 0, 0]])
    counts = torch.tensor([[True] * 4, [True, True, False, False]])
    scores = target_scores(steps, numbers, counts, [(2, 3), (5,)])
    expected = [
        [
            sum(steps[0, place, token] for place, token in enumerate((2, 3, 2, 3))),
            steps[0, 0, 2] + steps[0, 1, 3],
            steps[0, :, 5].max(),
        ],
        [steps[1, 0, 3] + steps[1, 1, 2], steps[1, :2, 2].max(), steps[1, :2, 5].max()],
    ]
    torch.testing.assert_close(scores, torch.tensor(expected))


def test_guided_backpropagation_finds_no_rule_of_its_own_in_the_scores_of_words() -> None:
    steps = torch.rand(2, 3, 6, requires_grad=True).log_softmax(2)
    numbers, counts = torch.tensor([[2, 3, 2], [3, 0, 0]]), torch.tensor([[True] * 3, [True, False, False]])
    graph = [word_scores(steps, numbers, counts).grad_fn, caption_sum(steps, numbers, counts).grad_fn]
    seen = set()
    while graph:
        node = graph.pop()
        if node is not None and node not in seen:
            seen.add(node)
            graph += [after for after, _ in node.next_functions]
    assert not {node.name() for node in seen} & {"WhereBackward0", "MaskedFillBackward0", "ClampBackward1"}
