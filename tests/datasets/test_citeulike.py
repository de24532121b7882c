# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sktransrec.datasets import load_citeulike


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "citeulike_t"
    folder.mkdir()
    files = {
        "users.dat": "2 0 2\n1 1\n",
        "mult.dat": "2 1:3 0:1\n0\n1 1:12\n",
        "vocabulary.dat": "ridge\nfactor\n",
        "tag-item.dat": "1 2\n2 0 1\n0\n",
        "tags.dat": "matrix\nstatistics\nnaïve\n",
        "citations.dat": "1 2\n0\n2 0 1\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_matrices_and_names(folder):
    papers = load_citeulike(data_home=folder.parent)
    assert_array_equal(papers.interactions.toarray(), [[1, 0, 1], [0, 1, 0]])
    assert_array_equal(papers.words.toarray(), [[1, 3], [0, 0], [0, 12]])
    assert_array_equal(papers.vocabulary, ["ridge", "factor"])
    assert_array_equal(papers.tags.toarray(), [[0, 1, 0], [0, 1, 0], [1, 0, 0]])
    assert_array_equal(papers.tag_names, ["matrix", "statistics", "naïve"])
    assert_array_equal(papers.citations.toarray(), [[0, 0, 1], [0, 0, 0], [1, 1, 0]])
    for key in ("interactions", "words", "tags", "citations"):
        assert papers[key].dtype == np.float32
        assert papers[key].has_canonical_format


@pytest.mark.parametrize(("name", "text"), [("users.dat", "1 0\n2 1\n"), ("mult.dat", "1 1 3 2\n")])
def test_wrong_counts_are_named(name, text, folder):
    (folder / name).write_text(text)
    with pytest.raises(ValueError, match=rf"Line . of .*{name}"):
        load_citeulike(data_home=folder.parent)


@pytest.mark.data
def test_real_papers(data_home):
    papers = load_citeulike(data_home=data_home)
    assert papers.interactions.shape == (7_947, 25_975)
    assert papers.interactions.nnz == 134_860
    assert papers.words.shape == (25_975, 20_000)
    assert len(papers.vocabulary) == 20_000
    assert papers.tags.shape == (25_975, len(papers.tag_names)) == (25_975, 52_946)
    assert papers.citations.shape == (25_975, 25_975)
    assert papers.words[0, [10_620, 15_112]].toarray().tolist() == [1, 4]
