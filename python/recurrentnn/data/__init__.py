"""From texts and series to batches."""

from recurrentnn.data.alphabet import Alphabet
from recurrentnn.data.batch import Batch, Source
from recurrentnn.data.files import Text, open_text
from recurrentnn.data.lines import Lines
from recurrentnn.data.naive import Errors, naive_error, persistence, seasonal
from recurrentnn.data.scaling import Scaling
from recurrentnn.data.streams import Streams
from recurrentnn.data.tables import Table, read_csv
from recurrentnn.data.windows import Window, Windows

__all__ = [
    "Alphabet",
    "Batch",
    "Errors",
    "Lines",
    "Scaling",
    "Source",
    "Streams",
    "Table",
    "Text",
    "Window",
    "Windows",
    "naive_error",
    "open_text",
    "persistence",
    "read_csv",
    "seasonal",
]
