# SPDX-License-Identifier: BSD-3-Clause
import copy
import pickle

import pytest

import sktransrec
from sktransrec._version_stamp import VersionStampMixin


class Saved(VersionStampMixin):
    """Something that users save."""


def saved_by(version, monkeypatch):
    item = Saved()
    item.value = [1, 2]
    with monkeypatch.context() as patch:
        patch.setattr(sktransrec, "__version__", version)
        return pickle.dumps(item)


def test_the_same_version_loads_in_silence_and_the_stamp_is_no_attribute(monkeypatch):
    loaded = pickle.loads(saved_by(sktransrec.__version__, monkeypatch))
    assert vars(loaded) == {"value": [1, 2]}
    assert vars(copy.deepcopy(loaded)) == {"value": [1, 2]}


def test_another_version_is_named_with_the_cure(monkeypatch):
    data = saved_by("0.0.7", monkeypatch)
    with pytest.warns(UserWarning, match=r"Saved was saved by sktransrec 0\.0\.7 .*==0\.0\.7"):
        loaded = pickle.loads(data)
    assert loaded.value == [1, 2]


def test_a_state_without_a_stamp_is_of_an_old_version():
    with pytest.warns(UserWarning, match="an old sktransrec that notes no version"):
        Saved().__setstate__({"value": 1})
