# SPDX-License-Identifier: BSD-3-Clause
"""Tasks of the benchmark of transfer: two domains, what is known of them, what is to be found."""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from sklearn.model_selection import KFold
from sklearn.utils import Bunch

from sktransrec import ItemFeatures
from sktransrec._numerics._entries import one_in_each_row
from sktransrec.datasets import get_data_home, load_amazon_pair, make_cross_domain
from sktransrec.datasets._base import indicator_matrix
from sktransrec.interactions import cross_listed_mask, holdout_random

N_FOLDS = 3
N_VALIDATION_ROWS = 4000
FOLDS = (
    f"warm rows: one target item each, of at most {N_VALIDATION_ROWS} rows (seed 0); cold rows: "
    f"all target items of the people in both domains, in {N_FOLDS} folds"
)


def load_pairs(data):
    """Return the pairs of domains: one a direction, or a cold and a warm one that are generated."""
    if data == "generated":
        pair = make_cross_domain(1000, 400, 300, n_cold_users=200, random_state=0)
        Y_kept, Y_held_out = holdout_random(pair.Y_target, 1, random_state=1)
        warm = Bunch(
            source=pair.source,
            target=pair.target,
            X_source=pair.X_source,
            Y_target=Y_kept,
            Y_held_out=_with_known_items(Y_held_out, Y_kept),
        )
        return [pair, warm]
    names = data.split("_")
    if data == "arts_office":
        return [pair_of_shops(*reversed(names)), pair_of_shops(*names)]
    return [load_amazon_pair(*reversed(names)), load_amazon_pair(*names)]


