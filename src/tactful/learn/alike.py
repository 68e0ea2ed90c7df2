"""What items are like: features from attributes and vectors, and which items are nearest."""

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from tactful.domain.catalogue import Catalogue

BLOCK = 1024
"""Rows compared at once: bounds the memory, at 8 bytes times the most neighbours that one of them has."""


def nearest(features: "sparse.csr_array", most: int) -> "sparse.csr_array":
    """Cosines float64[n, n] of rows of length 1, only the `most` nearest of each row, itself left out."""
    columns = features.T.tocsr()
    blocks = []
    for start in range(0, features.shape[0], BLOCK):
        near = (features[start : start + BLOCK] @ columns).tocsr()
        blocks.append(_keep_nearest(near, start, most))
    return sparse.vstack(blocks, format="csr") if blocks else sparse.csr_array((0, 0))


def _keep_nearest(near: "sparse.csr_array", start: int, most: int) -> "sparse.csr_array":
    """The `most` nearest of each row of a block float[b, n], itself left out."""
    near.sort_indices()
    lengths = np.diff(near.indptr)
    width = int(lengths.max(initial=0))
    if width == 0:
        return near
    row_of = np.repeat(np.arange(near.shape[0]), lengths)
    place = np.arange(near.nnz) - np.repeat(near.indptr[:-1], lengths)
    # Rows side by side, so that all are cut off at once. Among equals the first wins: later ones lose a billionth a place.
    side = np.zeros((near.shape[0], width))
    side[row_of, place] = np.where(near.indices == row_of + start, 0.0, near.data - place * 1e-9)
    best = np.argpartition(-side, min(most, width) - 1, axis=1)[:, :most]
    rows, slots = np.nonzero(np.take_along_axis(side, best, axis=1) > 0)
    kept = near.indptr[rows] + best[rows, slots]
    return sparse.coo_array((near.data[kept], (rows, near.indices[kept])), shape=near.shape).tocsr()


def attribute_features(catalogue: Catalogue, attributes: tuple[str, ...], common: int) -> "sparse.csr_array":
    """float64[n, values]: one column a value, weighing log(n / items with it), rows of length 1."""
    columns: dict[tuple[str, str], int] = {}
    rows, cols = [], []
    for row in range(len(catalogue)):
        item = catalogue.item(row)
        for name in attributes or sorted(item.attributes):
            for value in dict.fromkeys(item.values(name)):
                rows.append(row)
                cols.append(columns.setdefault((name, value), len(columns)))
    row_of, col_of = np.array(rows, np.int64), np.array(cols, np.int64)
    having = np.bincount(col_of, minlength=len(columns))
    telling = (having > 1) & (having <= common)
    weight = np.where(telling, np.log(max(len(catalogue), 2) / np.maximum(having, 1)), 0.0)
    kept = weight[col_of] > 0
    matrix = sparse.coo_array(
        (weight[col_of[kept]], (row_of[kept], col_of[kept])), shape=(len(catalogue), max(len(columns), 1))
    ).tocsr()
    return _to_length_one(matrix)


def vector_features(catalogue: Catalogue, name: str) -> "sparse.csr_array":
    """float64[n, d]: the named vectors, rows of length 1; items without one have zeros."""
    vectors: list[list[float]] = [catalogue.item(row).vectors.get(name, []) for row in range(len(catalogue))]
    width = max((len(vector) for vector in vectors), default=0)
    dense: NDArray[np.float64] = np.zeros((len(vectors), max(width, 1)))
    for row, vector in enumerate(vectors):
        dense[row, : len(vector)] = vector
    return _to_length_one(sparse.csr_array(dense))


def _to_length_one(matrix: "sparse.csr_array") -> "sparse.csr_array":
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scaled: sparse.csr_array = (sparse.diags_array(1.0 / np.where(length > 0, length, 1.0)) @ matrix).tocsr()
    return scaled
