"""The command line. It parses words, draws progress and prints; everything else happens in the study.

`riskset.study` is reached through the package's lazy names, so that `riskset --help` need not load it.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module, resources
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

import riskset
from riskset.errors import (
    CancelledError,
    DataRefusedError,
    EngineError,
    PrimaryNotEstimatedError,
    RisksetError,
    UsageError,
)
from riskset.progress import Progress

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: drawing it with rich costs as much time again as all the rest
    help="Carry out a retrospective oncology outcomes study: hospital files in, a report with traceable numbers out.",
)

StudyPath = Annotated[Path, typer.Argument(help="The study file, study.yaml.", metavar="STUDY")]
DataPath = Annotated[Path | None, typer.Option("--data", help="Root of the paths in the mappings.")]
OutPath = Annotated[Path | None, typer.Option("--out", help="Output folder; default out/ beside the study file.")]
OutFolder = Annotated[Path, typer.Argument(help="An output folder that `riskset run` wrote.", metavar="OUT")]


def _show_version(wanted: bool) -> None:
    if wanted:
        _print(f"riskset {riskset.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Options of the program itself."""


# Refusals of a run's input: what stops it is written into the output folder too.
_REFUSALS = (DataRefusedError, EngineError, UsageError)


def _room(name: str) -> Any:
    """Load one of our rooms at first need: the one named place where this module does so."""
    return import_module(f"riskset.{name}")


def _print(text: str = "", *, to_stderr: bool = False) -> None:
    """Print plain text: rich's console would read [square brackets] of a file name as markup."""
    print(text, file=sys.stderr if to_stderr else sys.stdout)


