# SPDX-License-Identifier: BSD-3-Clause
"""What builders make networks of: layers in float32, each with a seed of its own."""

import numpy as np

from ._items import item_scores_class
from ._layers import applied, seeded_dropout_class, sparse_dense_class
from ._numpy_layers import ACTIVATION_FUNCTIONS
from ._objectives import OUTPUT_ACTIVATIONS, HeadLoss

# The others are those of losses.
ACTIVATIONS = sorted(ACTIVATION_FUNCTIONS.keys() - {"exponential", "softmax"})


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

    def input(self, shape, name="rows", *, dtype="float32", sparse=False):
        """Return an input of rows of a shape."""
        import keras

        return keras.Input(shape, dtype=dtype, sparse=sparse, name=name)

    def dense(self, inputs, units, activation, name):
        """Return what a new dense layer makes of the inputs."""
        return self._dense_layer(units, activation, name, sparse=inputs.sparse)(inputs)

    def stack(self, inputs, sizes, activation, name):
        """Return what new dense layers of some sizes, one after the other, make of the inputs."""
        for i, size in enumerate(sizes, start=1):
            inputs = self.dense(inputs, size, activation, name=f"{name}_{i}")
        return inputs

    def head(self, hidden, n_outputs, loss, activation=None):
        """Return the outputs of a new dense layer, and their loss.

        Without an activation it has the one that belongs to the loss.
        """
        layer = self._dense_layer(n_outputs, activation or OUTPUT_ACTIVATIONS[loss], "output")
        return layer(hidden), HeadLoss(layer, hidden, loss)

    def token_head(self, hidden, n_tokens, *, name="output"):
        """Return the probabilities of tokens at each step, and their loss, all or sampled."""
        layer = item_scores_class()(n_tokens, "softmax", self.glorot(), dtype="float32", name=name)
        return layer(hidden), HeadLoss(layer, hidden, "multinomial")

    def _dense_layer(self, units, activation, name, *, sparse=False):
        from keras import layers

        layer_class = sparse_dense_class() if sparse else layers.Dense
        return layer_class(
            units, activation, kernel_initializer=self.glorot(), dtype="float32", name=name
        )

    def embedding(self, ids, n_tokens, size, *, mask_zero=False):
        """Return the vectors of token ids."""
        from keras import initializers, layers

        initializer = initializers.RandomUniform(-0.05, 0.05, seed=self.seed())
        options = {"embeddings_initializer": initializer, "mask_zero": mask_zero}
        return applied(layers.Embedding, ids, n_tokens, size, name="embedding", **options)

    def recurrent(self, inputs, cell_class, units, *, name, **options):
        """Return what a new recurrent layer makes of the steps of each row."""
        from keras import initializers

        return applied(
            cell_class,
            inputs,
            units,
            kernel_initializer=self.glorot(),
            recurrent_initializer=initializers.OrthogonalInitializer(seed=self.seed()),
            seed=self.seed(),
            name=name,
            **options,
        )

    def dropout(self, inputs, rate, name):
        """Return the inputs, with dropout in training."""
        if not rate:
            return inputs
        return applied(seeded_dropout_class(), inputs, rate, self.seed(), name=name)
