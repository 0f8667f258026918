"""The report: reads rows, findings, verdicts and the protocol, and prints them; it computes and refits nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from riskset.protocol import Protocol
from riskset.report import drawing, html, sections, word
from riskset.report.renderer import Renderers
from riskset.report.tablemodel import figures_of
from riskset.report.tables import other
from riskset.results import Results

__all__ = ["Draft", "Renderers", "claims_lines", "fragment", "headline", "write"]


class Draft:
    """A report in the making: from `with Draft(...)` on its figures are drawn while its caller does other things.

    `renderers` have been started by the caller and are ended by it, after the draft.
    """

    def __init__(
        self,
        *,
        protocol: Protocol,
        results: Results,
        findings: Sequence[other.FindingLike],
        verdicts: Sequence[other.VerdictLike],
        manifest: Mapping[str, Any],
        renderers: Renderers,
    ) -> None:
        self._document = sections.document(protocol, results, findings, verdicts, manifest)
        self._studio = drawing.Studio(figures_of(self._document.sections), renderers)

    def __enter__(self) -> Draft:
        self._studio.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._studio.__exit__(*error)

    def write(self, out: Path) -> list[Path]:
        """Write `report.html`, `report.docx` and `figures/*.svg|png` into a folder; the same input, the same bytes.

        Returns
        -------
        The files written, in the order of writing.
        """
        folder, drawn = out / "figures", self._studio.drawn
        folder.mkdir(parents=True, exist_ok=True)
        paths = [_write_text(folder / f"{name}.svg", d.svg) for name, d in drawn.items()]
        paths.append(_write_text(out / "report.html", html.page(self._document, drawn)))
        # The pictures are asked for when all the rest of the Word file stands.
        paths.append(out / "report.docx")
        paths[-1].write_bytes(word.document_bytes(self._document, drawn, self._studio.pictures))
        for name, picture in self._studio.pictures().items():
            paths.append(folder / f"{name}.png")
            paths[-1].write_bytes(picture)
        return paths


def write(
    out: Path,
    *,
    protocol: Protocol,
    results: Results,
    findings: Sequence[other.FindingLike],
    verdicts: Sequence[other.VerdictLike],
    manifest: Mapping[str, Any],
) -> list[Path]:
    """Write a report, as `Draft.write` says."""
    with (
        Renderers() as renderers,
        Draft(
            protocol=protocol,
            results=results,
            findings=findings,
            verdicts=verdicts,
            manifest=manifest,
            renderers=renderers,
        ) as draft,
    ):
        return draft.write(out)


def _write_text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def headline(protocol: Protocol, results: Results) -> list[str]:
    """Give the lines that the command line prints after a run: the primary analyses."""
    return sections.headline(protocol, results)


def claims_lines(protocol: Protocol | None, verdicts: Sequence[other.VerdictLike]) -> list[tuple[str, str, str, str]]:
    """Give claim, published, this study, agree? for each verdict, as the command line prints them."""
    del protocol  # a claim says itself what it is about
    return [
        (v.says, other.published_of(v), other.ours_of(v).text, "yes" if v.agrees else f"no: {v.why}") for v in verdicts
    ]


def fragment(protocol: Protocol, results: Results, analysis_id: str) -> str:
    """Give one analysis as HTML without scripts, for a notebook."""
    found = sections.fragment_sections(protocol, results, analysis_id)
    return html.fragment(found, drawing.draw_all(figures_of(found)))
