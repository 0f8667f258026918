"""Labels and rows of categories as codes 0, 1, 2, ..., for many rows: whole numbers are counted, the rest is sorted."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._labels import encode
from riskset.survival._types import AnyArray, FloatArray
from riskset.survival.counting import cell_counts, whole_numbers

# Small whole numbers are codes already; up to the larger limit the codes that occur are counted out.
_CODES_ALREADY = 64
_COUNTED = 32_767
# A count of all codes is cheaper than sorting while there are no more of them than this, or than a few a row.
_ALWAYS_COUNTED = 1 << 14
_CODES_A_ROW = 4


def label_codes(labels: ArrayLike, n: int, name: str, *, rows: int | None = None) -> tuple[AnyArray, AnyArray]:
    """Give the code of each row's label and the labels in sorted order; a label may have no row.

    Parameters
    ----------
    labels : array of shape (n,), of text or numbers; none may be missing.
    n : number of rows that the times have.
    name : the argument's name, for the message of an error.
    rows : rows of the whole work that this is a part of
    """
    array = np.asarray(labels)
    found = None
    if array.shape == (n,) and array.dtype.kind in "biuf" and n > 0 and not np.ma.is_masked(labels):
        found = whole_numbers(array, _COUNTED, dtype=np.int16, rows=rows)
    if found is None:
        return encode(labels, n, name)
    codes, largest = found
    levels = np.arange(largest + 1).astype(array.dtype)
    if largest < _CODES_ALREADY:
        return codes, levels
    present, table = present_codes(codes, largest + 1, rows=rows)
    return table[codes], levels[present]


def row_codes(values: ArrayLike, n: int, name: str, *, rows: int | None = None) -> tuple[AnyArray, FloatArray]:
    """Give the code of each row of `values` (n, p) and rows (k, p) that hold all distinct ones, in sorted order.

    A row of the second array may stand for no row of `values`.
    """
    if np.ma.is_masked(values):
        raise EngineError(f"{name} holds a missing label; leave such rows out before")
    array = np.asarray(values)
    if array.ndim != 2 or array.shape[0] != n:
        raise EngineError(f"{name} has shape {array.shape} and time has {n} rows; give one row of covariates a patient")
    if array.dtype.kind not in "biuf":
        raise EngineError(f"{name} holds something that is not a number; turn factors into dummy columns")
    codes: AnyArray = np.zeros(n, dtype=np.int32)
    table = np.zeros((1, 0))
    for j in range(array.shape[1]):
        column, levels = label_codes(array[:, j], n, name, rows=rows)
        size = levels.shape[0]
        if table.shape[0] * size > max(_ALWAYS_COUNTED, _CODES_A_ROW * n):
            present, codes = np.unique(codes * np.int64(size) + column, return_inverse=True)
            codes = codes.reshape(-1)
            table = np.column_stack((table[present // size], levels[present % size]))
        else:
            codes *= size
            codes += column
            table = np.column_stack((np.repeat(table, size, axis=0), np.tile(levels, table.shape[0])))
    return codes, table


def present_codes(codes: AnyArray, size: int, *, rows: int | None = None) -> tuple[AnyArray, AnyArray]:
    """Give the codes below `size` that occur, sorted, and for every code below `size` its place among them."""
    present = np.flatnonzero(cell_counts(codes, size, rows=rows))
    place = np.zeros(size, dtype=np.int32)
    place[present] = np.arange(present.shape[0])
    return present, place
