"""Labels of groups, strata and clusters as codes 0, 1, 2, ..."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._types import AnyArray, IntArray


def encode(labels: ArrayLike, n: int, name: str) -> tuple[IntArray, AnyArray]:
    """Give the code of each row's label and the distinct labels in sorted order.

    Parameters
    ----------
    labels : array of shape (n,), of text or numbers; none may be missing.
    n : number of rows that the times have.
    name : the argument's name, for the message of an error.
    """
    array = np.asarray(labels)
    if array.shape != (n,):
        raise EngineError(f"{name} has shape {array.shape} and time has {n} rows; give one label a row")
    if array.dtype.kind == "O" and any(label is None for label in array):
        raise EngineError(f"{name} holds a missing label; leave such rows out before")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise EngineError(f"{name} holds a missing label; leave such rows out before")
    try:
        levels, codes = np.unique(array, return_inverse=True)
    except TypeError:
        raise EngineError(f"{name} mixes kinds of label; give all of them as text or all as numbers") from None
    return codes.reshape(-1).astype(np.int64), levels
