# SPDX-License-Identifier: BSD-3-Clause
"""A network from the items of one domain to those of another."""

from os import PathLike
from typing import Literal

import numpy as np

from ..._engine._denoising import with_code_noise
from ..._engine._objectives import EntryTargets
from ..._engine._parameters import shares_parameters
from ..._typing import Estimator
from ...base import SupervisedRecommender
from ._towers import TowerRecommender


@shares_parameters
class CrossDomainAutoencoderRecommender(TowerRecommender, SupervisedRecommender):
    r"""Recommend target items to users who are known in the source, by a network.

    Use it when many users are known in both domains and the map between them is not linear. Try
    `RidgeRecommender` first, which is a baseline that fits in closed form. It is a supervised
    recommender: an encoder reads what is known of a row, such as its items in the source, and one
    output layer ranks the items of the target. The network is a variational or denoising
    autoencoder with multinomial likelihood (Mult-VAE [1]_), but its output is another domain than
    its input. It is a transformer as well: `transform` returns the codes.

    Parameters
    ----------
    activation : str, default="tanh"
        Activation of the hidden layers and, unless the network is variational, of the features:
        "elu", "gelu", "leaky_relu", "linear", "relu", "selu", "sigmoid", "silu", "softplus" or
        "tanh".
    pretrained : FrozenEstimator, default=None
        A fitted recommender of this class to start from, as ``FrozenEstimator(model)``, or a frozen
        Pipeline or search that holds one. Each layer with the same name and shapes is copied, so
        its columns must mean the same. If it was fitted on rows of the source alone, with
        ``y=X_source``, its encoder is copied. None starts from scratch; the next four parameters
        then have no effect.

    Attributes
    ----------
    item_factors_ : ndarray of shape (n_items_, n_components), dtype float32
        The vectors of the items, from the weights of the output layer.
    item_bias_ : ndarray of shape (n_items_,), dtype float32
        The biases of the items.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows that have each item. An empty row gets these as its scores, unless
        y was learned from rows of which some were empty.
    n_features_in_ : int
        Number of columns of X seen in `fit`.

    See Also
    --------
    TwoTowerAutoencoderRecommender : The same for rows that may be known in either domain.
    RidgeRecommender : The linear map under the squared error, in closed form.
    BridgeRecommender : A regression to target factors, which may be learned from more rows.

    Notes
    -----
    With the code z of a row x, and the vectors :math:`v_i` and biases :math:`b_i` of the items, the
    objective is the mean over the rows of

    .. math:: -\sum_i y_i \log \frac{\exp(z^\top v_i + b_i)}{\sum_j \exp(z^\top v_j + b_j)},

    plus `regularization` times the squares of all kernels. In a variational network, codes are
    normal with means m and standard deviations s, and the objective also contains `kl_weight`
    times :math:`\frac{1}{2} \sum_k m_k^2 + s_k^2 - 1 - 2 \log s_k`. The score of an item is
    :math:`z^\top v_i + b_i`, with the mean code as z. Without hidden layers and with a linear
    activation, this is a softmax regression whose coefficients have the rank `n_components`.

    The learning rate changes as in the Notes of `Autoencoder`.

    A training step costs O(batch_size * n_items_ * n_components), and the update of the weights
    O((n_features + n_items_) * n_components). Sparse X and y are read one batch at a time, as
    sparse tensors. With an int `random_state`, the result is the same to the last bit in each run
    on one machine, and no global state is read or changed. A row that was not in `fit` is encoded
    like all others. A fitted recommender runs in numpy: only training needs TensorFlow.

    References
    ----------
    .. [1] D. Liang, R. G. Krishnan, M. D. Hoffman and T. Jebara, "Variational autoencoders for
       collaborative filtering", WWW 2018. :arxiv:`1802.05814`

    Examples
    --------
    >>> from sktransrec import CrossDomainAutoencoderRecommender
    >>> X_source = [[1, 0], [1, 0], [0, 1], [0, 1]]
    >>> Y_target = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    >>> model = CrossDomainAutoencoderRecommender(
    ...     n_components=2, learning_rate=0.2, epochs=8, run_eagerly=True, random_state=0
    ... )
    >>> items, _ = model.fit(X_source, Y_target).recommend([[0, 1]], n_recommendations=2)
    >>> sorted(items[0].tolist())
    [2, 3]
    """

    _nonnegative_y = True

    def __init__(
        self,
        n_components: int = 64,
        *,
        hidden_layer_sizes: tuple[int, ...] = (),
        kind: Literal["denoising", "variational"] = "denoising",
        activation: str = "tanh",
        normalize: bool = True,
        input_dropout: float = 0.5,
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
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.kind = kind
        self.activation = activation
        self.normalize = normalize
        self.input_dropout = input_dropout
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

    def _rows_to_learn(self, X, y, *, reset):
        return X, y

    def _check_fit_rows(self, X, y, *, reset):
        if not y.nnz:
            raise ValueError("y holds no interactions: pass at least one, to learn from.")
        return X, y

    def _domains(self, X):
        return [X]

    def _batch(self, X, y, rng, progress):
        targets = {"output": EntryTargets(y)}
        return with_code_noise(self, [self._read(X, rng)], targets, rng, progress)

    def _inputs(self, part, rows):
        return self._read(rows, None)
