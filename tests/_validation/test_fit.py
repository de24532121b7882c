# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest

from sktransrec._validation import restores_on_error


class Learner:
    """Learns what it is given, and more before it fails."""

    def __init__(self):
        self.kept_ = np.zeros(2)

    @restores_on_error
    def fit(self, value):
        """Learn a value."""
        self.kept_ = self.new_ = np.array([1.0, value])
        if value < 0:
            raise KeyboardInterrupt
        return self


def test_what_was_learned_is_kept_if_all_went_well():
    assert Learner().fit(2.0).new_[1] == 2
    assert Learner.fit.__doc__ == "Learn a value."


@pytest.mark.parametrize(("value", "error"), [(-1.0, KeyboardInterrupt), (np.nan, ValueError)])
def test_any_error_leaves_the_attributes_as_they_were(value, error):
    learner = Learner()
    before = learner.kept_
    with pytest.raises(error):
        learner.fit(value)
    assert list(vars(learner)) == ["kept_"]
    assert learner.kept_ is before
