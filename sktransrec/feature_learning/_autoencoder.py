# SPDX-License-Identifier: BSD-3-Clause
"""Autoencoders: features from which the rows can be reconstructed."""

from os import PathLike
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import loguniform

from .._engine._denoising import corrupted, with_code_noise
from .._engine._dense import autoencoder
from .._engine._objectives import OUTPUT_ACTIVATIONS, EntryTargets
from .._engine._parameters import shares_parameters
from .._engine._seeded_layers import ACTIVATIONS
from .._ids import check_order_by_ids
from .._numerics._unit_rows import unit_rows
from .._typing import Estimator
from .._validation import AT_LEAST_0, AUTO, StrOptions, check_is_fitted, check_item_ids
from .._validation._finite import finite_output
from ._base import FeatureLearner, check_range


@shares_parameters
class Autoencoder(FeatureLearner):
    r"""Features from which a network can reconstruct the rows.

    Use it to learn features of users from all their interactions, in front of a recommender, or
    inside `ReconstructionRecommender` as a recommender itself. Try
    :class:`~sklearn.decomposition.TruncatedSVD` or `EASERecommender` first, which need no training.
    The network maps X to X through a layer of `n_components` units, and `transform` returns the
    output of this layer. The layers of `hidden_layer_sizes` come before it, and in reverse order
    after it. In a `ReconstructionRecommender`, ``kind="variational", loss="multinomial"`` is
    Mult-VAE [1]_ and ``kind="denoising"`` is Mult-DAE.

    Parameters
    ----------
    kind : {"plain", "denoising", "variational"}, default="plain"
        "plain" learns to reconstruct the rows. "denoising" corrupts the rows that the network
        reads, and learns to reconstruct the original ones. "variational" does so too, and its
        features are the means of normal distributions, which are kept near the standard normal
        distribution.
    loss : {"mse", "binary_crossentropy", "multinomial"}, default="mse"
        What is minimised; see Notes. "binary_crossentropy" takes values from 0 to 1, and
        "multinomial" values of 0 or more.
    code_activation : str, default="linear"
        Activation of the features, one of those of `activation`. With "relu", some features are
        zero in all rows if the columns of X are far from zero on average. Not used by
        "variational", whose features are linear.
    output_activation : str, default=None
        Activation of the output. None takes that of the loss: "linear" for "mse", "sigmoid" for
        "binary_crossentropy", "softmax" for "multinomial". Only "mse" allows another one.
    normalize : bool or "auto", default="auto"
        Whether the network reads each row scaled to unit Euclidean norm. "auto" does so for
        "multinomial", for which only the proportions matter.
    input_dropout : float, default=0.5
        Share of the entries of a row that the network does not see in training, from 0 to below 1;
        the others are divided by 1 minus this share. Not used by "plain".
    noise : float, default=0.0
        Standard deviation of the normal noise that training adds to the nonzero entries of the
        rows that the network reads. Not used by "plain".
    item_ids : array-like of shape (n_features,), default=None
        The id of each column of X, such as the `items_` of an `InteractionEncoder`: distinct
        numbers or strings, by which the columns of `pretrained` are found here. None takes the
        column names of X, if it has any that are strings.
    pretrained : FrozenEstimator, default=None
        A fitted Autoencoder to start from, as ``FrozenEstimator(learner)``; it may also be part of
        a fitted Pipeline, search or recommender. Each layer whose name and shapes are the same is
        copied; see Notes for the input and the output. None starts from scratch, and the next four
        parameters then have no effect.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen in `fit`.

    See Also
    --------
    DomainAdversarialAutoencoder : Features that do not tell two domains apart.
    sklearn.decomposition.TruncatedSVD : The best linear autoencoder under the squared error.

    Notes
    -----
    With the output f of the network before its activation, the objective is the mean over the
    rows x of

    - "mse": :math:`\sum_j (x_j - f_j)^2`;
    - "binary_crossentropy": :math:`-\sum_j x_j \log p_j + (1 - x_j) \log(1 - p_j)` with
      :math:`p_j = 1 / (1 + e^{-f_j})`;
    - "multinomial": :math:`-\sum_j x_j \log p_j` with :math:`p = \mathrm{softmax}(f)`,

    plus `regularization` times the squares of all kernels. A variational network, whose features
    are normal with means m and standard deviations s, adds `kl_weight` times
    :math:`\frac{1}{2} \sum_k m_k^2 + s_k^2 - 1 - 2 \log s_k`.

    A step costs O(batch_size * n_features * hidden_layer_sizes[0]), whatever the format of X. A
    sparse X becomes a sparse tensor, one batch at a time: the first layer multiplies its nonzero
    entries only, and targets are never made dense. Memory holds the weights four times during
    training (weights, gradient and the two moments of the optimizer), and once after it.

    With an int `random_state`, the result is the same to the last bit in every run, in one process
    or several. No global state is read or changed. Rows unseen in `fit`
    are encoded like all others, and a row of zeros gets the features of the biases alone. `fit`
    starts its optimizer anew, `partial_fit` keeps it from call to call.

    In epoch t, counted from 0, the learning rate is
    :math:`\eta \min(1, \frac{t + 1}{w + 1}) s_t`, with the `learning_rate` :math:`\eta` and the
    `warmup_epochs` w. The factor :math:`s_t` of the schedule is 1 for "constant". For "cosine" [4]_
    it is :math:`\frac{1}{2} (1 + \cos \pi \frac{t - w}{T - w})` from epoch w to the last of T
    `epochs`. For "adaptive" it is :math:`5^{-c}`, where c counts how often
    :math:`\lceil` `patience` :math:`/ 2 \rceil` epochs in a row had no loss below all before. Each
    `fit` starts at epoch 0. `partial_fit` goes on from the epochs so far, by their training loss,
    and "cosine" keeps the rate of the last epoch after T of them.

    The input and the output of a pretrained network belong to its columns. If both networks know
    the names of their columns, by `item_ids` or from a DataFrame, the weights of each column are
    copied from the column of that name, in any place, and new columns start from scratch.
    Otherwise they are copied if the number of columns is the same: the columns are then assumed to
    be the same, too.

    Let w be the weights of a copied layer, :math:`w_0` their first values, and l the distance of
    the layer from the output, which has l = 0. They are trained if l is less than the number given
    by `trainable`, after ``l * unfreeze_every`` epochs. Their rate is
    ``learning_rate / layer_decay ** l`` [2]_. The objective has the further term
    :math:`\frac{1}{2}` `l2_sp` :math:`\|w - w_0\|^2` [3]_. Layers side by side, such as the means
    and the standard deviations of a variational network, count as one. `warm_start` and
    `partial_fit` go on from what was copied, and count epochs from the first fit.

    A fitted estimator runs in numpy: only training needs TensorFlow.

    References
    ----------
    .. [1] D. Liang, R. G. Krishnan, M. D. Hoffman and T. Jebara, "Variational autoencoders for
       collaborative filtering", WWW 2018. :doi:`10.1145/3178876.3186150`
    .. [2] J. Howard and S. Ruder, "Universal language model fine-tuning for text classification",
       ACL 2018. :doi:`10.18653/v1/P18-1031`
    .. [3] X. Li, Y. Grandvalet and F. Davoine, "Explicit inductive bias for transfer learning with
       convolutional networks", ICML 2018. :arxiv:`1802.01483`
    .. [4] I. Loshchilov and F. Hutter, "SGDR: Stochastic gradient descent with warm restarts", ICLR
       2017. :arxiv:`1608.03983`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import Autoencoder
    >>> X = np.eye(6, dtype=np.float32)[[0, 1, 2, 3, 4, 5, 0, 1]]
    >>> model = Autoencoder(
    ...     n_components=2, hidden_layer_sizes=(4,), epochs=3, run_eagerly=True, random_state=0
    ... )
    >>> model.fit_transform(X).shape
    (8, 2)
    >>> [layer.units for layer in model.network_.layers[1:]]
    [4, 2, 4, 6]
    """

    _parameter_constraints: dict = {
        "kind": [StrOptions({"plain", "denoising", "variational"})],
        "output_activation": [StrOptions({*ACTIVATIONS, "softmax"}), None],
        "normalize": ["boolean", *AUTO],
        "noise": AT_LEAST_0,
        "item_ids": ["array-like", None],
    }

    search_distributions: ClassVar = {
        "n_components": [16, 32, 64, 128],
        "learning_rate": loguniform(0.0003, 0.01),
        "regularization": loguniform(1e-6, 0.01),
    }

    def __init__(
        self,
        n_components: int = 32,
        *,
        hidden_layer_sizes: tuple[int, ...] = (64,),
        kind: Literal["plain", "denoising", "variational"] = "plain",
        loss: Literal["mse", "binary_crossentropy", "multinomial"] = "mse",
        activation: str = "relu",
        code_activation: str = "linear",
        output_activation: str | None = None,
        normalize: bool | Literal["auto"] = "auto",
        input_dropout: float = 0.5,
        noise: float = 0.0,
        kl_weight: float = 0.2,
        kl_annealing_epochs: int = 20,
        regularization: float = 0.0,
        optimizer: Literal["adagrad", "adam", "adamw", "nadam", "rmsprop", "sgd"] = "adam",
        learning_rate: float = 1e-3,
        learning_rate_schedule: Literal["adaptive", "constant", "cosine"] = "constant",
        warmup_epochs: int = 0,
        epochs: int = 100,
        batch_size: int = 32,
        validation_fraction: float = 0.0,
        patience: int = 10,
        item_ids: ArrayLike | None = None,
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
        self.loss = loss
        self.activation = activation
        self.code_activation = code_activation
        self.output_activation = output_activation
        self.normalize = normalize
        self.input_dropout = input_dropout
        self.noise = noise
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
        self.item_ids = item_ids
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = self.loss != "mse"
        return tags

    @finite_output
    def inverse_transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the rows that the network reconstructs from features.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_components)
            Features, as `transform` returns them.

        Returns
        -------
        rows : ndarray of shape (n_rows, n_features_in_), dtype float32
            Values for the loss "mse", probabilities of each column for "binary_crossentropy",
            and shares of a row that add up to 1 for "multinomial".
        """
        check_is_fitted(self)
        return self._forward("decoder", self._check_codes(X), (self.n_features_in_,))

    def _check_rows(self, X, *, reset):
        valid = super()._check_rows(X, reset=reset)
        check_order_by_ids(X, self.item_ids)
        return valid

    def _check_fit_rows(self, X, y, *, reset):
        X = self._check_rows(X, reset=reset)
        check_range(X, self.loss, name="X")
        if reset:
            self._column_names = getattr(self, "feature_names_in_", None)
            if self.item_ids is not None:
                self._column_names = check_item_ids(self.item_ids, X.shape[1], of="columns")
        return X, None

    def _builder(self, X, y):
        return autoencoder, {
            "n_features": X.shape[1],
            "hidden_layer_sizes": self._layer_sizes("hidden_layer_sizes"),
            "n_components": self.n_components,
            "activation": self.activation,
            "code_activation": self.code_activation,
            "output_activation": self._output_activation(),
            "loss": self.loss,
            "variational": self.kind == "variational",
        }

    def _output_activation(self):
        own = OUTPUT_ACTIVATIONS[self.loss]
        if self.output_activation in (None, own):
            return own
        if self.loss != "mse" or self.output_activation == "softmax":
            raise ValueError(
                f'output_activation="{self.output_activation}" does not go with '
                f'loss="{self.loss}", whose output is "{own}": leave it at None.'
            )
        return self.output_activation

    def _batch(self, X, y, rng, progress):
        rows = self._normalized(X)
        if rng is not None and self.kind != "plain":
            rows = corrupted(rows, self.input_dropout, rng, noise=self.noise)
        return with_code_noise(self, [rows], {"output": EntryTargets(X)}, rng, progress)

    def _inputs(self, part, rows):
        return self._normalized(rows) if part == "encoder" else rows

    def _normalized(self, X):
        """Return the rows as the network takes them."""
        return unit_rows(X) if self._reads_unit_rows else X

    @property
    def _wants_unit_rows(self):
        return self.loss == "multinomial" if self.normalize == "auto" else bool(self.normalize)
