# SPDX-License-Identifier: BSD-3-Clause
import pytest


@pytest.fixture
def pyplot():
    """Return pyplot without a screen; its figures are closed after the test."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")
