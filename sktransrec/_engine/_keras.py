"""Networks as JSON and arrays, and what they and their parts make of rows.

Import it through `_state.engine`, which brings TensorFlow in.
"""

import functools
import json

import numpy as np
import scipy.sparse as sp

from ._layers import float32_model, in_float32, register_layers


def import_tensorflow():
    """Import all that the engine uses."""
    import keras
    import scikeras.wrappers
    import tensorflow

    # The first look for accelerators logs what it does not find.
    tensorflow.config.list_physical_devices()
    return tensorflow, keras, scikeras


def check_backend():
    """Raise unless Keras runs on TensorFlow."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ImportError(
            f"Keras runs on {keras.backend.backend()!r} here, and the feature learners need "
            'TensorFlow: set the environment variable KERAS_BACKEND="tensorflow" before Keras '
            "is imported."
        )


def as_tensor(rows):
    """Return an array or a CSR matrix as a tensor of the same kind, of int32 or float32."""
    import tensorflow as tf

    if not sp.issparse(rows):
        return tf.constant(rows, dtype=tf.int32 if rows.dtype.kind in "iu" else tf.float32)
    indices = np.empty((rows.nnz, 2), dtype=np.int64)
    indices[:, 0] = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    indices[:, 1] = rows.indices
    return tf.SparseTensor(indices, rows.data, rows.shape)


def rebuilt_network(config, weights):
    """Return the network of a JSON config, with its weights."""
    import keras

    register_layers()
    network = in_float32(keras.Model.from_config(json.loads(config)))
    assign_weights(network, weights)
    return network


def assign_weights(network, weights):
    """Set the weights of a network from arrays by path, which must be the network's own."""
    shapes = {weight.path: tuple(weight.shape) for weight in network.weights}
    given = {path: weight.shape for path, weight in weights.items()}
    if shapes != given:
        raise ValueError(
            f"The network's layers changed since it was fitted, from {given} to {shapes}. Go on "
            "with the same sizes, or fit anew with warm_start=False."
        )
    for weight in network.weights:
        weight.assign(weights[weight.path])


def encoder(network):
    """Return the part of a network from the rows to their code."""
    inputs = [each for each in network.inputs if each.name not in ("noise", "own_domain")]
    return float32_model(inputs, network.get_layer("code").output)


def decoder(network):
    """Return the part of a network from a code to the output, where that is a chain of layers."""
    names = [layer.name for layer in network.layers]
    code = next(each for each in ("code_and_domain", "sampled_code", "code") if each in names)
    chain = [
        layer
        for layer in network.layers[names.index(code) + 1 :]
        if not layer.name.startswith("discriminator")
    ]

    def decode(inputs):
        return functools.reduce(lambda hidden, layer: layer(hidden), chain, *inputs)

    return decode


PARTS = {"decoder": decoder, "encoder": encoder}

# Kernels of matrix products take so many rows at a time, or a divisor of it, and round those left
# over in another way.
_ROWS_OF_A_KERNEL = 48


def forward(part, rows):
    """Return what a part of a network makes of array or CSR rows, or a list of them, as ndarray.

    What a row gets does not depend on the rows beside it, to the last bit.
    """
    inputs = rows if isinstance(rows, list) else [rows]
    n_rows = inputs[0].shape[0]
    return part([as_tensor(_filled_up(each)) for each in inputs]).numpy()[:n_rows]


def _filled_up(rows):
    """Return the rows with rows of zeros after them, a whole number of kernels in all."""
    n_rows = -(-rows.shape[0] // _ROWS_OF_A_KERNEL) * _ROWS_OF_A_KERNEL
    if sp.issparse(rows):
        indptr = np.pad(rows.indptr, (0, n_rows - rows.shape[0]), mode="edge")
        return sp.csr_array((rows.data, rows.indices, indptr), shape=(n_rows, rows.shape[1]))
    return np.pad(rows, [(0, n_rows - rows.shape[0])] + [(0, 0)] * (rows.ndim - 1))
