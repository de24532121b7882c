"""A network that reads a row of either domain, or of both, and ranks the items of both."""

from numbers import Real

import numpy as np
import scipy.sparse as sp

from ..._engine._objectives import DomainTargets
from ..._validation import Interval
from .._two_domains import TwoDomainRecommender
from ._towers import TowerRecommender, known_shares


class TwoTowerAutoencoderRecommender(TowerRecommender, TwoDomainRecommender):
    r"""Two autoencoders that share their code: an encoder and a decoder of each domain.

    An in-domain recommender on ``hstack([X_source, X_target])``: each domain has an encoder, a row
    is the mean of what those say that know it, and from this code the items of both domains are
    decoded with a multinomial likelihood (Mult-VAE [1]_) each. It recommends
    those of the target. Rows may be known in one domain only, in `fit` as in
    `recommend`. It is a transformer as well: `transform` gives the codes.

    Parameters
    ----------
    target_columns : array-like of int, mask of shape (n_features,) or slice
        The columns of X that hold the target; all others hold the source.
    n_components : int, default=64
        Number of features of a row, at least 1.
    hidden_layer_sizes : tuple of int, default=()
        Units of the layers between a domain and the features, from the side of a domain.
    kind : {"denoising", "variational"}, default="denoising"
        "variational" makes the features the means of normal distributions that are kept near the
        standard one, and draws from these in training.
    activation : str, default="tanh"
        Activation of the hidden layers and, unless the network is variational, of the features:
        "elu", "gelu", "leaky_relu", "linear", "relu", "selu", "sigmoid", "silu", "softplus" or
        "tanh".
    normalize : bool, default=True
        Whether to scale each row of either domain to unit Euclidean norm on its way in.
    dropout : float, default=0.5
        Share of the entries of a row that training leaves out on its way in, from 0 to below 1;
        the others are scaled up by the same share.
    target_dropout : float, default=0.3
        Share of the rows known in both domains of which training hides the target on its way in,
        from 0 to 1: these learn to do without, as cold rows must.
    source_weight : float, default=0.5
        Weight of the source's likelihood beside that of the target, at least 0.
    kl_weight : float, default=0.2
        Weight of the divergence from the standard normal distribution, at least 0. Only used by
        "variational".
    kl_annealing_epochs : int, default=20
        Number of epochs over which that weight rises from 0; 0 starts with all of it.
    regularization : float, default=0.0
        Weight of the squares of all kernels in what is minimised, at least 0.
    optimizer : {"adagrad", "adam", "adamw", "nadam", "rmsprop", "sgd"}, default="adam"
        How the weights follow the gradient.
    learning_rate : float, default=0.001
        Step length of the optimizer, above 0.
    learning_rate_schedule : {"adaptive", "constant", "cosine"}, default="constant"
        How it changes from epoch to epoch: not at all; towards 0 over all `epochs`, along half a
        cosine; or to a fifth each time that half of `patience` epochs in a row had no smaller
        validation loss, or training loss where nothing is held out.
    warmup_epochs : int, default=0
        Number of epochs over which the learning rate rises evenly first, from 0 on.
    epochs : int, default=50
        Number of passes over the rows; with a `validation_fraction` the largest number.
    batch_size : int, default=128
        Number of rows a step.
    validation_fraction : float, default=0.0
        Share of the rows held out to stop early, from 0 to below 1. If it is above 0, the weights
        with the smallest loss on these rows are kept.
    patience : int, default=10
        Number of epochs without a smaller validation loss after which training stops.
    pretrained : FrozenEstimator, default=None
        A fitted recommender of this class to start from, as ``FrozenEstimator(model)``; it may also
        stand in a fitted Pipeline or search. Each layer whose name and shapes are the same is
        copied, its columns being taken to be the same. None starts from scratch,
        and the next four parameters have no effect then.
    trainable : {"all", "head"} or int, default="all"
        Which of the copied layers move: all, the output ("head"), or so many layers counted from
        the output. The others are frozen. What was not copied always moves.
    unfreeze_every : int, default=None
        Number of epochs after which one more of these layers moves, from the output downwards;
        the first epochs move the output only. None moves all from the start.
    layer_decay : float or "auto", default=None
        Number from 1 on by which the learning rate of what was copied is divided for each layer
        further from the output. "auto" is 2.6, the usual one; None is the same rate for all.
    l2_sp : float, default=0.0
        Weight, from 0 on, of half the squared distance of the copied weights from where they
        started.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last one.
    run_eagerly : bool, default=False
        Whether to run each training step op by op. That saves the second or so that compiling
        takes; the result is the same.
    random_state : int, RandomState instance or None, default=None
        Seed of the first weights, the held-out rows, the order of the rows and the corruption.
    verbose : int, default=0
        A progress bar is shown if this is above 0.

    Attributes
    ----------
    item_factors_ : ndarray of shape (n_items_, n_components), dtype float32
        The vectors of the items, the source's first: the weights of the output layer.
    item_bias_ : ndarray of shape (n_items_,), dtype float32
        Their biases.
    network_ : keras.Model
        The network, rebuilt when it is first asked for and not saved with the recommender.
    loss_curve_ : list of float
        Mean training loss of each epoch.
    validation_loss_curve_ : list of float or None
        Loss of the held-out rows after each epoch; None if there are none.
    n_iter_ : int
        Number of epochs run, those before a `warm_start` included.
    transferred_layers_ : list of TransferredLayer
        What each layer took over from `pretrained`, from the output downwards, as (name, copied,
        n_columns, frozen); see :class:`~sktransrec.feature_learning.TransferredLayer`. Empty
        without `pretrained`.
    n_items_ : int
        Number of items that can be recommended, those of the source included.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of rows that have each item, which are the scores of an empty row.
    n_features_in_ : int
        Number of columns of X seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, where X had any.

    See Also
    --------
    CollectiveMFRecommender : Linear, under the squared error, by alternating least squares.
    CrossDomainAutoencoderRecommender : From the source to the target only.

    Notes
    -----
    With the code z of a row, the mean of the codes of the domains d that know it, the vectors
    :math:`v_i` and biases :math:`b_i` of the items, and its rows :math:`x^d`, the objective is the
    mean over the rows of

    .. math:: -\sum_d \alpha_d \sum_{i \in d} x^d_i
        \log \frac{\exp(z^\top v_i + b_i)}{\sum_{j \in d} \exp(z^\top v_j + b_j)},

    :math:`\alpha_d` being `source_weight` in the source and 1 in the target, plus `regularization`
    times the squares of all kernels and, where codes are normal with means m and standard
    deviations s, `kl_weight` times :math:`\frac{1}{2} \sum_k m_k^2 + s_k^2 - 1 - 2 \log s_k`.
    Means and logarithms of deviations are averaged over the domains alike.

    A score is :math:`z^\top v_i + b_i`. Each domain has a softmax of its own.

    The learning rate changes as in the Notes of `Autoencoder`.

    A step costs O(batch_size * n_items_ * n_components), and the update of the weights as much as
    two for all columns. X is laid out one batch at a time, as sparse tensors. For an int
    `random_state` the result is the same to the last bit from run to run on one machine; no global
    state is read or changed. A row unseen in `fit` is encoded like all others, an empty one gets
    the popularity. Loading a pickled recommender does not need TensorFlow, running it does.

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
    ...     slice(2, None), n_components=2, learning_rate=0.1, run_eagerly=True, random_state=0
    ... ).fit(np.hstack([X_source, X_target]))
    >>> cold_row = [[0, 1, 0, 0, 0, 0]]
    >>> items, _ = model.recommend(cold_row, n_recommendations=2)
    >>> sorted(items[0].tolist())
    [2, 3]
    """

    _parameter_constraints: dict = {
        **TowerRecommender._parameter_constraints,
        **TwoDomainRecommender._parameter_constraints,
        "target_dropout": [Interval(Real, 0, 1, closed="both")],
        "source_weight": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        target_columns,
        n_components=64,
        *,
        hidden_layer_sizes=(),
        kind="denoising",
        activation="tanh",
        normalize=True,
        dropout=0.5,
        target_dropout=0.3,
        source_weight=0.5,
        kl_weight=0.2,
        kl_annealing_epochs=20,
        regularization=0.0,
        optimizer="adam",
        learning_rate=1e-3,
        learning_rate_schedule="constant",
        warmup_epochs=0,
        epochs=50,
        batch_size=128,
        validation_fraction=0.0,
        patience=10,
        pretrained=None,
        trainable="all",
        unfreeze_every=None,
        layer_decay=None,
        l2_sp=0.0,
        warm_start=False,
        run_eagerly=False,
        random_state=None,
        verbose=0,
    ):
        self.target_columns = target_columns
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.kind = kind
        self.activation = activation
        self.normalize = normalize
        self.dropout = dropout
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
        self.run_eagerly = run_eagerly
        self.random_state = random_state
        self.verbose = verbose

    @property
    def item_factors_(self):
        """The vectors of the target's items: their part of the kernel of the output layer."""
        return super().item_factors_[self._columns_of_domains[1]]

    @property
    def item_bias_(self):
        """The biases of the target's items."""
        return super().item_bias_[self._columns_of_domains[1]]

    def _fit_stacked(self, X):
        self._fit_network(X, None)

    def _row_factors(self, X):
        return super()._row_factors(self._stacked(X))

    def _check_fit_rows(self, X, y, *, reset):
        return X, None

    def _domains(self, X):
        return [X[:, columns] for columns in self._columns_of_domains]

    def _batch(self, X, y, rng):
        source, target = self._domains(X)
        known = target if rng is None else self._partly_hidden(source, target, rng)
        targets = DomainTargets(source, target, np.float32(self.source_weight))
        inputs = [self._read(rows, rng) for rows in (source, known)]
        shares = known_shares([source, known])
        return [*inputs, shares, *self._noise(X.shape[0], rng)], targets

    def _partly_hidden(self, source, target, rng):
        """Return the rows in the target, some of those emptied that the source knows."""
        is_kept = rng.uniform(size=source.shape[0]) >= self.target_dropout
        is_kept |= np.diff(source.indptr) == 0
        kept = sp.csr_array(sp.diags_array(is_kept.astype(np.float32)) @ target)
        kept.eliminate_zeros()
        return kept

    def _inputs(self, part, rows):
        domains = self._domains(rows)
        return [*(self._read(rows, None) for rows in domains), known_shares(domains)]
