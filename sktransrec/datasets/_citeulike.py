# SPDX-License-Identifier: BSD-3-Clause
"""Loader of citeulike-t: users, the papers that they saved, and the words of the papers."""

from os import PathLike

import numpy as np
import scipy.sparse as sp
from sklearn.utils import Bunch

from ._base import find_data, indicator_matrix, read_integer_lists, read_lines

_ORIGIN = "https://github.com/js05212/citeulike-t"
_DESCR = (
    "The libraries of scientific papers that people kept on the site CiteULike, with the words of "
    "titles and abstracts (stop words left out, the 20,000 words with the highest tf-idf kept), "
    "the tags given to the papers, and their citations from Google Scholar: citeulike-t, collected "
    "by Wang, Chen and Li (IJCAI 2013) around 273 seed tags. No licence is stated."
)


def load_citeulike(*, data_home: str | PathLike[str] | None = None) -> Bunch:
    """Load citeulike-t: users and papers, with the words of the papers.

    Use it to recommend papers that nobody has saved yet.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder that holds ``citeulike_t`` (or ``citeulike-t``); see `get_data_home`.

    Returns
    -------
    papers : :class:`~sklearn.utils.Bunch`
        All matrices are float32 `csr_array`.

        interactions : csr_array of shape (n_users, n_papers)
            1 where the user saved the paper.
        words : csr_array of shape (n_papers, n_words)
            The number of times that the paper contains the word.
        vocabulary : ndarray of str of shape (n_words,)
            The words.
        tags : csr_array of shape (n_papers, n_tags)
            1 where the paper has the tag.
        tag_names : ndarray of str of shape (n_tags,)
            The tags.
        citations : csr_array of shape (n_papers, n_papers)
            1 where the file of citations lists the paper of the row with that of the column.
        DESCR : str
            The origin of the data.

    See Also
    --------
    load_movielens : Films with titles, genres and tags.

    References
    ----------
    .. [1] H. Wang, B. Chen and W.-J. Li, "Collaborative Topic Regression with Social
       Regularization for Tag Recommendation", IJCAI 2013.

    Examples
    --------
    To recommend new papers, the rows are papers: X holds their words, y the users who saved them.

    >>> from sktransrec.datasets import load_citeulike
    >>> papers = load_citeulike()  # doctest: +SKIP
    >>> X, y = papers.words, papers.interactions.T  # doctest: +SKIP
    >>> X.shape, y.shape  # doctest: +SKIP
    ((25975, 20000), (25975, 7947))
    """
    folder = find_data("citeulike_t", "citeulike-t", data_home=data_home, origin=_ORIGIN)
    vocabulary = np.array(read_lines(folder / "vocabulary.dat"))
    words = _read_counts(folder / "mult.dat", n_columns=len(vocabulary))
    n_papers = words.shape[0]
    tag_names = np.array(read_lines(folder / "tags.dat"))
    tags = _read_indicators(folder / "tag-item.dat", n_columns=n_papers).T.tocsr()
    return Bunch(
        interactions=_read_indicators(folder / "users.dat", n_columns=n_papers),
        words=words,
        vocabulary=vocabulary,
        tags=tags,
        tag_names=tag_names,
        citations=_read_indicators(folder / "citations.dat", n_columns=n_papers),
        DESCR=_DESCR,
    )


def _read_indicators(path, n_columns):
    """Return the indicator matrix of a file with lines "count column column ..."."""
    stated, columns, counts = read_integer_lists(path)
    _check_counts(stated, counts, path)
    rows = np.repeat(np.arange(len(counts)), counts)
    return indicator_matrix(rows, columns, (len(counts), n_columns))


def _read_counts(path, n_columns):
    """Return the matrix of a file with lines "count column:value column:value ..."."""
    stated, columns_and_values, counts = read_integer_lists(path)
    _check_counts(2 * stated, counts, path)
    indptr = np.concatenate(([0], np.cumsum(stated)))
    values = columns_and_values[1::2].astype(np.float32)
    matrix = sp.csr_array((values, columns_and_values[::2], indptr), (len(stated), n_columns))
    matrix.sum_duplicates()
    return matrix


def _check_counts(stated, found, path):
    wrong = np.flatnonzero(stated != found)
    if len(wrong):
        raise ValueError(
            f"Line {wrong[0] + 1} of {path} does not hold as many entries as it states."
        )
