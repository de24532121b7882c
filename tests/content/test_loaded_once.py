# SPDX-License-Identifier: BSD-3-Clause
import os
import pickle
from pathlib import Path

import pytest

from sktransrec.content._loaded_once import LoadedOnce, check_is_file


class Scale(LoadedOnce):
    """An encoder whose network is the number in a file."""

    loads = 0

    def __init__(self, path, *, offset=0):
        self.path = path
        self.offset = offset

    def _load(self):
        Scale.loads += 1
        return float(Path(self.path).read_text())

    def __call__(self, values):
        return values * self._loaded() + self.offset


def test_the_network_is_loaded_once_when_it_is_called_and_never_saved(tmp_path):
    (tmp_path / "network").write_text("3")
    scale = Scale(tmp_path / "network", offset=1)
    before = Scale.loads
    assert [scale(2), scale(3)] == [7, 10]
    assert Scale.loads == before + 1
    loaded = pickle.loads(pickle.dumps(scale))
    assert set(vars(loaded)) == {"path", "offset"}
    assert loaded(2) == 7
    assert "offset=1" in repr(scale)


def test_a_changed_file_is_another_encoder(tmp_path):
    path = tmp_path / "network"
    path.write_text("3")
    first = Scale(path).identity()
    assert first == Scale(path).identity() != Scale(path, offset=1).identity()
    assert Scale(tmp_path).identity() == Scale(tmp_path).identity()
    os.utime(path, (0, 0))
    assert Scale(path).identity() != first
    path.unlink()
    assert Scale(path).identity() not in (first, Scale(tmp_path).identity())


def test_a_file_that_has_changed_is_loaded_again(tmp_path):
    path = tmp_path / "network"
    path.write_text("3")
    scale = Scale(path)
    assert scale(2) == 6
    path.write_text("5.0")
    os.utime(path, (0, 0))
    assert scale(2) == Scale(path)(2) == 10


def test_settings_that_have_changed_load_again_and_a_file_that_went_away_does_not(tmp_path):
    path = tmp_path / "network"
    path.write_text("3")
    scale = Scale(path)
    before = Scale.loads
    assert [scale(2), scale(2)] == [6, 6]
    path.unlink()
    assert scale(2) == 6
    assert Scale.loads == before + 1
    path.write_text("4")
    scale.offset = 1
    assert scale(2) == 9


class Shifted(Scale):
    """The number in a file, and another one in a second file."""

    _paths = ("path", "shift")

    def __init__(self, path, shift):
        super().__init__(path)
        self.shift = shift

    def _load(self):
        return super()._load() + float(Path(self.shift).read_text())


def test_all_files_of_an_encoder_are_looked_at(tmp_path):
    path, shift = tmp_path / "network", tmp_path / "shift"
    path.write_text("3")
    shift.write_text("1")
    shifted = Shifted(path, shift)
    assert shifted(2) == 8
    shift.write_text("2.0")
    assert shifted(2) == 10
    path.unlink()
    assert shifted(2) == 10


def test_a_path_that_is_no_file_is_named(tmp_path):
    check_is_file(__file__, "path")
    for path in (tmp_path, str(tmp_path / "m.onnx")):
        with pytest.raises(FileNotFoundError, match=r"tokenizer=.* is not a file"):
            check_is_file(path, "tokenizer")
