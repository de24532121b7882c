# SPDX-License-Identifier: BSD-3-Clause
"""Vectors by a network that was trained elsewhere, each distinct content once."""

import contextlib
import os
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from joblib import Memory
from numpy.typing import ArrayLike, NDArray
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from .._typing import Estimator
from .._validation import (
    COUNT,
    HasMethods,
    _safe_indexing,
    check_array,
    check_is_fitted,
    check_rows_or_content,
    validated_fit,
)
from .._version_stamp import VersionStampMixin, path_as_str
from .._wrapping import as_matrix
from ._shared_encoder import SharesEncoderMixin
from ._values import check_items, checked_values, without_library
from ._vector_store import VectorStore, content_keys

# An interrupted run loses hardly more vectors than this.
_N_SAVED_AT_ONCE = 1024


class PretrainedEncoder(
    SharesEncoderMixin,
    VersionStampMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Turn texts, pictures or sounds into vectors by an encoder that was trained elsewhere.

    Use it if a language model or another large network describes your items: anywhere in a
    `Pipeline`, as the `transformer` of `ContentKNNRecommender`, or in the `regressor` of
    `HybridRecommender`. It calls the encoder in batches, once for each distinct content, and can
    keep the vectors on disk. Where many models read the same items, or a search fits one many
    times, make the vectors first, with :meth:`ItemFeatures.encoded`.

    Parameters
    ----------
    encoder : callable or fitted transformer
        A function from a batch of contents to an array with a vector for each, such as the
        `encode` method of a sentence transformer, :class:`~sktransrec.content.OnnxModel` or
        another encoder of :mod:`sktransrec.content`; or a transformer that is fitted already. It
        gets texts as a list of str, tables as DataFrames (of numbers too), and all else as an
        array. It is never copied.
    batch_size : int, default=64
        Number of contents in a batch, at least 1. Texts of similar length share a batch.
    memory : str, path or joblib.Memory, default=None
        A folder in which the vectors are kept, as in scikit-learn's `Pipeline`. None keeps nothing.
        An encoder is recognised by its code and weights or, if it is one of
        :mod:`sktransrec.content`, by the path, size and time of its files. As with
        `joblib.Memory`, a function must not depend on variables outside of it.
    saves_encoder : bool, default=False
        Whether a saved estimator, or one that is sent to another process, holds an `encoder` that
        is a method or another large object. If False, such an encoder is left out. Transformers are
        saved in any case, and so are functions of modules and encoders of
        :mod:`sktransrec.content`, by their name or path.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen in `fit`. Only defined if X is a matrix of numbers.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    ItemFeatures.encoded : The vectors of a catalogue, without the encoder in any model.
    TextEncoder : Learns from your own texts.
    CNNEncoder : Learns from your own pictures or sounds.

    Notes
    -----
    Nothing is learned: `fit` encodes the first row to learn the number of features. With `memory`,
    vectors are saved after each thousand, so that an interrupted run goes on from there, and only
    new contents are encoded later on. Two texts are equal if all their characters are.

    The result is deterministic if the encoder is, and if the vector of a content does not depend on
    the other contents in its batch. For most networks, this is true to about six digits.

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import PretrainedEncoder
    >>> def lengths(texts):
    ...     print("encodes", texts)
    ...     return np.array([[len(text), text.count(" ")] for text in texts])
    >>> PretrainedEncoder(lengths).fit_transform(["red tea", "tea", "red tea"])
    encodes ['tea', 'red tea']
    array([[7., 1.],
           [3., 0.],
           [7., 1.]], dtype=float32)
    """

    n_features_in_: int
    feature_names_in_: NDArray[Any]

    _encoder_parameter = "encoder"

    _parameter_constraints: dict = {
        "encoder": [HasMethods(["transform"]), callable],
        "batch_size": COUNT,
        "memory": [str, os.PathLike, Memory, None],
        "saves_encoder": ["boolean"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        encoder: Callable[..., Any] | Estimator,
        *,
        batch_size: int = 64,
        memory: Any = None,
        saves_encoder: bool = False,
        verbose: int = 0,
    ) -> None:
        self.encoder = encoder
        self.batch_size = batch_size
        self.memory = memory
        self.saves_encoder = saves_encoder
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.string = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def __getstate__(self):
        return {**super().__getstate__(), "memory": path_as_str(self.memory)}

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_n_features_out")

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Encode the first row, to learn the number of features.

        Parameters
        ----------
        X : array-like or DataFrame of length n_rows
            Texts, or arrays of one shape such as pictures; or a matrix or table.
        y : Ignored
            Present for the pipelines of scikit-learn.

        Returns
        -------
        self : object
        """
        self._fit_on(X, lambda values: self._vectors(_safe_indexing(values, [0])))
        return self

    def fit_transform(self, X: ArrayLike, y: Any = None) -> NDArray[np.float32]:
        """Encode all rows.

        Parameters
        ----------
        X : array-like or DataFrame of length n_rows
            Texts, or arrays of one shape such as pictures; or a matrix or table.
        y : Ignored
            Present for the pipelines of scikit-learn.

        Returns
        -------
        vectors : ndarray or csr_array of shape (n_rows, n_features), dtype float32
        """
        return self._fit_on(X, self._vectors)

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Encode rows.

        Parameters
        ----------
        X : array-like of length n_rows
            Rows of the same kind as in `fit`.

        Returns
        -------
        vectors : ndarray or csr_array of shape (n_rows, n_features), dtype float32
        """
        check_is_fitted(self)
        vectors = self._vectors(self._check_content(X, reset=False))
        if vectors.shape[1] != self._n_features_out:
            raise ValueError(
                f"encoder={self.encoder!r} makes vectors of {vectors.shape[1]} numbers, and made "
                f"{self._n_features_out} in fit: pass the encoder of fit, or fit again."
            )
        return vectors

    @validated_fit
    def _fit_on(self, X, encode):
        """Return what `encode` makes of the checked rows."""
        vectors = encode(self._check_content(X, reset=True))
        self._n_features_out = vectors.shape[1]
        return vectors

    def _check_content(self, X, *, reset):
        """Return texts as an array of objects, tables as they are, all else as numbers."""
        if not _is_matrix(X):
            values = without_library(X, "X")
            places = np.arange(len(values))
            X = checked_values(values, places, "X")
            check_items(X, places, "X")
        if not _is_matrix(X):
            return X
        values = check_rows_or_content(self, X, reset=reset)
        if not values.shape[0]:
            raise ValueError("X holds no rows: pass at least one.")
        if hasattr(values, "iloc"):
            check_items(values, np.arange(len(values)), "X")
        # A table of numbers is checked as a matrix, but an encoder may need its names.
        return X if hasattr(X, "iloc") and not sp.issparse(values) else values

    def _vectors(self, values):
        keys, first, inverse = np.unique(
            content_keys(values), return_index=True, return_inverse=True
        )
        store = VectorStore(self.memory, self.encoder)
        blocks = store.load(keys)
        is_new = ~np.isin(keys, np.concatenate([keys[:0], *(known for known, _ in blocks)]))
        blocks += self._encoded(_safe_indexing(values, first[is_new]), keys[is_new], store)
        found = np.concatenate([known for known, _ in blocks])
        vectors = _stacked([vectors for _, vectors in blocks])
        return vectors[np.argsort(found)[inverse]]

    def _encoded(self, values, keys, store):
        """Encode distinct contents; return a list of (keys, vectors), saved in the store."""
        blocks, unsaved = [], []
        order = _by_length(values)
        with _progress(len(keys), self.verbose) as bar, contextlib.ExitStack() as at_the_end:
            at_the_end.callback(_save, unsaved, store)
            for start in range(0, len(keys), self.batch_size):
                batch = order[start : start + self.batch_size]
                block = keys[batch], self._batch_vectors(_safe_indexing(values, batch))
                blocks.append(block)
                unsaved.append(block)
                if sum(len(keys) for keys, _ in unsaved) >= _N_SAVED_AT_ONCE:
                    _save(unsaved, store)
                bar.update(len(batch))
        return blocks

    def _batch_vectors(self, values):
        """Return what the encoder makes of a batch."""
        encode = getattr(self.encoder, "transform", self.encoder)
        with config_context(transform_output="default"):  # tables would be undone at once
            vectors = as_matrix(encode(values.tolist() if _are_texts(values) else values))
        if vectors.ndim != 2 or vectors.shape[0] != values.shape[0]:
            raise ValueError(
                f"encoder={self.encoder!r} makes an array of shape {vectors.shape} from "
                f"{values.shape[0]} rows of X: it must make one vector for each row."
            )
        return check_array(
            vectors,
            accept_sparse="csr",
            dtype=np.float32,
            input_name="the vectors that encoder makes of X",
        )


def _is_matrix(X):
    """Return whether X is to be read as a matrix of numbers, not as a sequence of contents."""
    if isinstance(X, np.ndarray) and X.ndim == 1:
        return X.dtype.kind in "fiub"
    return sp.issparse(X) or getattr(X, "ndim", 0) == 2 or not hasattr(X, "__iter__")


def _are_texts(values):
    return isinstance(values, np.ndarray) and values.dtype == object


def _by_length(values):
    """Return an order of the contents in which texts of similar length are neighbours."""
    if not _are_texts(values):
        return np.arange(values.shape[0])
    return np.argsort([len(text) for text in values], kind="stable")


def _save(blocks, store):
    """Save the blocks as one, and forget them."""
    if blocks:
        keys, vectors = zip(*blocks, strict=True)
        store.save(np.concatenate(keys), _stacked(vectors))
        blocks.clear()


def _stacked(blocks):
    if any(sp.issparse(block) for block in blocks):
        return sp.vstack([sp.csr_array(block) for block in blocks], format="csr")
    return np.concatenate(blocks)


def _progress(n_contents, verbose):
    from tqdm.auto import tqdm

    return tqdm(total=n_contents, desc="encoding", unit="item", disable=not verbose)
