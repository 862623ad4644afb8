"""One step of the ancestors' RMSProp, as a function of the solver.

With g the gradient as it comes and s the running mean of its square,

    s  = decay_rate * s + (1 - decay_rate) * g**2
    w += -stepsize * clip(g, -clipval, clipval) / sqrt(s + eps) - regc * w
    g  = 0

Kept from the ancestors, because old results depend on it: s takes the *unclipped*
gradient, so that one outlier shrinks the steps of the next thousand; s starts at 0
without correction, so that the first step is 1 / sqrt(1 - 0.999) = 31.6 times
`stepsize`; the decay `regc` is not scaled by `stepsize` and also falls on biases.
`recurrentnn.RMSProp` has neither the first nor the last. Its mean starts at 0 without
correction too, as PyTorch's does, but forgets faster: with its decay rate of 0.95 the
first step is 1 / sqrt(1 - 0.95) = 4.47 times its learning rate.
"""

from collections.abc import Iterable, Mapping

from recurrentnn._recurrentnn import Matrix, Model, Solver


def step(
    solver: Solver,
    model: Model | Mapping[str, Matrix] | Iterable[Matrix],
    stepsize: float,
    regc: float,
    clipval: float,
) -> float:
    """Update `model` in place, zero its gradients, return the clipped fraction.

    A matrix outside the model is trained when it is named, as the embedding of the
    ancestor's example never was: `step(solver, [wil, *model.matrices], ...)`.
    Running means belong to the matrix, not to its position in `model`.
    """
    return solver.step(model, stepsize, regc, clipval).clipped_fraction
