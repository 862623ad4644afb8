"""`Solver`: the ancestors' RMSProp with RecurrentJS's argument and result names."""

from collections.abc import Mapping

from recurrentnn import _recurrentnn
from recurrentnn._recurrentnn import Matrix


class Solver:
    """The rule, and its faults kept by name, are told in `recurrentnn.compat.solver`.

    Running means belong to the matrix; in the ancestor they belonged to its name.
    """

    def __init__(self, decay_rate: float = 0.999, smooth_eps: float = 1e-8) -> None:
        self._solver = _recurrentnn.Solver(decay_rate, smooth_eps)

    def step(
        self, model: Mapping[str, Matrix], step_size: float, regc: float, clipval: float
    ) -> dict[str, float]:
        """Update `model`, zero its gradients and return {"ratio_clipped": ...}."""
        stats = self._solver.step(model, step_size, regc, clipval)
        return {"ratio_clipped": stats.clipped_fraction}
