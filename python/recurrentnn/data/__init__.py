"""From texts and series to batches."""

from recurrentnn.data.alphabet import Alphabet
from recurrentnn.data.batch import Batch, Source
from recurrentnn.data.files import Text, open_text
from recurrentnn.data.lines import Lines
from recurrentnn.data.streams import Streams

__all__ = ["Alphabet", "Batch", "Lines", "Source", "Streams", "Text", "open_text"]
