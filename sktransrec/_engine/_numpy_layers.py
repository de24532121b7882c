# SPDX-License-Identifier: BSD-3-Clause
"""What a fitted network's layers make of rows, in numpy.

Layers of Keras stand here. A layer of ours has its function beside its class.
"""

import itertools
from typing import Any

import numpy as np

from .._numerics._row_products import RowProducts, row_products

LAYERS: dict[str, Any] = {}


def numpy_layer(*class_names):
    """Decorate what layers of these classes make of their inputs where nothing is learned.

    The function gets the layer's configuration, its weights by name, and its inputs.
    """

    def register(function):
        LAYERS.update(dict.fromkeys(class_names, function))
        return function

    return register


def exponential(x):
    return np.exp(x, out=x)


def sigmoid(x):
    """Return 1 / (1 + exp(-x)), written over x; where the exponential overflows, that is 0."""
    np.negative(x, out=x)
    np.exp(x, out=x)
    x += 1
    return np.reciprocal(x, out=x)


def softmax(x):
    """Return exp(x) over its sum along the last axis, written over x."""
    x -= x.max(axis=-1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(axis=-1, keepdims=True)
    return x


def _elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _selu(x):
    # Klambauer et al., Self-normalizing neural networks, equation 2.
    return np.float32(1.0507009873554805) * _elu(x, alpha=np.float32(1.6732632423543772))


def _softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


# Coefficients of a rational function that differs from the error function by 5e-7 at most.
_ERF_NUMERATOR = (
    *(-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05),
    *(-7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02),
)
_ERF_DENOMINATOR = (
    *(-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03),
    *(-7.37332916720468e-03, -1.42647390514189e-02),
)
_CACHED_NUMBERS = 2**13


def _gelu(x):
    """Return x times the normal distribution function, written over x."""
    flat = x.reshape(-1)
    for start in range(0, len(flat), _CACHED_NUMBERS):
        part = flat[start : start + _CACHED_NUMBERS]
        part *= 0.5 * (1 + _erf(part * np.float32(0.5**0.5)))
    return x


def _erf(x):
    x = np.clip(x, -4, 4)
    square = x * x
    x *= _polynomial(_ERF_NUMERATOR, square)
    x /= _polynomial(_ERF_DENOMINATOR, square)
    return x


def _polynomial(coefficients, x):
    value = np.full_like(x, coefficients[0])
    for each in coefficients[1:]:
        value *= x
        value += each
    return value


# Each may write over its argument.
ACTIVATION_FUNCTIONS = {
    "elu": _elu,
    "exponential": exponential,
    "gelu": _gelu,
    "leaky_relu": lambda x: np.maximum(x, np.float32(0.2) * x),
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0, out=x),
    "selu": _selu,
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x.copy()),
    "softmax": softmax,
    "softplus": _softplus,
    "tanh": lambda x: np.tanh(x, out=x),
}


@numpy_layer("Dense", "SparseDense")
def dense(config, weights, rows):
    """Return what a dense layer makes of dense or CSR rows."""
    if isinstance(rows, np.ndarray):
        linear = row_products(rows, weights["kernel"])
    else:
        linear = rows @ weights["kernel"]
    linear += weights["bias"]
    return ACTIVATION_FUNCTIONS[config["activation"]](linear)


@numpy_layer("SeededDropout")
def unchanged(config, weights, inputs):
    return inputs


@numpy_layer("Activation")
def activation(config, weights, inputs):
    return ACTIVATION_FUNCTIONS[config["activation"]](inputs.copy())


@numpy_layer("Add")
def total(config, weights, *inputs):
    first, second, *others = inputs
    result = first + second
    for each in others:
        result += each
    return result


@numpy_layer("Multiply")
def product(config, weights, first, second):
    return first * second


@numpy_layer("Concatenate", "SideBySide")
def concatenated(config, weights, *inputs):
    return np.concatenate(inputs, axis=config["axis"])


@numpy_layer("LayerNormalization")
def normalized(config, weights, inputs):
    """Return vectors of mean 0 and variance 1, scaled and shifted."""
    centred = inputs - _mean(inputs)
    centred /= np.sqrt(_mean(np.square(centred)) + np.float32(config["epsilon"]))
    centred *= weights["gamma"]
    centred += weights["beta"]
    return centred


def _mean(vectors):
    return np.add.reduce(vectors, axis=-1, keepdims=True) / np.float32(vectors.shape[-1])


@numpy_layer("Embedding")
def embedded(config, weights, ids):
    return weights["embeddings"][ids]


def is_step(steps):
    """Return which token ids or vectors of each row are more than padding, which is zero."""
    return steps != 0 if steps.ndim == 2 else (steps != 0).any(axis=2)


@numpy_layer("Masking")
def masked(config, weights, steps):
    return steps * is_step(steps)[..., None]


# After the steps, a recurrent layer may get the token ids or vectors that were read, which show the
# padding.


@numpy_layer("GRU")
def gru(config, weights, steps, read=None):
    """Return the last states of a gated recurrent unit, or all (Cho et al., 2014)."""
    activate = ACTIVATION_FUNCTIONS[config["activation"]]
    gate = ACTIVATION_FUNCTIONS[config["recurrent_activation"]]
    units = config["units"]
    input_bias, recurrent_bias = weights["bias"]
    candidate_bias = recurrent_bias[2 * units :]
    bias = input_bias + np.append(recurrent_bias[: 2 * units], np.zeros_like(candidate_bias))

    def following(inputs, recurrent, states):
        gates = gate(inputs[:, : 2 * units] + recurrent[:, : 2 * units])
        candidate = recurrent[:, 2 * units :] + candidate_bias
        candidate *= gates[:, units:]
        candidate += inputs[:, 2 * units :]
        candidate = activate(candidate)
        hidden = states[0] - candidate
        hidden *= gates[:, :units]
        hidden += candidate
        return [hidden]

    return _recurrent(config, weights, steps, read, bias, 1, following)


