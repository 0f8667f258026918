"""Tables of what surrounds the results: findings, claims, parameters, versions and hashes, unknown kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from riskset.report import format as fmt
from riskset.report.labels import humanise, lower_first, upper_first
from riskset.report.reader import Reader, printed
from riskset.report.tablemodel import Inline, Part, Table, TableBuilder, headings, inline
from riskset.results import STATISTICS, ResultRow


class FindingLike(Protocol):
    """What the report reads of a finding of the review."""

    @property
    def rule(self) -> str: ...  # noqa: D102
    @property
    def severity(self) -> str: ...  # noqa: D102
    @property
    def message(self) -> str: ...  # noqa: D102
    @property
    def remedy(self) -> str: ...  # noqa: D102
    @property
    def about(self) -> tuple[str, ...]: ...  # noqa: D102


class VerdictLike(Protocol):
    """What the report reads of a verdict on a claim."""

    @property
    def says(self) -> str: ...  # noqa: D102
    @property
    def published(self) -> str: ...  # noqa: D102
    @property
    def unit(self) -> Any: ...  # noqa: D102
    @property
    def value(self) -> float | None: ...  # noqa: D102
    @property
    def decimals(self) -> int | None: ...  # noqa: D102
    @property
    def ours(self) -> ResultRow | None: ...  # noqa: D102
    @property
    def agrees(self) -> bool: ...  # noqa: D102
    @property
    def why(self) -> str: ...  # noqa: D102


def findings(reader: Reader, found: Sequence[FindingLike]) -> Table:
    """What the review says; findings of the same words share a line that names all they are about."""
    merged: dict[tuple[str, str, str, str, str], list[str]] = {}
    for finding in found:
        answer = str(getattr(finding, "answer", None) or "")
        key = (finding.rule, str(finding.severity), str(finding.message), str(finding.remedy or ""), answer)
        merged.setdefault(key, []).extend(finding.about)
    answered = any(key[-1] for key in merged)
    columns = headings("Rule", "Severity", "Finding and remedy", "About", *(["Answer"] if answered else []))
    table = TableBuilder("findings-table", "Findings of the statistical review.", [columns])
    table.align = "l" * len(columns)
    for (rule, severity, message, remedy, answer), about in merged.items():
        said = inline(message, f" {remedy}" if remedy else "")
        table.line(rule, humanise(severity), said, _about(reader, about), *([answer] if answered else []))
    return table.finish()


def _about(reader: Reader, names: Sequence[str]) -> Inline:
    """Name the rows or study paths that a finding is about, a row traced to itself."""
    known = reader.results.by_name
    distinct = list(dict.fromkeys(names))
    parts = [Part(name, name if name in known else None) for name in distinct[:_NAMED]]
    if len(distinct) > _NAMED:
        parts.append(Part(f"and {len(distinct) - _NAMED} more in review.json"))
    return inline(*[piece for part in parts for piece in (Part("; "), part)][1:])


# A finding may be about every row of an analysis; the page names the first of them.
_NAMED = 4
_UNIT_WORDS = {"months": " months", "days": " days", "percent": "%"}


def published_of(verdict: VerdictLike) -> str:
    """Print what was published, with its unit: `16.0 months`, `71.4%`, `< 0.05`."""
    text = str(verdict.published)
    if text.startswith("value "):
        return text.removeprefix("value ")
    return text + _UNIT_WORDS.get(str(verdict.unit), "")


def ours_of(verdict: VerdictLike) -> Part:
    """Print our number beside a published one: in its unit, with its decimals, but no P value across .05."""
    row, value, decimals = verdict.ours, verdict.value, verdict.decimals
    if row is None:
        return Part("not found")
    if value is None or decimals is None or (STATISTICS[row.statistic].kind == "p" and decimals < 3):
        return replace(printed(row), note=None)
    return Part(fmt.fixed(value, decimals) + _UNIT_WORDS.get(str(verdict.unit), ""), row.row)


_DIRECTIONS = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}


def _expected(reader: Reader, verdict: VerdictLike) -> str:
    """Say what a statement expects: `hazard ratio above 1`, `P below .05`."""
    sign, _, number = published_of(verdict).partition(" ")
    row = verdict.ours
    what = "value"
    if row is not None:
        is_p = STATISTICS[row.statistic].kind == "p"
        what = "P" if is_p else lower_first(reader.labels.of(row.statistic))
        number = number.removeprefix("0") if is_p else number
    return f"expected: {what} {_DIRECTIONS.get(sign, sign)} {number}"


def _stated(reader: Reader, verdict: VerdictLike) -> Inline:
    """Print our value beside a statement, with its interval where the row has one."""
    row = verdict.ours
    if row is None or row.value is None:
        return inline(ours_of(verdict))
    return tuple(replace(part, note=None) for part in reader.estimate(row))


def claims(reader: Reader, verdicts: Sequence[VerdictLike]) -> Table:
    """Published numbers beside ours; beside a statement what it expects, and our value with its interval."""
    columns = headings("Claim", "Published", "This study", "Agree?")
    table = TableBuilder("claims-table", "Published, this study, agreement.", [columns], align="lccl")
    for verdict in verdicts:
        verdict_text = "yes" if verdict.agrees else "no"
        answer = Part(verdict_text, strong=not verdict.agrees, note=None if verdict.agrees else (verdict.why or None))
        statement = str(verdict.published).startswith("value ")
        published = _expected(reader, verdict) if statement else published_of(verdict)
        ours = _stated(reader, verdict) if statement else inline(ours_of(verdict))
        table.line(upper_first(str(verdict.says)), published, ours, answer)
    return table.finish()


def parameters(reader: Reader, name: str) -> Table:
    """Every parameter in force, defaults too: a line for each thing that has parameters."""
    columns = headings("Of what", "Parameters")
    table = TableBuilder(f"{name}-table", "Parameters in force.", [columns], align="ll", supplementary=True)
    grouped: dict[str, list[tuple[str, Part]]] = {}
    for row in reader.rows(name, "definition"):
        if row.text:
            path = (row.variable or row.row).split(".")
            head = path[: min(2, len(path) - 1)] or path
            grouped.setdefault(".".join(head), []).append((".".join(path[len(head) :]), Part(row.text, row.row)))
    for what, pairs in grouped.items():
        pieces = [piece for key, part in pairs for piece in (Part("; "), Part(f"{key}: " if key else ""), part)]
        table.line(what, inline(*pieces[1:]))
    return table.finish()


def provenance(manifest: Mapping[str, Any]) -> Table:
    """Versions and the hashes of the inputs."""
    columns = headings("What", "Value")
    table = TableBuilder("provenance-table", "Versions and hashes.", [columns], align="ll", supplementary=True)
    for name in ("riskset", "python", "seed"):
        if name in manifest:
            table.line({"riskset": "riskset", "python": "Python", "seed": "Seed"}[name], str(manifest[name]))
    _pairs(table, "Packages", manifest.get("packages", {}))
    inputs = manifest.get("inputs", {})
    if isinstance(inputs, Mapping):
        for kind, files in inputs.items():
            _pairs(table, f"SHA-256 of {'the data files' if kind == 'data' else 'the study files'}", files)
    return table.finish()


def _pairs(table: TableBuilder, title: str, pairs: Any) -> None:
    if not isinstance(pairs, Mapping) or not pairs:
        return
    table.section(title)
    for name, value in pairs.items():
        table.line(str(name), str(value), indent=1)


def generic(reader: Reader, name: str, title: str) -> Table:
    """Lay out the rows of an analysis that has no table of its own."""
    columns = headings("Of whom", "What", "Statistic", "Value (interval)", "n", "Events")
    table = TableBuilder(f"{name}-rows-table", title, [columns], align="lllccc", supplementary=True)
    for row in _estimates(reader.rows(name)):
        who = " · ".join(_who(reader, row)) or "All patients"
        table.line(who, _what(reader, row), humanise(row.statistic), _value(reader, row), *_counts(row))
    return table.finish()


def _estimates(rows: Iterable[ResultRow]) -> list[ResultRow]:
    return [row for row in rows if row.statistic not in ("conf_low", "conf_high")]


def _who(reader: Reader, row: ResultRow) -> list[str]:
    parts = [] if row.population is None else [reader.labels.of(row.population)]
    return parts + ([] if row.group is None else [reader.labels.level(row.group, row.group_level)])


def _what(reader: Reader, row: ResultRow) -> str:
    parts = [] if row.endpoint is None else [reader.labels.of(row.endpoint)]
    if row.variable is not None:
        parts.append(reader.labels.contrast(row.variable, row.level, row.reference))
    if row.time is not None:
        parts.append(f"{fmt.whole_months(row.time)} months")
    return " · ".join(parts)


def _value(reader: Reader, row: ResultRow) -> Inline:
    return reader.estimate(row)


def _counts(row: ResultRow) -> list[Part]:
    return [Part("" if n is None else fmt.count(n), row.row) for n in (row.n, row.events)]
