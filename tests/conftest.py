import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# A busy machine fails no test by being slow.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def data_home():
    """Return the folder of the real data sets, or skip the test."""
    folder = os.environ.get("SKTRANSREC_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SKTRANSREC_DATA does not name the folder of the real data sets")
    return Path(folder)
