# SPDX-License-Identifier: BSD-3-Clause
"""Recurrent networks: features from sequences read in their order."""

from os import PathLike
from typing import Literal

import numpy as np

from .._engine._items import NegativeSampler
from .._engine._numpy_layers import is_step
from .._engine._objectives import StepTargets
from .._engine._parameters import shares_parameters
from .._engine._recurrent import recurrent
from .._numerics._entries import one_in_each_row
from .._typing import Estimator
from .._validation import StrOptions
from ._sequences import SequenceLearner


@shares_parameters
class RNNEncoder(SequenceLearner):
    r"""Features that a recurrent network learns from texts, histories or other sequences.

    Use it for sequences whose order matters. To recommend the next item, use `NextItemRecommender`.
    With y it learns the map from X to y. Without y it learns to predict the next step of each row
    from the steps before. `transform` returns the layer of `n_components` units between the state
    after the last step and the output. It recognises the kind of X by shape and type:

    - integers of shape (n_rows, n_steps) are token ids, padded with 0, such as
      :class:`~sktransrec.TextSequences` and `InteractionEncoder.sequences` return;
    - floats of shape (n_rows, n_steps) are signals of one channel;
    - an array of shape (n_rows, n_steps, n_channels) holds sequences of vectors, padded with
      vectors of zeros.

    Parameters
    ----------
    cell : {"gru", "lstm", "simple"}, default="gru"
        The recurrent cell: a gated recurrent unit [1]_, long short-term memory [2]_, or a simple
        one, which forgets soon.
    hidden_layer_sizes : tuple of int, default=(64,)
        Numbers of units of the recurrent layers, the first next to X.
    bidirectional : bool, default=False
        Whether a second network reads each row from its end, with as many units. It needs y: a
        network that reads from the end has seen the next step, which is to be predicted without y.

    Attributes
    ----------
    n_tokens_ : int or None
        Number of token ids, padding included; None if X holds no token ids.
    n_outputs_ : int or None
        Number of columns of y; None without y.

    See Also
    --------
    CNNEncoder : Sees a few neighbouring steps at a time, and images.
    TextSequences : Texts to padded token ids.
    InteractionEncoder : Event logs to padded sequences of items.

    Notes
    -----
    With y, the objective is that of `CNNEncoder`. Without y, the output at each step is compared
    with the next step of the row, and the loss is summed over the steps: a softmax over all tokens
    for token ids, the squared error or the binary cross-entropy of the next numbers otherwise.

    A training step costs O(batch_size * n_steps * hidden_layer_sizes[i] ** 2) for each layer and,
    without y, O(batch_size * n_steps * n_components * n_tokens) for the output. If `n_negatives` is
    given, it takes the place of `n_tokens`, and its effect on the scores is removed again [3]_.
    Sparse y is never made dense, and y gives the same result in either form.

    Padding leaves the state as it is. So it changes neither the features nor what is learned,
    whether at the end or at the start. A row of nothing but padding gets the features of the first
    state.

    The Notes of `Autoencoder` describe the learning rate, how the layers of `pretrained` are
    trained, and what an int `random_state` fixes. Token ids must mean the same in both networks:
    the shape of the embedding cannot tell whether they do. The output is copied if y has as many
    columns, which are then assumed to be the same. The two directions of a bidirectional layer
    count as one layer.

    References
    ----------
    .. [1] K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical
       machine translation", EMNLP 2014. :doi:`10.3115/v1/D14-1179`
    .. [2] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9, 1997.
       :doi:`10.1162/neco.1997.9.8.1735`
    .. [3] X. Yi et al., "Sampling-bias-corrected neural modeling for large corpus item
       recommendations", RecSys 2019. :doi:`10.1145/3298689.3346996`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import RNNEncoder
    >>> X = np.array([[1, 2, 3, 0], [2, 3, 1, 2], [3, 1, 2, 0], [2, 3, 0, 0]])
    >>> model = RNNEncoder(n_components=2, epochs=1, run_eagerly=True, random_state=0)
    >>> model.fit_transform(X).shape
    (4, 2)
    """

    _parameter_constraints: dict = {
        "cell": [StrOptions({"gru", "lstm", "simple"})],
        "bidirectional": ["boolean"],
    }

    _max_dimensions = 3

    def __init__(
        self,
        n_components: int = 32,
        *,
        cell: Literal["gru", "lstm", "simple"] = "gru",
        hidden_layer_sizes: tuple[int, ...] = (64,),
        bidirectional: bool = False,
        embedding_size: int = 64,
        n_tokens: int | None = None,
        unknown: Literal["error", "ignore"] = "error",
        code_activation: str = "tanh",
        dropout: float = 0.2,
        loss: Literal["mse", "binary_crossentropy", "multinomial"] = "mse",
        n_negatives: int | None = None,
        negative_exponent: float = 0.75,
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
        self.cell = cell
        self.hidden_layer_sizes = hidden_layer_sizes
        self.bidirectional = bidirectional
        self.embedding_size = embedding_size
        self.n_tokens = n_tokens
        self.unknown = unknown
        self.code_activation = code_activation
        self.dropout = dropout
        self.loss = loss
        self.n_negatives = n_negatives
        self.negative_exponent = negative_exponent
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

    def _check_fit_rows(self, X, y, *, reset):
        X, y = super()._check_fit_rows(X, y, reset=reset)
        if y is not None:
            return X, y
        if self.bidirectional:
            raise ValueError(
                "bidirectional=True needs y: a network that reads from the end has seen the step "
                "that it is to predict. Pass y, or choose bidirectional=False."
            )
        if not self._has_next(X).any():
            raise ValueError(
                "No row of X has two steps, so there is no next one to learn: pass y or longer "
                "rows."
            )
        if self._takes_tokens and self.n_negatives is not None:
            counts = np.bincount(X[X > 0], minlength=self.n_tokens_)
            self._sampler = NegativeSampler(counts, self.negative_exponent, self.n_negatives)
        return X, y

    def _builder(self, X, y):
        sizes = {**self._sizes(y), **self._row_sizes()}
        return recurrent, {**sizes, "cell": self.cell, "bidirectional": self.bidirectional}

    def _batch(self, X, y, rng, progress):
        if y is not None or rng is None or self.n_negatives is None or not self._takes_tokens:
            return super()._batch(X, y, rng, progress)
        following, steps = self._next_steps(X)
        return [X], {"output": self._sampler.targets(following, steps, rng)}

    def _own_targets(self, X):
        """Return the next step of each step, where neither is padding, as the targets."""
        following, steps = self._next_steps(X)
        if self._takes_tokens:
            return StepTargets(one_in_each_row(following, self.n_tokens_), steps)
        n_channels = X.shape[-1] if self._has_channels else 1
        return StepTargets(following.reshape(len(steps), n_channels), steps)

    def _next_steps(self, X):
        """Return the steps that follow another, and the places of these others in the batch."""
        rows, steps = np.nonzero(self._has_next(X))
        return X[rows, steps + 1], (rows * X.shape[1] + steps).astype(np.int32)

    def _has_next(self, X):
        """Return of each step but the last whether it and the next are more than padding."""
        may_be_padded = self._takes_tokens or X.ndim == 3
        is_read = is_step(X) if may_be_padded else np.ones(X.shape, dtype=bool)
        return is_read[:, :-1] & is_read[:, 1:]
