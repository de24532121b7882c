# SPDX-License-Identifier: BSD-3-Clause
"""A small network that several files of tests train, and rows for it."""

import numpy as np
import scipy.sparse as sp

SIZES = {
    "n_features": 12,
    "hidden_layer_sizes": (5,),
    "n_components": 3,
    "activation": "tanh",
    "code_activation": "tanh",
    "output_activation": "sigmoid",
    "loss": "binary_crossentropy",
    "variational": False,
    "seed": 0,
}


def sparse_rows(n_rows=20, n_columns=12):
    rng = np.random.RandomState(0)
    values = rng.uniform(size=(n_rows, n_columns)) * (rng.uniform(size=(n_rows, n_columns)) < 0.4)
    return sp.csr_array(values.astype(np.float32))
