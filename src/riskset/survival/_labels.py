"""Labels of groups, strata and clusters as codes 0, 1, 2, ..."""

from __future__ import annotations

from typing import Any

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
    array = label_array(labels, name)
    if array.shape != (n,):
        raise EngineError(f"{name} has shape {array.shape} and time has {n} rows; give one label a row")
    try:
        levels, codes = np.unique(array, return_inverse=True)
    except TypeError:
        raise EngineError(_MIXED.format(name)) from None
    return codes.reshape(-1).astype(np.int64), levels


def label_array(labels: ArrayLike, name: str) -> AnyArray:
    """Give `labels` as an array of any shape, or refuse them where one is missing.

    Examples
    --------
    >>> label_array(["low", "zero"], "group").tolist()
    ['low', 'zero']
    """
    array = np.asarray(labels)
    kind = array.dtype.kind
    if kind == "U" and isinstance(labels, list | tuple) and array.ndim == 1:
        # NumPy has made a text of whatever stood beside text: 'nan' of a missing number.
        array = np.array([None if _is_missing(label) else label for label in labels], dtype=object)
        if all(isinstance(label, str) for label in labels):
            array = array.astype(np.str_)
        elif not any(label is None for label in array):
            raise EngineError(_MIXED.format(name))
    if (
        np.ma.is_masked(labels)
        or (array.dtype.kind == "O" and any(_is_missing(label) for label in array.reshape(-1)))
        or (kind in "fc" and not np.isfinite(array).all())
        or (kind in "mM" and np.isnat(array).any())
    ):
        raise EngineError(f"{name} holds a missing label; leave such rows out before")
    return array


def _is_missing(label: Any) -> bool:
    """Tell None, NaN and their like: what does not equal itself, or will not say whether it does."""
    try:
        return label is None or bool(label != label)
    except (TypeError, ValueError):
        return True


_MIXED = "{} mixes kinds of label; give all of them as text or all as numbers"
