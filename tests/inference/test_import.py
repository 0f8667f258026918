from __future__ import annotations

import subprocess
import sys


def test_scipy_is_not_loaded_before_it_is_needed():
    code = (
        "import sys, riskset.inference as i; i.wilson(1, 9); i.fisher_exact([[3, 1], [1, 3]]);"
        "early = any(m.startswith('scipy') for m in sys.modules); i.clopper_pearson(1, 9);"
        "print(early, 'scipy.special' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
