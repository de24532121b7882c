# SPDX-License-Identifier: BSD-3-Clause
"""A network that reads a row of either domain, or of both, and ranks the items of both."""

from os import PathLike
from typing import ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.stats import loguniform

from ..._engine._denoising import with_code_noise
from ..._engine._objectives import DomainTargets
from ..._engine._parameters import shares_parameters
from ..._numerics._row_totals import row_lengths
from ..._typing import Estimator
from ..._validation import AT_LEAST_0, FROM_0_TO_1
from .._two_domains import TwoDomainRecommender
from ._towers import TowerRecommender, known_shares


@shares_parameters
class TwoTowerAutoencoderRecommender(TowerRecommender, TwoDomainRecommender):
    r"""Recommend target items to users known in either domain or in both, by a network.

    Use it when some users are known in the source, some in the target and some in both, and you
    have much data. Try `CollectiveMFRecommender` first, which is its linear counterpart. It is an
    in-domain recommender on ``hstack([X_source, X_target])``. Each domain has an encoder, and the
    code of a row is the mean over the domains that know it. From this code, the network decodes
    the items of both domains, each with a multinomial likelihood (Mult-VAE [1]_). It recommends
    the items of the target. Rows may be known in only one domain, in `fit` and in `recommend`. It
    is a transformer as well: `transform` returns the codes.

    Parameters
    ----------
    target_columns : array-like of int, mask of shape (n_features,) or slice
        The columns of X that hold the target, in ascending order; all others hold the source.
    activation : str, default="tanh"
        Activation of the hidden layers and, unless the network is variational, of the features:
        "elu", "gelu", "leaky_relu", "linear", "relu", "selu", "sigmoid", "silu", "softplus" or
        "tanh".
    target_dropout : float, default=0.3
        Training hides the target from the input of this share of the rows known in both domains,
        from 0 to 1. So the network learns to serve cold rows, which have the source only.
    source_weight : float, default=0.5
        Weight of the source's likelihood, relative to that of the target, at least 0.

    Attributes
    ----------
    item_factors_ : ndarray of shape (n_items_, n_components), dtype float32
        The vectors of the target's items, from the weights of the output layer.
    item_bias_ : ndarray of shape (n_items_,), dtype float32
        The biases of these items.
    n_items_ : int
        Number of items that can be recommended, those of the target.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows that have each item; an empty row gets these as its scores.
    n_features_in_ : int
        Number of columns of X seen in `fit`.

    See Also
    --------
    CollectiveMFRecommender : Linear, under the squared error, by alternating least squares.
    CrossDomainAutoencoderRecommender : From the source to the target only.

    Notes
    -----
    Let z be the code of a row, the mean of the codes from the domains d that know it. Let
    :math:`x^d` be its interactions in domain d, and :math:`v_i` and :math:`b_i` the vectors and
    biases of the items. The objective is the mean over the rows of

    .. math:: -\sum_d \alpha_d \sum_{i \in d} x^d_i
        \log \frac{\exp(z^\top v_i + b_i)}{\sum_{j \in d} \exp(z^\top v_j + b_j)},

    where :math:`\alpha_d` is `source_weight` in the source and 1 in the target, plus
    `regularization` times the squares of all kernels. In a variational network, codes are normal
    with means m and standard deviations s, and the objective also contains `kl_weight` times
    :math:`\frac{1}{2} \sum_k m_k^2 + s_k^2 - 1 - 2 \log s_k`. The means and the logarithms of the
    deviations are averaged over the domains in the same way.

    The score of an item is :math:`z^\top v_i + b_i`. Each domain has its own softmax.

    The learning rate changes as in the Notes of `Autoencoder`.

    A training step costs O(batch_size * n_features_in_ * n_components), since it scores the items
    of both domains, and the update of the weights O(n_features_in_ * n_components). X is read one
    batch at a time, as sparse tensors. With an int `random_state`, the result is the same to the
    last bit in each run on one machine, and no global state is read or changed. A row that was not
    in `fit` is encoded like all others; an empty row gets the popularity. A fitted recommender
    runs in numpy: only training needs TensorFlow.

    References
    ----------
    .. [1] D. Liang, R. G. Krishnan, M. D. Hoffman and T. Jebara, "Variational autoencoders for
       collaborative filtering", WWW 2018. :arxiv:`1802.05814`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import TwoTowerAutoencoderRecommender
    >>> X_source = [[1, 0], [1, 0], [0, 1], [0, 1]]
    >>> X_target = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    >>> model = TwoTowerAutoencoderRecommender(
    ...     slice(2, None), n_components=2, learning_rate=0.2, epochs=5, run_eagerly=True,
    ...     random_state=0,
    ... ).fit(np.hstack([X_source, X_target]))
    >>> cold_row = [[0, 1, 0, 0, 0, 0]]
    >>> items, _ = model.recommend(cold_row, n_recommendations=2)
    >>> sorted(items[0].tolist())
    [2, 3]
    """

    _parameter_constraints: dict = {"target_dropout": FROM_0_TO_1, "source_weight": AT_LEAST_0}

    search_distributions: ClassVar = {
        **TowerRecommender.search_distributions,
        "source_weight": loguniform(0.01, 1),
    }

    def __init__(
        self,
        target_columns: ArrayLike | slice,
        n_components: int = 64,
        *,
        hidden_layer_sizes: tuple[int, ...] = (),
        kind: Literal["denoising", "variational"] = "denoising",
        activation: str = "tanh",
        normalize: bool = True,
        input_dropout: float = 0.5,
        target_dropout: float = 0.3,
        source_weight: float = 0.5,
        kl_weight: float = 0.2,
        kl_annealing_epochs: int = 20,
        regularization: float = 0.0,
        optimizer: Literal["adagrad", "adam", "adamw", "nadam", "rmsprop", "sgd"] = "adam",
        learning_rate: float = 1e-3,
        learning_rate_schedule: Literal["adaptive", "constant", "cosine"] = "constant",
        warmup_epochs: int = 0,
        epochs: int = 50,
        batch_size: int = 128,
        validation_fraction: float = 0.0,
        patience: int = 10,
        pretrained: Estimator | None = None,
        trainable: Literal["all", "head"] | int = "all",
        unfreeze_every: int | None = None,
        layer_decay: float | Literal["auto"] | None = None,
        l2_sp: float = 0.0,
        warm_start: bool = False,
        checkpoint_folder: str | PathLike[str] | None = None,
        run_eagerly: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.target_columns = target_columns
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.kind = kind
        self.activation = activation
        self.normalize = normalize
        self.input_dropout = input_dropout
        self.target_dropout = target_dropout
        self.source_weight = source_weight
        self.kl_weight = kl_weight
        self.kl_annealing_epochs = kl_annealing_epochs
        self.regularization = regularization
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.warmup_epochs = warmup_epochs
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.pretrained = pretrained
        self.trainable = trainable
        self.unfreeze_every = unfreeze_every
        self.layer_decay = layer_decay
        self.l2_sp = l2_sp
        self.warm_start = warm_start
        self.checkpoint_folder = checkpoint_folder
        self.run_eagerly = run_eagerly
        self.random_state = random_state
        self.verbose = verbose

    @property
    def item_factors_(self) -> NDArray[np.float32]:
        """The vectors of the target's items, from the kernel of the output layer."""
        return super().item_factors_[self._columns_of_domains[1]]

    @property
    def item_bias_(self) -> NDArray[np.float32]:
        """The biases of the target's items."""
        return super().item_bias_[self._columns_of_domains[1]]

    def _rows_to_learn(self, X, *, reset):
        if reset:
            self._find_domains(X)
        return self._stacked(X), None

    def _row_factors(self, X):
        return super()._row_factors(self._stacked(X))

    def _check_fit_rows(self, X, y, *, reset):
        return X, None

    def _domains(self, X):
        return [X[:, columns] for columns in self._columns_of_domains]

    def _batch(self, X, y, rng, progress):
        source, target = self._domains(X)
        known = target if rng is None else self._partly_hidden(source, target, rng)
        targets = DomainTargets(source, target, np.float32(self.source_weight))
        inputs = [self._read(rows, rng) for rows in (source, known)]
        inputs.append(known_shares([source, known]))
        return with_code_noise(self, inputs, {"output": targets}, rng, progress)

    def _partly_hidden(self, source, target, rng):
        """Return the rows of the target; some rows that the source knows become empty."""
        is_kept = rng.uniform(size=source.shape[0]) >= self.target_dropout
        is_kept |= row_lengths(source) == 0
        kept = sp.csr_array(sp.diags_array(is_kept.astype(np.float32)) @ target)
        kept.eliminate_zeros()
        return kept

    def _inputs(self, part, rows):
        domains = self._domains(rows)
        return [*(self._read(rows, None) for rows in domains), known_shares(domains)]
