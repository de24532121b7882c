# SPDX-License-Identifier: BSD-3-Clause
"""ONNX files as encoders."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._extras import asks_to_install
from ._loaded_once import LoadedOnce, check_is_file, mean_over_places


class OnnxModel(LoadedOnce):
    """Encode texts, pictures or other arrays by a model in an ONNX file.

    Use it for language models without PyTorch, and for networks of any library. It is loaded when
    it is first called, and saved estimators hold its path only. It needs the package onnxruntime,
    and for a file of a tokenizer the package tokenizers.

    Parameters
    ----------
    path : str or path
        The file.
    tokenizer : str, path or callable, default=None
        Makes the inputs of a language model from texts: the file "tokenizer.json" that comes with
        most of them, or a function from a list of texts to a dict from the names of inputs to
        arrays. The dict must hold "attention_mask" if the model has a vector for each token. None
        passes arrays to the first input, as float32 or whatever type it has.
    prompt : str, default=""
        What to put before each text, such as "query: ".
    max_length : int, default=256
        Number of tokens that a file of a tokenizer keeps of each text.

    See Also
    --------
    SentenceTransformerModel : The same models by the library sentence-transformers.
    PretrainedEncoder : Calls it in batches, once for each distinct content.

    Notes
    -----
    The vectors are the first output of the model. If it has one for each token, they are averaged
    over the tokens that are not padding, or over all places of a picture.

    Examples
    --------
    >>> from sktransrec import ItemFeatures
    >>> from sktransrec.content import OnnxModel
    >>> encoder = OnnxModel("minilm/model.onnx", tokenizer="minilm/tokenizer.json")
    >>> titles = ItemFeatures(["green tea", "old film"])
    >>> titles.encoded(encoder, memory="vectors")  # doctest: +SKIP
    ItemFeatures(2 items, numbers of shape (2, 384))
    """

    _paths = ("path", "tokenizer")

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        tokenizer: str | PathLike[str] | Callable[..., Any] | None = None,
        prompt: str = "",
        max_length: int = 256,
    ) -> None:
        self.path = path
        self.tokenizer = tokenizer
        self.prompt = prompt
        self.max_length = max_length

    def __call__(self, contents: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
        """Return the vectors of texts or arrays.

        Parameters
        ----------
        contents : sequence of str, or array-like of shape (n_arrays, ...)
            Texts if there is a tokenizer, else what the model takes.

        Returns
        -------
        vectors : ndarray of shape (n_contents, n_features)
        """
        session, tokenize = self._loaded()
        first, *_ = inputs = session.get_inputs()
        if tokenize is None:
            if any(isinstance(content, str) for content in contents):
                raise ValueError(
                    f"{self!r} has no tokenizer, and its input holds texts: pass the file "
                    '"tokenizer.json" of the model as tokenizer.'
                )
            values = np.asarray(contents, dtype=_dtype(first))
            return mean_over_places(session.run(None, {first.name: values})[0])
        tokens = tokenize([self.prompt + text for text in contents])
        feeds = {each.name: np.asarray(tokens[each.name], dtype=_dtype(each)) for each in inputs}
        outputs = session.run(None, feeds)[0]
        return _mean_over_tokens(outputs, tokens) if outputs.ndim == 3 else outputs

    def _load(self):
        check_is_file(self.path, "path")
        with asks_to_install('OnnxModel needs onnxruntime: pip install "sktransrec[text]"'):
            from onnxruntime import InferenceSession

        tokenize = self.tokenizer
        if not (tokenize is None or callable(tokenize)):
            tokenize = _tokenizer(tokenize, self.max_length)
        return InferenceSession(str(self.path)), tokenize


def _dtype(of_input):
    """Return the numpy type of an input of a session."""
    return {"tensor(int64)": np.int64, "tensor(int32)": np.int32}.get(of_input.type, np.float32)


def _mean_over_tokens(outputs, tokens):
    is_token = np.asarray(tokens["attention_mask"], dtype=np.float32)[..., None]
    return (outputs * is_token).sum(axis=1) / np.maximum(is_token.sum(axis=1), 1)


def _tokenizer(path, max_length):
    """Return a function from texts to the inputs of a language model."""
    check_is_file(path, "tokenizer")
    with asks_to_install('A tokenizer.json needs tokenizers: pip install "sktransrec[text]"'):
        from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_padding()
    tokenizer.enable_truncation(max_length)

    def tokenize(texts):
        rows = tokenizer.encode_batch(texts)
        return {
            "input_ids": [row.ids for row in rows],
            "attention_mask": [row.attention_mask for row in rows],
            "token_type_ids": [row.type_ids for row in rows],
        }

    return tokenize
