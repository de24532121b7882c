# SPDX-License-Identifier: BSD-3-Clause
"""Layers that hold a vector for each item and score items by it, and the items to contrast with.

Their weights have a row for each item, so that a step that needs few items touches few rows.
"""

from typing import Any, NamedTuple

import numpy as np

from .._numerics._row_products import row_products
from ._layers import custom_layer
from ._numpy_layers import numpy_layer


@custom_layer
def item_scores_class():
    """Return a dense layer to items whose kernel has a row for each of them."""
    import keras
    import tensorflow as tf

    class ItemScores(keras.layers.Layer):
        def __init__(self, n_items, activation, kernel_initializer, **kwargs):
            super().__init__(**kwargs)
            self.n_items = n_items
            self.supports_masking = True
            self.activation = keras.activations.get(activation)
            self.kernel_initializer = keras.initializers.get(kernel_initializer)

        def build(self, input_shape):
            self.kernel = self.add_weight(
                shape=(self.n_items, input_shape[-1]),
                initializer=self.kernel_initializer,
                name="kernel",
            )
            self.bias = self.add_weight(shape=(self.n_items,), initializer="zeros", name="bias")

        def call(self, inputs):
            flat = tf.reshape(inputs, [-1, self.kernel.shape[1]])
            shape = tf.concat([tf.shape(inputs)[:-1], [self.n_items]], axis=0)
            return self.activation(tf.reshape(self.scores(flat), shape))

        def compute_output_spec(self, inputs):
            return keras.KerasTensor((*inputs.shape[:-1], self.n_items), dtype="float32")

        def scores(self, hidden):
            return _scores(hidden, self.kernel.value, self.bias.value)

        def vectors_of(self, columns):
            return tf.gather(self.kernel.value, columns)

        def get_config(self):
            return {
                **super().get_config(),
                "n_items": self.n_items,
                "activation": keras.activations.serialize(self.activation),
                "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            }

    return ItemScores


@custom_layer
def item_table_class():
    """Return a layer that gives the vectors of item ids, from 1 on, and scores items by them.

    The vectors are weights of the layer or, where the items have features, what a kernel makes of
    these. The vector of id 0, which pads, is that of some item: nothing may depend on it.
    """
    import keras
    import tensorflow as tf

    class ItemTable(keras.layers.Layer):
        def __init__(self, n_items, size, seed, n_features=None, is_learned=False, **kwargs):
            super().__init__(**kwargs)
            self.n_items = n_items
            self.size = size
            self.seed = seed
            self.n_features = n_features
            self.is_learned = is_learned

        def build(self, input_shape):
            if self.n_features is None:
                self.embeddings = self.add_weight(
                    shape=(self.n_items, self.size),
                    initializer=keras.initializers.RandomUniform(-0.05, 0.05, seed=self.seed),
                    name="embeddings",
                )
            else:
                self.features = self.add_weight(
                    shape=(self.n_items, self.n_features),
                    initializer="zeros",
                    trainable=self.is_learned,
                    name="features",
                )
                self.kernel = self.add_weight(
                    shape=(self.n_features, self.size),
                    initializer=keras.initializers.GlorotUniform(seed=self.seed),
                    name="kernel",
                )
            self.bias = self.add_weight(shape=(self.n_items,), initializer="zeros", name="bias")

        def call(self, ids):
            return self.vectors_of(tf.maximum(ids - 1, 0))

        def compute_output_spec(self, ids):
            return keras.KerasTensor((*ids.shape, self.size), dtype="float32")

        def vectors(self):
            """Return the vectors of all items."""
            if self.n_features is None:
                return self.embeddings.value
            return tf.matmul(self.features.value, self.kernel.value)

        def vectors_of(self, columns):
            if self.n_features is None:
                return tf.gather(self.embeddings.value, columns)
            features = tf.reshape(tf.gather(self.features.value, columns), [-1, self.n_features])
            vectors = tf.matmul(features, self.kernel.value)
            return tf.reshape(vectors, tf.concat([tf.shape(columns), [self.size]], axis=0))

        def scores(self, hidden):
            return _scores(hidden, self.vectors(), self.bias.value)

        def get_config(self):
            return {
                **super().get_config(),
                "n_items": self.n_items,
                "size": self.size,
                "seed": self.seed,
                "n_features": self.n_features,
                "is_learned": self.is_learned,
            }

    return ItemTable


@numpy_layer("ItemTable")
def _vectors_of_items(config, weights, ids):
    columns = np.maximum(ids - 1, 0)
    if config["n_features"] is None:
        return weights["embeddings"][columns]
    return row_products(weights["features"][columns], weights["kernel"])


def _scores(hidden, vectors, bias):
    import tensorflow as tf

    return tf.nn.bias_add(tf.matmul(hidden, vectors, transpose_b=True), bias)


class SampledTargets(NamedTuple):
    """One item for each of some steps of the rows of a batch, and items drawn to contrast with.

    Step steps[i] is followed by columns[i], which a draw of the sample hits exp(log_counts[i])
    times on average; the same for `sampled`. Only the vectors of these items have a gradient.
    """

    columns: Any
    steps: Any
    log_counts: Any
    sampled: Any
    sampled_log_counts: Any

    def total_loss(self, head, hidden):
        """Return -sum log p of the items, p being a softmax over each and the sampled ones.

        The logarithm of how often the sample holds an item on average is taken off its score
        (log-Q correction). Where the sample holds the target itself, that draw contrasts as all
        others do: only so are the scores that minimise the mean loss those of the softmax over
        all items.
        """
        import tensorflow as tf

        layer, hidden = head.layer, tf.gather(hidden, self.steps)
        own = tf.reduce_sum(hidden * layer.vectors_of(self.columns), axis=1)
        own += tf.gather(layer.bias.value, self.columns) - self.log_counts
        bias = tf.gather(layer.bias.value, self.sampled) - self.sampled_log_counts
        others = tf.matmul(hidden, layer.vectors_of(self.sampled), transpose_b=True) + bias
        linear = tf.concat([own[:, None], others], axis=1)
        labels = tf.zeros_like(self.columns)
        return tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, linear))


class NegativeSampler:
    """Draws items for a sampled softmax, with probabilities of counts ** exponent.

    Parameters
    ----------
    counts : ndarray of shape (n_items,)
        How often each item occurs; none is drawn less often than an item that occurs once.
    exponent : float
        0 draws uniformly, 1 by popularity.
    n_negatives : int
        Number of draws, with replacement.
    """

    def __init__(self, counts, exponent, n_negatives):
        weights = np.maximum(counts, 1.0) ** exponent
        self._cumulated = np.cumsum(weights)
        self._n_negatives = n_negatives
        self._log_counts = np.log(n_negatives * weights / self._cumulated[-1]).astype(np.float32)

    def targets(self, columns, steps, rng):
        """Return the `SampledTargets` of some steps."""
        uniform = rng.uniform(0, self._cumulated[-1], self._n_negatives)
        sampled = np.searchsorted(self._cumulated, uniform, side="right").astype(np.int32)
        return SampledTargets(
            columns.astype(np.int32),
            steps.astype(np.int32),
            self._log_counts[columns],
            sampled,
            self._log_counts[sampled],
        )
