# SPDX-License-Identifier: BSD-3-Clause
"""Loaders of the Amazon reviews, in the splits that papers use for comparisons."""

from os import PathLike

import numpy as np
from sklearn.utils import Bunch

from .._numerics._row_totals import nonempty_rows
from ._base import find_data, indicator_matrix, read_integer_lists, read_integer_table

_PAIR_ORIGIN = (
    "the authors' repositories (cold users: https://github.com/cjx96/CDRIB, warm users: "
    "https://github.com/cjx96/DisenCDR)"
)
_CDS_ORIGIN = "https://huggingface.co/datasets/reczoo/AmazonCDs_m1"

_REVIEWS = (
    "Reviews of products on Amazon, collected by McAuley and others (SIGIR 2015); a pair means "
    "that the user reviewed the product. "
)
_WARM_DESCR = _REVIEWS + (
    "Two departments and the people who bought in both, in the split of DisenCDR (Cao et al., "
    "SIGIR 2022, doi:10.1145/3477495.3531967): for most people one purchase in the target "
    "department is held out. Some products stand in both departments under two ids, so a gain "
    "may come from the same product rather than from taste. No licence is stated."
)
_COLD_DESCR = _REVIEWS + (
    "Two departments that share some of their customers, in the split of CDRIB (Cao et al., ICDE "
    "2022, arXiv:2203.16863): about one shared customer in five is cold, that is, everything they "
    "bought in the target department is held out, part of it for validation and part for the "
    "test, so that most cold people occur in both. No licence is stated."
)
_CDS_DESCR = _REVIEWS + (
    "Music CDs only, with the fixed split into training and test pairs of BGCF (Sun et al., KDD "
    "2020, doi:10.1145/3394486.3403254), also used for UltraGCN and SimpleX, and distributed by "
    "RecZoo as AmazonCDs_m1. No licence is stated."
)


def load_amazon_pair(
    source: str, target: str, *, data_home: str | PathLike[str] | None = None
) -> Bunch:
    """Load two Amazon departments as a source and a target domain.

    In the pairs of "sport" with "cloth" or "phone", all users are warm: they have a history in both
    domains. In the pair of "game" and "video", some users are cold: their history in the target is
    held out. Each pair can be used in both directions.

    Parameters
    ----------
    source : str
        The domain to transfer from: "game", "video", "sport", "cloth" or "phone", or any other
        with files of the same form.
    target : str
        The domain to recommend in.
    data_home : str or path-like, default=None
        The folder that holds ``amazon_sport_cloth``, ``amazon_game_video`` and so on; see
        `get_data_home`.

    Returns
    -------
    pair : :class:`~sklearn.utils.Bunch`
        All matrices are float32 `csr_array` of zeros and ones. All matrices of one domain have the
        same columns. The attributes are those of `make_cross_domain` and some more.

        source : Bunch
            The source domain: ``matrix`` (n_source_users, n_source_items), ``user_ids``
            (n_source_users,) and ``name``.
        target : Bunch
            The target domain, in the same form. Equal user ids in source and target are the same
            person.
        X_source : csr_array of shape (n_shared_users, n_source_items)
            The training users in the source domain.
        Y_target : csr_array of shape (n_shared_users, n_target_items)
            The same users in the same order, in the target domain.
        user_ids : ndarray of shape (n_shared_users,)
            The ids of these users.
        Y_held_out : csr_array of shape (n_shared_users, n_target_items)
            Warm pairs only: held-out interactions of the same users in the target domain. Some rows
            are empty.
        X_cold : csr_array of shape (n_cold_users, n_source_items)
            Pairs with cold users only: the test users in the source domain.
        Y_cold : csr_array of shape (n_cold_users, n_target_items)
            The held-out interactions of the test users in the target domain.
        cold_ids : ndarray of shape (n_cold_users,)
            The ids of the test users.
        X_cold_valid, Y_cold_valid, cold_valid_ids : csr_array, csr_array, ndarray
            The same for validation: other interactions, mostly of the same users.
        DESCR : str
            The origin of the data.

    See Also
    --------
    make_cross_domain : Generated data of the same form.
    load_amazon_cds : One domain, to compare recommenders without transfer.

    References
    ----------
    .. [1] J. Cao et al., "Cross-Domain Recommendation to Cold-Start Users via Variational
       Information Bottleneck", ICDE 2022. :arxiv:`2203.16863`
    .. [2] J. Cao et al., "DisenCDR: Learning Disentangled Representations for Cross-Domain
       Recommendation", SIGIR 2022. :doi:`10.1145/3477495.3531967`

    Examples
    --------
    >>> from sktransrec.datasets import load_amazon_pair
    >>> pair = load_amazon_pair("game", "video")  # doctest: +SKIP
    >>> pair.X_source.shape, pair.Y_target.shape, pair.X_cold.shape  # doctest: +SKIP
    ((1736, 12319), (1736, 8751), (216, 12319))
    """
    folder = find_data(
        f"amazon_{source}_{target}",
        f"amazon_{target}_{source}",
        data_home=data_home,
        origin=_PAIR_ORIGIN,
    )
    source_files = _read_splits(folder / f"{source}_{target}")
    target_files = _read_splits(folder / f"{target}_{source}")
    if "valid" in target_files:
        pair = _cold_pair(source_files, target_files)
    else:
        pair = _warm_pair(source_files, target_files)
    pair.source.name, pair.target.name = source, target
    return pair


