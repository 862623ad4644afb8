"""The exceptions: each also is the builtin that a Python user would catch.

A message reads `op: what is expected, what came`, for example
`matmul: left is 10x20 but right has 10 rows`. A call that raises leaves every object
as it was. What goes wrong with files outside their contents is an `OSError`.
"""


class RecurrentNNError(Exception):
    """The base of all exceptions below."""


class ShapeError(RecurrentNNError, ValueError):
    """Shapes that do not fit each other or the op."""


class DTypeError(RecurrentNNError, TypeError):
    """Element types that are mixed or not float32 or float64."""


class ArgumentError(RecurrentNNError, ValueError):
    """An argument of the right type whose value makes no sense."""


class ArgumentTypeError(RecurrentNNError, TypeError):
    """An argument of the wrong type."""


class OutOfRangeError(RecurrentNNError, IndexError):
    """An index, symbol or slice outside its range."""


class GraphError(RecurrentNNError, RuntimeError):
    """A graph or a recorded matrix used in the wrong state or order."""


class BusyError(RecurrentNNError, RuntimeError):
    """An object in use by another thread."""


class NonFiniteError(RecurrentNNError, ArithmeticError):
    """A gradient or loss that is infinite or not a number."""


class VocabularyError(RecurrentNNError, ValueError):
    """A symbol that the vocabulary does not have, or a bad vocabulary."""


class FormatError(RecurrentNNError, ValueError):
    """A file whose contents are not what its format demands."""


class InternalError(RecurrentNNError, RuntimeError):
    """A bug of ours. Please report it."""
