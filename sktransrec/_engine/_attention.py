# SPDX-License-Identifier: BSD-3-Clause
"""Self-attention: its layers, and blocks of it for any network of sequences."""

import numpy as np

from .._numerics._row_products import N_ROWS, filled_up
from ._layers import applied, custom_layer
from ._numpy_layers import numpy_layer, softmax

_EPSILON = 1e-8


def attending(make, hidden, n_layers, n_heads, dropout, *, is_step=None):
    """Return what blocks of self-attention make of each step of the rows.

    A step attends to itself and those before it (SASRec) or, given which steps are more than
    padding, to all of these (BERT).
    """
    size = hidden.shape[-1]
    hidden = make.dropout(hidden, dropout, "dropout")
    for i in range(1, n_layers + 1):
        attended = normalized(hidden, f"attention_{i}_normalized")
        attended = make.dense(attended, 3 * size, "linear", f"attention_{i}_queries_keys_values")
        read = [attended] if is_step is None else [attended, is_step]
        attended = applied(attention_class(), read, n_heads, name=f"attention_{i}")
        attended = make.dense(attended, size, "linear", f"attention_{i}_output")
        hidden = residual(make, hidden, attended, dropout, f"attention_{i}")
        inner = normalized(hidden, f"feed_forward_{i}_normalized")
        inner = make.dense(inner, 4 * size, "gelu", f"feed_forward_{i}")
        inner = make.dense(inner, size, "linear", f"feed_forward_{i}_output")
        hidden = residual(make, hidden, inner, dropout, f"feed_forward_{i}")
    return hidden


def normalized(hidden, name):
    """Return each step with mean 0 and variance 1, and then a learned scale and shift."""
    from keras import layers

    return applied(layers.LayerNormalization, hidden, epsilon=_EPSILON, name=name)


def residual(make, hidden, change, dropout, name):
    """Return the steps plus a change, with dropout of the change."""
    from keras import layers

    change = make.dropout(change, dropout, f"{name}_dropout")
    return applied(layers.Add, [hidden, change], name=f"{name}_sum")


@custom_layer
def positions_class():
    """Return a layer that adds to each step a vector learned for its place.

    Places are counted from the last item of a row, so that the step to predict from always has
    the same one, however long its history.
    """
    import keras
    import tensorflow as tf

    class Positions(keras.layers.Layer):
        def __init__(self, max_length, seed, **kwargs):
            super().__init__(**kwargs)
            self.max_length = max_length
            self.seed = seed

        def build(self, input_shapes):
            self.embeddings = self.add_weight(
                shape=(self.max_length, input_shapes[0][-1]),
                initializer=keras.initializers.RandomUniform(-0.05, 0.05, seed=self.seed),
                name="embeddings",
            )

        def call(self, inputs):
            steps, ids = inputs
            n_items = tf.math.count_nonzero(ids, axis=1, keepdims=True, dtype=tf.int32)
            places = tf.maximum(n_items - 1 - tf.range(tf.shape(ids)[1]), 0)
            return steps + tf.gather(self.embeddings.value, places)

        def compute_output_spec(self, inputs):
            return keras.KerasTensor(inputs[0].shape, dtype="float32")

        def get_config(self):
            return {**super().get_config(), "max_length": self.max_length, "seed": self.seed}

    return Positions


@numpy_layer("Positions")
def _with_positions(config, weights, steps, ids):
    n_items = np.count_nonzero(ids, axis=1)[:, None]
    places = np.maximum(n_items - 1 - np.arange(ids.shape[1]), 0)
    return steps + weights["embeddings"][places]


