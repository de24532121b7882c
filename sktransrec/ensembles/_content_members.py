# SPDX-License-Identifier: BSD-3-Clause
"""The members of a stack for catalogues of which little is known but what the items say."""

from collections.abc import Callable
from typing import Any

from .._typing import Estimator
from .._validation import FROM_0_TO_1, validate_params
from ..content import ItemFeatures
from ..content._words import words_of
from ..recommenders import (
    ContentKNNRecommender,
    HistoryRecommender,
    ItemKNNRecommender,
    TransitionRecommender,
)


@validate_params(
    {
        "item_features": [ItemFeatures],
        "transformers": [dict, None],
        "decay": [*FROM_0_TO_1, None],
    }
)
def content_members(
    item_features: ItemFeatures,
    transformers: dict[str, Estimator | Callable[..., Any]] | None = None,
    *,
    decay: float | None = 0.7,
) -> list[tuple[str, Estimator]]:
    """Return recommenders by content, and by item links, for a `StackingRecommender`.

    Use it for a new catalogue, with few interactions or none. Fit the stack on another catalogue
    first. `with_item_features` takes it to the new one, where it recommends by content alone. Once
    there are interactions, fit a stack of the new members there, with the fitted stack as `prior`.

    Parameters
    ----------
    item_features : ItemFeatures
        The content of all items, in the order of the columns or ids.
    transformers : dict of str to transformer or callable, default=None
        What makes vectors from the content, by name, each as the `transformer` of a
        `ContentKNNRecommender`. Give the same names for both catalogues. None means "words", which
        is the default of `ContentKNNRecommender`; of a table with several columns of texts, such
        as titles and descriptions, the words of each column as well.
    decay : float or None, default=0.7
        The weight of an item of a history relative to the item after it. None makes members for
        a matrix X, which knows no order.

    Returns
    -------
    members : list of (str, estimator) tuples
        For each of the `transformers`, two or three members: the cosine to the mean of the items of
        a row, to the best match among them and, if X holds histories, to the last one. Then item
        neighbours and, if X holds histories, transitions. The stack adds the popularity of the
        items by itself.

    See Also
    --------
    StackingRecommender : What to make of them.
    ContentKNNRecommender : One kind of evidence alone, without learning.

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sktransrec import ItemFeatures, StackingRecommender, content_members
    >>> books = ItemFeatures(["red dragon", "green dragon", "rice salad", "green salad"])
    >>> source = StackingRecommender(content_members(books), random_state=0)
    >>> source = source.fit([[1, 2, 0], [3, 4, 0], [2, 1, 4]])
    >>> films = ItemFeatures(["a dragon", "two dragons", "the dragon", "salad days"])
    >>> on_day_one = source.with_item_features(films)
    >>> on_day_one.recommend([[1, 0, 0]], n_recommendations=1)[0] + 1  # the id
    array([[3]])
    >>> later = StackingRecommender(
    ...     content_members(films), prior=FrozenEstimator(source), random_state=0
    ... ).fit([[1, 3, 0], [2, 3, 1]])
    >>> later.recommend([[2, 0, 0]], n_recommendations=1)[0] + 1
    array([[3]])
    """
    if transformers is None:
        transformers = _default_transformers(item_features)
    members = []
    for name, transformer in transformers.items():
        by_mean = ContentKNNRecommender(item_features, transformer=transformer)
        by_match = ContentKNNRecommender(item_features, transformer=transformer, pooling="max")
        members += [(name, by_mean), (f"{name}, best match", by_match)]
        if decay is not None:
            members.append((f"{name}, last item", HistoryRecommender(by_mean, decay=0)))
    members.append(("links", ItemKNNRecommender()))
    if decay is None:
        return members
    n_items = item_features.n_items
    members.append(("transitions", TransitionRecommender(decay=decay)))
    return [(name, _reader(member, decay, n_items)) for name, member in members]


def _default_transformers(item_features):
    """Return what makes words of all texts and, in a table, of the texts of each column."""
    columns = item_features.text_columns
    of_columns = {f"words of {column}": words_of(column) for column in columns}
    return {"words": None, **(of_columns if len(columns) > 1 else {})}


def _reader(member, decay, n_items):
    """Return a recommender that reads histories with so many items."""
    if not hasattr(member, "decay"):
        member = HistoryRecommender(member, decay=decay)
    return member.set_params(n_items=n_items)
