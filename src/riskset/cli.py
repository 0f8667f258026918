"""The command line. It parses words, draws progress and prints; everything else happens in the study.

`riskset.study` is reached through the package's lazy names, so that `riskset --help` need not load it.
"""

from __future__ import annotations

import sys
from importlib import import_module, resources
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

import riskset
from riskset.errors import DataRefusedError, PrimaryNotEstimatedError, RisksetError, UsageError
from riskset.progress import Progress

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Carry out a retrospective oncology outcomes study: hospital files in, a report with traceable numbers out.",
)
out_console = Console(highlight=False, soft_wrap=True)
err_console = Console(stderr=True, highlight=False, soft_wrap=True)

StudyPath = Annotated[Path, typer.Argument(help="The study file, study.yaml.", metavar="STUDY")]
DataPath = Annotated[Path | None, typer.Option("--data", help="Root of the paths in the mappings.")]
OutPath = Annotated[Path | None, typer.Option("--out", help="Output folder; default out/ beside the study file.")]
OutFolder = Annotated[Path, typer.Argument(help="An output folder that `riskset run` wrote.", metavar="OUT")]


def _room(name: str) -> Any:
    """Load one of our rooms at first need: the one named place where this module does so."""
    return import_module(f"riskset.{name}")


class _Drawn:
    """Draws progress: a bar on a terminal, plain lines where the output is piped."""

    def __init__(self) -> None:
        self.bar: Bar | None = None
        if err_console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            self.bar = Bar(*columns, console=err_console, transient=True)
            self.task = self.bar.add_task("Starting", total=1)
            self.bar.start()

    def __call__(self, progress: Progress) -> None:
        if self.bar is None:
            # err_console.print would read [square brackets] of a file name as markup.
            print(progress.message, file=sys.stderr)
        elif progress.total is not None:
            self.bar.update(self.task, description=progress.message, completed=progress.done, total=progress.total)
        else:
            self.bar.update(self.task, description=progress.message)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.stop()


def _carry_out(study: Any, out: Path) -> None:
    """Run and write a study, whatever comes: a refused run leaves a folder that says why."""
    drawn = _Drawn()
    try:
        study.run(on_progress=drawn)
        study.write(out, on_progress=drawn)
    except DataRefusedError as error:
        study.write_refusal(out, error)
        raise
    finally:
        drawn.close()


def _print_headline(study: Any) -> None:
    for line in _room("report").headline(study.protocol, study.state.results):
        out_console.print(line, markup=False)


def _claims_table(protocol: Any, verdicts: Any) -> None:
    table = Table(title="Published against this study", title_justify="left")
    for heading in ("claim", "published", "this study", "agree?"):
        table.add_column(heading, overflow="fold")
    for line in _room("report").claims_lines(protocol, verdicts):
        table.add_row(*(cell.replace("[", r"\[") for cell in line))
    out_console.print(table)
    agreed = sum(v.agrees for v in verdicts)
    out_console.print(f"{agreed} of {len(verdicts)} claims agree.")


@app.command()
def run(study: StudyPath, data: DataPath = None, out: OutPath = None) -> None:
    """Run a study whole and write its output folder."""
    loaded = riskset.Study.load(study, data=data)
    folder = out if out is not None else study.parent / "out"
    _carry_out(loaded, folder)
    _print_headline(loaded)
    out_console.print(f"Report: {folder / 'report.html'}", markup=False)
    missing = loaded.primary_missing()
    if missing:
        raise PrimaryNotEstimatedError(f"Primary analysis '{missing[0]}' gave no estimate; its rows say why.")


@app.command()
def check(study: StudyPath, data: DataPath = None) -> None:
    """Check a study file, its mappings and its data; compute and write nothing."""
    loaded = riskset.Study.load(study, data=data)
    drawn = _Drawn()
    try:
        state = loaded.run("quality_cohort", on_progress=drawn)
    finally:
        drawn.close()
    table = Table(title="Queries by centre and check", title_justify="left")
    for heading in ("centre", "check", "severity", "queries"):
        table.add_column(heading)
    counts = state.tables["queries"].group_by("centre", "check", "severity").len().sort("centre", "check", "severity")
    for row in counts.iter_rows():
        table.add_row(*(str(value) for value in row))
    out_console.print(table)
    included = int(state.tables["patients"]["included"].sum())
    out_console.print(f"{state.tables['patients'].height} screened, {included} included.")


