"""Reading result rows and printing them: rows in, parts of text out; no arithmetic but that of `format`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from riskset.protocol import Protocol
from riskset.report import format as fmt
from riskset.report.labels import Labels
from riskset.report.tablemodel import Inline, Part, inline
from riskset.results import KEY_FIELDS, STATISTICS, ResultRow, Results

_STATUS_TEXT = {
    "not_reached": fmt.NOT_REACHED,
    "not_estimable": fmt.NOT_AVAILABLE,
    "beyond_follow_up": fmt.NOT_AVAILABLE,
    "withheld": "withheld",
    "suppressed": "suppressed",
}
_STATUS_REASON = {
    "not_estimable": "Not estimable.",
    "beyond_follow_up": "Beyond the follow-up of the group.",
    "withheld": "Withheld until its diagnostics pass.",
    "suppressed": "Suppressed: too few patients.",
}
_ABSENT = Part(fmt.ABSENT)
_NO_INTERVAL = "Confidence interval not estimable."


class Reader:
    """The rows of a study, found by their key without a scan of all, and the labels to print them with."""

    def __init__(self, protocol: Protocol | None, results: Results) -> None:
        self.protocol = protocol
        self.results = results
        self.labels = Labels(protocol)
        self.conf_percent = fmt.percent(protocol.study.conf_level if protocol is not None else 0.95, 0)
        self._by_key = {row.key: row for row in results}
        self._buckets: dict[tuple[str, str], list[ResultRow]] = {}
        self._curves: dict[str, list[ResultRow]] = {}
        self._analyses: dict[str, list[ResultRow]] = {}
        for row in results:
            # Curves are most of the rows and are read by nothing but their figure.
            if row.method == "curve":
                self._curves.setdefault(row.analysis, []).append(row)
                continue
            self._buckets.setdefault((row.analysis, row.statistic), []).append(row)
            self._analyses.setdefault(row.analysis, []).append(row)

    def rows(self, analysis: str, statistic: str | None = None, **key: Any) -> list[ResultRow]:
        """Give the rows of an analysis whose fields equal those named, curves left out."""
        found: Iterable[ResultRow]
        if statistic is None:
            found = self._analyses.get(analysis, ())
        else:
            found = self._buckets.get((analysis, statistic), ())
        wanted = tuple(key.items())
        return [row for row in found if all(getattr(row, name) == value for name, value in wanted)]

    def find(self, analysis: str, statistic: str, **key: Any) -> ResultRow | None:
        """Give the first row that has these fields, or None."""
        return next(iter(self.rows(analysis, statistic, **key)), None)

    def curve(self, analysis: str, **key: Any) -> list[ResultRow]:
        """Give the rows of a curve."""
        wanted = tuple(key.items())
        return [r for r in self._curves.get(analysis, ()) if all(getattr(r, n) == v for n, v in wanted)]

    def has(self, analysis: str) -> bool:
        """Tell whether an analysis gave any row."""
        return analysis in self._analyses

    def values(self, analysis: str, name: str, statistic: str | None = None, **key: Any) -> list[Any]:
        """Give the distinct values of a field, in the order of the rows, null left out."""
        found = (getattr(row, name) for row in self.rows(analysis, statistic, **key))
        return list(dict.fromkeys(value for value in found if value is not None))

    def ends(self, row: ResultRow) -> tuple[ResultRow | None, ResultRow | None]:
        """Give the rows of the ends of a row's interval."""
        key = {name: getattr(row, name) for name in KEY_FIELDS}
        key["of"] = row.statistic
        low = self._by_key.get(tuple({**key, "statistic": "conf_low"}.values()))
        return low, self._by_key.get(tuple({**key, "statistic": "conf_high"}.values()))

    def p_of(self, row: ResultRow) -> ResultRow | None:
        """Give the row of the P value that belongs to an estimate."""
        key = {name: getattr(row, name) for name in KEY_FIELDS}
        return self._by_key.get(tuple({**key, "statistic": "p_value", "of": row.statistic}.values()))

    def estimate(self, row: ResultRow | None) -> Inline:
        """Print an estimate with its interval: `16.0 (12.4–34.3)`."""
        if row is None:
            return (_ABSENT,)
        low, high = self.ends(row)
        main = printed(row)
        if row.value is None and row.status != "not_reached":
            return (main,)
        ends = [row for row in (low, high) if row is not None]
        if not ends or (row.value is None and all(e.value is None for e in ends)):
            return inline(main)
        if row.unit != "days" and all(e.value is None for e in ends):
            return inline(main, " (", Part(fmt.ABSENT, ends[0].row, _NO_INTERVAL), ")")
        return inline(main, " (", self.range(low, high), ")")

    def range(self, low: ResultRow | None, high: ResultRow | None) -> Inline:
        """Print the two ends of an interval, an end that does not exist as NR."""
        first, last = end(low), end(high)
        return inline(first, fmt.dash(first.text, last.text), last)


def end(row: ResultRow | None) -> Part:
    """Print an end of an interval: of a duration that was not reached NR, of anything else that has none a dash."""
    if row is None:
        return Part(fmt.NOT_REACHED)
    if row.value is None:
        return Part(fmt.NOT_REACHED if row.unit == "days" else fmt.ABSENT, row.row)
    return Part(_number(row), row.row)


def _number(row: ResultRow) -> str:
    """Print a row's value by the kind of its statistic (of an interval's end: of what it is an end of)."""
    assert row.value is not None
    of_interval = row.statistic in ("conf_low", "conf_high") and row.of in STATISTICS
    word = STATISTICS[row.of if of_interval and row.of is not None else row.statistic]
    if row.unit == "days":
        return fmt.months(row.value)
    if word.kind == "p":
        return fmt.p_value(row.value)
    if word.kind == "ratio":
        return fmt.ratio(row.value, word.digits, end=of_interval)
    if word.kind == "fraction":
        return fmt.percent(row.value, word.digits)
    if word.kind == "count":
        return fmt.count(row.value)
    return fmt.fixed(row.value, word.digits)


def printed(row: ResultRow | None, *, digits: int | None = None) -> Part:
    """Print a row's number, or why there is none; a warning of the row becomes a footnote."""
    if row is None:
        return _ABSENT
    if row.text is not None and row.value is None:
        return Part(row.text, row.row, row.warning)
    if row.value is None:
        reason = row.warning or _STATUS_REASON.get(row.status)
        return Part(_STATUS_TEXT.get(row.status, fmt.NOT_AVAILABLE), row.row, reason)
    text = _number(row) if digits is None else fmt.fixed(row.value, digits)
    return Part(text, row.row, row.warning)


def p_words(row: ResultRow | None) -> Inline:
    """Print `P = .40` for a sentence."""
    if row is None or row.value is None:
        return inline("P not available")
    return inline(f"P{fmt.NO_BREAK}", Part(fmt.p_phrase(fmt.p_value(row.value)), row.row))
