# SPDX-License-Identifier: BSD-3-Clause
"""What networks and their parts make of rows, which are arrays or CSR.

Import it through `_state.engine`, which brings TensorFlow in.
"""

import numpy as np
import scipy.sparse as sp

from .._numerics._row_totals import rows_of_entries
from ._network import Network


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
    indices[:, 0] = rows_of_entries(rows)
    indices[:, 1] = rows.indices
    return tf.SparseTensor(indices, rows.data, rows.shape)


def rebuilt_network(config, weights):
    """Return the network of a JSON config, with its weights."""
    network = Network.from_config(config)
    network.assign(weights)
    return network


def load_model(path, layer=None):
    """Return a function from arrays to the output of a saved model, or of a layer of it."""
    import keras

    model = keras.saving.load_model(path, compile=False)
    if layer is not None:
        model = keras.Model(model.inputs, model.get_layer(layer).output)
    return lambda arrays: model(as_tensor(np.asarray(arrays)), training=False).numpy()


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
