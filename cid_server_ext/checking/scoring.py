"""How well labels agree with the truth: F1 of objects matched one to one at an overlap."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def overlaps(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return the intersection over union of every true object with every found one.

    Both are label images of one shape, 0 is background. Shape of the answer: (true, found).
    """
    assert truth.shape == found.shape, (truth.shape, found.shape)
    names_true, true = np.unique(truth, return_inverse=True)
    names_found, other = np.unique(found, return_inverse=True)
    shared = np.zeros((names_true.size, names_found.size))
    np.add.at(shared, (true.ravel(), other.ravel()), 1)
    union = shared.sum(1, keepdims=True) + shared.sum(0, keepdims=True) - shared
    return (shared / union)[np.ix_(names_true != 0, names_found != 0)]


def f1(truth: np.ndarray, found: np.ndarray, overlap: float = 0.5) -> float:
    """Return 2 TP / (2 TP + FP + FN), an object being found when one matches it at `overlap`.

    Objects are matched one to one so that as many as possible are found (Caicedo et al., Nature
    Methods 2019, 10.1038/s41592-019-0612-7, whose images score this way). Empty on both sides is 1.
    """
    iou = overlaps(truth, found)
    if sum(iou.shape) == 0:
        return 1.0
    good = iou >= overlap
    rows, columns = linear_sum_assignment(-good.astype(float))
    return 2 * float(good[rows, columns].sum()) / sum(iou.shape)
