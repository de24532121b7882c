# SPDX-License-Identifier: BSD-3-Clause
"""Texts to padded sequences of token ids."""

import functools
import re
from collections.abc import Callable, Collection, Iterable
from itertools import islice
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer

from .._validation import (
    COUNT,
    StrOptions,
    check_array,
    check_documents,
    check_is_fitted,
    validated_fit,
)
from .._version_stamp import VersionStampMixin
from ._scripts import mixed_tokens, normalized, word_pattern

_UNKNOWN = 1
_FIRST_TOKEN = 2

# Parameters that are passed on to CountVectorizer.
_SHARED_PARAMETERS = (
    *("ngram_range", "lowercase", "strip_accents"),
    *("min_df", "max_df", "max_features"),
)


class TextSequences(
    VersionStampMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    r"""Encode texts as rows of token ids, padded to one length, for networks that read texts.

    Use it in front of `CNNEncoder` or `RNNEncoder`. If you do not need the order of the words, try
    :class:`~sklearn.feature_extraction.text.TfidfVectorizer` first. `fit` learns the vocabulary.
    `transform` replaces each token by its id and keeps the order. The texts may be in any language,
    or in several languages at once. If a language has no spaces between words, use pairs of
    characters (``analyzer="mixed"``), character n-grams or a segmenter.

    Parameters
    ----------
    analyzer : {"word", "mixed", "char", "char_wb"} or callable, default="word"
        What a token is: a word, a character n-gram ("char"), a character n-gram inside a word
        ("char_wb"), or an element of the list that a callable returns for a text, such as a
        segmenter. A callable gets the text after `normalization` and without any other change.
        "mixed" is for texts of several scripts, also within one text. Its tokens are words where
        spaces separate them, and pairs of neighbouring characters in Chinese, Japanese, Thai, Lao,
        Khmer and Burmese, as in [1]_; a single character is a token too.
    ngram_range : tuple of (int, int), default=(1, 1)
        The smallest and the largest n of the n-grams of words or characters. With (n, n), they are
        in the order of the text. Otherwise, all n-grams of one n come before those of the next n;
        with "char_wb", this is so within each word.
    token_pattern : str, default=None
        Regular expression of a word, for ``analyzer="word"``. None means one or more letters,
        digits and underscores, with their marks.
    lowercase : bool, default=True
        Whether to turn all letters into lower case.
    strip_accents : {"ascii", "unicode"} or callable, default=None
        Whether to remove the accents of letters; see
        :class:`~sklearn.feature_extraction.text.CountVectorizer`. "ascii" removes all letters that
        are not Latin. None keeps accents.
    normalization : {"NFC", "NFD", "NFKC", "NFKD"} or None, default="NFKC"
        The Unicode form of texts and stop words, so that a word has one spelling. "NFKC" turns
        full-width letters, ligatures and the presentation forms of Arabic into plain letters.
        Invisible signs are removed, such as soft hyphens, joiners and marks of direction. The
        zero-width space stays, because it separates words. None changes nothing.
    stop_words : "english", collection of str or callable, default=None
        Words to leave out, for the analyzers "word" and "mixed": "english" for the list of
        scikit-learn, a list or set of words of any languages, or a function from a word to whether
        it is a stop word. Words are compared after `lowercase` and `strip_accents`, so write the
        stop words in this form. None leaves out no words.
    min_df : int or float, default=1
        Tokens in fewer documents of `fit` are unknown. A float is a share of the documents.
    max_df : int or float, default=1.0
        Tokens in more documents of `fit` are unknown, likewise.
    max_features : int, default=None
        Keep this many tokens, the most frequent ones; the others are unknown. None keeps all.
    max_length : int, default=None
        Number of tokens of a row. Longer documents keep their first tokens. None means the length
        of the longest document of `fit`, so a single very long document makes all rows wide.

    Attributes
    ----------
    vocabulary_ : dict
        The id of each token, from 2 on, in the order of the sorted tokens.
    max_length_ : int
        Number of columns that `transform` returns.

    See Also
    --------
    InteractionEncoder.sequences : Histories of items in the same form.
    sklearn.feature_extraction.text.CountVectorizer : Counts of the same tokens, without order.

    Notes
    -----
    Id 0 is padding at the end of a row. Id 1 is a token that is not in the vocabulary, in its place
    in the text. Ids from 2 to ``len(vocabulary_) + 1`` are the tokens. Stop words leave no gap. A
    document without tokens is a row of zeros.

    With ``min_df=1`` and no other limit, `fit` sees no unknown token, so a network learns nothing
    about id 1. Set `min_df` to 2 or more: then rare words teach the network what an unknown word is
    like.

    The vocabulary is that of :class:`~sklearn.feature_extraction.text.CountVectorizer`, and common
    parameters mean the same. Only the default of `token_pattern` differs. The default of
    scikit-learn uses ``\w``, which does not match the vowel signs and other marks on letters in
    most scripts of South and Southeast Asia, and sometimes in Arabic and Hebrew. It would cut words
    at these marks.

    `fit` reads the texts twice, `transform` once. The result is deterministic.

    References
    ----------
    .. [1] J.-Y. Nie, J. Gao, J. Zhang and M. Zhou, "On the use of words and n-grams for Chinese
       information retrieval", IRAL 2000. :doi:`10.1145/355214.355235`

    Examples
    --------
    >>> from sktransrec.preprocessing import TextSequences
    >>> titles = ["The Thing", "The Return of the Thing", "返回"]
    >>> encoder = TextSequences(min_df=2).fit(titles)
    >>> encoder.vocabulary_
    {'the': 2, 'thing': 3}
    >>> encoder.transform(["Return of the Thing!", ""])
    array([[1, 1, 2, 3, 0],
           [0, 0, 0, 0, 0]], dtype=int32)
    >>> TextSequences(analyzer="char", max_length=3).fit_transform(["返回", "回"])
    array([[3, 2, 0],
           [2, 0, 0]], dtype=int32)
    """

    vocabulary_: dict[str, Any]
    max_length_: int

    _parameter_constraints: dict = {
        **{name: CountVectorizer._parameter_constraints[name] for name in _SHARED_PARAMETERS},
        "analyzer": [StrOptions({"word", "mixed", "char", "char_wb"}), callable],
        "token_pattern": [str, None],
        "normalization": [StrOptions({"NFC", "NFD", "NFKC", "NFKD"}), None],
        "stop_words": [StrOptions({"english"}), list, tuple, set, frozenset, callable, None],
        "max_length": [*COUNT, None],
    }

    def __init__(
        self,
        *,
        analyzer: Literal["word", "mixed", "char", "char_wb"] | Callable[[str], Any] = "word",
        ngram_range: tuple[int, int] = (1, 1),
        token_pattern: str | None = None,
        lowercase: bool = True,
        strip_accents: Literal["ascii", "unicode"] | Callable[[str], str] | None = None,
        normalization: Literal["NFC", "NFD", "NFKC", "NFKD"] | None = "NFKC",
        stop_words: Literal["english"] | Collection[str] | Callable[[str], Any] | None = None,
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        max_length: int | None = None,
    ) -> None:
        self.analyzer = analyzer
        self.ngram_range = ngram_range
        self.token_pattern = token_pattern
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.normalization = normalization
        self.stop_words = stop_words
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.max_length = max_length

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags

    @property
    def _n_features_out(self):
        return self.max_length_

    def fit(self, X: Iterable[str], y: Any = None) -> Self:
        """Learn the vocabulary, and the length of the rows if `max_length` is None.

        Parameters
        ----------
        X : iterable of str of length n_documents
            Texts: a list, a 1-D array or a column of a table.
        y : Ignored
            Present for the pipelines of scikit-learn.

        Returns
        -------
        self : object
        """
        self.fit_transform(X)
        return self

    @validated_fit
    def fit_transform(self, X: Iterable[str], y: Any = None) -> NDArray[Any]:
        """Learn the vocabulary and encode the texts.

        Parameters
        ----------
        X : iterable of str of length n_documents
            Texts: a list, a 1-D array or a column of a table.
        y : Ignored
            Present for the pipelines of scikit-learn.

        Returns
        -------
        sequences : ndarray of shape (n_documents, max_length_), dtype int32
        """
        documents = self._normalized(check_documents(X))
        columns = self._vectorizer().fit(documents).vocabulary_
        tokens = sorted(columns, key=columns.get)
        self.vocabulary_ = {token: i for i, token in enumerate(tokens, start=_FIRST_TOKEN)}
        ids = self._token_ids(documents, self.max_length)
        self.max_length_ = self.max_length or max(map(len, ids))
        return self._padded(ids)

    def transform(self, X: Iterable[str]) -> NDArray[Any]:
        """Encode texts.

        Parameters
        ----------
        X : iterable of str of length n_documents
            Texts, seen in `fit` or not.

        Returns
        -------
        sequences : ndarray of shape (n_documents, max_length_), dtype int32
            Token ids, padded with 0 at the end.
        """
        check_is_fitted(self)
        documents = self._normalized(check_documents(X))
        return self._padded(self._token_ids(documents, self.max_length_))

    def inverse_transform(self, X: ArrayLike) -> list[NDArray[Any]]:
        """Decode token ids.

        Parameters
        ----------
        X : array-like of int of shape (n_documents, length)
            Token ids.

        Returns
        -------
        tokens : list of ndarray of object
            The tokens of each document in their order, with None for unknown tokens and without
            padding.
        """
        check_is_fitted(self)
        X = check_array(X, dtype=None, input_name="X")
        n_ids = _FIRST_TOKEN + len(self.vocabulary_)
        is_integer = X.dtype.kind in "iu"
        if not is_integer or X.min() < 0 or X.max() >= n_ids:
            found = f"values from {X.min()} to {X.max()}" if is_integer else f"dtype {X.dtype}"
            raise ValueError(f"X must hold token ids, integers from 0 to {n_ids - 1}; got {found}.")
        tokens = np.array([None] * _FIRST_TOKEN + list(self.vocabulary_), dtype=object)
        return [tokens[row[row != 0]] for row in X]

    def build_analyzer(self) -> Callable[..., Any]:
        """Return the function from a text to its tokens, for use in other vectorisers.

        Returns
        -------
        analyzer : callable
            A function from str to list of str. It uses all parameters that concern a single text,
            and can be pickled if they can.

        See Also
        --------
        sklearn.feature_extraction.text.TfidfVectorizer : Takes it as its `analyzer`.

        Examples
        --------
        >>> from sklearn.feature_extraction.text import TfidfVectorizer
        >>> from sktransrec import TextSequences
        >>> words = TfidfVectorizer(analyzer=TextSequences(analyzer="mixed").build_analyzer())
        >>> words.fit(["ＤＵＮＥ：沙丘 2"]).get_feature_names_out().tolist()
        ['2', 'dune', '沙丘']
        """
        self._validate_params()
        return functools.partial(_tokens, self.normalization, self._vectorizer().build_analyzer())

    def _normalized(self, texts):
        """Return the texts in the Unicode form of `normalization`."""
        return [normalized(self.normalization, text) for text in texts]

    def _vectorizer(self):
        """Return the vectoriser that splits texts and selects tokens."""
        options = {name: getattr(self, name) for name in _SHARED_PARAMETERS}
        options["analyzer"] = "word" if self.analyzer == "mixed" else self.analyzer
        options["stop_words"] = self._stop_words()
        options["token_pattern"] = self._checked_pattern()
        if self.analyzer == "mixed":
            options["tokenizer"] = mixed_tokens
        elif self.analyzer == "word" and self.token_pattern is None:
            options["token_pattern"] = word_pattern()
        vectorizer = CountVectorizer(**options)
        if options["analyzer"] == "word" and callable(self.stop_words):
            tokenize = vectorizer.build_tokenizer()
            vectorizer.tokenizer = functools.partial(_words_kept, tokenize, self.stop_words)
            vectorizer.token_pattern = None
        return vectorizer

    def _checked_pattern(self):
        """Return the pattern of tokens; raise if it is not a regular expression."""
        try:
            re.compile(self.token_pattern or "")
        except re.error as error:
            raise ValueError(
                f"token_pattern={self.token_pattern!r} is not a regular expression: {error}. "
                "Put a backslash before a character that stands for itself."
            ) from error
        return self.token_pattern

    def _stop_words(self):
        """Return the stop words in the form that the vectoriser takes."""
        if self.stop_words is None or self.stop_words == "english":
            return self.stop_words
        if callable(self.stop_words):
            return []
        return self._normalized(self.stop_words)

    def _token_ids(self, documents, max_length):
        """Return the ids of the first `max_length` tokens of each document; None means all."""
        analyze = self._vectorizer().build_analyzer()
        return [
            [self.vocabulary_.get(token, _UNKNOWN) for token in islice(analyze(text), max_length)]
            for text in documents
        ]

    def _padded(self, ids):
        sequences = np.zeros((len(ids), self.max_length_), dtype=np.int32)
        for row, sequence in zip(sequences, ids, strict=True):
            row[: len(sequence)] = sequence
        return sequences


def _tokens(form, analyze, text):
    return analyze(normalized(form, text))


def _words_kept(tokenize, is_stop_word, text):
    return [word for word in tokenize(text) if not is_stop_word(word)]