def pair_of_shops(source, target):
    """Return two shops with texts of items; everything that a fifth of the people has is hidden.

    These are random people of both shops, and what is hidden is their history in the target.
    """
    (X, X_ids, X_texts), (Y, Y_ids, Y_texts) = map(_read_shop, (source, target))
    shared = np.intersect1d(X_ids, Y_ids)
    order = np.random.RandomState(0).permutation(len(shared))
    cold, warm = (shared[np.sort(part)] for part in np.split(order, [len(shared) // 5]))
    is_warm = ~np.isin(Y_ids, cold)
    return Bunch(
        source=Bunch(matrix=X, user_ids=X_ids, name=source),
        target=Bunch(matrix=Y[is_warm], user_ids=Y_ids[is_warm], name=target),
        X_source=X[np.searchsorted(X_ids, warm)],
        Y_target=Y[np.searchsorted(Y_ids, warm)],
        user_ids=warm,
        X_cold=X[np.searchsorted(X_ids, cold)],
        Y_cold=Y[np.searchsorted(Y_ids, cold)],
        cold_ids=cold,
        texts=ItemFeatures([*X_texts, *Y_texts]),
    )


def _read_shop(name):
    """Return the interactions of a shop, the ids of its users, and the texts of its items."""
    folder = get_data_home() / "content" / "arts_office" / name
    items = [line.split("\t", 1) for line in (folder / "items.tsv").read_text().splitlines()]
    histories = [line.split() for line in (folder / "histories.txt").read_text().splitlines()]
    histories = sorted((int(user), set(map(int, items))) for user, *items in histories)
    columns = [item - 1 for _, items in histories for item in items]
    rows = np.repeat(np.arange(len(histories)), [len(items) for _, items in histories])
    X = indicator_matrix(rows, columns, (len(histories), len(items)))
    return X, np.array([user for user, _ in histories]), [text for _, text in items]


def title(pair):
    users = "" if "Y_held_out" in pair else ", cold users"
    return f"{pair.target.name} ({pair.source.name}){users}"


@dataclass(frozen=True)
class Task:
    """What is known of two domains, and the target items that some rows turn out to like.

    `source` and `target` hold the people of one domain, `stacked` everyone with the columns of both
    side by side, `X_source` and `Y_target` the people known in both, row by row. If `target` holds
    others as well, these are its `shared_rows`. `texts` are those of the items of both, if there
    are any. The rows of `X_new`, `Y_known` and `y` are those to
    recommend to: warm ones are the training rows, cold ones have nothing in `Y_known`.
    """

    source: sp.csr_array
    target: sp.csr_array
    stacked: sp.csr_array
    X_source: sp.csr_array
    Y_target: sp.csr_array
    X_new: sp.csr_array
    Y_known: sp.csr_array
    y: sp.csr_array
    is_cross_listed: sp.csr_array
    shared_rows: np.ndarray | None = None
    texts: ItemFeatures | None = None


def warm_task(X_source, Y_target, y, is_cross_listed):
    """Return the task of finding more of what the training rows like."""
    stacked = beside(X_source, Y_target)
    return Task(
        source=X_source,
        target=Y_target,
        stacked=stacked,
        X_source=X_source,
        Y_target=Y_target,
        X_new=X_source,
        Y_known=Y_target,
        y=y,
        is_cross_listed=is_cross_listed,
    )


def cold_task(source, source_ids, target, target_ids, X_new, new_ids, y):
    """Return the task of recommending to people who are known in the source alone."""
    shared = np.intersect1d(source_ids, target_ids)
    everyone = np.union1d(source_ids, target_ids)
    everywhere = [
        _rows_of(ids, everyone).T @ matrix
        for ids, matrix in ((source_ids, source), (target_ids, target))
    ]
    in_question = ~np.isin(everyone, new_ids)
    return Task(
        source=source,
        target=target,
        stacked=beside(*everywhere),
        X_source=source[np.searchsorted(source_ids, shared)],
        Y_target=target[np.searchsorted(target_ids, shared)],
        X_new=X_new,
        Y_known=sp.csr_array(y.shape, dtype=np.float32),
        y=y,
        is_cross_listed=cross_listed_mask(
            *(matrix[in_question] for matrix in everywhere), y, X_history=X_new
        ),
        shared_rows=np.searchsorted(target_ids, shared),
    )


def test_task(pair):
    """Return the task with the held-out pairs of the files."""
    if "Y_held_out" in pair:
        is_cross_listed = cross_listed_mask(pair.X_source, pair.Y_target, pair.Y_held_out)
        return warm_task(pair.X_source, pair.Y_target, pair.Y_held_out, is_cross_listed)
    task = cold_task(
        pair.source.matrix,
        pair.source.user_ids,
        pair.target.matrix,
        pair.target.user_ids,
        pair.X_cold,
        pair.cold_ids,
        pair.Y_cold,
    )
    return replace(task, texts=pair.get("texts"))


def validation_tasks(pair):
    """Yield tasks of the test's kind made of training interactions only.

    Warm rows lose one target item each, and people in both domains, a fold at a time, all of them.
    """
    if "Y_held_out" in pair:
        Y_kept, y = holdout_random(pair.Y_target, 1, random_state=0)
        y = _some_rows(_with_known_items(y, Y_kept))
        # Fingerprints as full as they are in the test: each row's own pair is not counted.
        is_cross_listed = cross_listed_mask(pair.X_source, pair.Y_target, y)
        yield warm_task(pair.X_source, Y_kept, y, is_cross_listed)
        return
    folds = KFold(N_FOLDS, shuffle=True, random_state=0)
    for _, hidden in folds.split(pair.user_ids):
        hidden_ids = pair.user_ids[hidden]
        is_kept = ~np.isin(pair.target.user_ids, hidden_ids)
        target = pair.target.matrix[is_kept]
        yield cold_task(
            pair.source.matrix,
            pair.source.user_ids,
            target,
            pair.target.user_ids[is_kept],
            pair.X_source[hidden],
            hidden_ids,
            _with_known_items(pair.Y_target[hidden], target),
        )


def with_hidden_people(task):
    """Return a cold task without the target items of a third of the people in both, and a mask.

    The mask says which of the people in both domains these are.
    """
    is_hidden = np.arange(len(task.shared_rows)) % N_FOLDS == 0
    is_kept = ~np.isin(np.arange(task.target.shape[0]), task.shared_rows[is_hidden])
    known = replace(
        task,
        target=task.target[is_kept],
        X_source=task.X_source[~is_hidden],
        Y_target=task.Y_target[~is_hidden],
    )
    return known, is_hidden


def beside(left, right):
    return sp.csr_array(sp.hstack([left, right], format="csr"))


def _rows_of(ids, sorted_ids):
    """Return the matrix that takes rows of `sorted_ids` to those of `ids`."""
    return one_in_each_row(np.searchsorted(sorted_ids, ids), len(sorted_ids))


def _with_known_items(y, Y_known):
    """Return y without the items that nobody has in `Y_known`, as no test pair has any such."""
    is_known = (Y_known.sum(axis=0) > 0).astype(np.float32)
    y = sp.csr_array(y.multiply(is_known))
    y.eliminate_zeros()
    return y


def _some_rows(y):
    """Return y with at most `N_VALIDATION_ROWS` random rows that are not empty."""
    order = np.random.RandomState(0).permutation(np.flatnonzero(np.diff(y.indptr)))
    is_chosen = np.zeros((y.shape[0], 1), dtype=np.float32)
    is_chosen[order[:N_VALIDATION_ROWS]] = 1
    y = sp.csr_array(y.multiply(is_chosen))
    y.eliminate_zeros()
    return y
