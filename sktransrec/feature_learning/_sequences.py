# SPDX-License-Identifier: BSD-3-Clause
"""What the learners of sequences and images share: the forms of X and y that they take."""

from collections import Counter
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import loguniform, uniform

from .._engine._objectives import EntryTargets
from .._validation import (
    as_array,
    check_array,
    check_no_id_names,
    check_numbering,
    check_padded,
    check_relevance,
    check_targets,
    is_content,
)
from ._base import FeatureLearner, check_range

_FORMS = {2: "one number a step", 3: "sequences of vectors", 4: "images"}


class SequenceLearner(FeatureLearner):
    """Base of learners of token ids, signals, sequences of vectors and images.

    A subclass implements ``_own_targets(X)``, which returns the targets of rows without y, and
    says in `_max_dimensions` how many axes X may have.
    """

    n_tokens_: int | None
    n_outputs_: int | None

    search_distributions: ClassVar = {
        "n_components": [16, 32, 64, 128],
        "learning_rate": loguniform(0.0003, 0.01),
        "dropout": uniform(0, 0.6),
    }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.three_d_array = True
        tags.target_tags.multi_output = True
        return tags

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.str_]:
        """Return the names of the features.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X. A single name is ignored: it may be that of one column with
            an array in each row.

        Returns
        -------
        names : ndarray of str of shape (n_components,)
        """
        is_one_column = input_features is not None and np.size(input_features) == 1
        return super().get_feature_names_out(None if is_one_column else input_features)

    def _check_rows(self, X, *, reset):
        if is_content(X) and not hasattr(X, "columns"):
            raise ValueError(
                f"X holds texts, and {type(self).__name__} reads token ids: put TextSequences() "
                "before it in a Pipeline."
            )
        if reset:
            check_no_id_names(X, name="X", of_histories=True)
        stacked = _stacked(_with_plain_integers(X))
        if not reset and getattr(stacked, "ndim", 2) > 2:
            self._check_row_shape(stacked)
        X = _check_dense(self, stacked, reset=reset, named=X)
        if reset:
            self._check_dimensions(X)
            self._row_shape = X.shape[1:]
            self._takes_tokens = self._are_tokens(X)
        self._check_row_shape(X)
        if self._takes_tokens:
            return self._check_tokens(X, reset=reset)
        if reset:
            self.n_tokens_ = None
        return check_array(X, dtype=np.float32, allow_nd=True, input_name="X")

    def _check_row_shape(self, X):
        if X.shape[1:] != self._row_shape:
            raise ValueError(
                f"X has rows of shape {X.shape[1:]}, and fit saw {self._row_shape}: pad, cut or "
                "scale them to that."
            )

    def _check_dimensions(self, X):
        if X.ndim > self._max_dimensions:
            forms = [f"{n} ({form})" for n, form in _FORMS.items() if n <= self._max_dimensions]
            raise ValueError(
                f"X has {X.ndim} dimensions, and {type(self).__name__} takes {' or '.join(forms)}."
            )
        if 0 in X.shape:
            raise ValueError(f"X has shape {X.shape}: rows must not be empty.")

    def _are_tokens(self, X):
        """Return whether X is to be read as token ids."""
        return X.ndim == 2 and X.dtype.kind in "iu"

    def _check_tokens(self, X, *, reset):
        """Return X as int32, its token ids all within the vocabulary."""
        if X.dtype.kind not in "iu":
            raise ValueError(
                f"X holds {X.dtype} values, and fit saw token ids: pass integers, "
                "X.astype(np.int32)."
            )
        smallest, largest = int(X.min()), int(X.max())
        if reset:
            check_numbering(largest, "X", "token id")
            self.n_tokens_ = int(self.n_tokens or largest + 1)
        if smallest < 0:
            raise ValueError(
                f"Negative values in data passed to X: it holds the token id {smallest}. Ids are 0 "
                "for padding and from 1 on for tokens; if the values are no token ids, pass "
                "floats: X.astype(np.float32)."
            )
        if largest >= self.n_tokens_ and self.unknown == "ignore" and not reset:
            X = np.where(self.n_tokens_ > X, X, 0)
        elif largest >= self.n_tokens_:
            raise ValueError(
                f"X holds the token id {largest}, and {type(self).__name__} knows those below "
                f"{self.n_tokens_}: fit with a larger n_tokens, map others to an id for unknown "
                'tokens, or leave them out by unknown="ignore".'
            )
        return X.astype(np.int32)

    def _check_fit_rows(self, X, y, *, reset):
        X = self._check_rows(X, reset=reset)
        if not reset and (y is None) != (self.n_outputs_ is None):
            raise ValueError(
                f"y is {'' if y is None else 'not '}None, unlike in the fit before: go on with "
                "targets of the same kind, or fit anew with warm_start=False."
            )
        if y is not None:
            y = self._check_targets(y, X.shape[0], reset=reset)
        elif not self._takes_tokens:
            self._check_reconstructed(X)
        if reset:
            self.n_outputs_ = None if y is None else y.shape[1]
        return X, y

    def _check_targets(self, y, n_rows, *, reset):
        """Return y as a `csr_array`; a 1-D y is one output or, for "multinomial", columns."""
        if getattr(y, "ndim", 1) == 1:
            y = as_array(y, name="y")
        if y.ndim == 1 and self.loss != "multinomial":
            y = y[:, None]
        if reset:
            y = check_targets(y, n_rows=n_rows)
        else:
            y = check_relevance(y, n_rows=n_rows, n_items=self.n_outputs_)
        check_range(y, self.loss, name="y")
        return y

    def _check_reconstructed(self, X):
        if self.loss == "multinomial":
            raise ValueError(
                'loss="multinomial" needs y or token ids, and X holds numbers without y: choose '
                '"mse", or "binary_crossentropy" for numbers from 0 to 1.'
            )
        check_range(X, self.loss, name="X")

    def _sizes(self, y):
        """Return the arguments that the builders share."""
        return {
            "n_tokens": self.n_tokens_,
            "embedding_size": self.embedding_size,
            "n_components": self.n_components,
            "n_outputs": self.n_outputs_,
            "code_activation": self.code_activation,
            "loss": "multinomial" if y is None and self._takes_tokens else self.loss,
            "dropout": self.dropout,
        }

    def _row_sizes(self):
        """Return the arguments of those builders that take rows of several forms."""
        return {
            "shape": self._shape_with_channels,
            "is_padded": self._takes_tokens or len(self._row_shape) == 2,
            "hidden_layer_sizes": self._layer_sizes("hidden_layer_sizes"),
        }

    @property
    def _has_channels(self):
        return self._takes_tokens or len(self._row_shape) > 1

    @property
    def _shape_with_channels(self):
        return self._row_shape if self._has_channels else (*self._row_shape, 1)

    def _layer_sizes(self, name):
        """Return the parameter of that name as a tuple of int, at least one."""
        sizes = super()._layer_sizes(name)
        if not sizes:
            raise ValueError(f"{name} is empty: pass at least one integer.")
        return sizes

    def _batch(self, X, y, rng, progress):
        targets = self._own_targets(X) if y is None else EntryTargets(y)
        return [self._inputs("encoder", X)], {"output": targets}

    def _inputs(self, part, rows):
        is_signal = part == "encoder" and not self._has_channels
        return rows[..., None] if is_signal else rows


