"""Feature learners: neural networks that are scikit-learn transformers."""

from ._autoencoder import Autoencoder

__all__ = ["Autoencoder"]
