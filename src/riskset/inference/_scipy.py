"""The one place where this room loads scipy, and only at first need: its modules cost up to a second to import.

`numpy` and the standard library are enough for most of the room; normal quantiles and P values stand in
`_normal.py` without scipy.
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def special() -> Any:
    """Give `scipy.special` (incomplete beta and gamma functions and their inverses)."""
    import scipy.special

    return scipy.special
