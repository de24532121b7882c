# SPDX-License-Identifier: BSD-3-Clause
"""Networks that read the history of a row in its order and rank the next item."""

from os import PathLike
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import loguniform, uniform
from sklearn.base import BaseEstimator

from .._engine._items import NegativeSampler
from .._engine._next_item import next_item
from .._engine._parameters import shares_parameters
from .._histories import seen_items
from .._ids import DecodesItems
from .._typing import Estimator
from .._validation import (
    COUNT,
    N_ITEMS,
    StrOptions,
    check_is_fitted,
    check_item_ids,
    check_known_histories,
    validated_fit,
)
from ..base import FactorRecommenderMixin, RecommenderMixin
from ..content import ItemFeatures
from ._first_vectors import kernel_to, linked_vectors
from ._history_learner import HistoryLearner
from ._history_reader import HistoryRowsMixin, check_has_steps
from ._item_table import ItemTableMixin, check_same_items


@shares_parameters
class NextItemRecommender(
    DecodesItems,
    ItemTableMixin,
    HistoryLearner,
    HistoryRowsMixin,
    FactorRecommenderMixin,
    RecommenderMixin,
    BaseEstimator,
):
    r"""Recommend the next item of a history, with a neural network that reads it in its order.

    Use it if the order matters, as in sessions or series. Try `NextItemRidgeRecommender` and
    `HistoryRecommender` first: they are fitted in seconds, and on short histories they are hard to
    beat. A row of X is a history: item ids from 1 on, from the earliest to the latest, padded with
    0 at one end, as
    :meth:`InteractionEncoder.sequences <sktransrec.InteractionEncoder.sequences>` returns it. Item
    id j + 1 is column j of `recommend` and of y. It is an in-domain recommender: it learns from the
    histories alone, and `fit` never reads y. A new row is read like any other. It must have as many
    columns as in `fit`; pass `max_length` to `sequences` to get the same width. As a transformer,
    it gives the code of a history, in the space of `item_factors_`.

    Parameters
    ----------
    architecture : {"attention", "cnn", "gru", "lstm"}, default="attention"
        The network that reads histories: causal self-attention (SASRec [1]_), dilated causal
        convolutions (NextItNet [2]_) or recurrent cells (GRU4Rec [3]_).
    n_components : int, default=64
        Length of the vectors of items and histories, at least 1.
    n_layers : int, default=2
        Number of layers: blocks of attention, residual blocks of two convolutions, or recurrent
        layers.
    n_heads : int, default=1
        Number of heads of a block of attention; it must divide `n_components`. Only used by
        "attention".
    kernel_size : int, default=3
        Steps that a convolution sees. In block i its two convolutions see every
        2^(2i - 2)-th and every 2^(2i - 1)-th step. Only used by "cnn".
    max_length : int, default=50
        Number of latest items of a history that the network reads. Earlier items only count as
        seen. Training cuts longer histories into pieces of this length, so it learns from all
        items.
    init : {"transitions", "random"}, default="transitions"
        What the vectors of the items start from. "transitions" factorises how often two items
        stand within ten steps of each other in the histories that are learned from, so that
        training starts near item neighbours and needs fewer epochs; see Notes. "random" draws
        them. What `pretrained` copies is not changed by it.
    n_items : int, default=None
        Number of items. None means the number of `item_features` or, without these, the largest id
        of `fit`.
    unknown : {"error", "ignore"}, default="error"
        What to do with ids above the number of items, and with zeros between ids: raise an error,
        or leave them out.
    item_features : ItemFeatures, default=None
        The features of the items, numbers of shape (n_items, n_item_features). The vector of an
        item is then a linear map of its features, so the network can move to another catalogue
        whose items have the same features; see `with_item_features`. None learns a vector for each
        item.
    learns_item_features : bool, default=False
        Whether training changes the features too; it then starts from the given ones.
    dropout : float, default=0.3
        Share of the units that training leaves out, from 0 to below 1: more than in feature
        learners, as most items stand in few histories.
    learning_rate_schedule : {"adaptive", "constant", "cosine"}, default="constant"
        How the learning rate changes from epoch to epoch. "constant" keeps it. "cosine" lowers it
        towards 0 over all `epochs`, along half a cosine. "adaptive" divides it by 5 each time that
        half of `patience` epochs in a row had no higher NDCG of the held-out items, or no smaller
        training loss if nothing is held out.
    validation_fraction : float, default=0.0
        Share of the rows, from 0 to 1, whose last item is held out to stop early: these rows are
        learned from without it. If it is above 0, the weights with the highest NDCG@10 on these
        items, each among all that its row has not had, are kept; equal scores count half. A last
        item that its row had before is not ranked, and such a row is learned from as a whole.
    patience : int, default=10
        Number of epochs without a higher NDCG after which training stops.
    item_ids : array-like of shape (n_items,), default=None
        The ids of items 1, 2, ..., such as the `items_` of an `InteractionEncoder`: distinct
        numbers or strings, by which the items of `pretrained` are found here. With None, catalogues
        of the same size are assumed to be the same.
    pretrained : FrozenEstimator, default=None
        A fitted NextItemRecommender to start from, as ``FrozenEstimator(recommender)``; it may
        also be part of a fitted Pipeline or search. Each layer whose name and shapes are the same
        is copied, the items by their ids. None starts from scratch, and the next four parameters
        then have no effect.
    trainable : {"all", "head"} or int, default="all"
        Which of the copied layers are trained: all, the items ("head"), or this many layers counted
        from the items, which are the output. The others are frozen. What was not copied is always
        trained.
    unfreeze_every : int, default=None
        Number of epochs after which one more of the layers that `trainable` allows is trained, from
        the output downwards; the first epochs train the items only. None trains all from the start.

    Attributes
    ----------
    item_factors_ : ndarray of shape (n_items_, n_components)
        The vectors of the items.
    item_bias_ : ndarray of shape (n_items_,)
        What is added to the score of each item.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of rows that have each item, which are the scores of an empty row. It counts the
        rows of all calls of `partial_fit`, and of all calls of `fit` with `warm_start`.
    validation_loss_curve_ : list of float or None
        One minus the NDCG@10 of the held-out items after each epoch; None if there are none.
    n_features_in_ : int
        Number of columns of X seen in `fit`.

    See Also
    --------
    RNNEncoder : Features of token ids of any kind, with or without targets.
    NextItemRidgeRecommender : The next item in closed form.
    HistoryRecommender : Item neighbours and others that know which items are recent.

    Notes
    -----
    With the history :math:`x_1, \dots, x_n` of a row, the code :math:`h_t` that the network has
    after t items, and the vector :math:`v_i` and the bias :math:`b_i` of each item, the objective
    is the mean over the rows of

    .. math:: -\sum_{t=1}^{n-1} \log \frac{\exp(h_t^\top v_{x_{t+1}} + b_{x_{t+1}})}
        {\sum_{i \in N} \exp(h_t^\top v_i + b_i)},

    where N holds all items. With `n_negatives`, N holds :math:`x_{t+1}` and all draws, which may
    include :math:`x_{t+1}` again. The logarithm of the expected number of draws of an item is
    subtracted from its score (log-Q correction [4]_), so that the best scores are those of the full
    softmax. Adam then updates only the vectors and moments of the items in the batch. The same
    vectors are used for the items that are read and for the items that are ranked. Attention adds
    position vectors to them, counted from the latest item of a history.

    With ``init="transitions"``, :math:`c U \Sigma^{1/2}` is added to the drawn vectors, where
    :math:`U \Sigma V^\top` are the first `n_components` singular values and vectors of
    :math:`L + L^\top`. L holds the links of `TransitionRecommender` with ``window=10`` and
    ``popularity_exponent=0``. The number c makes the mean score of an item 6 if its own vector is
    the code. With `item_features`, the kernel starts at the ridge regression from the features to
    these vectors.

    Histories of about the same length form a batch and are cut to the longest of them, so little
    padding is computed. For each step of a history, attention costs O(n_layers * n_components *
    (12 n_components + length)), and the softmax costs O(n_components * n_items) or O(n_components *
    n_negatives). From a few thousand items on, the softmax is most of the cost.

    The Notes of `Autoencoder` describe the learning rate and fine-tuning; here, the table of items
    is the output layer. A kernel that reads item features is copied for any catalogue.

    An empty row gets the popularity of the items. In `fit`, an empty row and a row with one item
    only count for the popularity. With an int `random_state`, the result is the same to the last
    bit in every run on one machine. No global state is read or changed. A fitted recommender runs
    in numpy: only training needs TensorFlow.

    References
    ----------
    .. [1] W.-C. Kang and J. McAuley, "Self-attentive sequential recommendation", ICDM 2018.
       :arxiv:`1808.09781`
    .. [2] F. Yuan et al., "A simple convolutional generative network for next item
       recommendation", WSDM 2019. :arxiv:`1808.05163`
    .. [3] B. Hidasi, A. Karatzoglou, L. Baltrunas and D. Tikk, "Session-based recommendations with
       recurrent neural networks", ICLR 2016. :arxiv:`1511.06939`
    .. [4] X. Yi et al., "Sampling-bias-corrected neural modeling for large corpus item
       recommendations", RecSys 2019. :doi:`10.1145/3298689.3346996`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import NextItemRecommender
    >>> X = np.array([[1, 2, 3, 0], [2, 3, 1, 2], [3, 1, 2, 0], [2, 3, 0, 0]])
    >>> model = NextItemRecommender(n_layers=1, epochs=4, run_eagerly=True, random_state=0)
    >>> items, scores = model.fit(X).recommend([[3, 1, 0, 0], [1, 2, 0, 0]], n_recommendations=1)
    >>> items + 1  # the ids
    array([[2],
           [3]])
    """

    item_factors_: NDArray[Any]
    item_bias_: NDArray[Any]

    _parameter_constraints: dict = {
        "architecture": [StrOptions({"attention", "cnn", "gru", "lstm"})],
        "kernel_size": COUNT,
        "max_length": COUNT,
        "init": [StrOptions({"transitions", "random"})],
        "n_items": N_ITEMS,
        "item_ids": ["array-like", None],
    }

    search_distributions: ClassVar = {
        "n_components": [32, 64, 128],
        "n_layers": [1, 2, 3],
        "learning_rate": loguniform(0.0003, 0.01),
        "dropout": uniform(0, 0.6),
    }

    def __init__(
        self,
        architecture: Literal["attention", "cnn", "gru", "lstm"] = "attention",
        *,
        n_components: int = 64,
        n_layers: int = 2,
        n_heads: int = 1,
        kernel_size: int = 3,
        max_length: int = 50,
        init: Literal["transitions", "random"] = "transitions",
        n_items: int | None = None,
        unknown: Literal["error", "ignore"] = "error",
        item_features: ItemFeatures | None = None,
        learns_item_features: bool = False,
        dropout: float = 0.3,
        n_negatives: int | None = None,
        negative_exponent: float = 0.75,
        regularization: float = 0.0,
        optimizer: Literal["adagrad", "adam", "adamw", "nadam", "rmsprop", "sgd"] = "adam",
        learning_rate: float = 1e-3,
        learning_rate_schedule: Literal["adaptive", "constant", "cosine"] = "constant",
        warmup_epochs: int = 0,
        epochs: int = 50,
        batch_size: int = 128,
        validation_fraction: float = 0.0,
        patience: int = 10,
        item_ids: ArrayLike | None = None,
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
        self.architecture = architecture
        self.n_components = n_components
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.kernel_size = kernel_size
        self.max_length = max_length
        self.init = init
        self.n_items = n_items
        self.unknown = unknown
        self.item_features = item_features
        self.learns_item_features = learns_item_features
        self.dropout = dropout
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
        self.item_ids = item_ids
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

    @validated_fit
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Learn from the histories in X.

        Parameters
        ----------
        X : array-like of int of shape (n_rows, n_steps)
            Item ids from 1 on, earliest first, padded with 0.
        y : Ignored
            `fit` never reads it; `score` compares with it.

        Returns
        -------
        self : object
        """
        return self._fit_network(X, y)

    @validated_fit
    def partial_fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Train the network for one more epoch on the histories in X.

        Parameters
        ----------
        X : array-like of int of shape (n_rows, n_steps)
            Item ids from 1 on, earliest first, padded with 0.
        y : Ignored
            Present for scikit-learn.

        Returns
        -------
        self : object
        """
        return self._partial_fit_network(X, y)

    def _check_fit_rows(self, X, y, *, reset):
        if self.architecture == "attention" and self.n_components % self.n_heads:
            raise ValueError(
                f"n_heads={self.n_heads} does not divide n_components={self.n_components}: each "
                "head attends with an equal share of the components."
            )
        n_items = self._number_of_items() if reset else None
        X = check_known_histories(self, X, reset=reset, n_items=n_items)
        check_has_steps(X)
        if reset:
            self._max_length = self.max_length
            self._column_names = None
            if self.item_ids is not None:
                self._column_names = check_item_ids(self.item_ids, self.n_items_, of="items")
                check_same_items(self._column_names, self.item_features)
            elif self.item_features is not None and self.item_features.has_own_ids:
                self._column_names = self.item_features.ids
        self._count_popularity(seen_items(X, self.n_items_), anew=reset)
        if self.n_negatives is not None:
            counts = np.bincount(X[X > 0] - 1, minlength=self.n_items_)
            self._sampler = NegativeSampler(counts, self.negative_exponent, self.n_negatives)
        return X, None

    def _ids_of_items(self):
        check_is_fitted(self)
        if self.item_features is not None and self.item_ids is None:
            return self.item_features.ids
        if self._column_names is None:
            raise ValueError(
                "item_ids is None, so the items have numbers but no ids: pass the `items_` of the "
                "InteractionEncoder that made X as item_ids, or use its decode_items."
            )
        return self._column_names

    def _builder(self, X, y):
        return next_item, {
            "architecture": self.architecture,
            "n_items": self.n_items_,
            "max_length": self._max_length,
            "n_components": self.n_components,
            "n_layers": self.n_layers,
            "n_heads": self.n_heads,
            "kernel_size": self.kernel_size,
            "dropout": self.dropout,
            "features": self.item_features,
            "learns_features": self.learns_item_features,
        }

    def _first_weights(self, X, network):
        if self.init == "random":
            return {}
        vectors = linked_vectors(X, self.n_items_, self.n_components, self._seed_of_weights)
        if self.item_features is not None:
            return {"items/kernel": kernel_to(vectors, self.item_features.values)}
        drawn = network.weights["items/embeddings"].numpy()
        return {"items/embeddings": vectors + drawn}

    def _row_factors(self, X):
        return self._forward("encoder", X, (self._n_features_out,))
