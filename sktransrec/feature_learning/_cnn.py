"""Convolutional networks: features from neighbouring tokens, steps or pixels."""

import numpy as np
from sklearn.utils import gen_batches

from .._engine._convolutional import convolutional
from .._engine._networks import ACTIVATIONS
from .._validation import StrOptions, check_is_fitted, get_chunk_n_rows
from .._validation._finite import finite_output
from ._sequences import SequenceLearner, one_token_a_row


class CNNEncoder(SequenceLearner):
    r"""Features that a convolutional network learns from texts, signals, sequences or images.

    A transformer. With y it learns the map from X to y, and `transform` returns the layer of
    `n_components` units below the output; without y it learns to reconstruct X from that layer.
    What X is, its shape and type say:

    - integers of shape (n_rows, n_steps) are token ids, padded with 0, such as
      :class:`~sktransrec.TextSequences` returns; the network for them is that of [1]_;
    - floats of shape (n_rows, n_steps) are signals of one channel;
    - an array of shape (n_rows, n_steps, n_channels) holds sequences of vectors, padded with
      vectors of zeros;
    - an array of shape (n_rows, height, width, n_channels) holds images.

    A list or a column of a table that holds an array a row will do as well, if all are of one
    shape.

    Parameters
    ----------
    n_components : int, default=32
        Number of features, at least 1.
    hidden_layer_sizes : tuple of int, default=(64,)
        Filters of each convolutional layer, for each of the `kernel_sizes`. Between two layers,
        signals and images are halved by max pooling; what may be padded keeps its length.
    kernel_sizes : tuple of int, default=(3, 4, 5)
        Widths of the convolutions of a layer, which stand side by side; those of images are
        squares.
    pooling : {"max", "flatten", "auto"}, default="auto"
        How the steps or pixels become one vector: "max" keeps the largest output of each filter
        and forgets where it was, "flatten" keeps all. "auto" is "flatten" for signals and images
        and "max" for what may be padded.
    embedding_size : int, default=64
        Length of the vectors of token ids.
    n_tokens : int, default=None
        Number of token ids, padding included. None is the largest of `fit` plus 1.
    unknown : {"error", "ignore"}, default="error"
        What happens to token ids from `n_tokens_` on in `transform` or a further fit. "ignore"
        takes them for padding, which suits texts that `TextSequences` cuts: a word of its
        vocabulary may stand beyond the cut in all texts of `fit`.
    activation : str, default="relu"
        Activation of all layers but the features and the output: "elu", "gelu", "leaky_relu",
        "linear", "relu", "selu", "sigmoid", "silu", "softplus" or "tanh".
    code_activation : str, default="linear"
        Activation of the features, one of the same. Under "relu" many of them become zero in all
        rows.
    dropout : float, default=0.2
        Share of the pooled units that training leaves out, from 0 to below 1.
    loss : {"mse", "binary_crossentropy", "multinomial"}, default="mse"
        What is minimised; see Notes. "binary_crossentropy" takes targets from 0 to 1, and
        "multinomial", a softmax over all outputs, those from 0 on. Token ids without y always
        take the softmax over the tokens.
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
    epochs : int, default=100
        Number of passes over the rows; with a `validation_fraction` the largest number.
    batch_size : int, default=32
        Number of rows a step.
    validation_fraction : float, default=0.0
        Share of the rows held out to stop early, from 0 to below 1. If it is above 0, the weights
        with the smallest loss on these rows are kept.
    patience : int, default=10
        Number of epochs without a smaller validation loss after which training stops.
    pretrained : FrozenEstimator, default=None
        A fitted CNNEncoder to start from, as ``FrozenEstimator(learner)``; it may also stand in a
        fitted Pipeline, search or recommender. Each layer whose name and shapes are the same is
        copied. None starts from scratch, and the next four parameters have no effect then.
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
        started. It takes the place of `regularization`, which pulls to zero.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last one.
    run_eagerly : bool, default=False
        Whether to run each training step op by op. That saves the seconds that compiling takes,
        which pays off in very short fits; the result is the same but for rounding.
    random_state : int, RandomState instance or None, default=None
        Seed of the first weights, the held-out rows, the order of the rows and the dropout.
    verbose : int, default=0
        A progress bar is shown if this is above 0.

    Attributes
    ----------
    network_ : keras.Model
        The network, rebuilt when it is first asked for and not saved with the estimator.
    n_tokens_ : int or None
        Number of token ids, padding included; None where X holds no token ids.
    n_outputs_ : int or None
        Number of columns of y; None without y.
    loss_curve_ : list of float
        Mean training loss of each epoch.
    validation_loss_curve_ : list of float or None
        Loss of the held-out rows after each epoch; None if there are none.
    n_iter_ : int
        Number of epochs run, `warm_start` and `partial_fit` included.
    transferred_layers_ : list of TransferredLayer
        What each layer took over from `pretrained`, from the output downwards, as (name, copied,
        n_columns, frozen); see :class:`~sktransrec.feature_learning.TransferredLayer`. Empty
        without `pretrained`.
    n_features_in_ : int
        Length of the second axis of X seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, where X had any.

    See Also
    --------
    RNNEncoder : Reads a sequence in its order.
    Autoencoder : Takes columns without an order.
    TextSequences : Texts to padded token ids.

    Notes
    -----
    Let f be the network's output of a row before its activation. With y, the objective is the
    mean over the rows of :math:`\sum_j (y_j - f_j)^2` ("mse"), of :math:`-\sum_j y_j \log p_j +
    (1 - y_j) \log(1 - p_j)` with :math:`p_j = 1 / (1 + e^{-f_j})` ("binary_crossentropy"), or of
    :math:`-\sum_j y_j \log p_j` with :math:`p = \mathrm{softmax}(f)` ("multinomial"), plus
    `regularization` times the squares of all kernels. Without y the same is taken of
    X and its reconstruction and summed over the steps or pixels; token ids are reconstructed by
    a softmax over all tokens at each step, padding included.

    A step costs O(batch_size * n_steps * sum(kernel_sizes) * n_channels * hidden_layer_sizes[0])
    for the first layer. Sparse y is never made dense, and y gives the same result in either form.

    Padding does not change the features under ``pooling="max"``, whether at the end or at the
    start: convolutions see zeros there, and the maximum leaves it out. A row of nothing but
    padding gets the features of the biases.

    The learning rate changes as in the Notes of `Autoencoder`.

    With `pretrained`, layers are copied whole or not at all. Token ids must mean the same in both,
    which the shape of the embedding cannot tell; the output is copied if y has as many columns,
    which are then taken to be the same. Let w be copied weights, :math:`w_0` where they started,
    and l the number of layers between theirs and the output, whose l is 0. They move if l is less
    than the number that `trainable` says, after ``l * unfreeze_every`` epochs, at the rate
    ``learning_rate / layer_decay ** l`` [2]_, and the objective has the further term
    :math:`\frac{1}{2}` `l2_sp` :math:`\|w - w_0\|^2` [3]_. Convolutions side by side count as one
    layer. `warm_start` and `partial_fit` go on from what was copied, and count epochs from the
    first fit.

    For an int `random_state` the result is the same to the last bit from run to run on one
    machine; compiled and eager training differ by rounding, since they add gradients up in
    another order. No global state is read or changed. Loading a pickled estimator does not need
    TensorFlow, running it does.

    References
    ----------
    .. [1] Kim, "Convolutional neural networks for sentence classification", EMNLP 2014.
       :doi:`10.3115/v1/D14-1181`
    .. [2] Howard and Ruder, "Universal language model fine-tuning for text classification",
       ACL 2018. :doi:`10.18653/v1/P18-1031`
    .. [3] Li, Grandvalet and Davoine, "Explicit inductive bias for transfer learning with
       convolutional networks", ICML 2018. :arxiv:`1802.01483`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import CNNEncoder
    >>> X = np.array([[1, 2, 3, 0], [2, 1, 3, 3], [3, 1, 2, 0], [2, 1, 0, 0]])
    >>> y = np.array([1.0, 0.0, 1.0, 0.0])
    >>> model = CNNEncoder(n_components=2, epochs=3, run_eagerly=True, random_state=0)
    >>> model.fit_transform(X, y).shape
    (4, 2)
    """

    _parameter_constraints: dict = {
        **SequenceLearner._parameter_constraints,
        "kernel_sizes": ["array-like"],
        "code_activation": [StrOptions(set(ACTIVATIONS))],
        "pooling": [StrOptions({"max", "flatten", "auto"})],
    }

    _max_dimensions = 4

    def __init__(
        self,
        n_components=32,
        *,
        hidden_layer_sizes=(64,),
        kernel_sizes=(3, 4, 5),
        pooling="auto",
        embedding_size=64,
        n_tokens=None,
        unknown="error",
        activation="relu",
        code_activation="linear",
        dropout=0.2,
        loss="mse",
        regularization=0.0,
        optimizer="adam",
        learning_rate=1e-3,
        learning_rate_schedule="constant",
        warmup_epochs=0,
        epochs=100,
        batch_size=32,
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
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.kernel_sizes = kernel_sizes
        self.pooling = pooling
        self.embedding_size = embedding_size
        self.n_tokens = n_tokens
        self.unknown = unknown
        self.activation = activation
        self.code_activation = code_activation
        self.dropout = dropout
        self.loss = loss
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

    @finite_output
    def inverse_transform(self, X):
        """Return the rows that the network reconstructs from features, where it was fitted so.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_components)
            Features, as `transform` returns them.

        Returns
        -------
        rows : ndarray of the shape of the rows of `fit`
            The most probable token ids, int32; other rows are float32.
        """
        check_is_fitted(self)
        if self.n_outputs_ is not None:
            raise ValueError(
                "inverse_transform needs a network that reconstructs X, and this one was fitted "
                "with y: fit it with y=None."
            )
        codes = self._check_codes(X)
        if self._takes_tokens:
            return self._decoded_tokens(codes)
        shape = self._row_shape if self._has_channels else (*self._row_shape, 1)
        return self._forward("decoder", codes, shape).reshape(-1, *self._row_shape)

    def _decoded_tokens(self, codes):
        """Return the most probable token of each step, with the scores of few rows at a time."""
        shape = (*self._row_shape, self.n_tokens_)
        n_rows = get_chunk_n_rows(4 * int(np.prod(shape)), max_n_rows=codes.shape[0])
        tokens = [
            self._forward("decoder", codes[block], shape).argmax(axis=2)
            for block in gen_batches(codes.shape[0], n_rows)
        ]
        return np.concatenate(tokens).astype(np.int32)

    def _builder(self, X, y):
        sizes = self._sizes(y)
        pooling = self.pooling
        if pooling == "auto":
            pooling = "max" if sizes["is_padded"] else "flatten"
        return convolutional, {
            **sizes,
            "kernel_sizes": self._layer_sizes("kernel_sizes"),
            "pooling": pooling,
            "code_activation": self.code_activation,
        }

    def _own_targets(self, X):
        if self._takes_tokens:
            return one_token_a_row(X.ravel(), self.n_tokens_)
        return X.reshape(-1, X.shape[-1] if self._has_channels else 1)
