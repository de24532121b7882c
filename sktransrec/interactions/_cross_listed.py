# SPDX-License-Identifier: BSD-3-Clause
"""Finding products that stand in both domains under two ids, by their common users."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.utils import gen_batches

from .._columns import check_order, check_row_labels, column_names
from .._typing import MatrixLike
from .._validation import COUNT, UP_TO_1, check_matrix, get_chunk_n_rows, validate_params

_TWIN_DTYPE = np.dtype(
    [("source", np.intp), ("target", np.intp), ("share", np.float32), ("n_common_users", np.intp)]
)
_MAX_BLOCK_ITEMS = 512
_ROUNDING = 1e-9
_MAX_TWINS_SHOWN = 3
CONSTRAINTS = {"threshold": UP_TO_1, "min_common_users": COUNT}


@validate_params(CONSTRAINTS)
def find_cross_listed(
    X_source: MatrixLike, X_target: MatrixLike, *, threshold: float = 0.8, min_common_users: int = 2
) -> NDArray[Any]:
    """Find products that stand in both domains under two ids, by their common users.

    Use it before you trust a result of transfer. If one product is listed in two categories, an
    event in one category is often an event in the other. The source item then gives the target item
    away. This looks like transfer, but it is not, so compare recommenders without such pairs.

    Parameters
    ----------
    X_source : {array-like, sparse matrix} of shape (n_rows, n_source_items)
        Interactions in the source domain; values above zero count.
    X_target : {array-like, sparse matrix} of shape (n_rows, n_target_items)
        Interactions of the same rows in the target domain.
    threshold : float, default=0.8
        Smallest share of common users, above 0 and up to 1.
    min_common_users : int, default=2
        Smallest number of common users. Raise it if unpopular items are found that share a few
        users by chance.

    Returns
    -------
    twins : ndarray of shape (n_twins,), structured
        The pairs of cross-listed items. The fields are `source` and `target` (columns), `share` and
        `n_common_users`. Pairs with many common users come first, then those with a large share.
        ``pandas.DataFrame(twins)`` makes a table of them.

    See Also
    --------
    cross_listed_mask : The held-out pairs that a twin gives away.
    align_domains : Two logs as matrices with the same rows; it reports the twins.

    Notes
    -----
    With :math:`U_s` and :math:`U_t` the users of a source and of a target item, the share is

    .. math:: |U_s \\cap U_t| / \\max(|U_s|, |U_t|),

    so at least the share `threshold` of the users of each of the two items has the other item too.
    If all users of an unpopular item also have a popular item, the two are not a pair. Nor are two
    items with no more common users than by chance, which is :math:`|U_s| |U_t|` over the number of
    rows: otherwise, two items that nearly everybody has would be a pair.

    A few users with equal baskets would make a pair of each source item and each target item in
    the basket. So a pair counts only if neither of its items is in more such pairs than the pair
    has common users: a group of items that is larger than the group of its users is a basket, not
    one product.

    The co-occurrences come from a sparse product in blocks of items with similar popularity. The
    threshold limits how popular the partners of a block can be, and other items are skipped. The
    blocks respect scikit-learn's `working_memory`.

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec.interactions import find_cross_listed
    >>> X_source = np.array([[1, 0], [1, 1], [1, 1], [0, 1]])
    >>> X_target = np.array([[0, 1], [1, 1], [0, 1], [1, 0]])
    >>> twins = find_cross_listed(X_source, X_target)
    >>> twins["source"], twins["target"], twins["n_common_users"]
    (array([0]), array([1]), array([3]))
    """
    source, target = _indicators(X_source, X_target)
    twins = _twins(source, target, threshold, min_common_users)
    return twins[~_are_baskets(twins)]


@validate_params(CONSTRAINTS)
def cross_listed_mask(
    X_source: MatrixLike,
    X_target: MatrixLike,
    y: MatrixLike,
    *,
    X_history: MatrixLike | None = None,
    threshold: float = 0.8,
    min_common_users: int = 2,
) -> csr_array:
    """Return the held-out interactions that a cross-listed item in the source gives away.

    Use it to leave such interactions out of a comparison of recommenders: ``y - y.multiply(mask)``.

    Parameters
    ----------
    X_source : {array-like, sparse matrix} of shape (n_rows, n_source_items)
        Interactions in the source domain; values above zero count.
    X_target : {array-like, sparse matrix} of shape (n_rows, n_target_items)
        Interactions of the same rows in the target domain. They may include those in `y`.
    y : {array-like, sparse matrix} of shape (n_held_out_rows, n_target_items)
        The held-out interactions.
    X_history : {array-like, sparse matrix} of shape (n_held_out_rows, n_source_items), \
