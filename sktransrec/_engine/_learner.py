# SPDX-License-Identifier: BSD-3-Clause
"""What every estimator around a network does: train it, keep its state, run it."""

import copy
import warnings
from contextlib import contextmanager
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state, gen_batches

from .._numerics._row_blocks import row_slices, rows_in
from .._numerics._row_sums import column_shares, joined_shares
from .._validation import available_if, check_is_fitted, positive_integers, visual_block
from .._version_stamp import current_version, path_as_str
from .._wrapping import fitted_learner
from ._checkpoint import Checkpoint
from ._fine_tuning import (
    FineTuning,
    TrainedNetwork,
    TransferredLayer,
    check_same_columns,
    matching_columns,
)
from ._idle_trainers import IdleTrainers
from ._schedules import LearningRates
from ._state import FittedNetwork
from ._trainer import NetworkTrainer, TrainerSettings

# Rows that run through a network at once where nothing is learned.
_FORWARD_ROWS = 256

# Rows whose codes tell whether the network has collapsed.
_CODES_LOOKED_AT = 1024

_idle_trainers = IdleTrainers()


def _is_pretrained(learner):
    return isinstance(learner.pretrained, FrozenEstimator)


class NetworkLearner:
    """Mixin of estimators whose fitted state is a neural network.

    A subclass has parameters of `PARAMETERS`, and implements

    - ``_check_fit_rows(X, y, reset)``, which returns validated (X, y). Where some weights have a
      row or column for each column of X, it sets ``_column_names`` to the names of these columns;
    - ``_builder(X, y)``, which returns a builder of a `Network` and its arguments but the seed;
    - ``_batch(X, y, rng, progress)``, which returns the inputs of the network for some rows, and
      the targets of each of its terms. For training, `rng` corrupts them after `progress` epochs,
      fractions included. If `rng` is None, they stay as they are.
    """

    feature_names_in_: NDArray[Any]
    n_features_in_: int
    n_iter_: int
    loss_curve_: list[float]
    validation_loss_curve_: list[float] | None
    transferred_layers_: list[TransferredLayer]
    _column_names = None
    # Whether a network has weights for each column of X, which `pretrained` finds by its place.
    _matches_columns_by_place = False
    # Whether the parameters ask for rows that are divided by their lengths.
    _wants_unit_rows = False

    def __getstate__(self):
        state = super().__getstate__()
        return {**state, "checkpoint_folder": path_as_str(self.checkpoint_folder)}

    @available_if(_is_pretrained)
    def _sk_visual_block_(self):
        held = self.pretrained.estimator
        name = getattr(self.pretrained, "name", type(held).__name__)
        return visual_block([held], [f"{self._tuning_in_words()}: {name}"], [str(held)])

    def _tuning_in_words(self):
        """Return which layers of `pretrained` move, in words."""
        if self.trainable == "all":
            return "fine-tuned from"
        if self.trainable == "head":
            return "frozen but for the output"
        return f"frozen but for the last {self.trainable} layers"

    @property
    def network_(self) -> Any:
        """A copy of the fitted network as a Keras model, built when it is first asked for."""
        check_is_fitted(self)
        return self._fitted_network.network.model

    def _fit_network(self, X, y):
        """Train a network on validated X and y, anew unless `warm_start` asks to go on."""
        goes_on = self.warm_start and hasattr(self, "_fitted_network")
        X, y = self._check_fit_rows(X, y, reset=not goes_on)
        self._start(anew=not goes_on)
        checkpoint = self._checkpoint(X, y)
        trainer = self._trainer(X, y, keep_optimizer=False)
        fraction = self.validation_fraction
        history = self._trained(
            trainer, X, y, epochs=self.epochs, validation_fraction=fraction, checkpoint=checkpoint
        )
        self._finish(trainer, history, keep_trainer=False)
        self._warn_of_collapse(X)
        return self

    def _partial_fit_network(self, X, y):
        """Train the network for one more epoch."""
        self._validate_params()  # scikit-learn skips it where a fitted model goes on
        is_first = not hasattr(self, "_fitted_network")
        X, y = self._check_fit_rows(X, y, reset=is_first)
        self._start(anew=is_first)
        trainer = self._trainer(X, y, keep_optimizer=True)
        history = self._trained(
            trainer, X, y, epochs=1, validation_fraction=0, earlier_losses=self.loss_curve_
        )
        self._finish(trainer, history, keep_trainer=True)
        return self

    @property
    def _reads_unit_rows(self):
        """Whether rows are divided by their lengths, as they were when the network learned."""
        return getattr(self, "_learns_unit_rows", self._wants_unit_rows)

    def _start(self, *, anew):
        """Forget what was learned, or go on so that an error leaves the present state intact."""
        self._learns_unit_rows = self._wants_unit_rows
        if not anew:
            self._rng = copy.deepcopy(self._rng)
            return
        self._pretrained = self._pretrained_network()
        seed = check_random_state(self.random_state).randint(2**32, dtype=np.uint64)
        self._rng = np.random.RandomState(int(seed))
        self._seed_of_weights = self._rng.randint(2**31)
        self._fitted_network = None
        self.loss_curve_ = []
        self.validation_loss_curve_ = None

    def _checkpoint(self, X, y):
        """Return the checkpoint of a training on X and y, or None; take over how it has begun."""
        if self.checkpoint_folder is None:
            return None
        settings = self.get_params(deep=False)
        for name in ("checkpoint_folder", "verbose"):
            del settings[name]
        # The losses tell apart what a warm start goes on from.
        what = [type(self).__name__, current_version(), settings, self.loss_curve_, X, y]
        checkpoint = Checkpoint(self.checkpoint_folder, what, self._rng, self._seed_of_weights)
        self._rng, self._seed_of_weights = checkpoint.rng, checkpoint.seed_of_weights
        return checkpoint

    def _pretrained_network(self):
        """Return what `pretrained` holds, or None."""
        if self.pretrained is None:
            return None
        learner = fitted_learner(self.pretrained, type(self))
        if self._matches_columns_by_place:
            check_same_columns(learner, self)
        columns = matching_columns(learner._column_names, self._column_names)
        fitted = learner._fitted_network
        return TrainedNetwork(fitted.weights, fitted.item_axes, columns)

    def _fine_tuning(self):
        """Return what the network starts from and how it moves, or None."""
        if self._pretrained is None:
            return None
        return FineTuning(
            self._pretrained, self.trainable, self.unfreeze_every, self.layer_decay, self.l2_sp
        )

    def _trainer(self, X, y, *, keep_optimizer):
        """Return a trainer of this estimator's network in its present state."""
        build, sizes = self._builder(X, y)
        settings = TrainerSettings(
            build,
            {**_without_numpy(sizes), "seed": self._seed_of_weights},
            self.regularization,
            self.optimizer,
            self.learning_rate,
            self.run_eagerly,
            self._fine_tuning(),
        )
        fitted = self._fitted_network
        trainer = fitted and fitted.take_trainer()
        if keep_optimizer and trainer is not None and trainer.settings == settings:
            return trainer
        trainer = _idle_trainers.take(settings) or NetworkTrainer(settings)
        if fitted is not None:
            trainer.load(fitted.weights, fitted.optimizer_state if keep_optimizer else None)
        return trainer

    def _learning_rates(self):
        """Return the learning rates of the epochs; raise if the warm-up takes all of them."""
        if self.learning_rate_schedule == "cosine" and self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"warmup_epochs={self.warmup_epochs} leaves none of epochs={self.epochs} for the "
                'learning rate to fall in: choose fewer, or learning_rate_schedule="constant".'
            )
        return LearningRates(
            self.learning_rate,
            self.learning_rate_schedule,
            self.warmup_epochs,
            self.epochs,
            self.patience,
        )

    def _trained(
        self, trainer, X, y, *, epochs, validation_fraction, earlier_losses=(), checkpoint=None
    ):
        """Train on the rows that are not held out, and return the losses of each epoch.

        The learning rate goes on from the epochs with the earlier losses.
        """
        rates = self._learning_rates()
        X, rows, validation_loss = self._held_out(trainer, X, y, validation_fraction)
        if self._fitted_network is None:
            trainer.start_from(self._first_weights(X, trainer.network))
        n_batches = -(-len(rows) // self.batch_size)
        n_before = len(self.loss_curve_)

        def batches(epoch):
            trainer.start_epoch(n_before + epoch)
            for i, batch in enumerate(self._row_batches(X, rows)):
                progress = n_before + epoch + i / n_batches
                yield self._batch(*_rows(X, y, batch), self._rng, progress)

        with _progress_bar(epochs * n_batches, self.verbose) as progress:
            return trainer.train(
                batches,
                epochs=epochs,
                learning_rate=lambda losses: rates.after([*earlier_losses, *losses]),
                validation_loss=validation_loss,
                patience=self.patience,
                progress=progress,
                keeps_finished=self.warm_start,
                checkpoint=checkpoint,
            )

    def _held_out(self, trainer, X, y, validation_fraction):
        """Return X, the rows of it to train on, and a function that returns the loss of the others.

        The function is None if nothing is held out.
        """
        held_out, rows = self._split(X.shape[0], validation_fraction)
        if not len(rows):
            raise ValueError(
                f"validation_fraction={validation_fraction} of {X.shape[0]} rows leaves none to "
                "train on: pass more rows or a smaller validation_fraction."
            )

        def validation_loss():
            return trainer.mean_loss(
                self._batch(*_rows(X, y, held_out[batch]), None, np.inf)
                for batch in gen_batches(len(held_out), self.batch_size)
            )

        return X, rows, validation_loss if len(held_out) else None

    def _first_weights(self, X, network):
        """Return by path the weights that start from other values than drawn ones.

        X holds the rows to learn from, without what is held out of them.
        """
        return {}

    def _row_batches(self, X, rows):
        """Return the rows of each batch of an epoch, in random order."""
        order = self._rng.permutation(rows)
        return [order[batch] for batch in gen_batches(len(order), self.batch_size)]

    def _split(self, n_rows, validation_fraction):
        """Return the indices of the rows to hold out and of those to train on."""
        if validation_fraction == 0:
            return np.empty(0, dtype=np.intp), np.arange(n_rows)
        n_held_out = max(1, round(validation_fraction * n_rows))
        return np.split(self._rng.permutation(n_rows), [n_held_out])

    def _finish(self, trainer, history, *, keep_trainer):
        """Keep the state of the trainer, and what the next `partial_fit` goes on from."""
        self._fitted_network = FittedNetwork(
            trainer.network.config,
            trainer.weights,
            trainer.network.item_axes,
            optimizer_state=trainer.optimizer_state if keep_trainer else None,
            trainer=trainer if keep_trainer else None,
        )
        self.transferred_layers_ = trainer.transferred_layers
        self.loss_curve_ = [*self.loss_curve_, *history["loss"]]
        if history["val_loss"]:
            self.validation_loss_curve_ = [
                *(self.validation_loss_curve_ or []),
                *history["val_loss"],
            ]
        self.n_iter_ = len(self.loss_curve_)
        if not keep_trainer:
            _idle_trainers.keep(trainer)

    def _count_popularity(self, items, *, anew):
        """Set the popularity among the rows of `items` and, unless `anew`, those learned before."""
        shares, n_rows, n_before = column_shares(items), items.shape[0], 0
        if not anew:
            n_before = self._n_learned_rows
            shares = joined_shares(self.popularity_, n_before, shares, n_rows)
        self.popularity_, self._n_learned_rows = shares, n_before + n_rows

    def _warn_of_collapse(self, X):
        """Warn if half of the features or more have one value for rows that are not the same."""
        places = np.unique(np.linspace(0, X.shape[0] - 1, _CODES_LOOKED_AT).astype(np.intp))
        codes = self._fitted_network.served.run("encoder", self._inputs("encoder", X[places]))
        n_constant = _n_constant_columns(codes)
        if 2 * n_constant < codes.shape[1] or _are_the_same(X[places]):
            return
        warnings.warn(
            f"The code of {type(self).__name__} collapsed: {n_constant} of its {codes.shape[1]} "
            f"features are the same for all rows of X. Choose {self._cure_of_collapse()}.",
            stacklevel=2,
        )

    def _cure_of_collapse(self):
        """Return the parameters under which units are less likely to die or to saturate."""
        if getattr(self, "code_activation", "linear") != "linear":
            return 'code_activation="linear"'
        cure = "a smaller learning_rate, and scale the values of X to means near 0"
        is_relu = getattr(self, "activation", None) == "relu"
        return f'activation="elu", whose units do not die, or {cure}' if is_relu else cure

    def _forward(self, part, rows, shape):
        """Return what a part of the network makes of each row, an array of the given shape."""
        result = np.empty((rows.shape[0], *shape), dtype=np.float32)
        for block in row_slices(rows.shape[0], _FORWARD_ROWS):
            some = self._inputs(part, rows_in(rows, block))
            result[block] = self._fitted_network.served.run(part, some)
        return result

    def _inputs(self, part, rows):
        """Return rows in the form in which a part of the network takes them."""
        return rows

    def _layer_sizes(self, name):
        """Return the sizes of layers that a parameter holds."""
        return positive_integers(getattr(self, name), name=name)


def _without_numpy(sizes):
    """Return sizes as Keras takes them, which refuses the integers of numpy."""
    return {
        name: size.item() if isinstance(size, np.generic) else size for name, size in sizes.items()
    }


def _n_constant_columns(codes):
    """Return how many columns have one value but for rounding."""
    return np.count_nonzero(np.ptp(codes, axis=0) <= 1e-6 * np.abs(codes).max(axis=0))


def _are_the_same(rows):
    """Return whether all rows, dense or sparse, are the same."""
    first = rows[np.zeros(rows.shape[0], dtype=np.intp)]
    return not (rows - first).count_nonzero() if sp.issparse(rows) else np.all(rows == first)


def _rows(X, y, rows):
    return X[rows], None if y is None else y[rows]


@contextmanager
def _progress_bar(n_batches, verbose):
    """Give a function that reports a batch to a bar, or None if there is no bar."""
    if not verbose:
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=n_batches, unit="batch") as bar:

        def report(epoch, loss):
            bar.set_postfix(epoch=epoch + 1, loss=f"{loss:.4g}", refresh=False)
            bar.update()

        yield report
