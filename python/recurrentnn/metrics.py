"""What a loss in nats means: perplexity, bits per symbol, bits per character."""

import math


def perplexity(loss: float) -> float:
    """Perplexity, exp(loss): how many equally likely symbols would be as hard to guess.

    Parameters
    ----------
    loss
        Mean cross-entropy per symbol, in nats.

    Notes
    -----
    A uniform guess among V symbols has perplexity V; the least is 1. RecurrentJS raised
    2 to a loss over one symbol too few, RecurrentNN.jl squared it; this is neither.

    Examples
    --------
    >>> round(perplexity(math.log(65)), 9)
    65.0
    """
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf


def bits_per_symbol(loss: float) -> float:
    """Bits per symbol, loss / ln 2, with `loss` in nats per symbol.

    Examples
    --------
    >>> bits_per_symbol(math.log(2))
    1.0
    """
    return loss / math.log(2)


def bits_per_char(total_loss: float, chars: int) -> float:
    """Bits per character, total_loss / (chars ln 2), characters being code points.

    Parameters
    ----------
    total_loss
        Summed cross-entropy, in nats. The END of each line is paid for in it ...
    chars
        ... but does not count as a character here.

    Examples
    --------
    >>> bits_per_char(20 * math.log(2), chars=10)
    2.0
    """
    return total_loss / (chars * math.log(2)) if chars else math.nan
