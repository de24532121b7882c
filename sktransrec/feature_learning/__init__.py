# SPDX-License-Identifier: BSD-3-Clause
"""Feature learners: neural networks that are scikit-learn transformers."""

from .._engine._fine_tuning import TransferredLayer
from ._adversarial import DomainAdversarialAutoencoder
from ._autoencoder import Autoencoder
from ._cnn import CNNEncoder
from ._rnn import RNNEncoder
from ._text import TextEncoder

__all__ = [
    "Autoencoder",
    "CNNEncoder",
    "DomainAdversarialAutoencoder",
    "RNNEncoder",
    "TextEncoder",
    "TransferredLayer",
]
