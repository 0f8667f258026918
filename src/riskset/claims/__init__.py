"""Claims: result rows that somebody else computed and printed, held against ours."""

from __future__ import annotations

from riskset.claims.comparison import Verdict, compare, rounds_to
from riskset.claims.file import Claim, ClaimsFile, Source, load

__all__ = ["Claim", "ClaimsFile", "Source", "Verdict", "compare", "load", "rounds_to"]