@custom_layer
def waves_class():
    """Return a layer that adds to each step waves of its place, counted from the first token.

    They are sines and cosines whose lengths rise evenly on a logarithmic scale, times an
    amplitude. They need no weights, so that networks for rows of all lengths are the same.
    """
    import keras
    import tensorflow as tf

    class Waves(keras.layers.Layer):
        def __init__(self, amplitude, **kwargs):
            super().__init__(**kwargs)
            self.amplitude = amplitude

        def call(self, inputs):
            steps, is_step = inputs
            size = steps.shape[-1]
            frequencies = 1e4 ** (-tf.range(0, size, 2, dtype=tf.float32) / size)
            angles = (tf.cumsum(is_step, axis=1) - 1) * frequencies
            waves = tf.concat([tf.sin(angles), tf.cos(angles)], axis=2)[..., :size]
            return steps + self.amplitude * waves

        def compute_output_spec(self, inputs):
            return keras.KerasTensor(inputs[0].shape, dtype="float32")

        def get_config(self):
            return {**super().get_config(), "amplitude": self.amplitude}

    return Waves


@numpy_layer("Waves")
def _with_waves(config, weights, steps, is_read):
    size = steps.shape[-1]
    frequencies = np.float32(1e4) ** (-np.arange(0, size, 2, dtype=np.float32) / size)
    angles = (np.cumsum(is_read, axis=1) - 1) * frequencies
    waves = np.concatenate([np.sin(angles), np.cos(angles)], axis=2)[..., :size]
    return steps + np.float32(config["amplitude"]) * waves


@custom_layer
def attention_class():
    """Return self-attention, given queries, keys and values of each step side by side.

    Each of these is split among the heads. Given which steps are more than padding as well, a step
    attends to all of these, and else to itself and those before it.
    """
    import keras
    import tensorflow as tf

    class Attention(keras.layers.Layer):
        def __init__(self, n_heads, **kwargs):
            super().__init__(**kwargs)
            self.n_heads = n_heads

        def call(self, inputs):
            joined, *is_step = inputs
            n_rows, n_steps = tf.shape(joined)[0], tf.shape(joined)[1]
            size = joined.shape[-1] // 3
            split = tf.reshape(joined, [n_rows, n_steps, 3, self.n_heads, size // self.n_heads])
            queries, keys, values = tf.unstack(tf.transpose(split, [2, 0, 3, 1, 4]))
            similarities = tf.matmul(queries * split.shape[-1] ** -0.5, keys, transpose_b=True)
            if is_step:
                is_read = tf.reshape(is_step[0], [n_rows, 1, 1, n_steps])
            else:
                is_read = tf.linalg.band_part(tf.ones([n_steps, n_steps]), -1, 0)
            weights = tf.nn.softmax(similarities + 1e9 * (is_read - 1))
            attended = tf.transpose(tf.matmul(weights, values), [0, 2, 1, 3])
            return tf.reshape(attended, [n_rows, n_steps, size])

        def compute_output_spec(self, inputs):
            *shape, size = inputs[0].shape
            return keras.KerasTensor((*shape, size // 3), dtype="float32")

        def get_config(self):
            return {**super().get_config(), "n_heads": self.n_heads}

    return Attention


@numpy_layer("Attention")
def _attended(config, weights, joined, is_read=None):
    n_rows, n_steps, size = joined.shape
    joined = filled_up(joined, axis=1)
    if is_read is None:
        is_read = np.tri(joined.shape[1], dtype=np.float32)
    else:
        is_read = filled_up(is_read, axis=1).reshape(n_rows, 1, 1, -1)
    split = joined.reshape(*joined.shape[:2], 3, config["n_heads"], -1)
    queries, keys, values = split.transpose(2, 0, 3, 1, 4)
    queries = queries * np.float32(split.shape[-1] ** -0.5)
    similarities = _few_rows_each(queries, keys.swapaxes(2, 3))
    similarities += np.float32(1e9) * (is_read - 1)
    attended = _few_rows_each(softmax(similarities), values)
    return attended.transpose(0, 2, 1, 3).reshape(n_rows, -1, size // 3)[:, :n_steps]


def _few_rows_each(rows, matrices):
    """Return the product of each matrix of rows with another one, as `row_products` would."""
    grouped = rows.reshape(*rows.shape[:2], -1, N_ROWS, rows.shape[3])
    return np.matmul(grouped, matrices[:, :, None]).reshape(*rows.shape[:3], -1)
