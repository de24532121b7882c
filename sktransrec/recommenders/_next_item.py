"""Networks that read what a row had so far, in order, and rank what comes next."""

from numbers import Integral, Real

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator
from sklearn.utils import gen_batches

from .._engine._items import NegativeSampler
from .._engine._learner import NetworkLearner
from .._engine._next_item import next_item
from .._engine._objectives import StepTargets
from .._validation import (
    Interval,
    StrOptions,
    _fit_context,
    check_histories,
    restores_on_error,
)
from ..base import FactorRecommenderMixin, RecommenderMixin

# Rows are sorted by length within pools of so many batches, so that little padding is computed.
_POOL_BATCHES = 32


class NextItemRecommender(NetworkLearner, FactorRecommenderMixin, RecommenderMixin, BaseEstimator):
    _parameter_constraints: dict = {
        **NetworkLearner._parameter_constraints,
        "validation_fraction": [Interval(Real, 0, 1, closed="both")],
        "encoder": [StrOptions({"attention", "cnn", "gru", "lstm"})],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "max_length": [Interval(Integral, 1, None, closed="left")],
        "n_items": [Interval(Integral, 1, 2**31 - 1, closed="left"), None],
        "unknown": [StrOptions({"error", "ignore"})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "n_negatives": [Interval(Integral, 1, None, closed="left"), None],
        "negative_exponent": [Interval(Real, 0, None, closed="left")],
    }
    _recommends_own_columns = True

    def __init__(
        self,
        encoder="attention",
        *,
        n_components=64,
        n_layers=2,
        n_heads=2,
        kernel_size=3,
        max_length=50,
        n_items=None,
        unknown="error",
        dropout=0.3,
        n_negatives=None,
        negative_exponent=0.75,
        regularization=0.0,
        optimizer="adam",
        learning_rate=1e-3,
        epochs=50,
        batch_size=128,
        validation_fraction=0.0,
        patience=10,
        warm_start=False,
        run_eagerly=False,
        random_state=None,
        verbose=0,
    ):
        self.encoder = encoder
        self.n_components = n_components
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.kernel_size = kernel_size
        self.max_length = max_length
        self.n_items = n_items
        self.unknown = unknown
        self.dropout = dropout
        self.n_negatives = n_negatives
        self.negative_exponent = negative_exponent
        self.regularization = regularization
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.warm_start = warm_start
        self.run_eagerly = run_eagerly
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.categorical = True
        tags.input_tags.positive_only = True
        return tags

    @restores_on_error
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn from the histories in X."""
        return self._fit_network(X, y)

    @restores_on_error
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Train the network for one epoch on histories, going on from its present weights."""
        return self._partial_fit_network(X, y)

    def _check_rows(self, X):
        return self._check_histories(X, reset=False)

    def _check_histories(self, X, *, reset):
        """Return histories as int32 item ids, zeros at the end of the rows only."""
        X = check_histories(self, X, reset=reset)
        largest = int(X.max())
        if reset:
            self.n_items_ = self.n_items or largest
        if largest > self.n_items_:
            if reset or self.unknown == "error":
                raise ValueError(
                    f"X holds the item id {largest}, and {type(self).__name__} knows those from 1 "
                    f"to {self.n_items_}: fit with a larger n_items, or leave unknown ids out by "
                    'unknown="ignore".'
                )
            X = np.where(self.n_items_ >= X, X, 0)
        return _padded_at_end(X)

    def _check_fit_rows(self, X, y, *, reset):
        if self.n_components % self.n_heads:
            raise ValueError(
                f"n_heads={self.n_heads} does not divide n_components={self.n_components}: each "
                "head attends with an equal share of the components."
            )
        X = self._check_histories(X, reset=reset)
        if X.shape[1] < 2 or not X[:, 1].any():
            raise ValueError(
                f"No history of X (n_features = {X.shape[1]}) has two items, so that there is no "
                "next one to learn: pass longer histories."
            )
        if reset:
            self._max_length = self.max_length
        seen = self._seen_items(X)
        if reset:
            self.popularity_ = (
                np.bincount(seen.indices, minlength=self.n_items_) / len(X)
            ).astype(np.float32)
            self._counts = np.bincount(X[X > 0] - 1, minlength=self.n_items_)
        return X, None

    def _builder(self, X, y):
        return next_item, {
            "encoder": self.encoder,
            "n_items": self.n_items_,
            "max_length": self._max_length,
            "n_components": self.n_components,
            "n_layers": self.n_layers,
            "n_heads": self.n_heads,
            "kernel_size": self.kernel_size,
            "dropout": self.dropout,
            "features": None,
            "learns_features": False,
        }

    def _loss_of(self, y):
        return "multinomial"

    def _held_out(self, trainer, X, y, validation_fraction):
        """Hold the last items of some rows out, which stay in training without these."""
        held_out, _ = self._split(len(X), validation_fraction)
        held_out = held_out[np.count_nonzero(X[held_out], axis=1) > 1]
        X, validation = X.copy(), X[held_out]
        columns = _last_items(validation) - 1
        validation = _without_last(validation)
        X[held_out] = validation
        rows = np.flatnonzero(X[:, 1] > 0)

        def validation_loss():
            return -self._ndcg(trainer, validation, columns)

        return X, y, rows, validation_loss if len(held_out) else None

    def _split(self, n_rows, validation_fraction):
        if validation_fraction == 0:
            return np.empty(0, dtype=np.intp), np.arange(n_rows)
        n_held_out = max(1, round(validation_fraction * n_rows))
        return np.split(self._rng.permutation(n_rows), [n_held_out])

    def _ndcg(self, trainer, X, columns):
        """Return the mean NDCG@10 of one next item a row among all that the row has not had."""
        network = trainer.network.get_layer("items")
        item_factors, bias = np.array(network.vectors()), np.array(network.bias)
        gains = []
        for block in self._row_blocks(len(X)):
            codes = trainer.forward("encoder", self._inputs("encoder", X[block]))
            scores = codes @ item_factors.T + bias
            own = columns[block, None]
            own_scores = np.take_along_axis(scores, own, axis=1)
            rows, seen = self._seen_items(X[block]).nonzero()
            scores[rows, seen] = -np.inf
            ranks = np.count_nonzero(scores > own_scores, axis=1)
            gains.append(np.where(ranks < 10, 1 / np.log2(ranks + 2), 0))
        return float(np.concatenate(gains).mean())

    def _row_batches(self, X, rows):
        """Return batches of histories of about the same length, in random order."""
        lengths = np.count_nonzero(X, axis=1)
        order = self._rng.permutation(rows)
        pools = gen_batches(len(order), self.batch_size * _POOL_BATCHES)
        pools = [order[pool][np.argsort(lengths[order[pool]], kind="stable")] for pool in pools]
        batches = [
            pool[batch] for pool in pools for batch in gen_batches(len(pool), self.batch_size)
        ]
        return [batches[i] for i in self._rng.permutation(len(batches))]

    def _batch(self, X, y, rng):
        histories = _latest(X, self._max_length + 1)
        inputs, following = histories[:, :-1], histories[:, 1:]
        rows, steps = np.nonzero(following)
        columns = following[rows, steps] - 1
        steps = (rows * inputs.shape[1] + steps).astype(np.int32)
        if rng is not None and self.n_negatives is not None:
            sampler = NegativeSampler(self._counts, self.negative_exponent, self.n_negatives)
            return [inputs], sampler.targets(columns, steps, rng)
        ones = np.ones(len(columns), dtype=np.float32)
        shape = (len(columns), self.n_items_)
        values = sp.csr_array((ones, columns, np.arange(len(columns) + 1)), shape)
        return [inputs], StepTargets(values, steps)

    def _finish(self, trainer, history, *, keep_trainer):
        super()._finish(trainer, history, keep_trainer=keep_trainer)
        weights = self._fitted_network.weights
        self.item_factors_ = weights["items/embeddings"]
        self.item_bias_ = weights["items/bias"]

    def _inputs(self, part, rows):
        return _latest(rows, self._max_length)

    def _row_factors(self, X):
        return self._forward("encoder", X, (self.n_components,))

    def _seen_items(self, X):
        rows, steps = np.nonzero(X)
        seen = sp.csr_array(
            (np.ones(len(rows), dtype=np.float32), (rows, X[rows, steps] - 1)),
            shape=(len(X), self.n_items_),
        )
        seen.sum_duplicates()
        return seen


def _padded_at_end(X):
    """Return the nonzero ids of each row in their order, zeros after them."""
    order = np.argsort(X == 0, axis=1, kind="stable")
    return np.take_along_axis(X, order, axis=1)


def _latest(X, length):
    """Return the last ids of each row, zeros at the end, no wider than the longest row."""
    lengths = np.count_nonzero(X, axis=1)
    width = max(1, min(length, lengths.max(initial=1)))
    columns = np.maximum(lengths - width, 0)[:, None] + np.arange(width)
    return np.take_along_axis(X, columns, axis=1)


def _last_items(X):
    return X[np.arange(len(X)), np.count_nonzero(X, axis=1) - 1]


def _without_last(X):
    X = X.copy()
    X[np.arange(len(X)), np.count_nonzero(X, axis=1) - 1] = 0
    return X
