# SPDX-License-Identifier: BSD-3-Clause
"""Keras models in files as encoders."""

from os import PathLike
from typing import Any

from numpy.typing import ArrayLike, NDArray

from .._engine._state import engine
from ._loaded_once import LoadedOnce, check_is_file, mean_over_places


class KerasModel(LoadedOnce):
    """Encode pictures, sounds or other arrays by a Keras model in a file.

    Use it for a network that you or others trained and saved with ``model.save``. It is loaded when
    it is first called, and saved estimators hold its path only.

    Parameters
    ----------
    path : str or path
        The file, whose name ends in ".keras".
    layer : str, default=None
        The name of the layer whose output is the vector: often the layer before the output of a
        classifier. None means the output of the model. An output with several axes is averaged over
        all but the first and the last.

    See Also
    --------
    OnnxModel : A model in an ONNX file.
    PretrainedEncoder : Calls it in batches, once for each distinct content.
    CNNEncoder : Learns from your own pictures or sounds.

    Examples
    --------
    >>> from sktransrec.content import KerasModel
    >>> pictures = ItemFeatures(images)  # doctest: +SKIP
    >>> pictures.encoded(KerasModel("shoes.keras", layer="features"))  # doctest: +SKIP
    ItemFeatures(2 items, numbers of shape (2, 128))
    """

    def __init__(self, path: str | PathLike[str], *, layer: str | None = None) -> None:
        self.path = path
        self.layer = layer

    def __call__(self, arrays: ArrayLike) -> NDArray[Any]:
        """Return the vectors of arrays.

        Parameters
        ----------
        arrays : array-like of shape (n_arrays, ...)
            What the model takes, such as pictures.

        Returns
        -------
        vectors : ndarray of shape (n_arrays, n_features)
        """
        return mean_over_places(self._loaded()(arrays))

    def _load(self):
        check_is_file(self.path, "path")
        return engine().load_model(self.path, self.layer)
