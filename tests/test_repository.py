"""House rules that a script can see."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "riskset"
LONGEST_FILE = 650

# Files whose bytes are not ours to choose: pictures, workbooks, and what the bundled study's hospitals sent.
NOT_TEXT = ("*.xlsx", "*.sav", "*.png", "*.docx", "*.parquet", "src/riskset/examples/*.csv")

PLACES = {
    "a machine path": re.compile(r"(?<![\w.])/(?:home|root|Users|work|tmp)/\w|\b[A-Z]:\\+Users\\"),
    "a package server's address": re.compile(r"https?://\S*(?:pypi|pythonhosted|/simple\b)", re.IGNORECASE),
}


def places_named(line: str) -> list[str]:
    """Say which kinds of places outside the repository a line names."""
    return [kind for kind, pattern in PLACES.items() if pattern.search(line)]


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so which files are tracked cannot be asked")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / name for name in listed.decode("utf-8").split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.fixture(scope="module")
def texts(tracked: list[Path]) -> dict[str, bytes]:
    named = {path.relative_to(ROOT).as_posix(): path for path in tracked}
    return {
        name: path.read_bytes()
        for name, path in named.items()
        if not any(fnmatch(name, pattern) for pattern in NOT_TEXT)
    }


def source_files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def test_text_files_are_utf8_with_plain_line_ends(texts):
    wrong = []
    for name, content in texts.items():
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            wrong.append(f"{name}: not UTF-8 at byte {error.start}")
        if b"\r" in content:
            wrong.append(f"{name}: carriage returns")
        if content.startswith(b"\xef\xbb\xbf"):
            wrong.append(f"{name}: byte order mark")
        if content and not content.endswith(b"\n"):
            wrong.append(f"{name}: no line end at the end")
    assert wrong == []


def test_no_tracked_text_names_a_machine_or_a_package_server(texts):
    lines = (
        (name, number, line)
        for name, content in texts.items()
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1)
    )
    assert [f"{name}:{number}: {place}" for name, number, line in lines for place in places_named(line)] == []


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["/ho", "me/ada/study.yaml"], ["a machine path"]),
        (["see (/wo", "rk/x)"], ["a machine path"]),
        ([r"C:\Us", r"ers\ada"], ["a machine path"]),
        (["https://py", "pi.org/project"], ["a package server's address"]),
        (["https://host/sim", "ple/numpy"], ["a package server's address"]),
        (["https://www.w3.org/2000/svg and src/home/page, ./tmp/x"], []),
    ],
)
def test_places_outside_the_repository_are_recognised(parts, expected):
    assert places_named("".join(parts)) == expected  # in parts, so that this file passes its own rule


def test_shared_data_are_not_named_to_users(texts):
    beside = "../" + "shared"
    shown = [name for name in texts if name.endswith(".md") or name.startswith("src/")]
    assert [name for name in shown if beside.encode() in texts[name]] == []


def test_links_between_documents_lead_somewhere(texts):
    link = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
    links = [
        (name, target)
        for name, content in texts.items()
        if name.endswith(".md")
        for target in link.findall(content.decode("utf-8", "replace"))
    ]
    assert links
    assert [(name, target) for name, target in links if not (ROOT / name).parent.joinpath(target).exists()] == []


def test_licence_is_the_whole_apache_text():
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


@pytest.mark.parametrize("name", ["uv.lock", "pylock.toml", "out/report.html", ".venv/pyvenv.cfg"])
def test_what_names_servers_or_holds_patients_is_ignored(tracked, name):
    ignored = subprocess.run(["git", "check-ignore", "--quiet", name], cwd=ROOT)
    assert ignored.returncode == 0
    assert ROOT / name not in tracked


def test_raw_files_of_the_bundled_study_keep_their_bytes(tracked):
    asked = ["git", "check-attr", "text", "--", "src/riskset/examples/any/raw.csv", "src/riskset/cli.py"]
    said = subprocess.run(asked, cwd=ROOT, capture_output=True, check=True, encoding="utf-8").stdout
    assert [line.rsplit(" ", 1)[1] for line in said.splitlines()] == ["unset", "auto"]


def test_public_modules_say_what_they_are_for():
    public = [path for path in source_files() if not path.stem.startswith("_") or path.stem == "__init__"]
    assert public
    silent = [path for path in public if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert [path.relative_to(ROOT).as_posix() for path in silent] == []


def test_source_files_stay_readable_in_one_sitting():
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in source_files()}
    assert lengths
    long = {path.relative_to(ROOT).as_posix(): n for path, n in lengths.items() if n > LONGEST_FILE}
    assert long == {}