def _show(table: Table) -> None:
    """Draw a table as wide as the terminal, and as wide as it needs to be where the output is piped."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)
    console.print(table)


class _Drawn:
    """Draws progress: a bar on a terminal, plain lines where the output is piped."""

    def __init__(self) -> None:
        self.bar: Bar | None = None
        console = Console(stderr=True, highlight=False)
        if console.is_terminal:
            columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
            self.bar = Bar(*columns, console=console, transient=True)
            self.task = self.bar.add_task("Starting", total=1)
            self.bar.start()

    def __call__(self, progress: Progress) -> None:
        if self.bar is None:
            _print(progress.message, to_stderr=True)
        elif progress.total is not None:
            self.bar.update(self.task, description=progress.message, completed=progress.done, total=progress.total)
        else:
            self.bar.update(self.task, description=progress.message)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.stop()


def _carry_out(study: Any, out: Path) -> None:
    """Run and write a study, whatever comes: a refused run leaves a folder that says why."""
    _room("study").require_replaceable(out)
    drawn = _Drawn()
    try:
        # The renderers of figures get ready while the study runs.
        with _room("report").Renderers() as renderers:
            try:
                study.run(on_progress=drawn)
            except _REFUSALS as error:
                _write_refusal(study, out, error)
                raise
            study.write(out, on_progress=drawn, renderers=renderers)
    finally:
        drawn.close()
    for note in study.notes:
        _print(note, to_stderr=True)


def _write_refusal(study: Any, out: Path, error: RisksetError) -> None:
    """Write the folder of a refusal; where that fails too, the refusal itself is what the user has to read."""
    try:
        study.write_refusal(out, error)
    except UsageError as second:
        _print(str(second), to_stderr=True)


def _print_headline(study: Any) -> None:
    for line in _room("report").headline(study.protocol, study.state.results):
        _print(line)


def _print_claims(protocol: Any, verdicts: Any) -> None:
    table = Table(title="Published against this study", title_justify="left")
    for heading in ("claim", "published", "this study", "agree?"):
        table.add_column(heading, overflow="fold")
    for line in _room("report").claims_lines(protocol, verdicts):
        table.add_row(*(escape(cell) for cell in line))
    _show(table)
    agreed = sum(v.agrees for v in verdicts)
    _print(f"{agreed} of {len(verdicts)} claims agree.")


def _require_primary(study: Any) -> None:
    missing = study.primary_missing()
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        raise PrimaryNotEstimatedError(f"Primary analysis {names} gave no estimate; its rows in results.json say why.")


@app.command()
def run(study: StudyPath, data: DataPath = None, out: OutPath = None) -> None:
    """Run a study whole and write its output folder."""
    loaded = riskset.Study.load(study, data=data)
    folder = out if out is not None else study.parent / "out"
    _carry_out(loaded, folder)
    _print_headline(loaded)
    _print(f"Report: {folder / 'report.html'}")
    _require_primary(loaded)


@app.command()
def check(study: StudyPath, data: DataPath = None) -> None:
    """Check a study and its data; write nothing."""
    loaded = riskset.Study.load(study, data=data)
    drawn = _Drawn()
    try:
        loaded.run("quality_cohort", on_progress=drawn)
    finally:
        drawn.close()
        _print_queries(loaded.state.tables)
    for note in (*loaded.notes, *_room("study").nobody(loaded.protocol, loaded.state.tables)):
        _print(note, to_stderr=True)
    patients = loaded.state.tables["patients"]
    _print(f"{patients.height} screened, {int(patients['included'].sum())} included.")


def _print_queries(tables: Any) -> None:
    if "queries" not in tables:
        return
    by, meanings = ("centre", "check", "severity", "action"), _room("study").study_vocabulary().checks
    counts = tables["queries"].group_by(by).len().sort(by)
    if not counts.height:
        _print("No queries.")
        return
    table = Table(title="Queries by centre and check", title_justify="left")
    for heading in (*by, "queries", "what the check asks"):
        table.add_column(heading, overflow="fold")
    for row in counts.iter_rows():
        table.add_row(*(escape(str(value)) for value in (*row, meanings.get(row[1], ""))))
    _show(table)


@app.command()
def claims(
    out: OutFolder,
    published: Annotated[Path, typer.Argument(help="A claims file.", metavar="CLAIMS")],
    study: Annotated[
        Path | None, typer.Option("--study", help="A study file whose labels to use; default the run's own.")
    ] = None,
) -> None:
    """Hold the numbers that a publication prints against a run of your own.

    The claims file gives each printed number and the result row that should equal it; the table says which agree.
    """
    rooms, folder = _room("claims"), _room("study").OutputFolder(out)
    text = _room("study").read_text(published, "claims file")
    verdicts = rooms.compare(rooms.load(text, file=published.name), folder.results)
    _print_claims(riskset.Study.load(study).protocol if study is not None else folder.protocol, verdicts)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make.", metavar="DIR")],
    source: Annotated[
        Path | None, typer.Option("--from", help="A data file whose columns the mapping shall list.")
    ] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Sheet of that file, where it has several.")] = None,
    header_row: Annotated[
        int | None, typer.Option("--header-row", min=1, help="Row with its column names; default the first.")
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            metavar="dates|supplied",
            help="dates: endpoints from dated records (default without --from); supplied: durations that the hospital "
            "computed itself (default with --from).",
        ),
    ] = None,
) -> None:
    """Start a study: two commented files to fill in."""
    if template not in (None, "dates", "supplied"):
        raise UsageError(f"There is no template '{template}'; take dates or supplied.")
    study_file, mapping = _room("study").start_study(
        folder, source, sheet=sheet, header_row=header_row, template=template
    )
    _print(f"Wrote {study_file}\nWrote {mapping}")
    root = ""
    if source is not None and not source.resolve().is_relative_to(folder.resolve()):
        root = f" --data {source.parent}"
    _print(f"Fill them in, then: riskset check {study_file}{root}")


@app.command()
def demo(out: Annotated[Path, typer.Option("--out", help="Output folder.")] = Path("riskset-demo")) -> None:
    """Run the bundled study of simulated patients."""
    with resources.as_file(resources.files("riskset") / "examples" / "her2_cdk46") as folder:
        loaded = riskset.Study.load(folder / "study.yaml")
        _carry_out(loaded, out)
    _print_headline(loaded)
    _print_claims(loaded.protocol, loaded.state.verdicts)
    _print("These patients are simulated; agreement tests the program and is no evidence about the paper.")
    _print(f"Report: {out / 'report.html'}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of the study file."""
    _print(_room("study").schema_text())


