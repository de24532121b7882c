import numpy as np

from sktransrec._engine._adam import fused_adam_class
from sktransrec._engine._state import engine


def test_adam_takes_the_steps_of_keras():
    engine()
    import keras
    import tensorflow as tf

    start = np.random.RandomState(0).standard_normal((4, 3)).astype(np.float32)
    optimizers = [keras.optimizers.Adam(0.05), fused_adam_class()(0.05)]
    variables = [keras.Variable(start) for _ in optimizers]
    for step in range(5):
        for optimizer, variable in zip(optimizers, variables, strict=True):
            optimizer.apply([tf.sin(variable.value * (step + 1))], [variable])
    expected, actual = (variable.numpy() for variable in variables)
    assert np.abs(expected - start).max() > 0.1
    np.testing.assert_allclose(actual, expected, atol=1e-5)
