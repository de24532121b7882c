"""Builder of recurrent networks."""

from ._layers import last_step_class
from ._networks import SeededLayers

_CELLS = {"gru": "GRU", "lstm": "LSTM", "simple": "SimpleRNN"}


def recurrent(
    shape,
    n_tokens,
    embedding_size,
    is_padded,
    hidden_layer_sizes,
    cell,
    bidirectional,
    n_components,
    n_outputs,
    *,
    activation,
    output_activation,
    dropout,
    seed,
):
    """Return a network from rows to `n_outputs` or, if that is None, to the next step of each."""
    import keras
    from keras import layers

    make = SeededLayers(seed)
    rows = keras.Input(shape, dtype="float32" if n_tokens is None else "int32", name="rows")
    hidden = rows
    if n_tokens is not None:
        hidden = make.embedding(rows, n_tokens, embedding_size, mask_zero=True)
    elif is_padded:
        hidden = layers.Masking(dtype="float32", name="masking")(rows)
    for i, size in enumerate(hidden_layer_sizes, start=1):
        hidden = make.dropout(hidden, dropout, name=f"dropout_{i}")
        returns_steps = n_outputs is None or i < len(hidden_layer_sizes)
        hidden = _recurrent_layer(make, cell, size, returns_steps, bidirectional, i)(hidden)
    if n_outputs is not None:
        code = make.dense(hidden, n_components, activation, name="code")
        output = make.dense(code, n_outputs, output_activation, name="output")
        return keras.Model(rows, output, name="recurrent")
    codes = make.dense(hidden, n_components, activation, name="codes")
    code = last_step_class()(dtype="float32", name="code")(codes)
    output = make.dense(codes, n_tokens or shape[-1], output_activation, name="output")
    return keras.Model(rows, [output, code], name="recurrent")


def _recurrent_layer(make, cell, units, returns_steps, bidirectional, i):
    from keras import layers

    if not bidirectional:
        return _one_way(make, cell, units, returns_steps, f"recurrent_{i}")
    return layers.Bidirectional(
        _one_way(make, cell, units, returns_steps, f"forward_{i}"),
        backward_layer=_one_way(
            make, cell, units, returns_steps, f"backward_{i}", go_backwards=True
        ),
        dtype="float32",
        name=f"recurrent_{i}",
    )


def _one_way(make, cell, units, returns_steps, name, **options):
    from keras import initializers, layers

    return getattr(layers, _CELLS[cell])(
        units,
        return_sequences=returns_steps,
        kernel_initializer=make.glorot(),
        recurrent_initializer=initializers.OrthogonalInitializer(seed=make.seed()),
        seed=make.seed(),
        dtype="float32",
        name=name,
        **options,
    )
