"""Builder of convolutional networks, for sequences and images."""

import math

from ._layers import float32_model, masked_max_pooling_class, not_padding_class
from ._networks import SeededLayers


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
    output_activation,
    dropout,
    seed,
):
    """Return a network from rows of a shape to `n_outputs` or, if that is None, to themselves."""
    import keras

    make = SeededLayers(seed)
    rows = keras.Input(shape, dtype="float32" if n_tokens is None else "int32", name="rows")
    is_step = not_padding_class()(dtype="float32", name="is_step")(rows) if is_padded else None
    hidden = rows
    if n_tokens is not None:
        hidden = make.embedding(rows, n_tokens, embedding_size, mask_zero=False)
    grids = []
    for i, size in enumerate(hidden_layer_sizes, start=1):
        if is_padded:
            hidden = _without_padding(hidden, is_step, f"steps_{i}")
        elif i > 1:
            hidden = _halved(hidden, f"pooling_{i}")
        grids.append(hidden.shape[1:-1])
        hidden = _convolved(make, hidden, size, kernel_sizes, activation, f"convolution_{i}")
    hidden = make.dropout(_pooled(hidden, is_step, pooling), dropout, "dropout")
    hidden = make.dense(hidden, n_components, code_activation, name="code")
    if n_outputs is None:
        n_outputs = n_tokens or shape[-1]
        stages = list(zip(grids, hidden_layer_sizes, strict=True))
        hidden = _decoded(make, hidden, stages, max(kernel_sizes), activation)
    output = make.dense(hidden, n_outputs, output_activation, name="output")
    return float32_model(rows, output, name="convolutional")


def _of_grid(kind, hidden, *args, **options):
    """Return what the layer of a kind, for sequences or images, makes of its input."""
    from keras import layers

    dimensions = len(hidden.shape) - 2
    if dimensions == 2 or kind not in ("Cropping", "UpSampling"):  # which take no format in 1-D
        options["data_format"] = "channels_last"
    return getattr(layers, f"{kind}{dimensions}D")(*args, dtype="float32", **options)(hidden)


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
    return layers.Concatenate(dtype="float32", name=name)(branches)


def _without_padding(hidden, is_step, name):
    """Return the steps with zeros for padding, as if the row ended there."""
    from keras import layers

    return layers.Multiply(dtype="float32", name=name)([hidden, is_step])


def _halved(hidden, name):
    return _of_grid("MaxPooling", hidden, 2, padding="same", name=name)


def _pooled(hidden, is_step, pooling):
    """Return one vector a row."""
    from keras import layers

    if pooling == "max" and is_step is not None:
        pool = masked_max_pooling_class()(dtype="float32", name="pooling")
        return pool([hidden, is_step])
    if pooling == "max":
        return _of_grid("GlobalMaxPooling", hidden, name="pooling")
    if is_step is not None:
        hidden = _without_padding(hidden, is_step, "steps")
    flatten = layers.Flatten(data_format="channels_last", dtype="float32", name="pooling")
    return flatten(hidden)


def _decoded(make, code, stages, kernel_size, activation):
    """Return hidden units of each step or pixel, from the code and the (grid, size) of stages."""
    from keras import layers

    grid, size = stages[-1]
    hidden = make.dense(code, math.prod(grid) * size, activation, name="decoder")
    hidden = layers.Reshape((*grid, size), dtype="float32", name="decoder_grid")(hidden)
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
