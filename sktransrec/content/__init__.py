"""What items are like: texts, pictures, sounds and numbers, and pretrained encoders of these."""

from ._encoder import PretrainedEncoder
from ._item_features import ItemFeatures

__all__ = ["ItemFeatures", "PretrainedEncoder"]
