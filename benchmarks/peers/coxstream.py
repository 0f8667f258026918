"""coxstream (MIT): Cox models alone, Efron ties, one pass over time-sorted rows a step, a Cython kernel.

It comes as source and is compiled for this machine's processor (`-O3 -ffast-math -march=native`).
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
from _ways import Way, routes
from coxstream import CoxStream

VERSION = version("coxstream")


def cox(time: Any, event: Any, x: Any) -> Any:
    """Give the coefficients."""
    return CoxStream().fit(time, event, x).coef_


ROUTES = routes(np.int32, {"CoxStream.fit": Way(cox)}, bootstrap={"CoxStream.fit": Way(cox, replicates=1000)})
