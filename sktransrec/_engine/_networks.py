"""Builders of networks: pure functions from sizes to functional Keras models.

A network names its layers for the engine: "rows" is the input, "code" what `transform` returns,
and "output" a dense layer. A variational network has the further input "noise", standard normal,
and the layers "code_log_std" and "sampled_code".
"""

import functools

import numpy as np

ACTIVATIONS = (
    *("elu", "gelu", "leaky_relu", "linear", "relu", "selu", "sigmoid", "silu", "softplus"),
    "tanh",
)


def autoencoder(
    n_features,
    hidden_layer_sizes,
    n_components,
    *,
    activation,
    output_activation,
    variational,
    seed,
):
    """Return an autoencoder whose decoder mirrors its encoder."""
    import keras

    dense = _seeded_dense(seed)
    rows = keras.Input((n_features,), sparse=True, dtype="float32", name="rows")
    inputs, hidden = [rows], rows
    for i, size in enumerate(hidden_layer_sizes, start=1):
        hidden = dense(hidden, size, activation, name=f"encoder_{i}")
    if variational:
        noise = keras.Input((n_components,), dtype="float32", name="noise")
        inputs.append(noise)
        hidden = _sampled_code(dense, hidden, noise)
    else:
        hidden = dense(hidden, n_components, activation, name="code")
    for i, size in enumerate(reversed(hidden_layer_sizes), start=1):
        hidden = dense(hidden, size, activation, name=f"decoder_{i}")
    output = dense(hidden, n_features, output_activation, name="output")
    return keras.Model(inputs, output, name="autoencoder")


def _sampled_code(dense, hidden, noise):
    """Return mean + exp(log_std) * noise, the mean being the code."""
    from keras import layers

    mean = dense(hidden, noise.shape[-1], "linear", name="code")
    log_std = dense(hidden, noise.shape[-1], "linear", name="code_log_std")
    std = layers.Activation("exponential", dtype="float32", name="code_std")(log_std)
    deviation = layers.Multiply(dtype="float32", name="code_deviation")([std, noise])
    return layers.Add(dtype="float32", name="sampled_code")([mean, deviation])


def _seeded_dense(seed):
    """Return a function that applies a new dense layer, each with its own seed."""
    from keras import initializers, layers

    rng = np.random.RandomState(seed)

    def dense(inputs, units, activation, name):
        layer_class = sparse_dense_class() if inputs.sparse else layers.Dense
        initializer = initializers.GlorotUniform(seed=int(rng.randint(2**31)))
        layer = layer_class(
            units, activation, kernel_initializer=initializer, dtype="float32", name=name
        )
        return layer(inputs)

    return dense


@functools.cache
def sparse_dense_class():
    """Return a dense layer whose product with a sparse tensor is five times as fast as Keras's."""
    import keras
    import tensorflow as tf

    @keras.saving.register_keras_serializable("sktransrec")
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