def load_amazon_cds(*, data_home: str | PathLike[str] | None = None) -> Bunch:
    """Load the Amazon CDs, a benchmark for recommenders of one domain.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder that holds ``amazon_cds``; see `get_data_home`.

    Returns
    -------
    cds : :class:`~sklearn.utils.Bunch`
        Both matrices are float32 `csr_array` of zeros and ones.

        X : csr_array of shape (n_users, n_items)
            The training pairs.
        y : csr_array of shape (n_users, n_items)
            The test pairs of the same users.
        DESCR : str
            The origin of the data.

    See Also
    --------
    load_amazon_pair : Two Amazon domains.

    References
    ----------
    .. [1] J. Sun et al., "A Framework for Recommending Accurate and Diverse Items Using Bayesian
       Graph Convolutional Neural Networks", KDD 2020. :doi:`10.1145/3394486.3403254`

    Examples
    --------
    >>> from sktransrec.datasets import load_amazon_cds
    >>> cds = load_amazon_cds()  # doctest: +SKIP
    >>> cds.X.shape  # doctest: +SKIP
    (43169, 35648)
    """
    folder = find_data("amazon_cds", data_home=data_home, origin=_CDS_ORIGIN)
    train, test = (_read_user_lists(folder / f"{name}.txt") for name in ("train", "test"))
    shape = 1 + np.maximum(train.max(axis=0), test.max(axis=0))
    X, y = (indicator_matrix(users, items, shape) for users, items in (train.T, test.T))
    return Bunch(X=X, y=y, DESCR=_CDS_DESCR)


def _read_splits(folder):
    """Return the (user, item) pairs of each split of a domain, of shape (n_pairs, 2)."""
    names = ["train", "test"] + ["valid"] * (folder / "valid.txt").exists()
    return {name: read_integer_table(folder / f"{name}.txt")[:, :2] for name in names}


def _read_user_lists(path):
    """Return the (user, item) pairs of a file with lines "user item item ..."."""
    users, items, counts = read_integer_lists(path)
    return np.column_stack([np.repeat(users, counts), items])


def _warm_pair(source_files, target_files):
    n_users = 1 + max(source_files["train"][:, 0].max(), target_files["train"][:, 0].max())
    X_source = _matrices(source_files, n_users)["train"]
    target = _matrices(target_files, n_users)
    user_ids = np.arange(n_users)
    return Bunch(
        source=Bunch(matrix=X_source, user_ids=user_ids),
        target=Bunch(matrix=target["train"], user_ids=user_ids),
        X_source=X_source,
        Y_target=target["train"],
        user_ids=user_ids,
        Y_held_out=target["test"],
        DESCR=_WARM_DESCR,
    )


def _cold_pair(source_files, target_files):
    n_ids = 1 + max(pairs[:, 0].max() for pairs in [*source_files.values(), *target_files.values()])
    source, target = _matrices(source_files, n_ids), _matrices(target_files, n_ids)
    source_ids, target_ids = nonempty_rows(source["train"]), nonempty_rows(target["train"])
    # Only users of both domains can be cold in one of them, and the files number them first.
    n_people_in_both = 1 + max(
        files[name][:, 0].max()
        for files in (source_files, target_files)
        for name in ("valid", "test")
    )
    user_ids = np.intersect1d(source_ids, target_ids)
    user_ids = user_ids[user_ids < n_people_in_both]
    cold_ids, cold_valid_ids = nonempty_rows(target["test"]), nonempty_rows(target["valid"])
    return Bunch(
        source=Bunch(matrix=source["train"][source_ids], user_ids=source_ids),
        target=Bunch(
            matrix=target["train"][target_ids],
            user_ids=np.where(target_ids < n_people_in_both, target_ids, target_ids + n_ids),
        ),
        X_source=source["train"][user_ids],
        Y_target=target["train"][user_ids],
        user_ids=user_ids,
        X_cold=source["train"][cold_ids],
        Y_cold=target["test"][cold_ids],
        cold_ids=cold_ids,
        X_cold_valid=source["train"][cold_valid_ids],
        Y_cold_valid=target["valid"][cold_valid_ids],
        cold_valid_ids=cold_valid_ids,
        DESCR=_COLD_DESCR,
    )


def _matrices(files, n_users):
    """Return the matrix of each split of a domain, all of the same shape."""
    n_items = 1 + max(pairs[:, 1].max() for pairs in files.values())
    return {name: indicator_matrix(*pairs.T, (n_users, n_items)) for name, pairs in files.items()}
