# SPDX-License-Identifier: BSD-3-Clause
"""Attention networks: features from tokens that read each other at any distance."""

from os import PathLike
from typing import ClassVar, Literal

import numpy as np

from .._engine._objectives import StepTargets
from .._engine._parameters import shares_parameters
from .._engine._token_attention import token_attention
from .._numerics._entries import one_in_each_row
from .._typing import Estimator
from .._validation import are_integers
from ._sequences import SequenceLearner

# Of Devlin et al., section 3.1: the share of tokens to predict, and of these the shares that the
# network sees as hidden, and as hidden or another token.
_PREDICTED, _HIDDEN, _CHANGED = 0.15, 0.8, 0.9


@shares_parameters
class TextEncoder(SequenceLearner):
    r"""Features that a network of self-attention learns from texts or other rows of tokens.

    With y, it learns the map from X to y, and `transform` returns the layer of `n_components` units
    below the output. Without y, it hides some tokens and learns to predict them from the others, on
    either side (BERT [1]_). If only few texts have a y, learn from many texts without y first, and
    pass the result as `pretrained` of a second encoder, which learns y.

    X has integers of shape (n_rows, n_tokens_of_a_row), which are token ids padded with 0, such as
    :class:`~sktransrec.TextSequences` returns.

    Use it if the meaning of a token depends on tokens far away, and you have thousands of rows or a
    pretrained network. Try `CNNEncoder` first: it reads a few neighbouring tokens at a time and
    trains several times faster.

    Parameters
    ----------
    n_heads : int, default=1
        Number of heads of a block of attention, at least 1; it must divide `embedding_size`.
    code_activation : str, default="linear"
        Activation of the features of a token, one of those of `CNNEncoder`. The features of a row
        are the means of those of its tokens.

    Attributes
    ----------
    n_tokens_ : int
        Number of token ids, padding included.
    n_outputs_ : int or None
        Number of columns of y; None without y.
    n_features_in_ : int
        Number of columns of X seen in `fit`.

    See Also
    --------
    CNNEncoder : Sees a few neighbouring tokens at a time, and other forms of X.
    RNNEncoder : Reads a row in its order.
    TextSequences : Texts to padded token ids.

    Notes
    -----
    Let :math:`e_t` be the vector of token t plus sines and cosines of its place, counted from the
    first token of the row [2]_. Each of the `n_layers` blocks adds two things to every :math:`e_t`:
    first what its heads read from all tokens of the row, and then the output of two dense layers.
    Both are computed from the normalised :math:`e_t`, with `dropout`. A dense layer, the same with
    and without y, maps the last :math:`e_t` to the features of each token, and their mean over the
    tokens is the feature vector of the row.

    With y, the objective is that of `CNNEncoder`. Without y, it is the mean over the rows of
    :math:`-\sum_t \log p_t`, where p is a softmax over all tokens from the features of token t. The
    sum is over 15 % of the tokens, at least one in each row, drawn anew in each epoch. The network
    sees 80 % of these as an extra id that means hidden, 10 % as another token, and 10 % as they
    are.

    A step costs O(batch_size * n_steps * n_layers * embedding_size * (12 embedding_size +
    n_steps)) and, without y, O(batch_size * n_steps * 0.15 * n_components * n_tokens) for the
    output.

    Nothing attends to padding, and it does not count in the mean. So it does not change the
    features, whether at the end or at the start. A row of nothing but padding gets zeros. The rows
    of a `pretrained` network may have another length, because places need no weights.

    The Notes of `Autoencoder` describe the learning rate, and how the layers of `pretrained` are
    trained; token ids must mean the same in both networks. With an int `random_state`, the result
    is the same to the last bit in every run on one machine. No global state is read or changed. A
    fitted estimator runs in numpy: only training needs TensorFlow.

    References
    ----------
    .. [1] J. Devlin, M.-W. Chang, K. Lee and K. Toutanova, "BERT: Pre-training of deep
       bidirectional transformers for language understanding", NAACL 2019. :arxiv:`1810.04805`
    .. [2] A. Vaswani et al., "Attention is all you need", NIPS 2017. :arxiv:`1706.03762`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import TextEncoder
    >>> X = np.array([[1, 2, 3, 0], [2, 1, 3, 3], [3, 1, 2, 0], [2, 1, 0, 0]])
    >>> y = np.array([1.0, 0.0, 1.0, 0.0])
    >>> model = TextEncoder(n_components=2, epochs=1, run_eagerly=True, random_state=0)
    >>> model.fit_transform(X, y).shape
    (4, 2)
    """

    n_tokens_: int

    _max_dimensions = 2

    search_distributions: ClassVar = {**SequenceLearner.search_distributions, "n_layers": [1, 2]}

    def __init__(
        self,
        n_components: int = 32,
        *,
        n_layers: int = 2,
        n_heads: int = 1,
        embedding_size: int = 64,
        n_tokens: int | None = None,
        unknown: Literal["error", "ignore"] = "error",
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
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.embedding_size = embedding_size
        self.n_tokens = n_tokens
        self.unknown = unknown
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = False
        tags.input_tags.categorical = True
        tags.input_tags.positive_only = True
        return tags

    def _are_tokens(self, X):
        return True

    def _check_tokens(self, X, *, reset):
        if not are_integers(X):
            raise ValueError(
                f"X holds {X.dtype} values that are no integers, and {type(self).__name__} reads "
                "token ids: pass integers, as TextSequences returns them."
            )
        return super()._check_tokens(X.astype(np.int64, copy=False), reset=reset)

    def _check_fit_rows(self, X, y, *, reset):
        if self.embedding_size % self.n_heads:
            raise ValueError(
                f"n_heads={self.n_heads} does not divide embedding_size={self.embedding_size}: "
                "each head attends with an equal share of a token's vector."
            )
        X, y = super()._check_fit_rows(X, y, reset=reset)
        if y is None and not X.any():
            raise ValueError("X holds nothing but padding: pass rows with tokens, or y.")
        return X, y

    def _builder(self, X, y):
        return token_attention, {
            **self._sizes(y),
            "n_layers": self.n_layers,
            "n_heads": self.n_heads,
        }

    def _batch(self, X, y, rng, progress):
        if y is not None:
            return super()._batch(X, y, rng, progress)
        seen, is_predicted = hidden_tokens(X, self.n_tokens_, rng or np.random.RandomState(0))
        steps = np.flatnonzero(is_predicted)
        values = one_in_each_row(X.ravel()[steps], self.n_tokens_)
        return [seen], {"output": StepTargets(values, steps.astype(np.int32))}


def hidden_tokens(X, n_tokens, rng):
    """Return rows with some tokens hidden or changed, and the mask of those to be predicted.

    A hidden token has the id `n_tokens`. In each row with tokens, at least one is to be predicted.
    """
    draws = np.where(X > 0, rng.uniform(size=X.shape), np.inf)
    is_predicted = draws <= np.maximum(_PREDICTED, draws.min(axis=1, keepdims=True))
    is_predicted &= X > 0
    fate = np.where(is_predicted, rng.uniform(size=X.shape), 1)
    others = rng.randint(1, n_tokens, X.shape)
    seen = np.where(fate < _HIDDEN, n_tokens, np.where(fate < _CHANGED, others, X))
    return seen.astype(np.int32), is_predicted