default=None
        The source interactions of the rows of `y`, if these are not rows of `X_source`, for example
        cold users. None means that row i of `y` is row i of `X_source` and `X_target`.
    threshold : float, default=0.8
        Smallest share of common users, above 0 and up to 1.
    min_common_users : int, default=2
        Smallest number of common users. The held-out row, which has both items, counts.

    Returns
    -------
    mask : csr_array of shape (n_held_out_rows, n_target_items), dtype bool
        True where `y` has an interaction with an item whose twin is in the source interactions of
        the row.

    See Also
    --------
    find_cross_listed : The twins themselves, and the definition of the share.

    Notes
    -----
    A row that has the source item and the held-out target item is itself a common user. If it
    counted, two items with hardly any other user would be twins. So the share of a pair is computed
    without this row u, from :math:`U_s \\setminus u` and :math:`U_t \\setminus u`. Baskets are
    recognised from all rows, with the held-out interactions.

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec.interactions import cross_listed_mask
    >>> X_source = np.array([[1, 0], [1, 1], [1, 0], [0, 1]])
    >>> X_target = np.array([[0, 0], [1, 1], [0, 1], [1, 0]])
    >>> y = np.array([[0, 1], [0, 0], [0, 0], [0, 1]])
    >>> cross_listed_mask(X_source, X_target, y).toarray()
    array([[False,  True],
           [False, False],
           [False, False],
           [False, False]])
    """
    source, target = _indicators(X_source, X_target)
    if X_history is None:
        check_row_labels(X_source, y, of="X_source")
    else:
        check_row_labels(X_history, y, of="X_history")
        known, names = column_names(X_source), column_names(X_history)
        check_order(known, names, name="X_history", of="X_source has")
    check_order(column_names(X_target), column_names(y), of="X_target has")
    held_out = _indicator(check_matrix(y, name="y"))
    history = source if X_history is None else _indicator(check_matrix(X_history, name="X_history"))
    _check_shape(held_out, (history.shape[0], target.shape[1]), "y")
    _check_shape(history, (held_out.shape[0], source.shape[1]), "X_history")

    all_rows = _all_rows(source, target, history, held_out, is_cold=X_history is not None)
    all_source, all_target = all_rows
    of_baskets = _twins(all_source, all_target, threshold, min_common_users)
    of_baskets = _links(of_baskets[_are_baskets(of_baskets)], source, target)

    def given_away(pairs, **left_out):
        twins = _twins(source, target, threshold, min_common_users - 1, **left_out)
        links = _links(twins, source, target)
        links = links - links.multiply(of_baskets)
        return pairs.multiply(history @ links) > 0

    if X_history is not None:
        return given_away(held_out)
    is_counted = held_out.multiply(target)
    return given_away(held_out - is_counted, source_users=1) + given_away(
        is_counted, source_users=1, target_users=1, common_users=1
    )


def named_twins(twins, source_items, target_items):
    """Return the twins as tuples, with names of items instead of columns."""
    return tuple(
        zip(
            source_items[twins["source"]].tolist(),
            target_items[twins["target"]].tolist(),
            twins["share"].tolist(),
            twins["n_common_users"].tolist(),
            strict=True,
        )
    )


def twin_lines(twins):
    """Return lines of text with the first few of the named twins."""
    shown = [
        f"  source {source!r} is target {target!r}: {n_common} users in common, {share:.0%}"
        for source, target, share, n_common in twins[:_MAX_TWINS_SHOWN]
    ]
    return [*shown, *(["  ..."] if len(twins) > _MAX_TWINS_SHOWN else [])]


def _twins(
    source, target, threshold, min_common_users, *, source_users=0, target_users=0, common_users=0
):
    """Return the pairs of items that share enough users, a structured array.

    The last three are numbers of users to subtract: from all users and those of each source item,
    from those of each target item, and from the common users.
    """
    n_source, n_target = source.sum(axis=0) - source_users, target.sum(axis=0) - target_users
    n_rows = source.shape[0] - source_users
    n_enough = max(min_common_users, 1) + common_users
    blocks = [np.empty(0, _TWIN_DTYPE)]
    for s, t, n_common in _co_occurrences(source, target, n_source, n_target, threshold):
        is_enough = n_common >= n_enough
        s, t, n_common = s[is_enough], t[is_enough], n_common[is_enough] - common_users
        share = n_common / np.maximum(n_source[s], n_target[t])
        is_twin = (share >= threshold) & (n_common * n_rows > n_source[s] * n_target[t])
        columns = [column[is_twin] for column in (s, t, share, n_common)]
        blocks.append(np.rec.fromarrays(columns, dtype=_TWIN_DTYPE))
    twins = np.concatenate(blocks)
    return twins[
        np.lexsort((twins["target"], twins["source"], -twins["share"], -twins["n_common_users"]))
    ]


def _are_baskets(twins):
    """Return the mask of the pairs from a group of items that is larger than that of its users."""
    n_partners = [np.bincount(twins[side])[twins[side]] for side in ("source", "target")]
    return np.maximum(*n_partners) > twins["n_common_users"]


def _all_rows(source, target, history, held_out, *, is_cold):
    """Return all interactions of the rows in the source and in the target."""
    if is_cold:
        return sp.vstack([source, history]).tocsr(), sp.vstack([target, held_out]).tocsr()
    return source, _indicator(target + held_out)


def _co_occurrences(source, target, n_source, n_target, threshold):
    """Yield (source items, target items, numbers of common users) of a superset of the twins."""
    source_order, target_order = np.argsort(n_source), np.argsort(n_target)
    users_of = source.tocsc()[:, source_order].T
    target = target.tocsc()[:, target_order]
    n_source, n_target = n_source[source_order], n_target[target_order]
    block_rows = get_chunk_n_rows(
        row_bytes=16 * len(n_target), max_n_rows=min(_MAX_BLOCK_ITEMS, len(n_source))
    )
    for block in gen_batches(len(n_source), block_rows):
        fewest, most = n_source[block][[0, -1]]
        # No item with fewer or more users than this can share enough of them.
        first = np.searchsorted(n_target, fewest * threshold * (1 - _ROUNDING))
        last = np.searchsorted(n_target, most / threshold * (1 + _ROUNDING), side="right")
        common = (users_of[block] @ target[:, first:last]).tocoo()
        rows, columns = common.coords
        yield source_order[block][rows], target_order[first:last][columns], common.data


def _links(twins, source, target):
    """Return a (n_source_items, n_target_items) matrix with an entry for each pair of twins."""
    ones = np.ones(len(twins), dtype=np.float32)
    shape = (source.shape[1], target.shape[1])
    return sp.csr_array((ones, (twins["source"], twins["target"])), shape=shape)


def _indicators(X_source, X_target):
    """Return the source and the target interactions as ones."""
    check_row_labels(X_source, X_target, name="X_target", of="X_source")
    source = _indicator(check_matrix(X_source, name="X_source"))
    target = _indicator(check_matrix(X_target, name="X_target"))
    if source.shape[0] != target.shape[0]:
        raise ValueError(
            f"X_source has {source.shape[0]} rows and X_target {target.shape[0]}: row i must be "
            "the same user in both, as in the matrices of align_domains."
        )
    return source, target


def _indicator(X):
    return (X > 0).astype(np.float32)


def _check_shape(X, shape, name):
    if X.shape != shape:
        raise ValueError(
            f"{name} has shape {X.shape}, expected {shape}: one row for each held-out row, with "
            f"the columns of {'X_target' if name == 'y' else 'X_source'}."
        )
