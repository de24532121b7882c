"""Builders of networks: pure functions from sizes to functional Keras models.

A network names its layers for the engine: "rows" is the input, "code" what `transform` returns,
and "output" a dense layer. A variational network has the further input "noise", standard normal,
and the layers "code_log_std" and "sampled_code".
"""

import numpy as np

from ._layers import seeded_dropout_class, sparse_dense_class

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

    dense = SeededLayers(seed).dense
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


class SeededLayers:
    """Makes layers, each with a seed of its own drawn from the one given."""

    def __init__(self, seed):
        self._rng = np.random.RandomState(seed)

    def seed(self):
        """Return the next seed."""
        return int(self._rng.randint(2**31))

    def glorot(self):
        """Return an initializer of kernels."""
        from keras import initializers

        return initializers.GlorotUniform(seed=self.seed())

    def dense(self, inputs, units, activation, name):
        """Return what a new dense layer makes of the inputs."""
        from keras import layers

        layer_class = sparse_dense_class() if inputs.sparse else layers.Dense
        layer = layer_class(
            units, activation, kernel_initializer=self.glorot(), dtype="float32", name=name
        )
        return layer(inputs)

    def embedding(self, ids, n_tokens, size, *, mask_zero):
        """Return the vectors of token ids."""
        from keras import initializers, layers

        initializer = initializers.RandomUniform(-0.05, 0.05, seed=self.seed())
        layer = layers.Embedding(
            n_tokens,
            size,
            embeddings_initializer=initializer,
            mask_zero=mask_zero,
            dtype="float32",
            name="embedding",
        )
        return layer(ids)

    def dropout(self, inputs, rate, name):
        """Return the inputs, some of which training leaves out."""
        if not rate:
            return inputs
        return seeded_dropout_class()(rate, self.seed(), dtype="float32", name=name)(inputs)
