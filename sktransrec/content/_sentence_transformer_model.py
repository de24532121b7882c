# SPDX-License-Identifier: BSD-3-Clause
"""Encoders of the library sentence-transformers, by their name or folder."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from numpy.typing import NDArray

from .._extras import asks_to_install
from ._loaded_once import LoadedOnce


class SentenceTransformerModel(LoadedOnce):
    """Encode texts by a model of the library sentence-transformers.

    Use it instead of the method `encode` of a loaded model, so that the model is loaded when it is
    first called, and saved estimators hold its name only. It needs the package
    sentence-transformers.

    Parameters
    ----------
    path : str or path
        The folder of a saved model, or the name of one that the library finds.
    prompt : str, default=""
        What to put before each text. Some models ask for one: those of the E5 family for "query: ",
        if similar texts are to be found.
    device : str, default=None
        Where to compute, such as "cpu" or "cuda"; None lets the library choose.

    See Also
    --------
    OnnxModel : A model in an ONNX file.
    PretrainedEncoder : Calls it in batches, once for each distinct text.

    Examples
    --------
    >>> from sktransrec import ItemFeatures
    >>> from sktransrec.content import SentenceTransformerModel
    >>> titles = ItemFeatures(["green tea", "old film"])
    >>> encoder = SentenceTransformerModel("intfloat/multilingual-e5-small", prompt="query: ")
    >>> titles.encoded(encoder, memory="vectors")  # doctest: +SKIP
    ItemFeatures(2 items, numbers of shape (2, 384))
    """

    def __init__(
        self, path: str | PathLike[str], *, prompt: str = "", device: str | None = None
    ) -> None:
        self.path = path
        self.prompt = prompt
        self.device = device

    def __call__(self, texts: Sequence[str]) -> NDArray[Any]:
        """Return the vectors of texts.

        Parameters
        ----------
        texts : sequence of str
            The texts.

        Returns
        -------
        vectors : ndarray of shape (n_texts, n_features)
        """
        texts = [self.prompt + text for text in texts]
        return self._loaded().encode(texts, batch_size=len(texts), show_progress_bar=False)

    def _load(self):
        with asks_to_install(
            "SentenceTransformerModel needs the package sentence-transformers: "
            'pip install "sktransrec[text]"'
        ):
            from sentence_transformers import SentenceTransformer

        return SentenceTransformer(str(self.path), device=self.device)
