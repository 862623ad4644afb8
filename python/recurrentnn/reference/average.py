"""Exponential moving averages of weights."""

from .params import Parameters, named


class ExponentialMovingAverage:
    """average = decay average + (1 - decay) w, from the weights it is made with.

    Inside `with average:` the parameters have the averages for values.
    """

    def __init__(self, parameters: Parameters, decay: float = 0.999) -> None:
        self.decay = decay
        self._averages = {m: list(m.value) for m in named(parameters)}

    def update(self) -> None:
        """Move the averages towards the weights."""
        for m, averages in self._averages.items():
            for k, w in enumerate(m.value):
                averages[k] = self.decay * averages[k] + (1 - self.decay) * w

    def __enter__(self) -> "ExponentialMovingAverage":
        self._swap()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._swap()

    def _swap(self) -> None:
        for m, averages in self._averages.items():
            m.value[:], averages[:] = list(averages), list(m.value)
