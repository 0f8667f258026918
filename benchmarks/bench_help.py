"""`riskset --help`: the time until a command answers at all, median of five new processes."""

from __future__ import annotations

from statistics import median

from _measure import RISKSET, seconds, verdict

AIM = 0.8
RUNS = 5


def main() -> None:
    """Print how long `riskset --help` takes."""
    seconds(RISKSET, "--help")  # the first one after an install compiles the modules
    print(f"riskset --help: {verdict(median(seconds(RISKSET, '--help') for _ in range(RUNS)), AIM)}")


if __name__ == "__main__":
    main()
