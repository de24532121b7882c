# SPDX-License-Identifier: BSD-3-Clause
"""Builder of recurrent networks."""

from ._layers import (
    applied,
    float32_model,
    last_step_class,
    reversed_steps_class,
    side_by_side_class,
    simple_recurrent_class,
)
from ._network import Network
from ._seeded_layers import SeededLayers


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
    code_activation,
    loss,
    dropout,
    seed,
):
    """Return a network from rows to `n_outputs` or, if that is None, to the next step of each."""
    from keras import layers

    make = SeededLayers(seed)
    rows = make.input(shape, dtype="float32" if n_tokens is None else "int32")
    hidden = rows
    if n_tokens is not None:
        hidden = make.embedding(rows, n_tokens, embedding_size, mask_zero=True)
    elif is_padded:
        hidden = applied(layers.Masking, rows, name="masking")
    for i, size in enumerate(hidden_layer_sizes, start=1):
        hidden = make.dropout(hidden, dropout, name=f"dropout_{i}")
        returns_steps = n_outputs is None or i < len(hidden_layer_sizes)
        if bidirectional:
            hidden = _both_ways(make, hidden, cell, size, returns_steps, i)
        else:
            hidden = _one_way(make, hidden, cell, size, returns_steps, f"recurrent_{i}")
    if n_outputs is not None:
        code = make.dense(hidden, n_components, code_activation, name="code")
        outputs, output_loss = make.head(code, n_outputs, loss)
    else:
        codes = make.dense(hidden, n_components, code_activation, name="codes")
        code = applied(last_step_class(), codes, name="code")
        if n_tokens is None:
            output, output_loss = make.head(codes, shape[-1], loss)
        else:
            output, output_loss = make.token_head(codes, n_tokens)
        outputs = [output, code]
    model = float32_model(rows, outputs, name="recurrent")
    return Network(model, ([rows], code), {"output": output_loss})


def _both_ways(make, hidden, cell, units, returns_steps, i):
    """Return what one layer makes of each row from its start and another one from its end."""
    options = {"cell": cell, "units": units, "returns_steps": returns_steps}
    forward = _one_way(make, hidden, **options, name=f"forward_{i}")
    backward = _one_way(make, hidden, **options, name=f"backward_{i}", go_backwards=True)
    if returns_steps:
        backward = applied(reversed_steps_class(), backward, name=f"reversed_{i}")
    return applied(side_by_side_class(), [forward, backward], name=f"recurrent_{i}")


def _one_way(make, hidden, cell, units, returns_steps, name, **options):
    """Return what a recurrent layer makes of each row: its last state, or all of them."""
    from keras import layers

    classes = {"gru": layers.GRU, "lstm": layers.LSTM, "simple": simple_recurrent_class()}
    options["return_sequences"] = returns_steps
    return make.recurrent(hidden, classes[cell], units, name=name, **options)
