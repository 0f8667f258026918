"""Kernels share one pool of threads, which a forked process cannot inherit."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import multiprocessing
from riskset.survival import kernels

def squares(_):
    return kernels.on_all_cores(lambda k: k * k, range(8))

if __name__ == "__main__":
    kernels.os.cpu_count = lambda: 4
    mine = squares(0)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.map(squares, [0]) == [mine]
    print(mine)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
def test_a_forked_process_has_threads_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT], capture_output=True, encoding="utf-8", timeout=60
    )
    assert done.stdout.strip() == "[0, 1, 4, 9, 16, 25, 36, 49]", done.stderr
