# SPDX-License-Identifier: BSD-3-Clause
"""Features that describe a row without telling its domain."""

from os import PathLike
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._engine._dense import adversarial_autoencoder
from .._engine._objectives import DomainLabels, EntryTargets
from .._engine._parameters import shares_parameters
from .._typing import MatrixLike
from .._validation import (
    AT_LEAST_0,
    check_is_fitted,
    check_sample_domain,
    validated_fit,
    warn_of_ignored_domains,
)
from .._validation._finite import finite_output
from ._base import FeatureLearner, check_range


@shares_parameters
class DomainAdversarialAutoencoder(FeatureLearner):
    r"""Features that reconstruct the rows of two domains and do not tell the domains apart.

    Use it if the domains differ by more than a linear map; try `CORALAligner` first, which needs
    far fewer rows. It is an autoencoder whose decoder gets the domain of a row. A discriminator
    tries to tell the domain from the features, and the encoder learns to prevent this. A
    recommender that has learned from the features of source rows can then serve target rows. The
    columns of X must mean the same in both domains, such as words. No row needs to be in both.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64,)
        Numbers of units of the layers between X and the features, the first next to X. The layers
        after the features have the same sizes in reverse order.
    discriminator_layer_sizes : tuple of int, default=(32,)
        Numbers of units of the hidden layers of the discriminator.
    adversarial_weight : float, default=3.0
        How strongly the encoder learns to mislead the discriminator, 0 or more. With 0, the
        discriminator has no effect on the features.
    loss : {"mse", "binary_crossentropy", "multinomial"}, default="mse"
        What reconstruction minimises, as in `Autoencoder`. "multinomial" suits counts.
    regularization : float, default=0.01
        Weight of the squares of all kernels in what is minimised, at least 0. A value above 0 keeps
        encoder and discriminator from chasing each other in circles.
    optimizer : {"adagrad", "adam", "adamw", "nadam", "rmsprop", "sgd"}, default="rmsprop"
        The method that updates the weights by their gradients. Momentum, as in "adam", lets encoder
        and discriminator chase each other.
    epochs : int, default=100
        Number of passes over the rows.

    Attributes
    ----------
    loss_curve_ : list of float
        Mean training loss of each epoch: that of the reconstruction plus that of the discriminator,
        which is log 2 = 0.69 if it can only guess.
    validation_loss_curve_ : None
        No rows are held out.
    transferred_layers_ : list
        Empty, as it does not start from a trained network.
    n_features_in_ : int
        Number of columns seen in `fit`.

    See Also
    --------
    Autoencoder : The same without domains, with more kinds and parameters.
    CORALAligner : Aligns features in closed form.
    sktransrec.evaluation.proxy_a_distance : How well a classifier can tell the domains apart.

    Notes
    -----
    With the encoder f, the decoder g, the discriminator d, which returns the probability of the
    source, and the sign :math:`z_r` of the domain of row r, it solves

    .. math:: \min_{f, g} \max_d \frac{1}{n} \sum_r L(x_r, g(f(x_r), z_r))
        + \lambda w_r \log P_d(z_r \mid f(x_r)) ,

    where L is the loss of the reconstruction, and the weights :math:`w_r` make both domains count
    alike [1]_. The gradient of the last term is reversed between the discriminator and the encoder.
    As in [1]_, :math:`\lambda` is `adversarial_weight` times :math:`2 / (1 + e^{-10 p}) - 1`, where
    p is the share of the epochs that is over. In [2]_, the same is done with the codes of
    recommenders, and each domain has a decoder of its own. Here, one decoder is told the domain.
    Both ways, the rows can be reconstructed although the features do not tell the domain.

    If the domains cannot be told apart, the features need not mean the same in both: look at the
    gain, see :func:`~sktransrec.transfer_gain`.

    A step costs a little more than one of `Autoencoder`, for the discriminator. With an int
    `random_state`, the result is the same to the last bit in every run. No global state is read or
    changed. Rows unseen in `fit` are encoded like all others. A fitted estimator runs in numpy:
    only training needs TensorFlow.

    References
    ----------
    .. [1] Y. Ganin et al., "Domain-adversarial training of neural networks", JMLR 17, 2016.
       :arxiv:`1505.07818`
    .. [2] F. Yuan, L. Yao and B. Benatallah, "DARec: deep domain adaptation for cross-domain
       recommendation via transferring rating patterns", IJCAI 2019. :doi:`10.24963/ijcai.2019/587`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import DomainAdversarialAutoencoder
    >>> X = np.random.RandomState(0).standard_normal((8, 6))
    >>> domain = [1, 1, 1, 1, -1, -1, -1, -1]
    >>> model = DomainAdversarialAutoencoder(2, epochs=1, run_eagerly=True, random_state=0)
    >>> model.fit(X, sample_domain=domain).transform(X).shape
    (8, 2)
    """

    _matches_columns_by_place = True

    _parameter_constraints: dict = {
        "discriminator_layer_sizes": ["array-like"],
        "adversarial_weight": AT_LEAST_0,
    }

    # It has no parameters for these: the sum of its two losses, which pull against each other, says
    # neither when to stop nor when to slow down, and the code of a network that was trained without
    # a discriminator tells the domain.
    validation_fraction, patience = 0.0, None
    learning_rate_schedule, warmup_epochs = "constant", 0
    pretrained, trainable, unfreeze_every, layer_decay, l2_sp = None, "all", None, None, 0.0

    def __init__(
        self,
        n_components: int = 32,
        *,
        hidden_layer_sizes: tuple[int, ...] = (64,),
        discriminator_layer_sizes: tuple[int, ...] = (32,),
        adversarial_weight: float = 3.0,
        loss: Literal["mse", "binary_crossentropy", "multinomial"] = "mse",
        activation: str = "relu",
        regularization: float = 0.01,
        optimizer: Literal["adagrad", "adam", "adamw", "nadam", "rmsprop", "sgd"] = "rmsprop",
        learning_rate: float = 1e-3,
        epochs: int = 100,
        batch_size: int = 32,
        warm_start: bool = False,
        checkpoint_folder: str | PathLike[str] | None = None,
        run_eagerly: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.discriminator_layer_sizes = discriminator_layer_sizes
        self.adversarial_weight = adversarial_weight
        self.loss = loss
        self.activation = activation
        self.regularization = regularization
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.warm_start = warm_start
        self.checkpoint_folder = checkpoint_folder
        self.run_eagerly = run_eagerly
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = self.loss != "mse"
        return tags

    @validated_fit
    def fit(self, X: MatrixLike, y: Any = None, sample_domain: ArrayLike | None = None) -> Self:
        """Train the network on the rows of both domains.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            The rows of source and target, one below the other. A sparse matrix is never made dense
            as a whole.
        y : Ignored
            Present for the pipelines of scikit-learn.
        sample_domain : array-like of shape (n_rows,), default=None
            A number for each row: above zero for the source, below it for the target. None means
            that all rows are of the target, so that there is nothing to tell apart.

        Returns
        -------
        self : object
        """
        warn_of_ignored_domains(y, sample_domain)
        return self._fit_network(X, sample_domain)

    @validated_fit
    def partial_fit(
        self, X: MatrixLike, y: Any = None, sample_domain: ArrayLike | None = None
    ) -> Self:
        """Train the network for one epoch, going on from its present weights.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            The rows of source and target, one below the other.
        y : Ignored
            Present for the pipelines of scikit-learn.
        sample_domain : array-like of shape (n_rows,), default=None
            The domain of each row, as in `fit`.

        Returns
        -------
        self : object
        """
        warn_of_ignored_domains(y, sample_domain)
        return self._partial_fit_network(X, sample_domain)

    def fit_transform(
        self, X: MatrixLike, y: Any = None, sample_domain: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Train the network on the rows of both domains and return their features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            The rows of source and target, one below the other.
        y : Ignored
            Present for the pipelines of scikit-learn.
        sample_domain : array-like of shape (n_rows,), default=None
            The domain of each row, as in `fit`.

        Returns
        -------
        features : ndarray of shape (n_rows, n_components), dtype float32
        """
        return self.fit(X, y, sample_domain).transform(X)

    @finite_output
    def inverse_transform(
        self, X: ArrayLike, sample_domain: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Return the rows that the network reconstructs from features.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_components)
            Features, as `transform` returns them for rows of any domain.
        sample_domain : array-like of shape (n_rows,) or number, default=None
            The domain in which each row is reconstructed: above zero for the source, below it for
            the target. None is the target for all.

        Returns
        -------
        rows : ndarray of shape (n_rows, n_features_in_), dtype float32
        """
        check_is_fitted(self)
        codes = self._check_codes(X)
        is_source = check_sample_domain(sample_domain, X, len(codes))
        if is_source is None:
            is_source = np.zeros(len(codes), dtype=bool)
        rows = np.hstack([codes, _signs(is_source)])
        return self._forward("decoder", rows, (self.n_features_in_,))

    def _check_fit_rows(self, X, sample_domain, *, reset):
        valid = self._check_rows(X, reset=reset)
        check_range(valid, self.loss, name="X")
        n_rows = valid.shape[0]
        is_source = check_sample_domain(sample_domain, X, n_rows, both=True)
        return valid, _domain_weights(is_source, n_rows)

    def _builder(self, X, domains):
        return adversarial_autoencoder, {
            "n_features": X.shape[1],
            "hidden_layer_sizes": self._layer_sizes("hidden_layer_sizes"),
            "n_components": self.n_components,
            "discriminator_layer_sizes": self._layer_sizes("discriminator_layer_sizes"),
            "activation": self.activation,
            "loss": self.loss,
        }

    def _batch(self, X, domains, rng, progress):
        labels = DomainLabels(domains, self._reversal(progress))
        return [X, _signs(domains > 0)], {"output": EntryTargets(X), "domain": labels}

    def _reversal(self, progress):
        """Return the factor of the reversed gradient, which rises from 0 to its whole weight."""
        return np.float32(self.adversarial_weight * np.tanh(5 * progress / self.epochs))


def _domain_weights(is_source, n_rows):
    """Return weights of the rows, above zero in the source, with which both domains count alike."""
    if is_source is None:
        return np.zeros(n_rows, dtype=np.float32)
    share = is_source.mean()
    return np.where(is_source, 0.5 / share, -0.5 / (1 - share)).astype(np.float32)


def _signs(is_source):
    """Return the domains of rows as the decoder takes them."""
    return np.where(is_source, 1, -1).astype(np.float32)[:, None]
