# SPDX-License-Identifier: BSD-3-Clause
"""Builder of networks that say at each step of a history which item comes next.

Every layer is causal: a step knows itself and those before it. Histories are padded at their end,
so that no step knows of padding and nothing needs a mask.
"""

import numpy as np

from ._attention import attending, normalized, positions_class, residual
from ._items import item_table_class
from ._layers import applied, custom_layer, float32_model
from ._network import Network
from ._numpy_layers import numpy_layer
from ._objectives import HeadLoss
from ._seeded_layers import SeededLayers


def next_item(
    architecture,
    n_items,
    max_length,
    n_components,
    n_layers,
    n_heads,
    kernel_size,
    *,
    features,
    learns_features,
    dropout,
    seed,
):
    """Return a network from item ids to a code a step, by which the table "items" scores items.

    `features` is None or holds those of all items as ``values``.
    """
    make = SeededLayers(seed)
    rows = make.input((None,), dtype="int32")
    table = item_table_class()(
        n_items,
        n_components,
        seed=make.seed(),
        n_features=None if features is None else features.values.shape[1],
        is_learned=learns_features,
        dtype="float32",
        name="items",
    )
    hidden = table(rows)
    if features is not None:
        table.features.assign(features.values)
    if architecture == "attention":
        options = {"max_length": max_length, "seed": make.seed(), "name": "positions"}
        hidden = applied(positions_class(), [hidden, rows], **options)
        hidden = attending(make, hidden, n_layers, n_heads, dropout)
    elif architecture == "cnn":
        hidden = _convolved(make, hidden, n_layers, kernel_size, dropout)
    else:
        hidden = _recurrent(make, hidden, architecture, n_layers, dropout)
    codes = normalized(hidden, "codes")
    code = applied(last_item_class(), [codes, rows], name="code")
    return Network(
        float32_model(rows, [codes, code], name="next_item"),
        ([rows], code),
        {"output": HeadLoss(table, codes, "multinomial")},
        item_axes={"items/embeddings": 0, "items/features": 0, "items/bias": 0},
    )


def _convolved(make, hidden, n_layers, kernel_size, dropout):
    """Return what residual blocks of dilated causal convolutions make of each step (NextItNet)."""
    from keras import layers

    size = hidden.shape[-1]
    hidden = make.dropout(hidden, dropout, "dropout")
    for i in range(1, n_layers + 1):
        convolved = hidden
        for j, dilation in enumerate((2 ** (2 * i - 2), 2 ** (2 * i - 1)), start=1):
            convolved = normalized(convolved, f"convolution_{i}_{j}_normalized")
            name = f"convolution_{i}_{j}"
            convolved = applied(layers.Activation, convolved, "relu", name=f"{name}_activation")
            shifts = applied(
                steps_before_class(), convolved, kernel_size, dilation, name=f"{name}_steps"
            )
            convolved = make.dense(shifts, size, "linear", name)
        hidden = residual(make, hidden, convolved, dropout, f"convolution_{i}")
    return hidden


def _recurrent(make, hidden, cell, n_layers, dropout):
    """Return what recurrent layers make of each step (GRU4Rec)."""
    from keras import layers

    size = hidden.shape[-1]
    cell_class = {"gru": layers.GRU, "lstm": layers.LSTM}[cell]
    for i in range(1, n_layers + 1):
        hidden = make.dropout(hidden, dropout, f"dropout_{i}")
        name = f"recurrent_{i}"
        hidden = make.recurrent(hidden, cell_class, size, name=name, return_sequences=True)
    hidden = make.dropout(hidden, dropout, "dropout")
    return make.dense(hidden, size, "linear", "recurrent_output")


@custom_layer
def steps_before_class():
    """Return a layer that puts beside each step some before it, zeros before the first.

    A dense layer after it is a causal convolution, several times as fast as the dilated one of
    TensorFlow on a processor.
    """
    import keras
    import tensorflow as tf

    class StepsBefore(keras.layers.Layer):
        def __init__(self, kernel_size, dilation, **kwargs):
            super().__init__(**kwargs)
            self.kernel_size = kernel_size
            self.dilation = dilation

        def call(self, inputs):
            n_steps = tf.shape(inputs)[1]
            before = (self.kernel_size - 1) * self.dilation
            padded = tf.pad(inputs, [[0, 0], [before, 0], [0, 0]])
            starts = range(0, before + 1, self.dilation)
            return tf.concat([padded[:, start : start + n_steps] for start in starts], axis=2)

        def compute_output_spec(self, inputs):
            *shape, size = inputs.shape
            return keras.KerasTensor((*shape, self.kernel_size * size), dtype="float32")

        def get_config(self):
            config = {"kernel_size": self.kernel_size, "dilation": self.dilation}
            return {**super().get_config(), **config}

    return StepsBefore


@numpy_layer("StepsBefore")
def _steps_before(config, weights, steps):
    n_steps, dilation = steps.shape[1], config["dilation"]
    before = (config["kernel_size"] - 1) * dilation
    padded = np.pad(steps, [(0, 0), (before, 0), (0, 0)])
    starts = range(0, before + 1, dilation)
    return np.concatenate([padded[:, at : at + n_steps] for at in starts], axis=2)


@custom_layer
def last_item_class():
    """Return a layer that picks the step of the last item of each row, padded at its end."""
    import keras
    import tensorflow as tf

    class LastItem(keras.layers.Layer):
        def call(self, inputs):
            steps, ids = inputs
            n_items = tf.math.count_nonzero(ids, axis=1, dtype=tf.int32)
            return tf.gather(steps, tf.maximum(n_items - 1, 0), axis=1, batch_dims=1)

        def compute_output_spec(self, inputs):
            n_rows, _, size = inputs[0].shape
            return keras.KerasTensor((n_rows, size), dtype="float32")

    return LastItem


@numpy_layer("LastItem")
def _last_item(config, weights, steps, ids):
    n_items = np.count_nonzero(ids, axis=1)
    return steps[np.arange(len(steps)), np.maximum(n_items - 1, 0)]
