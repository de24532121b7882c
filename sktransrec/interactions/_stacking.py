# SPDX-License-Identifier: BSD-3-Clause
"""Two logs as one matrix, for models of both domains together."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from .._ids import decoded, encoded, ids_of_domain, joined_ids, positions
from .._numerics._entries import at_rows
from .._validation import StrOptions, validate_params
from ._alignment import encoded_domains
from ._encoder import InteractionEncoder


@dataclass(frozen=True, eq=False, repr=False)
class StackedDomains:
    """All users of two domains in one matrix: the columns of the source, then those of the target.

    Attributes
    ----------
    X : csr_array of shape (n_users, n_source_items + n_target_items), dtype float32
        The users of the source, then the users who are in the target only.
    target_columns : ndarray of shape (n_target_items,)
        The columns of X that hold the target; those before hold the source.
    item_ids : ndarray of shape (n_source_items + n_target_items,), or None
        The item id of each column. Equal ids are the same item. None if the domains share no items.
    source_rows : ndarray of shape (n_source_users,)
        The rows of X that are users of the source, in the order of the source encoder.
    target_rows : ndarray of shape (n_target_users,)
        The rows of X that are users of the target, in the order of the target encoder.
    source_encoder : InteractionEncoder
        The encoder fitted on the source log.
    target_encoder : InteractionEncoder
        The encoder fitted on the target log.

    See Also
    --------
    stack_domains : Returns such an object.
    """

    X: sp.csr_array
    target_columns: np.ndarray
    item_ids: np.ndarray | None
    source_rows: np.ndarray
    target_rows: np.ndarray
    source_encoder: InteractionEncoder
    target_encoder: InteractionEncoder

    def __repr__(self) -> str:
        n_users, n_items = self.X.shape
        n_target = len(self.target_columns)
        return f"StackedDomains({n_users} users, {n_items} columns, {n_target} of the target)"

    def decode_items(
        self, items: ArrayLike, *, domain: Literal["source", "target", "both"]
    ) -> NDArray[Any]:
        """Return the item ids of numbers, such as those that `recommend` returns.

        Parameters
        ----------
        items : array-like of int
            Numbers of items, in any shape; -1 means no item.
        domain : {"source", "target", "both"}
            What they count. "target" is what a model with `target_columns` recommends: the items of
            the target, from 0 on. "source" is the same for the source. "both" means columns of `X`,
            which a model without `target_columns` recommends.

        Returns
        -------
        item_ids : ndarray of the shape of `items`
            Their ids. If there is a -1, the array has dtype object and holds None there.
        """
        return decoded(self._ids_of(domain), items, "items")

    def encode_items(
        self, item_ids: ArrayLike, *, domain: Literal["source", "target", "both"]
    ) -> NDArray[np.intp]:
        """Return the numbers of items, such as `candidates` or `similar_items` need them.

        Parameters
        ----------
        item_ids : array-like of ids of shape (n_ids,)
            Item ids, strings or integers.
        domain : {"source", "target", "both"}
            What the numbers count, as in `decode_items`. Among the columns of both domains, an item
            that both have is that of the target.

        Returns
        -------
        items : ndarray of shape (n_ids,), dtype intp
            Their numbers; -1 marks an unknown id.
        """
        return encoded(self._ids_of(domain), item_ids)

    def _ids_of(self, domain):
        source, target = self.source_encoder.items_, self.target_encoder.items_
        return ids_of_domain(domain, source=source, target=target)


@validate_params(
    {
        "on": [StrOptions({"users", "items", "both"})],
        "source_encoder": [InteractionEncoder, None],
        "target_encoder": [InteractionEncoder, None],
    }
)
def stack_domains(
    source_events: Any,
    target_events: Any,
    *,
    on: Literal["users", "items", "both"],
    source_encoder: InteractionEncoder | None = None,
    target_encoder: InteractionEncoder | None = None,
) -> "StackedDomains":
    """Encode two logs as one matrix with one row for each user.

    Use it for models that learn from both domains together, such as `CollectiveMFRecommender`, and
    if the logs share items, or only some of the users. For two matrices of the shared users alone,
    use `align_domains`.

    Parameters
    ----------
    source_events : DataFrame, dict of 1-D columns, or 2-D array
        The log of the source domain.
    target_events : DataFrame, dict of 1-D columns, or 2-D array
        The log of the target domain.
    on : {"users", "items", "both"}
        The ids that mean the same in both logs. With "items", equal user ids are different people;
        with "users", equal item ids are different items, as in two shops that both number their
        products from 0.
    source_encoder : InteractionEncoder, default=None
        The encoder of the source log; it is cloned. None means ``InteractionEncoder()``.
    target_encoder : InteractionEncoder, default=None
        The encoder of the target log; it is cloned. None means the same as for the source.

    Returns
    -------
    stacked : StackedDomains
        Immutable: the matrix, its item ids, and the rows of the users of each log.

    Raises
    ------
    ValueError
        If the logs share nothing. The error names the likely cause.

    See Also
    --------
    align_domains : Only the shared users, or items, as two matrices.
    sktransrec.CollectiveMFRecommender : Learns from both domains together.

    Notes
    -----
    A shared item has two columns, one in each domain. The minimum counts of an encoder apply to
    each log by itself, before the logs are compared.

    Examples
    --------
    >>> from sktransrec.interactions import stack_domains
    >>> early = {"user": [0, 0, 1], "item": ["Alien", "Brazil", "Alien"]}
    >>> late = {"user": [0, 0], "item": ["Brazil", "Casino"]}
    >>> stacked = stack_domains(early, late, on="items")
    >>> stacked.X.toarray()
    array([[1., 1., 0., 0.],
           [1., 0., 0., 0.],
           [0., 0., 1., 1.]], dtype=float32)
    >>> stacked.target_columns, stacked.item_ids.tolist()
    (array([2, 3]), ['Alien', 'Brazil', 'Brazil', 'Casino'])
    """
    kinds = ["users", "items"] if on == "both" else [on]
    source_encoder, X_source, target_encoder, X_target = encoded_domains(
        source_events, target_events, source_encoder, target_encoder, kinds
    )
    source_rows = np.arange(X_source.shape[0])
    target_rows = source_rows.size + np.arange(X_target.shape[0])
    if on != "items":
        target_rows = _rows_of_users(source_encoder.users_, target_encoder.users_)
    n_users = max(source_rows.size, 1 + target_rows.max())
    X = [at_rows(X_source, source_rows, n_users), at_rows(X_target, target_rows, n_users)]
    item_ids = None
    if on != "users":
        item_ids = joined_ids([source_encoder.items_, target_encoder.items_])
    return StackedDomains(
        X=sp.csr_array(sp.hstack(X)),
        target_columns=X_source.shape[1] + np.arange(X_target.shape[1]),
        item_ids=item_ids,
        source_rows=source_rows,
        target_rows=target_rows,
        source_encoder=source_encoder,
        target_encoder=target_encoder,
    )


def _rows_of_users(source_ids, target_ids):
    """Return the rows of the target's users: their source rows, or new rows after these."""
    rows = positions(target_ids, source_ids)
    is_new = rows < 0
    return np.where(is_new, len(source_ids) + np.cumsum(is_new) - 1, rows)