def _stacked(X):
    """Return a list or a column of arrays as one array, and anything else as it is."""
    is_column = isinstance(X, list) or (getattr(X, "ndim", None) == 1 and X.dtype == object)
    if not is_column or not any(isinstance(row, np.ndarray) for row in X):
        return X
    rows = list(X)
    shapes = [row.shape if isinstance(row, np.ndarray) else type(row).__name__ for row in rows]
    [(usual, _)] = Counter(shapes).most_common(1)
    for place, shape in enumerate(shapes):
        if shape != usual:
            raise ValueError(
                f"{_row_name(X, place)} is of shape {shape}, where most are of {usual}: pad "
                "sequences to one length, and scale images to one size and as many channels."
            )
    return np.stack(rows)


def _row_name(X, place):
    """Return what to call a row in an error: its place and, where it has one, its label."""
    label = f" ({X.index[place]!r})" if hasattr(X, "iloc") else ""
    return f"Row {place} of X{label}"


def _with_plain_integers(X):
    """Return a DataFrame of integers as one of numpy's, if none is missing."""
    if not hasattr(X, "select_dtypes"):
        return X
    X = X.infer_objects()
    are_integers = all(getattr(dtype, "kind", "O") in "iu" for dtype in X.dtypes)
    return X.astype(np.int64) if are_integers and not X.isna().to_numpy().any() else X


def _check_dense(estimator, X, *, reset, named):
    """Return X as an array of numbers with two axes or more; `named` may have names of rows."""
    try:
        return check_padded(estimator, X, reset=reset, allow_nd=True)
    except (TypeError, ValueError) as error:
        message, *_ = str(error).splitlines()
        if "NAType" in message:
            message = "Input X contains NaN."
        if "contains NaN" not in message and "contains infinity" not in message:
            raise
        first = _row_name(named, _first_not_finite(X))
        raise ValueError(
            f"{message} {first} is the first that does: mend it or leave it out."
        ) from error


def _first_not_finite(X):
    """Return the place of the first row with NaN, infinity or pandas.NA."""
    rows = np.atleast_1d(np.asarray(X, dtype=object))
    return next(place for place, row in enumerate(rows) if not _are_finite(row))


def _are_finite(row):
    try:
        return np.isfinite(np.asarray(row, dtype=np.float64)).all()
    except TypeError:  # what numpy says of pandas.NA
        return False
