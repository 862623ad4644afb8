"""Parameters as everything that walks them sees them: a name and a matrix."""

from collections.abc import Iterable, Mapping

from .matrix import Matrix
from .model import Model

Parameters = Model | Mapping[str, Matrix] | Iterable[Matrix]


def named(parameters: Parameters) -> dict[Matrix, str]:
    """Return each matrix once, with its first name; the unnamed are numbered."""
    if isinstance(parameters, Model):
        parameters = parameters.parameters()
    if not isinstance(parameters, Mapping):
        parameters = {f"parameter {n}": m for n, m in enumerate(parameters)}
    names: dict[Matrix, str] = {}
    for name, m in parameters.items():
        names.setdefault(m, name)
    return names


def is_bias(name: str) -> bool:
    """Return whether the last part of a dotted name begins with "bias"."""
    return name.rpartition(".")[2].startswith("bias")


def is_spared(name: str) -> bool:
    """Return whether weight decay leaves a parameter of this name alone.

    That is a bias, a gain of a norm, or the embedding.
    """
    *above, last = name.split(".")
    return is_bias(name) or last.startswith("gain") or above[-1:] == ["embedding"]