@app.command()
def trace(
    out: OutFolder,
    row: Annotated[str, typer.Argument(help="Name of a result row, as results.json has it.", metavar="ROW")],
    limit: Annotated[int, typer.Option("--limit", min=0, help="Patients to show; 0 shows all.")] = 5,
) -> None:
    """Follow a result row to its patients and cells; those that decided are marked.

    The output shows patient data: it stays where the data may stay.
    """
    traced = _room("study").trace(out, row, limit=limit or None)
    r = traced.row
    value = r.text if r.value is None else f"{r.value:g}" + (f" {r.unit}" if r.unit not in (None, "1") else "")
    place = [f"analysis {r.analysis}", *(f"{k} {v}" for k, v in (("endpoint", r.endpoint), ("scheme", r.scheme)) if v)]
    _print(f"{r.row}\n  value: {value or 'none'} ({r.status}); {'; '.join(place)}")
    if r.warning:
        _print(f"  warning: {r.warning}")
    if traced.note:
        _print(f"  {traced.note}")
    if traced.population:
        how = "counted" if traced.counted else "computed from"
        _print(f"  patients {how}: {len(traced.patients)} ({traced.population})")
    shown = traced.patients[:limit] if limit else traced.patients
    for person in shown:
        _print(f"  {person.centre}/{person.patient}: " + ", ".join(f"{k} {v}" for k, v in person.facts.items()))
        for cell in person.cells:
            _print(_cell_line(cell))
    if len(shown) < len(traced.patients):
        _print(f"  ... and {len(traced.patients) - len(shown)} more; --limit 0 shows all.")


def _cell_line(cell: Any) -> str:
    place = cell.file + (f" [{cell.sheet}]" if cell.sheet else "")
    mark = {"": "", "yes": "  <- decided", "one of": "  <- decided (one of these)"}[cell.decided]
    return f"      {place} row {cell.row}, column '{cell.column}' -> {cell.field}: {cell.text or '(empty)'}{mark}"


@app.command()
def patient(
    out: OutFolder,
    identifier: Annotated[str, typer.Argument(help="The centre's patient id.", metavar="ID")],
    centre: Annotated[
        str | None, typer.Option("--centre", help="Centre id, where two centres share the patient id.")
    ] = None,
) -> None:
    """Show all that a run knows of one patient.

    The output shows patient data: it stays where the data may stay.
    """
    story = _room("study").patient_story(out, identifier, centre)
    lines = [f"{story.centre}/{story.patient}", "Derived"]
    lines += [f"  {name}: {value}" for name, value in story.derived.items()]
    lines.append("Outcomes")
    for outcome in story.outcomes:
        hidden = ("centre", "patient", "source", "row")
        told = ", ".join(f"{k} {v}" for k, v in outcome.items() if v is not None and k not in hidden)
        lines.append(f"  {told}")
    lines.append("Candidate dates")
    for c in story.candidates:
        mark = "kept  " if c["kept"] else "passed"
        named = f"{c['endpoint']}/{c['scheme']} {c['date'] or 'undated'} day {c['days']}"
        lines.append(f"  {mark} {named} {c['role']} {c['reason']}: {c['why']}")
    lines.append("Queries")
    lines += [f"  {q['check']} ({q['severity']}, {q['action']}): {q['message']}" for q in story.queries] or ["  none"]
    lines.append("Cells")
    lines += [_cell_line(cell) for cell in story.cells]
    _print("\n".join(lines))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an error of ours ends in one sentence and its exit code, never a traceback.

    Parameters
    ----------
    arguments : the words after `riskset`; default those of the process.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    if not sys.warnoptions:
        # A library's warning quotes code and may quote data; what matters is a query, or a row's own warning.
        warnings.simplefilter("ignore")
    try:
        app(args=None if arguments is None else list(arguments), prog_name="riskset", standalone_mode=True)
    except CancelledError as error:
        _end(str(error), 130)
    except RisksetError as error:
        _end(str(error), error.exit_code)
    except BrokenPipeError:
        # The reader of a pipe has gone, as with `| head`: nothing is left to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        named = f"'{error.filename}'" if error.filename else "A file"
        _end(f"{named} cannot be read or written ({error.strerror or type(error).__name__}); check the path.", 2)
    except Exception as error:  # a fault of ours: no traceback, since it may hold patients' values
        place = _last_place(error)
        _end(f"riskset failed at {place} ({type(error).__name__}); please report it with this line.", 1)


def _end(message: str, code: int) -> None:
    _print(message, to_stderr=True)
    sys.exit(code)


def _last_place(error: BaseException) -> str:
    """Give the innermost module and line of ours where an error arose, which holds no patient's value."""
    place, frame = "an unknown place", error.__traceback__
    while frame is not None:
        name = frame.tb_frame.f_globals.get("__name__", "")
        if name.startswith("riskset"):
            place = f"{name}:{frame.tb_lineno}"
        frame = frame.tb_next
    return place
