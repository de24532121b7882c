# SPDX-License-Identifier: BSD-3-Clause
"""Convolutional networks: features from neighbouring tokens, steps or pixels."""

from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import gen_batches

from .._engine._convolutional import convolutional
from .._engine._objectives import EntryTargets
from .._engine._parameters import shares_parameters
from .._numerics._entries import one_in_each_row
from .._typing import Estimator
from .._validation import StrOptions, check_is_fitted, get_chunk_n_rows
from .._validation._finite import finite_output
from ._sequences import SequenceLearner


@shares_parameters
class CNNEncoder(SequenceLearner):
    r"""Features that a convolutional network learns from texts, signals, sequences or images.

    Use it for pictures, and for texts where neighbouring words matter. For texts, try word counts
    (:class:`~sklearn.feature_extraction.text.TfidfVectorizer`) first. With y it learns the map from
    X to y, and `transform` returns the layer of `n_components` units below the output. Without y it
    learns to reconstruct X from this layer. It recognises the kind of X by shape and type:

    - integers of shape (n_rows, n_steps) are token ids, padded with 0, such as
      :class:`~sktransrec.TextSequences` returns; the network for them is that of [1]_;
    - floats of shape (n_rows, n_steps) are signals of one channel;
    - an array of shape (n_rows, n_steps, n_channels) holds sequences of vectors, padded with
      vectors of zeros;
    - an array of shape (n_rows, height, width, n_channels) holds images.

    X may also be a list, or a column of a table, that holds an array of the same shape for each
    row.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64,)
        Numbers of filters of each convolutional layer, for each of the `kernel_sizes`. Between two
        layers, signals and images are halved by max pooling; rows that may be padded keep their
        length.
    kernel_sizes : tuple of int, default=(3, 4, 5)
        Widths of the convolutions of a layer, which are side by side; those of images are squares.
    pooling : {"max", "flatten", "auto"}, default="auto"
        How the steps or pixels become one vector: "max" keeps the largest output of each filter
        and forgets where it was, "flatten" keeps all. "auto" is "flatten" for signals and images
        and "max" for rows that may be padded.

    Attributes
    ----------
    n_tokens_ : int or None
        Number of token ids, padding included; None if X holds no token ids.
    n_outputs_ : int or None
        Number of columns of y; None without y.

    See Also
    --------
    RNNEncoder : Reads a sequence in its order.
    Autoencoder : Takes columns without an order.
    TextSequences : Texts to padded token ids.

    Notes
    -----
    Let f be the output of the network for a row, before its activation. With y, the objective is
    the mean over the rows of :math:`\sum_j (y_j - f_j)^2` ("mse"), of :math:`-\sum_j y_j \log p_j +
    (1 - y_j) \log(1 - p_j)` with :math:`p_j = 1 / (1 + e^{-f_j})` ("binary_crossentropy"), or of
    :math:`-\sum_j y_j \log p_j` with :math:`p = \mathrm{softmax}(f)` ("multinomial"), plus
    `regularization` times the squares of all kernels. Without y, X takes the place of y, and the
    loss is summed over the steps or pixels; token ids are reconstructed by a softmax over all
    tokens at each step, padding included.

    A step costs O(batch_size * n_steps * sum(kernel_sizes) * n_channels * hidden_layer_sizes[0])
    for the first layer. Sparse y is never made dense, and y gives the same result in either form.

    With ``pooling="max"``, padding does not change the features, whether at the end or at the
    start: convolutions see zeros there, and the maximum leaves it out. A row of nothing but
    padding gets the features of the biases.

    The Notes of `Autoencoder` describe the learning rate, how the layers of `pretrained` are
    trained, and what an int `random_state` fixes. Token ids must mean the same in both networks:
    the shape of the embedding cannot tell whether they do. The output is copied if y has as many
    columns, which are then assumed to be the same. Convolutions side by side count as one layer.

    References
    ----------
    .. [1] Y. Kim, "Convolutional neural networks for sentence classification", EMNLP 2014.
       :doi:`10.3115/v1/D14-1181`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import CNNEncoder
    >>> X = np.array([[1, 2, 3, 0], [2, 1, 3, 3], [3, 1, 2, 0], [2, 1, 0, 0]])
    >>> y = np.array([1.0, 0.0, 1.0, 0.0])
    >>> model = CNNEncoder(n_components=2, epochs=1, run_eagerly=True, random_state=0)
    >>> model.fit_transform(X, y).shape
    (4, 2)
    """

    _parameter_constraints: dict = {
        "kernel_sizes": ["array-like"],
        "pooling": [StrOptions({"max", "flatten", "auto"})],
    }

    _max_dimensions = 4

    def __init__(
        self,
        n_components: int = 32,
        *,
        hidden_layer_sizes: tuple[int, ...] = (64,),
        kernel_sizes: tuple[int, ...] = (3, 4, 5),
        pooling: Literal["max", "flatten", "auto"] = "auto",
        embedding_size: int = 64,
        n_tokens: int | None = None,
        unknown: Literal["error", "ignore"] = "error",
        activation: str = "relu",
        code_activation: str = "linear",
        dropout: float = 0.2,
        loss: Literal["mse", "binary_crossentropy", "multinomial"] = "mse",
        regularization: float = 0.0,
        optimizer: Literal["adagrad", "adam", "adamw", "nadam", "rmsprop", "sgd"] = "adam",
        learning_rate: float = 1e-3,
        learning_rate_schedule: Literal["adaptive", "constant", "cosine"] = "constant",
        warmup_epochs: int = 0,
        epochs: int = 100,
        batch_size: int = 32,
        validation_fraction: float = 0.0,
        patience: int = 10,
        pretrained: Estimator | None = None,
        trainable: Literal["all", "head"] | int = "all",
        unfreeze_every: int | None = None,
        layer_decay: float | Literal["auto"] | None = None,
        l2_sp: float = 0.0,
        warm_start: bool = False,
        checkpoint_folder: str | PathLike[str] | None = None,
        run_eagerly: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.kernel_sizes = kernel_sizes
        self.pooling = pooling
        self.embedding_size = embedding_size
        self.n_tokens = n_tokens
        self.unknown = unknown
        self.activation = activation
        self.code_activation = code_activation
        self.dropout = dropout
        self.loss = loss
        self.regularization = regularization
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.warmup_epochs = warmup_epochs
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.pretrained = pretrained
        self.trainable = trainable
        self.unfreeze_every = unfreeze_every
        self.layer_decay = layer_decay
        self.l2_sp = l2_sp
        self.warm_start = warm_start
        self.checkpoint_folder = checkpoint_folder
        self.run_eagerly = run_eagerly
        self.random_state = random_state
        self.verbose = verbose

    @finite_output
    def inverse_transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the rows that the network reconstructs from features, if it was fitted without y.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_components)
            Features, as `transform` returns them.

        Returns
        -------
        rows : ndarray of the shape of the rows of `fit`
            The most probable token ids, int32; other rows are float32.
        """
        check_is_fitted(self)
        if self.n_outputs_ is not None:
            raise ValueError(
                "inverse_transform needs a network that reconstructs X, and this one was fitted "
                "with y: fit it with y=None."
            )
        codes = self._check_codes(X)
        if self._takes_tokens:
            return self._decoded_tokens(codes)
        rows = self._forward("decoder", codes, self._shape_with_channels)
        return rows.reshape(-1, *self._row_shape)

    def _decoded_tokens(self, codes):
        """Return the most probable token of each step, with the scores of few rows at a time."""
        shape = (*self._row_shape, self.n_tokens_)
        n_rows = get_chunk_n_rows(4 * int(np.prod(shape)), max_n_rows=codes.shape[0])
        tokens = [
            self._forward("decoder", codes[block], shape).argmax(axis=2)
            for block in gen_batches(codes.shape[0], n_rows)
        ]
        return np.concatenate(tokens).astype(np.int32)

    def _builder(self, X, y):
        sizes = {**self._sizes(y), **self._row_sizes()}
        pooling = self.pooling
        if pooling == "auto":
            pooling = "max" if sizes["is_padded"] else "flatten"
        return convolutional, {
            **sizes,
            "activation": self.activation,
            "kernel_sizes": self._layer_sizes("kernel_sizes"),
            "pooling": pooling,
        }

    def _own_targets(self, X):
        if self._takes_tokens:
            return EntryTargets(one_in_each_row(X.ravel(), self.n_tokens_))
        return EntryTargets(X.reshape(-1, X.shape[-1] if self._has_channels else 1))
