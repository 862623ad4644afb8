"""A chart of lines as SVG, for notebooks: no script, nothing loaded from anywhere."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import NamedTuple

_WIDTH, _HEIGHT = 480, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 36
# Told apart by people who see fewer colours, too (Okabe and Ito).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_MOST_POINTS = 500


class Line(NamedTuple):
    """Points of one line, all finite."""

    label: str
    x: Sequence[float]
    y: Sequence[float]


def chart(lines: Sequence[Line], *, x_label: str, y_label: str) -> str:
    """An `<svg>` element with axes from least to greatest value, and a legend."""
    if not lines:
        return "<p>nothing recorded yet</p>"
    x_low, x_high = _range([value for line in lines for value in line.x])
    y_low, y_high = _range([value for line in lines for value in line.y])
    inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    bottom, right = _TOP + inner_height, _LEFT + inner_width
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{_WIDTH}" '
        f'height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="11" fill="currentColor">',
        f'<path d="M{_LEFT} {_TOP}V{bottom}H{right}" fill="none" '
        'stroke="currentColor"/>',
        _text(_LEFT - 4, _TOP + 4, f"{y_high:.4g}", "end"),
        _text(_LEFT - 4, bottom, f"{y_low:.4g}", "end"),
        _text(_LEFT - 4, (_TOP + bottom) / 2, y_label, "end"),
        _text(_LEFT, bottom + 14, f"{x_low:g}", "middle"),
        _text(right, bottom + 14, f"{x_high:g}", "end"),
        _text((_LEFT + right) / 2, bottom + 14, x_label, "middle"),
    ]
    for number, line in enumerate(lines):
        colour = _COLOURS[number % len(_COLOURS)]
        stride = -(-len(line.x) // _MOST_POINTS)
        points = [
            f"{_LEFT + (x - x_low) / (x_high - x_low) * inner_width:.1f},"
            f"{bottom - (y - y_low) / (y_high - y_low) * inner_height:.1f}"
            for x, y in zip(line.x[::stride], line.y[::stride], strict=True)
        ]
        parts.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" '
            'stroke-width="1.5"/>'
        )
        label = f"{line.label}: {line.y[-1]:.4g}"
        parts.append(_text(right, _TOP + 12 + 14 * number, label, "end", colour))
    return "".join([*parts, "</svg>"])


def _range(values: Sequence[float]) -> tuple[float, float]:
    """The least and the greatest, apart."""
    low, high = min(values), max(values)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _text(x: float, y: float, text: str, anchor: str, colour: str = "") -> str:
    fill = f' fill="{colour}"' if colour else ""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{fill}>'
        f"{html.escape(text)}</text>"
    )
