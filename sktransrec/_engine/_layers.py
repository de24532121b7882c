# SPDX-License-Identifier: BSD-3-Clause
"""Layers that Keras lacks.

Each class is made when it is first asked for, since its base is a class of Keras.
"""

import functools
from typing import Any

import numpy as np

from ._numpy_layers import is_step, numpy_layer

_FACTORIES: list[Any] = []


def custom_layer(factory):
    """Decorate a function that returns a class of layers, so that Keras knows it by its name."""

    @functools.cache
    def layer_class():
        import keras

        return keras.saving.register_keras_serializable("sktransrec")(factory())

    _FACTORIES.append(layer_class)
    return functools.update_wrapper(layer_class, factory)


def register_layers():
    """Make Keras know all layers, so that it can rebuild a network from JSON."""
    for layer_class in _FACTORIES:
        layer_class()


def float32_model(inputs, outputs, name=None):
    """Return a functional model that computes in float32, whatever Keras's policy is."""
    import keras

    return in_float32(keras.Model(inputs, outputs, name=name))


def in_float32(model):
    """Return the model, which would scale losses where Keras's policy mixes types."""
    model.dtype_policy = "float32"
    return model


def applied(layer_class, inputs, *args, **options):
    """Return what a new layer, which computes in float32, makes of the inputs."""
    return layer_class(*args, dtype="float32", **options)(inputs)


@custom_layer
def sparse_dense_class():
    """Return a dense layer whose product with a sparse tensor is five times as fast as Keras's."""
    import keras
    import tensorflow as tf

    class SparseDense(keras.layers.Dense):
        def call(self, inputs, training=None):
            if not isinstance(inputs, tf.SparseTensor):
                return super().call(inputs, training=training)
            linear = _sparse_product(inputs, tf.convert_to_tensor(self.kernel))
            return self.activation(linear + self.bias)

    return SparseDense


def _sparse_product(sparse, dense):
    """Return the product of a sparse tensor and a dense one, with its gradient for the latter."""
    import tensorflow as tf

    parts = sparse.indices, sparse.values, sparse.dense_shape

    @tf.custom_gradient
    def product(dense):
        def gradient(upstream):
            return _compiled_product(transposed=True)(*parts, upstream)

        # The tape must not look inside: it has our gradient, and fails at one of its own.
        dense = tf.stop_gradient(dense)
        return _compiled_product(transposed=False)(*parts, dense), gradient

    result = product(dense)
    result.set_shape([None, dense.shape[1]])
    return result


@functools.cache
def _compiled_product(transposed):
    """Return the product of a sparse matrix, given in parts, and a dense one.

    It is compiled in eager training too: run op by op, TensorFlow takes a kernel that rounds
    otherwise.
    """
    import tensorflow as tf

    def product(indices, values, shape, dense):
        matrix = tf.raw_ops.SparseTensorToCSRSparseMatrix(
            indices=indices, values=values, dense_shape=shape
        )
        if transposed:  # here and not in the product, which is slow at it
            matrix = tf.raw_ops.SparseMatrixTranspose(input=matrix, type=tf.float32)
        return tf.raw_ops.SparseMatrixMatMul(a=matrix, b=dense)

    types = [([None, 2], tf.int64), ([None], tf.float32), ([2], tf.int64)]
    types.append(([None, None], tf.float32))
    return tf.function(product, input_signature=[tf.TensorSpec(*kind) for kind in types])


@custom_layer
def seeded_dropout_class():
    """Return dropout whose draws depend on its seed and the number of its calls alone.

    Keras keeps the state of its own dropout apart from the weights, where no saved network has it.
    """
    import keras
    import tensorflow as tf

    class SeededDropout(keras.layers.Layer):
        def __init__(self, rate, seed, **kwargs):
            super().__init__(**kwargs)
            self.rate = rate
            self.seed = seed
            self.supports_masking = True

        def build(self, input_shape):
            self.n_calls = self.add_weight(
                shape=(), initializer="zeros", dtype="int32", trainable=False, name="n_calls"
            )

        def call(self, inputs, training=False):
            if not training:
                return inputs
            n_calls = self.n_calls.value.assign_add(1)
            uniform = tf.random.stateless_uniform(tf.shape(inputs), seed=[self.seed, n_calls])
            is_kept = tf.cast(uniform >= self.rate, tf.float32)
            return inputs * (is_kept * (1 / (1 - self.rate)))

        def get_config(self):
            return {**super().get_config(), "rate": self.rate, "seed": self.seed}

    return SeededDropout


@custom_layer
def weighted_sum_class():
    """Return the sum of some layers' outputs, weighted in each row by the columns of the first."""
    import keras
    import tensorflow as tf

    class WeightedSum(keras.layers.Layer):
        def call(self, inputs):
            weights, *outputs = inputs
            weights = tf.split(weights, len(outputs), axis=1)
            return tf.add_n([each * output for each, output in zip(weights, outputs, strict=True)])

        def compute_output_spec(self, inputs):
            return keras.KerasTensor(inputs[1].shape, dtype="float32")

    return WeightedSum


