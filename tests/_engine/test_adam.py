# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest

from sktransrec._engine._adam import fused_adam_class
from sktransrec._engine._state import engine


@pytest.mark.parametrize("has_few_rows", [False, True])
def test_adam_takes_the_steps_of_keras(has_few_rows):
    """Where a gradient comes as rows, some of them twice, too: here all rows have one."""
    engine()
    import keras
    import tensorflow as tf

    rows = [0, 2, 1, 3, 2]

    start = np.random.RandomState(0).standard_normal((4, 3)).astype(np.float32)
    optimizers = [keras.optimizers.Adam(0.05), fused_adam_class()(0.05)]
    variables = [keras.Variable(start) for _ in optimizers]
    for step in range(5):
        for optimizer, variable in zip(optimizers, variables, strict=True):
            gradient = tf.sin(variable.value * (step + 1))
            if has_few_rows and optimizer is not optimizers[0]:
                halved = gradient * [[1.0], [1.0], [0.5], [1.0]]
                gradient = tf.IndexedSlices(tf.gather(halved, rows), rows)
            optimizer.apply([gradient], [variable])
    expected, actual = (variable.numpy() for variable in variables)
    assert np.abs(expected - start).max() > 0.1
    np.testing.assert_allclose(actual, expected, atol=1e-5)
