# SPDX-License-Identifier: BSD-3-Clause
"""Builder of convolutional networks, for sequences and images."""

import math

from ._layers import applied, float32_model, masked_max_pooling_class, not_padding_class
from ._network import Network
from ._seeded_layers import SeededLayers


def convolutional(
    shape,
    n_tokens,
    embedding_size,
    is_padded,
    hidden_layer_sizes,
    kernel_sizes,
    pooling,
    n_components,
    n_outputs,
    *,
    activation,
    code_activation,
    loss,
    dropout,
    seed,
):
    """Return a network from rows of a shape to `n_outputs` or, if that is None, to themselves."""
    make = SeededLayers(seed)
    rows = make.input(shape, dtype="float32" if n_tokens is None else "int32")
    is_step = applied(not_padding_class(), rows, name="is_step") if is_padded else None
    hidden = rows if n_tokens is None else make.embedding(rows, n_tokens, embedding_size)
    grids = []
    for i, size in enumerate(hidden_layer_sizes, start=1):
        if is_padded:
            hidden = _without_padding(hidden, is_step, f"steps_{i}")
        elif i > 1:
            hidden = _of_grid("MaxPooling", hidden, 2, padding="same", name=f"pooling_{i}")
        grids.append(hidden.shape[1:-1])
        hidden = _convolved(make, hidden, size, kernel_sizes, activation, f"convolution_{i}")
    hidden = make.dropout(_pooled(hidden, is_step, pooling), dropout, "dropout")
    hidden = code = make.dense(hidden, n_components, code_activation, name="code")
    if n_outputs is None:
        n_outputs = n_tokens or shape[-1]
        stages = list(zip(grids, hidden_layer_sizes, strict=True))
        hidden = _decoded(make, hidden, stages, max(kernel_sizes), activation)
    output, output_loss = make.head(hidden, n_outputs, loss)
    model = float32_model(rows, output, name="convolutional")
    return Network(model, ([rows], code), {"output": output_loss}, decoder=([code], output))


def _of_grid(kind, hidden, *args, **options):
    """Return what the layer of a kind, for sequences or images, makes of its input."""
    from keras import layers

    dimensions = len(hidden.shape) - 2
    if dimensions == 2 or kind not in ("Cropping", "UpSampling"):  # which take no format in 1-D
        options["data_format"] = "channels_last"
    return applied(getattr(layers, f"{kind}{dimensions}D"), hidden, *args, **options)


def _convolved(make, hidden, size, kernel_sizes, activation, name):
    """Return the outputs of one convolution for each kernel size, side by side."""
    from keras import layers

    branches = [
        _of_grid(
            "Conv",
            hidden,
            size,
            kernel_size,
            padding="same",
            activation=activation,
            kernel_initializer=make.glorot(),
            name=f"{name}_{j}",
        )
        for j, kernel_size in enumerate(kernel_sizes, start=1)
    ]
    if len(branches) == 1:
        return branches[0]
    return applied(layers.Concatenate, branches, name=name)


def _without_padding(hidden, is_step, name):
    """Return the steps with zeros for padding, as if the row ended there."""
    from keras import layers

    return applied(layers.Multiply, [hidden, is_step], name=name)


def _pooled(hidden, is_step, pooling):
    """Return one vector a row."""
    from keras import layers

    if pooling == "max" and is_step is not None:
        return applied(masked_max_pooling_class(), [hidden, is_step], name="pooling")
    if pooling == "max":
        return _of_grid("GlobalMaxPooling", hidden, name="pooling")
    if is_step is not None:
        hidden = _without_padding(hidden, is_step, "steps")
    return applied(layers.Flatten, hidden, data_format="channels_last", name="pooling")


def _decoded(make, code, stages, kernel_size, activation):
    """Return hidden units of each step or pixel, from the code and the (grid, size) of stages."""
    from keras import layers

    grid, size = stages[-1]
    hidden = make.dense(code, math.prod(grid) * size, activation, name="decoder")
    hidden = applied(layers.Reshape, hidden, (*grid, size), name="decoder_grid")
    for i, (grid, size) in reversed(list(enumerate(stages, start=1))):
        if hidden.shape[1:-1] != grid:
            hidden = _doubled(hidden, grid, f"decoder_{i}")
        hidden = _convolved(make, hidden, size, [kernel_size], activation, f"decoder_{i}")
    return hidden


def _doubled(hidden, grid, name):
    """Return twice as many steps or pixels along each axis, cut to the grid."""
    hidden = _of_grid("UpSampling", hidden, 2, name=f"{name}_doubled")
    excess = [(0, have - want) for have, want in zip(hidden.shape[1:-1], grid, strict=True)]
    cropping = excess[0] if len(grid) == 1 else tuple(excess)
    return _of_grid("Cropping", hidden, cropping, name=f"{name}_cut")
