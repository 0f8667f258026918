"""Results as a few lines of plain text, for a prompt: what `repr` shows. Every value stays whole in its field."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from riskset.survival._types import FloatArray
from riskset.survival.estimate import Estimate

# Of a longer table the first and the last half of this many rows are shown.
_MOST_ROWS = 20


def summary(
    title: str,
    head: Sequence[str] = (),
    rows: Sequence[Sequence[object]] = (),
    *,
    notes: Iterable[str] = (),
    warnings: Iterable[str] = (),
) -> str:
    """Give a title, a table with its head, and lines below it, the warnings last."""
    below = [*notes, *(f"warning: {sentence}" for sentence in warnings)]
    return "\n".join([title, *(_table(head, rows) if rows else ()), *below])


def chi_square_line(chi_square: float, df: int, p_value: float) -> str:
    """Give a chi-square test in one line."""
    return f"chi-square {shown(chi_square)} on {df} df, P {shown(p_value)}"


def ratio_head(ratio: str, level: float = 0.95) -> tuple[str, ...]:
    """Name the columns of `ratio_rows`."""
    return ("column", ratio, f"{100 * level:g}% low", f"{100 * level:g}% high", "P")


def ratio_rows(
    names: Sequence[str], ratios: Sequence[Estimate], p_value: FloatArray
) -> list[tuple[str, float, float, float, float]]:
    """Give a row for each column of a model: its name, ratio, interval and P value."""
    three = zip(names, ratios, p_value.tolist(), strict=True)
    return [(name, ratio.value, ratio.low, ratio.high, p) for name, ratio, p in three]


def shown(value: object) -> str:
    """Give a number with 4 significant digits, all those before its point and none after a whole one; else the text."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return str(value)
    if isinstance(value, (str, bool)):
        return str(value)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    if number == 0 or (abs(number) < 1e15 and (number.is_integer() or abs(number) >= 1e4)):
        return f"{number + 0.0:.0f}"  # no minus before a zero
    text = f"{number:#.4g}"
    return text.rstrip(".")


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Lay out columns in even widths, the first to the left and the others to the right."""
    half = _MOST_ROWS // 2
    cut = len(rows) > _MOST_ROWS
    kept = [*rows[:half], *rows[-half:]] if cut else rows
    cells = [list(head), *([shown(value) for value in row] for row in kept)]
    width = [max(len(line[k]) for line in cells) for k in range(len(head))]
    lines = [
        "  ".join([line[0].ljust(width[0]), *(text.rjust(w) for text, w in zip(line[1:], width[1:], strict=True))])
        for line in cells
    ]
    if cut:
        lines.insert(half + 1, f"... {len(rows) - 2 * half} more")
    return [line.rstrip() for line in lines]
