"""Builders of networks: pure functions from sizes to functional Keras models.

A network names its layers for the engine: "rows" is the input, "code" what `transform` returns,
and "output" a dense layer. A variational network has the further input "noise", standard normal,
and the layers "code_log_std" and "sampled_code".
"""

import numpy as np


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
    hidden = rows
    for i, size in enumerate(hidden_layer_sizes, start=1):
        hidden = dense(size, activation, name=f"encoder_{i}")(hidden)
    inputs = [rows]
    if variational:
        noise = keras.Input((n_components,), dtype="float32", name="noise")
        inputs.append(noise)
        hidden = _sampled_code(dense, hidden, noise)
    else:
        hidden = dense(n_components, activation, name="code")(hidden)
    for i, size in enumerate(reversed(hidden_layer_sizes), start=1):
        hidden = dense(size, activation, name=f"decoder_{i}")(hidden)
    output = dense(n_features, output_activation, name="output")(hidden)
    return keras.Model(inputs, output, name="autoencoder")


def _sampled_code(dense, hidden, noise):
    """Return mean + exp(log_std) * noise, the mean being the code."""
    from keras import layers

    mean = dense(noise.shape[-1], "linear", name="code")(hidden)
    log_std = dense(noise.shape[-1], "linear", name="code_log_std")(hidden)
    std = layers.Activation("exponential", dtype="float32", name="code_std")(log_std)
    deviation = layers.Multiply(dtype="float32", name="code_deviation")([std, noise])
    return layers.Add(dtype="float32", name="sampled_code")([mean, deviation])


def _seeded_dense(seed):
    """Return a maker of dense layers, each with an initializer of its own seed."""
    from keras import initializers, layers

    rng = np.random.RandomState(seed)

    def dense(units, activation, name):
        initializer = initializers.GlorotUniform(seed=int(rng.randint(2**31)))
        return layers.Dense(
            units, activation, kernel_initializer=initializer, dtype="float32", name=name
        )

    return dense