@numpy_layer("LSTM")
def lstm(config, weights, steps, read=None):
    """Return the last states of long short-term memory, or all (Hochreiter, Schmidhuber, 1997)."""
    activate = ACTIVATION_FUNCTIONS[config["activation"]]
    gate = ACTIVATION_FUNCTIONS[config["recurrent_activation"]]
    units = config["units"]

    def following(inputs, recurrent, states):
        linear = inputs + recurrent
        candidate = activate(linear[:, 2 * units : 3 * units].copy())
        gates = gate(linear)
        memory = gates[:, units : 2 * units] * states[1] + gates[:, :units] * candidate
        return [gates[:, 3 * units :] * activate(memory.copy()), memory]

    return _recurrent(config, weights, steps, read, weights["bias"], 2, following)


@numpy_layer("SimpleRecurrent")
def simple_recurrent(config, weights, steps, read=None):
    """Return the last states of a simple recurrent layer, or all."""
    activate = ACTIVATION_FUNCTIONS[config["activation"]]

    def following(inputs, recurrent, states):
        return [activate(inputs + recurrent)]

    return _recurrent(config, weights, steps, read, weights["bias"], 1, following)


def _recurrent(config, weights, steps, read, bias, n_states, following):
    """Return the first of the states after the last step, or after each.

    `following` returns the next states, given for a step the products of the inputs and of the
    first state with the kernels, and the states before it. Padding leaves the states as they are.
    """
    inputs = row_products(steps, weights["kernel"])
    inputs += bias
    is_read = None if read is None else is_step(read)
    if config["go_backwards"]:
        inputs = inputs[:, ::-1]
        is_read = None if is_read is None else is_read[:, ::-1]
    n_rows, n_steps, _ = inputs.shape
    states = [np.zeros((n_rows, config["units"]), dtype=np.float32) for _ in range(n_states)]
    outputs = np.empty((n_rows, n_steps, config["units"]), dtype=np.float32)
    multiply = RowProducts(n_rows, weights["recurrent_kernel"])
    for t in range(n_steps):
        after = following(inputs[:, t], multiply(states[0]), states)
        if is_read is not None:
            kept = is_read[:, t, None]
            after = [np.where(kept, *pair) for pair in zip(after, states, strict=True)]
        states = after
        outputs[:, t] = states[0]
    return outputs if config["return_sequences"] else states[0]


# Numbers of the patches of a convolution that are made at once.
_PATCH_NUMBERS = 2**19


@numpy_layer("Conv1D", "Conv2D")
def convolved(config, weights, grid):
    """Return a convolution along one or two axes, of which the output is as long as the input."""
    kernel = weights["kernel"]
    *kernel_sizes, _, n_outputs = kernel.shape
    matrix = kernel.reshape(-1, n_outputs)
    linear = np.empty((*grid.shape[:-1], n_outputs), dtype=np.float32)
    numbers_a_row = linear[0].size // n_outputs * len(matrix)
    n_rows = max(1, _PATCH_NUMBERS // numbers_a_row)
    for start in range(0, len(grid), n_rows):
        some = slice(start, start + n_rows)
        linear[some] = row_products(_patches(grid[some], kernel_sizes), matrix)
    linear += weights["bias"]
    return ACTIVATION_FUNCTIONS[config["activation"]](linear)


def _patches(grid, kernel_sizes):
    """Return the neighbourhood of each place, zeros beyond the ends, as one vector."""
    around = [((size - 1) // 2, size // 2) for size in kernel_sizes]
    padded = np.pad(grid, [(0, 0), *around, (0, 0)])
    starts = itertools.product(*map(range, kernel_sizes))
    n_places = grid.shape[1:-1]
    windows = [
        padded[:, *(slice(at, at + n) for at, n in zip(start, n_places, strict=True))]
        for start in starts
    ]
    return np.concatenate(windows, axis=-1)


@numpy_layer("MaxPooling1D", "MaxPooling2D")
def halved(config, weights, grid):
    """Return the maximum of each two places along each axis, or of the one left at the end."""
    for axis in range(1, grid.ndim - 1):
        starts = np.arange(0, grid.shape[axis], 2)
        grid = np.maximum.reduceat(grid, starts, axis=axis)
    return grid


@numpy_layer("UpSampling1D", "UpSampling2D")
def doubled(config, weights, grid):
    for axis in range(1, grid.ndim - 1):
        grid = np.repeat(grid, 2, axis=axis)
    return grid


@numpy_layer("Cropping1D", "Cropping2D")
def cut(config, weights, grid):
    """Return the grid without some places at its ends."""
    ends = np.reshape(config["cropping"], (-1, 2)).tolist()
    n_places = grid.shape[1:-1]
    return grid[:, *(slice(cut, n - end) for (cut, end), n in zip(ends, n_places, strict=True))]


@numpy_layer("GlobalMaxPooling1D", "GlobalMaxPooling2D")
def maximum(config, weights, grid):
    return grid.max(axis=tuple(range(1, grid.ndim - 1)))


@numpy_layer("Flatten")
def flattened(config, weights, grid):
    return grid.reshape(len(grid), -1)


@numpy_layer("Reshape")
def reshaped(config, weights, rows):
    return rows.reshape(len(rows), *config["target_shape"])