@app.command()
def claims(
    out: OutFolder,
    published: Annotated[Path, typer.Argument(help="A claims file.", metavar="CLAIMS")],
    study: Annotated[Path | None, typer.Option("--study", help="The study file, for its labels.")] = None,
) -> None:
    """Compare published numbers with those of a run: published / this study / agree?"""
    results = _room("study").OutputFolder(out).results()
    text = _room("study").read_text(published, "claims file")
    room = _room("claims")
    verdicts = room.compare(room.load(text, file=published.name), results)
    protocol = riskset.Study.load(study).protocol if study is not None else None
    _claims_table(protocol, verdicts)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")],
    source: Annotated[
        Path | None, typer.Option("--from", help="A data file whose columns the mapping shall list.")
    ] = None,
) -> None:
    """Start a study: a commented study file and mapping to fill in."""
    for path in _room("study").start_study(folder, source):
        out_console.print(f"Wrote {path}", markup=False)


@app.command()
def demo(out: Annotated[Path, typer.Option("--out", help="Output folder.")] = Path("riskset-demo")) -> None:
    """Run the bundled study of simulated patients and print its headline and claims."""
    with resources.as_file(resources.files("riskset") / "examples" / "her2_cdk46" / "study.yaml") as path:
        loaded = riskset.Study.load(path)
        _carry_out(loaded, out)
    _print_headline(loaded)
    _claims_table(loaded.protocol, loaded.state.verdicts)
    out_console.print("These patients are simulated; agreement tests the program and is no evidence about the paper.")
    out_console.print(f"Report: {out / 'report.html'}", markup=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the study file, for editors."""
    print(_room("study").schema_text())


@app.command()
def trace(
    out: OutFolder,
    row: Annotated[str, typer.Argument(help="Name of a result row, as results.json has it.")],
    limit: Annotated[int, typer.Option("--limit", help="Patients to show; 0 shows all.")] = 5,
) -> None:
    """Walk from a result row to its patients and the cells that they came from (shows patient data)."""
    traced = _room("study").trace(out, row)
    shown = traced.patients if limit == 0 else traced.patients[:limit]
    value = traced.row.text if traced.row.value is None else f"{traced.row.value:g} {traced.row.unit or ''}"
    lines = [
        f"{traced.row.row}",
        f"  value: {value} ({traced.row.status}); analysis {traced.row.analysis}; "
        f"endpoint {traced.row.endpoint or '-'}; scheme {traced.row.scheme or '-'}",
        f"  patients: {len(traced.patients)} ({traced.population})",
    ]
    for person in shown:
        lines.append(f"  {person.centre}/{person.patient}: " + ", ".join(f"{k} {v}" for k, v in person.facts.items()))
        lines.extend(_cell_line(cell) for cell in person.cells)
    if len(shown) < len(traced.patients):
        lines.append(f"  ... and {len(traced.patients) - len(shown)} more; --limit 0 shows all.")
    print("\n".join(lines))


def _cell_line(cell: Any) -> str:
    place = f"{cell.file}" + (f" [{cell.sheet}]" if cell.sheet else "")
    return (
        f"      {place} row {cell.row}, column '{cell.column}' -> {cell.field}: {cell.text if cell.text else '(empty)'}"
    )


@app.command()
def patient(
    out: OutFolder,
    identifier: Annotated[str, typer.Argument(help="The centre's patient id.", metavar="ID")],
    centre: Annotated[
        str | None, typer.Option("--centre", help="Centre id, where two centres share the patient id.")
    ] = None,
) -> None:
    """Show all that a run knows of one patient (shows patient data)."""
    story = _room("study").patient_story(out, identifier, centre)
    lines = [f"{story.centre}/{story.patient}", "Derived"]
    lines += [f"  {name}: {value}" for name, value in story.derived.items()]
    lines.append("Candidate dates")
    for c in story.candidates:
        mark = "kept" if c["kept"] else "    "
        lines.append(
            f"  {mark} {c['endpoint']}/{c['scheme']} {c['date']} day {c['days']} {c['role']} {c['reason']}: {c['why']}"
        )
    lines.append("Queries")
    lines += [f"  {q['check']} ({q['severity']}, {q['action']}): {q['message']}" for q in story.queries] or ["  none"]
    lines.append("Cells")
    lines += [_cell_line(cell) for cell in story.cells]
    print("\n".join(lines))


def main() -> None:
    """Run the command line; an error of ours ends in one sentence and its exit code, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    try:
        app(standalone_mode=True)
    except UsageError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except RisksetError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except Exception as error:  # a fault of ours: no traceback, since it may hold patients' values
        place = _last_place(error)
        print(f"riskset failed at {place} ({type(error).__name__}); please report it with this line.", file=sys.stderr)
        sys.exit(1)


def _last_place(error: BaseException) -> str:
    """Give the innermost module and line of ours where an error arose, which holds no patient's value."""
    place, frame = "an unknown place", error.__traceback__
    while frame is not None:
        name = frame.tb_frame.f_globals.get("__name__", "")
        if name.startswith("riskset"):
            place = f"{name}:{frame.tb_lineno}"
        frame = frame.tb_next
    return place