@numpy_layer("WeightedSum")
def _weighted_sum(config, weights, shares, *outputs):
    shares = np.split(shares, len(outputs), axis=1)
    return sum(share * output for share, output in zip(shares, outputs, strict=True))


@custom_layer
def not_padding_class():
    """Return a layer that says of each step 1 or 0: whether it is more than padding.

    Padding is the token id 0, or a vector of zeros.
    """
    import keras
    import tensorflow as tf

    class NotPadding(keras.layers.Layer):
        def call(self, inputs):
            is_step = tf.not_equal(inputs, 0)
            if len(inputs.shape) == 3:
                is_step = tf.reduce_any(is_step, axis=2)
            return tf.cast(is_step, tf.float32)[..., None]

        def compute_output_spec(self, inputs):
            return keras.KerasTensor((*inputs.shape[:2], 1), dtype="float32")

    return NotPadding


@numpy_layer("NotPadding")
def _not_padding(config, weights, steps):
    return is_step(steps).astype(np.float32)[..., None]


@custom_layer
def masked_max_pooling_class():
    """Return the maximum over those steps that are more than padding, and 0 where none is."""
    import keras
    import tensorflow as tf

    class MaskedMaxPooling(keras.layers.Layer):
        def call(self, inputs):
            steps, is_step = inputs
            lowest = tf.where(is_step > 0, steps, steps.dtype.min)
            maxima = tf.reduce_max(lowest, axis=1)
            return maxima * tf.reduce_max(is_step, axis=1)

        def compute_output_spec(self, inputs):
            batch, _, channels = inputs[0].shape
            return keras.KerasTensor((batch, channels), dtype="float32")

    return MaskedMaxPooling


@numpy_layer("MaskedMaxPooling")
def _masked_maximum(config, weights, steps, is_read):
    lowest = np.where(is_read > 0, steps, np.finfo(np.float32).min)
    return lowest.max(axis=1) * is_read.max(axis=1)


@custom_layer
def masked_mean_pooling_class():
    """Return the mean over those steps that are more than padding, and 0 where none is."""
    import keras
    import tensorflow as tf

    class MaskedMeanPooling(keras.layers.Layer):
        def call(self, inputs):
            steps, is_step = inputs
            n_steps = tf.maximum(tf.reduce_sum(is_step, axis=1), 1)
            return tf.reduce_sum(steps * is_step, axis=1) / n_steps

        def compute_output_spec(self, inputs):
            batch, _, channels = inputs[0].shape
            return keras.KerasTensor((batch, channels), dtype="float32")

    return MaskedMeanPooling


@numpy_layer("MaskedMeanPooling")
def _masked_mean(config, weights, steps, is_read):
    return (steps * is_read).sum(axis=1) / np.maximum(is_read.sum(axis=1), 1)


@custom_layer
def last_step_class():
    """Return a layer that returns the last step of each row.

    A recurrent layer repeats its last output over the padding that follows.
    """
    import keras

    class LastStep(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.supports_masking = True

        def call(self, inputs):
            return inputs[:, -1]

        def compute_mask(self, inputs, mask=None):
            return None

    return LastStep


@numpy_layer("LastStep")
def _last_step(config, weights, steps):
    return steps[:, -1]


@custom_layer
def reversed_steps_class():
    """Return a layer that puts what a backward layer returns into the order of its input.

    Such a layer reverses its steps, not its mask. Two layers stand in for Keras's Bidirectional,
    whose weights have other paths in a rebuilt network.
    """
    import keras
    import tensorflow as tf

    class ReversedSteps(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.supports_masking = True

        def call(self, inputs):
            return tf.reverse(inputs, axis=[1])

        def compute_output_spec(self, inputs):
            return keras.KerasTensor(inputs.shape, dtype="float32")

    return ReversedSteps


@numpy_layer("ReversedSteps")
def _reversed_steps(config, weights, steps):
    return steps[:, ::-1]


@custom_layer
def side_by_side_class():
    """Return a layer that joins the outputs of two layers that read the same steps.

    Their masks are the same. Keras's own layer joins the masks as well, which fails in versions
    3.5 to 3.11 where the number of rows is open.
    """
    import keras

    class SideBySide(keras.layers.Concatenate):
        def compute_mask(self, inputs, mask=None):
            return None if mask is None else mask[0]

    return SideBySide


@custom_layer
def simple_recurrent_class():
    """Return a simple recurrent layer that keeps its seed.

    Keras's own leaves it out of its configuration, and draws one from Python's global generator
    when it is rebuilt.
    """
    import keras

    class SimpleRecurrent(keras.layers.SimpleRNN):
        def get_config(self):
            return {**super().get_config(), "seed": self.cell.seed}

    return SimpleRecurrent
