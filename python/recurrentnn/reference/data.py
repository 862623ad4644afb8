"""Texts as symbols, and the batches of truncated back-propagation through time."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from .random import permutation
from .shape import expect


def words(text: str) -> list[str]:
    """Cut a text into words, one character after the other.

    A word is up to 255 letters, digits and underscores, or one other mark, each with
    the space before it, if there is one; other white space stands alone.
    """
    found: list[str] = []
    at = 0
    while at < len(text):
        begin = at
        if text[at] == " " and at + 1 < len(text) and not text[at + 1].isspace():
            at += 1
        first = at
        at += 1
        if _is_letter(text[first]):
            while at < len(text) and _is_letter(text[at]) and at - first < 255:
                at += 1
        found.append(text[begin:at])
    return found


def _is_letter(char: str) -> bool:
    return char.isalnum() or char == "_"


def alphabet(
    tokens: Sequence[str],
    *,
    min_count: int = 1,
    max_size: int | None = None,
    by_frequency: bool = False,
) -> list[str]:
    """Return the tokens that have a number, in their order.

    Those that come `min_count` times; of them the `max_size - 1` most frequent, of
    equally frequent ones those that sort first. In the order of the tokens, or by
    falling frequency.
    """
    counts = Counter(tokens)
    kept = sorted(token for token in counts if counts[token] >= min_count)
    frequent = sorted(kept, key=lambda token: -counts[token])
    if max_size is not None:
        frequent = frequent[: max_size - 1]
    return frequent if by_frequency else sorted(frequent)


def documents(text: str, separator: str) -> list[str]:
    """Cut a text behind each separator."""
    parts = text.split(separator)
    return [part + separator for part in parts[:-1]] + parts[-1:]


class Batch(NamedTuple):
    """Rows side by side, each (time,); what counts, and where another document begins.

    The next batch begins with the state after `carry` steps of this one; None: after
    the last.
    """

    x: list[list[int]]
    targets: list[list[int]]
    mask: list[list[bool]]
    reset: list[list[bool]]
    first: bool
    carry: int | None


def streams(
    texts: Sequence[Sequence[int]],
    batch_size: int,
    seq_length: int,
    *,
    back: int | None = None,
    seed: int | None = None,
    epoch: int = 0,
) -> list[Batch]:
    """Lay documents out as parallel streams and cut these into batches.

    Parameters
    ----------
    texts
        Symbols of each document.
    batch_size, seq_length, back
        Streams at most; k1, steps between two updates; k2, steps back from an update.
    seed, epoch
        The order of documents; without a seed their own.
    """
    k1, k2 = seq_length, seq_length if back is None else back
    expect(k2 >= k1, f"streams: back must be at least {k1} but is {k2}")
    texts = [text for text in texts if len(text) > 1]
    if seed is not None and len(texts) > 1:
        order = permutation(len(texts), seed=seed, step=2 * epoch + 1)
        texts = [texts[i] for i in order]
    steps = [
        (text[i], text[i + 1], i == 0) for text in texts for i in range(len(text) - 1)
    ]
    rows = min(batch_size, max(1, len(steps) // k1))
    length = -(-len(steps) // rows)
    batches = []
    for counted in range(0, length, k1):
        begin, end = max(0, counted + k1 - k2), min(counted + k1, length)
        carry: int | None = max(0, counted + 2 * k1 - k2) - begin
        if k1 == k2 or end == length:
            carry = None
        batch = Batch([], [], [], [], begin == 0, carry)
        for row in range(rows):
            places = [row * length + t for t in range(begin, end)]
            inside = [place < len(steps) for place in places]
            read = [steps[min(place, len(steps) - 1)] for place in places]
            batch.x.append([x for x, _, _ in read])
            batch.targets.append([target for _, target, _ in read])
            batch.mask.append(
                [real and t >= counted for t, real in enumerate(inside, start=begin)]
            )
            batch.reset.append(
                [
                    new and real and t > 0
                    for t, ((_, _, new), real) in enumerate(
                        zip(read, inside, strict=True), start=begin
                    )
                ]
            )
        batches.append(batch)
    return batches
