# SPDX-License-Identifier: BSD-3-Clause
"""What items are like: texts, pictures, sounds and numbers, and pretrained encoders of these."""

from ._encoder import PretrainedEncoder
from ._item_features import ItemFeatures
from ._keras_model import KerasModel
from ._onnx_model import OnnxModel
from ._sentence_transformer_model import SentenceTransformerModel

__all__ = [
    "ItemFeatures",
    "KerasModel",
    "OnnxModel",
    "PretrainedEncoder",
    "SentenceTransformerModel",
]
