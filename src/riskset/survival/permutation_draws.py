"""Random labels for rows, many times over: the sums of scores that each group draws. NumPy twin of the kernel.

Within a stratum of r people left and m labels of a group left, the next person takes such a label with probability m/r:
that draws every arrangement of the labels with equal probability, in one pass and without moving anything. A draw takes
32 random bits, so its probability is right to 2^-32. People 2j and 2j + 1 of replicate b take the upper and the lower
half of output number b k + j + 1, k = ceil(n / 2), of the SplitMix64 generator, which needs nothing of what came
before: replicates may be drawn in any parts and on any number of cores.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskset.survival._types import IntArray

GOLDEN = 0x9E3779B97F4A7C15
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
LOWER_HALF = np.uint64(0xFFFFFFFF)
WORD = 1 << 64
# Labels left are counted in steps of 2^-32, the step of a draw.
ONE = 1 << 32


def key_of(seed: int) -> int:
    """Give the generator's 64-bit starting value for a seed, well mixed however small the seed."""
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])


def group_sums(score: IntArray, start: IntArray, size: IntArray, key: int, low: int, high: int) -> IntArray:
    """Draw the replicates `low` to `high` and add up the scores of each group but the last.

    Parameters
    ----------
    score : int array of shape (n,), stratum by stratum; a stratum holds fewer than 2^30 people
    start : int array of shape (S + 1,), where strata start and end
    size : int array of shape (S, G), labels of each group in each stratum
    key : the generator's starting value, 0 <= key < 2^64

    Returns
    -------
    int array of shape (G - 1, high - low)
    """
    width, drawn = high - low, size.shape[1] - 1
    sums = np.zeros((drawn, width), dtype=np.int64)
    # Whole numbers wrap round at 2^64, as they do in the kernel.
    step = GOLDEN * ((score.shape[0] + 1) // 2) % WORD
    base = np.arange(low, high, dtype=np.uint64) * np.uint64(step) + np.uint64(key)
    state, other = np.empty_like(base), np.empty_like(base)
    for s in range(size.shape[0]):
        left = np.repeat(size[s, :drawn, None] * ONE, width, axis=1)
        for i in range(start[s], start[s + 1]):
            if i % 2 == 0 or i == start[s]:
                np.add(base, np.uint64(GOLDEN * (i // 2 + 1) % WORD), out=state)
                _mix(state, other)
            if i % 2 == 0:
                np.right_shift(state, np.uint64(32), out=other)
            else:
                np.bitwise_and(state, LOWER_HALF, out=other)
            place = other.view(np.int64)
            place *= start[s + 1] - i
            _take(score[i], place, left, sums)
    return sums


def _mix(state: NDArray[np.uint64], other: NDArray[np.uint64]) -> None:
    """Turn counters into random numbers, in place."""
    for shift, factor in ((30, MIX_1), (27, MIX_2)):
        np.right_shift(state, np.uint64(shift), out=other)
        np.bitwise_xor(state, other, out=state)
        np.multiply(state, factor, out=state)
    np.right_shift(state, np.uint64(31), out=other)
    np.bitwise_xor(state, other, out=state)


def _take(score: np.int64, place: IntArray, left: IntArray, sums: IntArray) -> None:
    """Give one person's label in every replicate: of the group in whose part of the labels left `place` falls."""
    if left.shape[0] == 1:
        taken = (place < left[0]).astype(np.int64)
        sums[0] += taken * score
        left[0] -= taken * ONE
        return
    below = place < np.cumsum(left, axis=0)
    below[1:] &= ~below[:-1]
    taken = below.astype(np.int64)
    sums += taken * score
    left -= taken * ONE
