"""Builders of networks: pure functions from sizes to functional Keras models.

A network names its layers for the engine: "rows" is the input, "code" what `transform` returns,
and "output" a dense layer. A variational network has the further and last input "noise", standard
normal, and the layers "code_log_std" and "sampled_code". An adversarial one has the further input
"own_domain", and layers whose name starts with "discriminator" tell the domain from the code.
"""

import functools

import numpy as np

from ._layers import float32_model, seeded_dropout_class, sparse_dense_class, weighted_sum_class

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
    code_activation,
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
        hidden = _sampled_code(functools.partial(dense, hidden), noise)
    else:
        hidden = dense(hidden, n_components, code_activation, name="code")
    for i, size in enumerate(reversed(hidden_layer_sizes), start=1):
        hidden = dense(hidden, size, activation, name=f"decoder_{i}")
    output = dense(hidden, n_features, output_activation, name="output")
    return float32_model(inputs, output, name="autoencoder")


def towers(
    n_features,
    n_outputs,
    hidden_layer_sizes,
    n_components,
    *,
    activation,
    output_activation,
    variational,
    seed,
):
    """Return an encoder of each domain, the mean of their codes, and an output of one layer.

    `n_features` has the number of features of one domain, whose encoder gives the code itself, or
    of two: the network then has the rows of either as inputs, and how much each counts in the mean.
    """
    import keras

    dense = SeededLayers(seed).dense
    domains = ["source", "target"][: len(n_features)]
    inputs, hidden = [], []
    for domain, size in zip(domains, n_features, strict=True):
        name = "rows" if domain == "source" else "target_rows"
        inputs.append(keras.Input((size,), sparse=True, dtype="float32", name=name))
        hidden.append(inputs[-1])
        for i, units in enumerate(hidden_layer_sizes, start=1):
            hidden[-1] = dense(hidden[-1], units, activation, name=f"{domain}_encoder_{i}")
    shares = None
    if len(domains) > 1:
        shares = keras.Input((len(domains),), dtype="float32", name="shares")
        inputs.append(shares)

    def mean_of_codes(size, activation, name):
        if shares is None:
            return dense(hidden[0], size, activation, name=name)
        codes = [
            dense(each, size, activation, name=f"{domain}_{name}")
            for domain, each in zip(domains, hidden, strict=True)
        ]
        return weighted_sum_class()(dtype="float32", name=name)([shares, *codes])

    if variational:
        noise = keras.Input((n_components,), dtype="float32", name="noise")
        inputs.append(noise)
        code = _sampled_code(mean_of_codes, noise)
    else:
        code = mean_of_codes(n_components, activation, name="code")
    output = dense(code, n_outputs, output_activation, name="output")
    return float32_model(inputs, output, name="towers")


def adversarial_autoencoder(
    n_features,
    hidden_layer_sizes,
    n_components,
    discriminator_layer_sizes,
    *,
    activation,
    output_activation,
    seed,
):
    """Return an autoencoder whose decoder knows the domain, and a discriminator does not.

    The domain is -1 or 1, and the discriminator returns the logit of 1.
    """
    import keras
    from keras import layers

    dense = SeededLayers(seed).dense
    rows = keras.Input((n_features,), sparse=True, dtype="float32", name="rows")
    own_domain = keras.Input((1,), dtype="float32", name="own_domain")
    hidden = rows
    for i, size in enumerate(hidden_layer_sizes, start=1):
        hidden = dense(hidden, size, activation, name=f"encoder_{i}")
    code = dense(hidden, n_components, "linear", name="code")
    hidden = layers.Concatenate(dtype="float32", name="code_and_domain")([code, own_domain])
    for i, size in enumerate(reversed(hidden_layer_sizes), start=1):
        hidden = dense(hidden, size, activation, name=f"decoder_{i}")
    output = dense(hidden, n_features, output_activation, name="output")
    hidden = code
    for i, size in enumerate(discriminator_layer_sizes, start=1):
        hidden = dense(hidden, size, activation, name=f"discriminator_{i}")
    logit = dense(hidden, 1, "linear", name="discriminator")
    return float32_model([rows, own_domain], [output, logit], name="adversarial_autoencoder")


def _sampled_code(layer, noise):
    """Return mean + exp(log_std) * noise, the mean being the code.

    `layer` makes a layer of a number of units, an activation and a name.
    """
    from keras import layers

    mean = layer(noise.shape[-1], "linear", name="code")
    log_std = layer(noise.shape[-1], "linear", name="code_log_std")
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
