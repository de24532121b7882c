# SPDX-License-Identifier: BSD-3-Clause
"""What networks and their parts make of rows, which are arrays or CSR.

Import it through `_state.engine`, which brings TensorFlow in.
"""

import numpy as np
import scipy.sparse as sp

from .._numerics._row_totals import rows_of_entries


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


def load_model(path, layer=None):
    """Return a function from arrays to the output of a saved model, or of a layer of it."""
    import keras

    model = keras.saving.load_model(path, compile=False)
    if layer is not None:
        model = keras.Model(model.inputs, model.get_layer(layer).output)
    return lambda arrays: model(as_tensor(np.asarray(arrays)), training=False).numpy()


def forward(part, rows):
    """Return what a part of a network makes of array or CSR rows, or a list of them, as ndarray."""
    inputs = rows if isinstance(rows, list) else [rows]
    return part(list(map(as_tensor, inputs))).numpy()
