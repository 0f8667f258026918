#!/usr/bin/env python3
"""Set up and run the project: environment, demo, tests, checks, benchmarks.

Standard library only, and the same on Linux, macOS and Windows. Any Python 3.7 or later can start this file: it looks
for a Python that riskset runs on, makes the environment `.venv` with it, and runs everything else from there.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PEERS = ROOT / "out" / "peers"
LOCK = ROOT / "requirements.lock"
PYPROJECT = ROOT / "pyproject.toml"
STAMP = VENV / "installed-from.sha256"

OLDEST, NEWEST = (3, 11), (3, 13)
OTHER_PYTHONS = ("python3.13", "python3.12", "python3.11", "python3", "python")
PROBE = (
    "import sys, importlib.util as u;"
    "print(*sys.version_info[:2], int(all(u.find_spec(m) for m in ('venv', 'ensurepip'))))"
)
# What the scripts under tests/reference/ need.
R_PACKAGES = (
    "survival",
    "cmprsk",
    "jsonlite",
    "metafor",
    "maxstat",
    "exactRankTests",
    "mvtnorm",
    "numDeriv",
    "npsurv",
    "Hmisc",
)


class RefusalError(Exception):
    """Something that the user has to install or mend first; the message is one sentence that says what."""


# --------------------------------------------------------------------------------------------- finding things


def probe(python: str) -> tuple[tuple[int, int], bool] | None:
    """Tell a Python's version and whether it can make environments; None where it does not run."""
    try:
        answer = subprocess.run([python, "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
        major, minor, can_make = answer.stdout.split()
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return (int(major), int(minor)), can_make == b"1"


def supported(version: tuple[int, int]) -> bool:
    return OLDEST <= version <= NEWEST


def base_python() -> str:
    """Choose the Python to build the environment with: the one that runs this file, else one from PATH."""
    without_venv = None
    for name in (sys.executable, *OTHER_PYTHONS):
        python = shutil.which(name)
        found = probe(python) if python else None
        if python is None or found is None or not supported(found[0]):
            continue
        if found[1]:
            return python
        without_venv = without_venv or python
    if without_venv:
        raise RefusalError(
            f"{without_venv} lacks the modules venv and ensurepip: install them "
            "(Debian and Ubuntu: `apt install python3-venv`), then give the same command again."
        )
    raise RefusalError(
        f"riskset needs Python {text(OLDEST)} to {text(NEWEST)} and this is {text(sys.version_info[:2])}: "
        f"install Python {text(NEWEST)}, then give the same command again."
    )


def text(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


def in_venv(name: str) -> Path:
    """Give the path of a program of the environment."""
    return VENV / "Scripts" / f"{name}.exe" if os.name == "nt" else VENV / "bin" / name


# --------------------------------------------------------------------------------------------- running things


def call(*command: str | Path, **variables: str) -> int:
    """Run a command in the project's folder, with some environment variables set; give its exit code."""
    sys.stdout.flush()
    return subprocess.run([str(part) for part in command], cwd=ROOT, env={**os.environ, **variables}).returncode


def need(*command: str | Path, **variables: str) -> None:
    """Run a command that the rest depends on; end with its exit code where it fails."""
    code = call(*command, **variables)
    if code:
        raise SystemExit(code)


def tool(name: str, *arguments: str) -> int:
    """Run a developer's tool of the environment; UTF-8 even where Windows would write to a pipe otherwise."""
    return call(in_venv(name), *arguments, PYTHONUTF8="1")


# --------------------------------------------------------------------------------------------- the actions


def fingerprint() -> str:
    """Hash what an installed environment depends on: the lock, the project's own declaration, and where it lies."""
    parts = (LOCK.read_bytes(), PYPROJECT.read_bytes(), str(ROOT).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def install(_: list[str]) -> int:
    """Make .venv and install the locked packages and the project; nothing to do when already in step."""
    wanted = fingerprint()
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8").strip() == wanted:
        return 0
    python = in_venv("python")
    found = probe(str(python)) if python.exists() else None
    if found is None or not supported(found[0]):
        base = base_python()
        print(f"Making the environment .venv with {base}", flush=True)
        need(base, "-m", "venv", "--clear", VENV)
    print("Installing the locked packages into .venv (about a minute the first time)", flush=True)
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    need(*pip, "--require-hashes", "--requirement", LOCK)
    # The build backend is in the lock, so nothing is fetched without a hash here either.
    need(*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT)
    STAMP.write_bytes(f"{wanted}\n".encode())
    return 0


def demo(arguments: list[str]) -> int:
    """Install, then run the bundled study on simulated patients into out/demo."""
    install([])
    return call(in_venv("riskset"), "demo", *(arguments or ["--out", str(Path("out") / "demo")]))


def test(arguments: list[str]) -> int:
    """Install, then run every test (further arguments go to pytest)."""
    install([])
    # One file's tests stay together, so that a study run for them is run once. With the variable, text opened
    # without an encoding is an error in our own modules (see filterwarnings in pyproject.toml).
    spread = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")
    return call(in_venv("python"), "-m", "pytest", *spread, *arguments, PYTHONWARNDEFAULTENCODING="1")


def check(_: list[str]) -> int:
    """Install, then check style, layout, types, layers and the lock; all of them, even after a failure."""
    install([])
    commands = (
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
        ("lint-imports",),
        ("python", "tools/lock_in_step.py"),
    )
    failed = []
    for name, *arguments in commands:
        title = " ".join((name, *arguments))
        print(f"-- {title}", flush=True)
        if tool(name, *arguments):
            failed.append(title)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed", flush=True)
    return 1 if failed else 0


def fix(_: list[str]) -> int:
    """Install, then let ruff mend what it can and lay the files out."""
    install([])
    return tool("ruff", "check", "--fix", ".") | tool("ruff", "format", ".")


def run(arguments: list[str]) -> int:
    """Install, then run one tool of the environment, such as `run mypy` (the pre-commit hooks do)."""
    if not arguments:
        raise RefusalError("`run` needs the name of a tool, such as `run mypy`.")
    install([])
    if not in_venv(arguments[0]).exists():
        raise RefusalError(f"there is no {arguments[0]} in .venv: add its package to pyproject.toml and run `lock`.")
    return tool(*arguments)


def lock(arguments: list[str]) -> int:
    """Write requirements.lock from pyproject.toml with uv; `lock --upgrade` takes newer versions."""
    uv = shutil.which("uv") or shutil.which(str(in_venv("uv")))
    if uv is None:
        raise RefusalError(
            "uv is missing: install it (`python3 -m pip install uv`, or `pipx install uv`), then run `lock` again."
        )
    # No header, no index: a lock that names a server or a machine is of no use to anybody else.
    options = ("--universal", "--generate-hashes", "--no-emit-index-url", "--no-header", "--quiet")
    versions = ("--python-version", text(OLDEST), "--extra", "fast", "--group", "dev")
    need(uv, "pip", "compile", *options, *versions, *arguments, "--output-file", LOCK.name, PYPROJECT.name)
    print(f"{LOCK.name} is written")
    return install([])


def reference(_: list[str]) -> int:
    """Run the R scripts that write the reference numbers of the tests (needs R)."""
    rscript = shutil.which("Rscript")
    have = " && ".join(f"requireNamespace('{package}', quietly = TRUE)" for package in R_PACKAGES)
    if rscript is None or call(rscript, "-e", f"quit(status = if ({have}) 0 else 1)"):
        raise RefusalError(
            f"R with the packages {', '.join(R_PACKAGES)} is missing: install it (Debian and Ubuntu: "
            f"`apt install r-base-core {' '.join(f'r-cran-{package.lower()}' for package in R_PACKAGES)}`), "
            "then run `reference` again."
        )
    for script in sorted((ROOT / "tests" / "reference").rglob("*.R")):
        if not script.name.startswith("_"):  # _name.R is a piece that others source
            print(f"-- {script.relative_to(ROOT).as_posix()}", flush=True)
            need(rscript, script.relative_to(ROOT))
    return 0


def bench(arguments: list[str]) -> int:
    """Install, then measure; `bench --peers` installs what the engine is compared with; BENCHMARKS.md tells more."""
    install([])
    if "--peers" in arguments:
        return install_peers()
    programs = sorted((ROOT / "benchmarks").glob("bench_*.py"))
    if arguments:
        programs = [ROOT / "benchmarks" / "bench_engine.py"]
    return max(call(in_venv("python"), program, *arguments) for program in programs)


def install_peers() -> int:
    """Install the programs that the engine is compared with into an environment of their own."""
    need(in_venv("python"), "-m", "venv", "--clear", PEERS)
    python = PEERS / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    code = call(*pip, "--requirement", ROOT / "benchmarks" / "peers" / "peers.txt")
    print("installed into out/peers" if code == 0 else "not all could be installed: see above", flush=True)
    return code


ACTIONS = {action.__name__: action for action in (demo, test, check, install, bench, fix, lock, reference, run)}


def main() -> int:
    width = max(len(name) for name in ACTIONS)
    listing = "\n".join(f"  {name:<{width}}  {(action.__doc__ or '').strip()}" for name, action in ACTIONS.items())
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=f"actions:\n{listing}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=ACTIONS, metavar="action", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="handed on by demo, test, bench, lock and run")
    given = parser.parse_args()
    try:
        return ACTIONS[given.action](given.arguments)
    except RefusalError as refusal:
        print(f"dev.py: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
