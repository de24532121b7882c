# SPDX-License-Identifier: BSD-3-Clause
"""Two logs as matrices in which row i is the same user, or column j the same item."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from .._ids import decoded, equal_as_strings, ids_of_domain, positions
from .._validation import StrOptions, validate_params
from ._cross_listed import CONSTRAINTS, find_cross_listed, named_twins, twin_lines
from ._encoder import InteractionEncoder

_EQUAL_AS_STRINGS = (
    "are equal as strings, but one log has strings where the other has integers: convert one of "
    "them, for example with .astype(str)"
)


@dataclass(frozen=True, repr=False)
class OverlapReport:
    """How much two domains have in common; ``print`` shows it.

    Attributes
    ----------
    on : {"users", "items"}
        Whether users or items are shared.
    n_shared : int
        Number of users, or items, in both domains.
    n_source_only : int
        Number of them in the source alone.
    n_target_only : int
        Number of them in the target alone.
    n_source_interactions : tuple of int
        Number of interactions in the source: of the shared users or items, and of all.
    n_target_interactions : tuple of int
        The same in the target.
    twins : tuple of (source id, target id, share, n_common_users), or None
        The cross-listed items, see :func:`find_cross_listed`. None if users are not shared.

    See Also
    --------
    align_domains : Returns such a report.
    """

    on: str
    n_shared: int
    n_source_only: int
    n_target_only: int
    n_source_interactions: tuple
    n_target_interactions: tuple
    twins: tuple | None

    def __repr__(self) -> str:
        lines = [
            f"{self.n_shared} {self.on} are shared",
            *(
                f"  {n_shared_here:.1%} of the {n_all} in the {domain}, where they have {n_theirs} "
                f"of {n_interactions} interactions ({n_theirs / n_interactions:.1%})"
                for domain, n_all, n_shared_here, (n_theirs, n_interactions) in self._domains()
            ),
            f"{self.n_source_only} {self.on} are in the source alone, {self.n_target_only} in the "
            "target alone",
        ]
        return "\n".join(lines + self._twin_lines())

    def _domains(self):
        for domain, n_alone, interactions in (
            ("source", self.n_source_only, self.n_source_interactions),
            ("target", self.n_target_only, self.n_target_interactions),
        ):
            n_all = self.n_shared + n_alone
            yield domain, n_all, self.n_shared / n_all, interactions

    def _twin_lines(self):
        if self.twins is None:
            return []
        if not self.twins:
            return ["No item is cross-listed"]
        return [
            f"{len(self.twins)} pairs of items look cross-listed, the same product under two ids; "
            "they look like transfer, see cross_listed_mask",
            *twin_lines(self.twins),
        ]


@dataclass(frozen=True, eq=False, repr=False)
class AlignedDomains:
    """Two domains as matrices that share their rows, or their columns.

    Attributes
    ----------
    X_source : csr_array of shape (n_shared, n_source_items), dtype float32
        The shared users in the source. If the logs are aligned on items, the shared items in the
        source, of shape (n_source_users, n_shared).
    X_target : csr_array of shape (n_shared, n_target_items), dtype float32
        The same users in the target, in the same order. If the logs are aligned on items, the same
        items, of shape (n_target_users, n_shared).
    shared_ids : ndarray of shape (n_shared,)
        The ids of the shared users, or items.
    X_source_only : csr_array of shape (n_source_only, n_source_items), dtype float32
        The users of the source alone, who are cold in the target. If the logs are aligned on items,
        the items of the source alone, of shape (n_source_users, n_source_only).
    source_only_ids : ndarray of shape (n_source_only,)
        Their ids.
    X_target_only : csr_array of shape (n_target_only, n_target_items), dtype float32
        The users of the target alone. If the logs are aligned on items, the items of the target
        alone, of shape (n_target_users, n_target_only).
    target_only_ids : ndarray of shape (n_target_only,)
        Their ids.
    source_encoder : InteractionEncoder
        The encoder fitted on the source log.
    target_encoder : InteractionEncoder
        The encoder fitted on the target log.
    twins : ndarray, structured, or None
        The cross-listed items as columns of `X_source` and `X_target`, see
        :func:`find_cross_listed`. None if the logs are aligned on items.
    report : OverlapReport
        The overlap in numbers; ``print(aligned.report)`` shows it.

    See Also
    --------
    align_domains : Returns such an object.
    """

    X_source: sp.csr_array
    X_target: sp.csr_array
    shared_ids: np.ndarray
    X_source_only: sp.csr_array
    source_only_ids: np.ndarray
    X_target_only: sp.csr_array
    target_only_ids: np.ndarray
    source_encoder: InteractionEncoder
    target_encoder: InteractionEncoder
    twins: np.ndarray | None
    report: OverlapReport

    def __repr__(self) -> str:
        return f"AlignedDomains:\n{self.report}"

    def decode_items(
        self, items: ArrayLike, *, domain: Literal["source", "target", "both"] = "target"
    ) -> NDArray[Any]:
        """Return the item ids of columns, such as those that `recommend` returns.

        Parameters
        ----------
        items : array-like of int
            Column numbers, in any shape; -1 means no item.
        domain : {"source", "target", "both"}, default="target"
            Whether they are columns of `X_source`, of `X_target`, or of
            ``hstack([X_source, X_target])``.

        Returns
        -------
        item_ids : ndarray of the shape of `items`
            Their ids. If there is a -1, the array has dtype object and holds None there.
        """
        source, target = self.source_encoder.items_, self.target_encoder.items_
        if self.report.on == "items":
            source = target = self.shared_ids
        return decoded(ids_of_domain(domain, source=source, target=target), items, "items")


@validate_params(
    {
        "on": [StrOptions({"users", "items"})],
        "source_encoder": [InteractionEncoder, None],
        "target_encoder": [InteractionEncoder, None],
        **CONSTRAINTS,
    }
)
def align_domains(
    source_events: Any,
    target_events: Any,
    *,
    on: Literal["users", "items"] = "users",
    source_encoder: InteractionEncoder | None = None,
    target_encoder: InteractionEncoder | None = None,
    threshold: float = 0.8,
    min_common_users: int = 2,
) -> "AlignedDomains":
    """Encode two logs so that row i is the same user, or column j the same item, in both.

    Use it to prepare two domains for transfer. If a model should also learn from the users of one
    domain only, use `stack_domains`.

    Parameters
    ----------
    source_events : DataFrame, dict of 1-D columns, or 2-D array
        The log of the source domain.
    target_events : DataFrame, dict of 1-D columns, or 2-D array
        The log of the target domain.
    on : {"users", "items"}, default="users"
        The ids that mean the same in both logs.
    source_encoder : InteractionEncoder, default=None
        The encoder of the source log; it is cloned. None means ``InteractionEncoder()``.
    target_encoder : InteractionEncoder, default=None
        The encoder of the target log; it is cloned. None means the same as for the source.
    threshold : float, default=0.8
        Two items are cross-listed if at least this share of their users is common; see
        `find_cross_listed`.
    min_common_users : int, default=2
        Two items are cross-listed only if they have at least this many common users.

    Returns
    -------
    aligned : AlignedDomains
        Immutable: the matrices of the shared users (or items), those of the others, the ids, the
        fitted encoders, the cross-listed items and a report.

    Raises
    ------
    ValueError
        If the logs share nothing. The error names the likely cause, for example that the user and
        the item column are swapped.

    See Also
    --------
    stack_domains : All users of both logs in one matrix.
    find_cross_listed : Finds the cross-listed items.
    InteractionEncoder : Encodes each log.

    Notes
    -----
    The minimum counts of an encoder apply to each log by itself, before the logs are compared. Ids
    are compared as they are. If two logs both number their users from 0, they seem to share users
    although they do not: make such ids different first.

    Examples
    --------
    >>> from sktransrec.interactions import align_domains
    >>> games = {"user": ["ann", "bob", "bob", "eve"], "item": ["chess", "go", "chess", "go"]}
    >>> films = {"user": ["bob", "eve", "zoe"], "item": ["Alien", "Brazil", "Alien"]}
    >>> aligned = align_domains(games, films)
    >>> aligned.shared_ids
    array(['bob', 'eve'], dtype=object)
    >>> aligned.X_source.toarray()
    array([[1., 1.],
           [0., 1.]], dtype=float32)
    >>> print(aligned.report)
    2 users are shared
      66.7% of the 3 in the source, where they have 3 of 4 interactions (75.0%)
      66.7% of the 3 in the target, where they have 2 of 3 interactions (66.7%)
    1 users are in the source alone, 1 in the target alone
    No item is cross-listed
    """
    source_encoder, X_source, target_encoder, X_target = encoded_domains(
        source_events, target_events, source_encoder, target_encoder, [on]
    )
    source_ids, target_ids = (getattr(e, f"{on}_") for e in (source_encoder, target_encoder))
    place_in_target = positions(source_ids, target_ids)
    in_source = np.flatnonzero(place_in_target >= 0)
    X_source, X_source_only, source_only_ids = _parts(X_source, source_ids, in_source, on)
    X_target, X_target_only, target_only_ids = _parts(
        X_target, target_ids, place_in_target[in_source], on
    )
    twins = named = None
    if on == "users":
        twins = find_cross_listed(
            X_source, X_target, threshold=threshold, min_common_users=min_common_users
        )
        named = named_twins(twins, source_encoder.items_, target_encoder.items_)
    report = OverlapReport(
        on=on,
        n_shared=len(in_source),
        n_source_only=len(source_only_ids),
        n_target_only=len(target_only_ids),
        n_source_interactions=(X_source.nnz, X_source.nnz + X_source_only.nnz),
        n_target_interactions=(X_target.nnz, X_target.nnz + X_target_only.nnz),
        twins=named,
    )
    return AlignedDomains(
        X_source=X_source,
        X_target=X_target,
        shared_ids=source_ids[in_source],
        X_source_only=X_source_only,
        source_only_ids=source_only_ids,
        X_target_only=X_target_only,
        target_only_ids=target_only_ids,
        source_encoder=source_encoder,
        target_encoder=target_encoder,
        twins=twins,
        report=report,
    )


def encoded_domains(source_events, target_events, source_encoder, target_encoder, kinds):
    """Return a fitted encoder and the matrix of each log; None is an encoder with defaults.

    The logs must share something of one of the `kinds`, "users" and "items".
    """
    source_encoder = clone(InteractionEncoder() if source_encoder is None else source_encoder)
    target_encoder = clone(source_encoder if target_encoder is None else target_encoder)
    X_source = source_encoder.fit_transform(source_events)
    X_target = target_encoder.fit_transform(target_events)
    encoders = source_encoder, target_encoder
    ids = {kind: [getattr(encoder, f"{kind}_") for encoder in encoders] for kind in kinds}
    if not any(_n_common(*of_kind) for of_kind in ids.values()):
        cause = _likely_cause(source_encoder, target_encoder, kinds[-1])
        raise ValueError(
            f"The source and the target log share no {' and no '.join(kinds)}: {cause}."
        )
    for kind, of_kind in ids.items():
        if n_alike := int(equal_as_strings(*of_kind).sum()):
            raise ValueError(
                f"{n_alike} {kind} of the source and of the target log {_EQUAL_AS_STRINGS}."
            )
    return source_encoder, X_source, target_encoder, X_target


def _parts(X, ids, shared, on):
    """Return the shared rows (or columns) of X, the others, and the ids of the others."""
    others = np.setdiff1d(np.arange(len(ids)), shared)
    if on == "users":
        return X[shared], X[others], ids[others]
    return X[:, shared], X[:, others], ids[others]


def _likely_cause(source, target, on):
    """Return why two fitted encoders share no users (or items), and the cure."""
    other = "items" if on == "users" else "users"
    source_ids, target_ids = _all_ids(source, on), _all_ids(target, on)
    if n_rare := _n_common(source_ids, target_ids):
        return (
            f"{n_rare} are in both logs, but in one of them they have fewer interactions than "
            "min_user_interactions or min_item_interactions: lower these parameters"
        )
    if n_alike := int(equal_as_strings(source_ids, target_ids).sum()):
        return f"{n_alike} {_EQUAL_AS_STRINGS}"
    n_swapped, name, encoder = max(
        (_n_common(source_ids, _all_ids(target, other)), "target", target),
        (_n_common(_all_ids(source, other), target_ids), "source", source),
        key=lambda swap: swap[0],
    )
    if n_swapped:
        return (
            f"{n_swapped} of the {on} of the other log stand in the {other[:-1]} column of the "
            f"{name} log, so its user and item columns look swapped: pass "
            f"{name}_encoder=InteractionEncoder(user={encoder.item!r}, item={encoder.user!r})"
        )
    return (
        f"the source has ids such as {source_ids.tolist()[0]!r}, the target such as "
        f"{target_ids.tolist()[0]!r}: give the same {on[:-1]} the same id in both"
    )


def _all_ids(encoder, kind):
    """Return all ids in the log that the encoder was fitted on."""
    return np.concatenate([getattr(encoder, f"{kind}_"), getattr(encoder, f"rare_{kind}_")])


def _n_common(ids, others):
    return int((positions(ids, others) >= 0).sum())
