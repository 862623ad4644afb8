"""What a loss in nats means: perplexity, bits per symbol, bits per character."""

import math

from .ieee import exp


def perplexity(loss: float) -> float:
    """Return exp(loss), loss per symbol: V for a uniform guess among V symbols."""
    return exp(loss)


def bits_per_symbol(loss: float) -> float:
    """Return loss / ln 2, loss per symbol."""
    return loss / math.log(2.0)


def bits_per_char(total_loss: float, chars: int) -> float:
    """Return total_loss / (chars ln 2), characters being code points.

    The END of each line is paid for in the total, but is no character.
    """
    return total_loss / (chars * math.log(2.0)) if chars else math.nan
