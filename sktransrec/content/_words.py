# SPDX-License-Identifier: BSD-3-Clause
"""The words of items, as vectors."""

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline, make_union


class JoinedTexts(TransformerMixin, BaseEstimator):
    """Join the texts of each row of a table."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return [" ".join(texts) for texts in X.itertuples(index=False, name=None)]


def vectorizer_for(item_features):
    """Return an unfitted transformer from texts to vectors; None for content of other kinds.

    Of a table, the words of the first column, such as the titles, count for half, and those of all
    columns together for the other half. Columns side by side would count alike, however little the
    texts of one tell.
    """
    if item_features.values.ndim == 1:
        return _words()
    columns = item_features.text_columns
    if not columns:
        return None
    n_columns = item_features.values.shape[1]
    if len(columns) < n_columns:
        raise ValueError(
            f"The table of item_features has {len(columns)} columns of texts, such as "
            f"{columns[0]!r}, and {n_columns - len(columns)} other ones: pass a transformer or "
            "regressor that reads both, such as one that begins with a ColumnTransformer."
        )
    of_first = words_of(columns[0])
    return make_union(of_first, make_pipeline(JoinedTexts(), _words())) if columns[1:] else of_first


def words_of(column):
    """Return an unfitted transformer from a column of a table to the words of its texts."""
    from sklearn.compose import make_column_transformer  # slow to import

    return make_column_transformer((_words(), column))


def _words():
    return TfidfVectorizer(sublinear_tf=True)
