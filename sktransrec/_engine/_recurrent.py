"""Builder of recurrent networks."""

from ._items import item_scores_class
from ._layers import (
    float32_model,
    last_step_class,
    reversed_steps_class,
    side_by_side_class,
    simple_recurrent_class,
)
from ._networks import SeededLayers


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
        if bidirectional:
            hidden = _both_ways(make, hidden, cell, size, returns_steps, i)
        else:
            hidden = _one_way(make, hidden, cell, size, returns_steps, f"recurrent_{i}")
    if n_outputs is not None:
        code = make.dense(hidden, n_components, activation, name="code")
        output = make.dense(code, n_outputs, output_activation, name="output")
        return float32_model(rows, output, name="recurrent")
    codes = make.dense(hidden, n_components, activation, name="codes")
    code = last_step_class()(dtype="float32", name="code")(codes)
    if n_tokens is None:
        output = make.dense(codes, shape[-1], output_activation, name="output")
    else:
        scores = item_scores_class()
        output = scores(n_tokens, output_activation, make.glorot(), dtype="float32", name="output")
        output = output(codes)
    return float32_model(rows, [output, code], name="recurrent")


def _both_ways(make, hidden, cell, units, returns_steps, i):
    """Return what one layer makes of each row from its start and another one from its end."""
    options = {"cell": cell, "units": units, "returns_steps": returns_steps}
    forward = _one_way(make, hidden, **options, name=f"forward_{i}")
    backward = _one_way(make, hidden, **options, name=f"backward_{i}", go_backwards=True)
    if returns_steps:
        backward = reversed_steps_class()(dtype="float32", name=f"reversed_{i}")(backward)
    return side_by_side_class()(dtype="float32", name=f"recurrent_{i}")([forward, backward])


def _one_way(make, hidden, cell, units, returns_steps, name, **options):
    """Return what a recurrent layer makes of each row: its last state, or all of them."""
    from keras import initializers, layers

    classes = {"gru": layers.GRU, "lstm": layers.LSTM, "simple": simple_recurrent_class()}
    layer = classes[cell](
        units,
        return_sequences=returns_steps,
        kernel_initializer=make.glorot(),
        recurrent_initializer=initializers.OrthogonalInitializer(seed=make.seed()),
        seed=make.seed(),
        dtype="float32",
        name=name,
        **options,
    )
    return layer(hidden)
