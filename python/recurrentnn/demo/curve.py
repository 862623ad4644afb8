"""Lists for a page that never grow beyond a size, and what of them is new."""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar

Entry = TypeVar("Entry")

MOST_POINTS = 2000
"""Of a curve."""


class Seen(NamedTuple):
    """How much of a list a page has: its edition, and the entries of that one."""

    edition: int = -1
    entries: int = 0


class Kept(Generic[Entry]):
    """The entries of a whole run, thinned when there are too many.

    Parameters
    ----------
    most
        Entries; before there are more, every second one goes, but never the first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._edition = 0
        self.entries: list[Entry] = []

    def append(self, entry: Entry) -> None:
        """One more."""
        if len(self.entries) >= self._most:
            self._thin(self.entries[::2])
        self.entries.append(entry)

    def since(self, seen: Seen) -> tuple[list[Entry], bool]:
        """What is new; True: in the place of everything before."""
        if seen.edition != self._edition:
            return list(self.entries), True
        return self.entries[seen.entries :], False

    @property
    def seen(self) -> Seen:
        """What a page has that has everything."""
        return Seen(self._edition, len(self.entries))

    def _thin(self, entries: list[Entry]) -> None:
        """These in the place of all."""
        self.entries = entries
        self._edition += 1


class Point(NamedTuple):
    """Of the curve: after update `step`, the mean loss of the last ones, smoothed."""

    step: int
    loss: float
    smoothed: float


class Curve(Kept[Point]):
    """The loss of every update: means of as many updates as keep it short.

    The smoothed loss is a running mean over some fifty updates. `most` is even.
    """

    _DECAY = 0.98

    def __init__(self, most: int = MOST_POINTS) -> None:
        super().__init__(most)
        self._stride = 1
        self._sum, self._count = 0.0, 0
        self._mean, self._share = 0.0, 0.0

    def add(self, step: int, loss: float) -> None:
        """The loss of one more update."""
        self._mean = self._DECAY * self._mean + (1 - self._DECAY) * loss
        self._share = self._DECAY * self._share + 1 - self._DECAY
        self._sum += loss
        self._count += 1
        if self._count == self._stride:
            self.append(Point(step, self._sum / self._count, self.smoothed))
            self._sum, self._count = 0.0, 0

    def recall(self, step: int, loss: float) -> None:
        """A point of a run that goes on; the running mean goes on from its loss."""
        self._mean, self._share = loss, 1.0
        self.append(Point(step, loss, loss))

    @property
    def smoothed(self) -> float:
        """The running mean; 0 before the first update."""
        return self._mean / self._share if self._share else 0.0

    def append(self, entry: Point) -> None:
        """One more; when there are enough, pairs become one point each."""
        self.entries.append(entry)
        if len(self.entries) < self._most:
            return
        self._stride *= 2
        pairs = zip(self.entries[::2], self.entries[1::2], strict=True)
        self._thin(
            [
                Point(two.step, (one.loss + two.loss) / 2, two.smoothed)
                for one, two in pairs
            ]
        )


def plain(value: Any) -> Any:  # noqa: ANN401  (whatever JSON has)
    """Numbers that JSON does not have, NaN and infinity, as None."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value
