# SPDX-License-Identifier: BSD-3-Clause
"""The words of items, as vectors."""

from sklearn.feature_extraction.text import TfidfVectorizer


def vectorizer_for(item_features):
    """Return an unfitted transformer from texts to vectors; None for content of other kinds.

    In a table, each column of texts gets its own vectors.
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
    return words_of(columns)


def words_of(columns):
    """Return an unfitted transformer from some columns of a table to the words of each."""
    from sklearn.compose import make_column_transformer  # slow to import

    return make_column_transformer(*((_words(), column) for column in columns))


def _words():
    return TfidfVectorizer(sublinear_tf=True)
