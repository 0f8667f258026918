"""Compiled twin of `riskset.survival.permutation_draws.group_sums`: same arguments, same permutations, same sums."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_LOWER_HALF = np.uint64(0xFFFFFFFF)
_ONE = np.int64(1 << 32)
_S27, _S30, _S31, _S32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)
# Replicates side by side: they do not wait for one another, and run in vector registers.
_WIDTH = 64


@numba.njit(cache=True, nogil=True)
def _mix(base: Any, step: Any, state: Any) -> None:
    for c in range(state.shape[0]):
        z: Any = base[c] + step
        z = (z ^ (z >> _S30)) * _MIX_1
        z = (z ^ (z >> _S27)) * _MIX_2
        state[c] = z ^ (z >> _S31)


@numba.njit(cache=True, nogil=True)
def _take(score: Any, place: Any, reached: Any, left: Any, sums: Any) -> None:
    """Take a label of this group where `place` falls in its part; such a place is then out of every later part."""
    for c in range(place.shape[0]):
        reached[c] += left[c]
        taken = place[c] < reached[c]
        sums[c] += score if taken else np.int64(0)
        left[c] -= _ONE if taken else np.int64(0)
        place[c] = np.int64(1) << np.int64(62) if taken else place[c]


@numba.njit(cache=True, nogil=True)
def _drawn_sums(score: Any, start: Any, size: Any, key: Any, low: int, high: int) -> Any:
    drawn = size.shape[1] - 1
    half = np.uint64((score.shape[0] + 1) // 2)
    sums = np.zeros((drawn, high - low), dtype=np.int64)
    part = np.empty((drawn, _WIDTH), dtype=np.int64)
    left = np.empty((drawn, _WIDTH), dtype=np.int64)
    place, reached = np.empty(_WIDTH, dtype=np.int64), np.empty(_WIDTH, dtype=np.int64)
    base, state = np.empty(_WIDTH, dtype=np.uint64), np.empty(_WIDTH, dtype=np.uint64)
    for block in range(low, high, _WIDTH):
        part[:] = 0
        for c in range(_WIDTH):
            base[c] = key + _GOLDEN * half * np.uint64(block + c)
        for s in range(size.shape[0]):
            for g in range(drawn):
                left[g] = size[s, g] * _ONE
            for i in range(start[s], start[s + 1]):
                if i % 2 == 0 or i == start[s]:
                    _mix(base, _GOLDEN * np.uint64(i // 2 + 1), state)
                people = start[s + 1] - i
                for c in range(_WIDTH):
                    bits = state[c] >> _S32 if i % 2 == 0 else state[c] & _LOWER_HALF
                    place[c] = np.int64(bits) * people
                reached[:] = 0
                for g in range(drawn):
                    _take(score[i], place, reached, left[g], part[g])
        width = min(_WIDTH, high - block)
        sums[:, block - low : block - low + width] = part[:, :width]
    return sums


def group_sums(score: Any, start: Any, size: Any, key: int, low: int, high: int) -> Any:
    """Draw the replicates `low` to `high` and add up the scores of each group but the last: (G - 1, high - low)."""
    return _drawn_sums(score, start, size, np.uint64(key), low, high)
