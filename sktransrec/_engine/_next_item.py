"""Builder of networks that say at each step of a history which item comes next.

Every layer is causal: a step knows itself and those before it. Histories are padded at their end,
so that no step knows of padding and nothing needs a mask.
"""

from ._items import item_table_class
from ._layers import custom_layer, float32_model
from ._networks import SeededLayers

_EPSILON = 1e-8


def next_item(
    encoder,
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
    import keras

    make = SeededLayers(seed)
    rows = keras.Input((None,), dtype="int32", name="rows")
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
    if encoder == "attention":
        hidden = positions_class()(max_length, make.seed(), dtype="float32", name="positions")(
            [hidden, rows]
        )
        hidden = _attending(make, hidden, n_layers, n_heads, dropout)
    elif encoder == "cnn":
        hidden = _convolved(make, hidden, n_layers, kernel_size, dropout)
    else:
        hidden = _recurrent(make, hidden, encoder, n_layers, dropout)
    codes = _normalized(hidden, "codes")
    code = last_item_class()(dtype="float32", name="code")([codes, rows])
    return float32_model(rows, [codes, code], name="next_item")


def _attending(make, hidden, n_layers, n_heads, dropout):
    """Return what blocks of causal self-attention make of each step (SASRec)."""
    size = hidden.shape[-1]
    hidden = make.dropout(hidden, dropout, "dropout")
    for i in range(1, n_layers + 1):
        attended = _normalized(hidden, f"attention_{i}_normalized")
        attended = make.dense(attended, 3 * size, "linear", f"attention_{i}_queries_keys_values")
        attended = causal_attention_class()(n_heads, dtype="float32", name=f"attention_{i}")(
            attended
        )
        attended = make.dense(attended, size, "linear", f"attention_{i}_output")
        hidden = _residual(make, hidden, attended, dropout, f"attention_{i}")
        inner = _normalized(hidden, f"feed_forward_{i}_normalized")
        inner = make.dense(inner, 4 * size, "gelu", f"feed_forward_{i}")
        inner = make.dense(inner, size, "linear", f"feed_forward_{i}_output")
        hidden = _residual(make, hidden, inner, dropout, f"feed_forward_{i}")
    return hidden


def _convolved(make, hidden, n_layers, kernel_size, dropout):
    """Return what residual blocks of dilated causal convolutions make of each step (NextItNet)."""
    from keras import layers

    size = hidden.shape[-1]
    hidden = make.dropout(hidden, dropout, "dropout")
    for i in range(1, n_layers + 1):
        convolved = hidden
        for j, dilation in enumerate((2 ** (2 * i - 2), 2 ** (2 * i - 1)), start=1):
            convolved = _normalized(convolved, f"convolution_{i}_{j}_normalized")
            convolved = layers.Activation(
                "relu", dtype="float32", name=f"convolution_{i}_{j}_activation"
            )(convolved)
            shifts = steps_before_class()(
                kernel_size, dilation, dtype="float32", name=f"convolution_{i}_{j}_steps"
            )(convolved)
            convolved = make.dense(shifts, size, "linear", f"convolution_{i}_{j}")
        hidden = _residual(make, hidden, convolved, dropout, f"convolution_{i}")
    return hidden


def _recurrent(make, hidden, cell, n_layers, dropout):
    """Return what recurrent layers make of each step (GRU4Rec)."""
    from keras import initializers, layers

    size = hidden.shape[-1]
    for i in range(1, n_layers + 1):
        hidden = make.dropout(hidden, dropout, f"dropout_{i}")
        hidden = {"gru": layers.GRU, "lstm": layers.LSTM}[cell](
            size,
            return_sequences=True,
            kernel_initializer=make.glorot(),
            recurrent_initializer=initializers.OrthogonalInitializer(seed=make.seed()),
            seed=make.seed(),
            dtype="float32",
            name=f"recurrent_{i}",
        )(hidden)
    hidden = make.dropout(hidden, dropout, "dropout")
    return make.dense(hidden, size, "linear", "recurrent_output")


def _normalized(hidden, name):
    from keras import layers

    return layers.LayerNormalization(epsilon=_EPSILON, dtype="float32", name=name)(hidden)


def _residual(make, hidden, change, dropout, name):
    from keras import layers

    change = make.dropout(change, dropout, f"{name}_dropout")
    return layers.Add(dtype="float32", name=f"{name}_sum")([hidden, change])


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


@custom_layer
def causal_attention_class():
    """Return self-attention to a step and those before it, given queries, keys and values.

    These stand side by side, each split among the heads.
    """
    import keras
    import tensorflow as tf

    class CausalAttention(keras.layers.Layer):
        def __init__(self, n_heads, **kwargs):
            super().__init__(**kwargs)
            self.n_heads = n_heads

        def call(self, inputs):
            n_rows, n_steps = tf.shape(inputs)[0], tf.shape(inputs)[1]
            size = inputs.shape[-1] // 3
            split = tf.reshape(inputs, [n_rows, n_steps, 3, self.n_heads, size // self.n_heads])
            queries, keys, values = tf.unstack(tf.transpose(split, [2, 0, 3, 1, 4]))
            similarities = tf.matmul(queries * split.shape[-1] ** -0.5, keys, transpose_b=True)
            is_later = tf.linalg.band_part(tf.ones([n_steps, n_steps]), -1, 0) - 1
            weights = tf.nn.softmax(similarities + 1e9 * is_later)
            attended = tf.transpose(tf.matmul(weights, values), [0, 2, 1, 3])
            return tf.reshape(attended, [n_rows, n_steps, size])

        def compute_output_spec(self, inputs):
            *shape, size = inputs.shape
            return keras.KerasTensor((*shape, size // 3), dtype="float32")

        def get_config(self):
            return {**super().get_config(), "n_heads": self.n_heads}

    return CausalAttention


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
