# SPDX-License-Identifier: BSD-3-Clause
"""One training loop and one compiled step for all networks."""

import functools
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ._adam import fused_adam_class
from ._fine_tuning import FineTuner, FineTuning
from ._items import SampledTargets
from ._keras import as_tensor, forward
from ._objectives import Objective
from ._state import engine

# Networks with more variables do not keep those that they started from.
_SMALL_NETWORK = 2**18


class TrainerSettings(NamedTuple):
    """What a trainer builds and how it trains it.

    Attributes
    ----------
    build : callable
        A builder, which returns a `Network`.
    sizes : dict
        The builder's arguments.
    regularization : see `Objective`
    optimizer : str
        One of `_parameters.OPTIMIZERS`.
    learning_rate : float
    run_eagerly : bool
        Whether to run the step op by op instead of compiling it into a graph.
    fine_tuning : FineTuning, default=None
        What to start from, and which layers move how fast.
    """

    build: Callable
    sizes: dict
    regularization: float
    optimizer: str
    learning_rate: float
    run_eagerly: bool
    fine_tuning: FineTuning | None = None


class NetworkTrainer:
    """A live network, its optimizer and its compiled step."""

    def __init__(self, settings):
        engine()
        self.settings = settings
        self.network = settings.build(**settings.sizes)
        self._optimizer = _compiled(self.network.model, settings)
        self._tuner = settings.fine_tuning and FineTuner(self.network, settings.fine_tuning)
        self._variables = self.network.model.trainable_variables
        if self._tuner:
            self._variables = self._tuner.variables
        self._optimizer.build(self._variables)
        self._objective = Objective(self.network, settings.regularization)
        self._functions = {}
        variables = [*self.network.model.weights, *_all_variables(self._optimizer)]
        is_small = sum(np.prod(each.shape) for each in variables) <= _SMALL_NETWORK
        self._start = [(each, np.array(each.numpy())) for each in variables] if is_small else None

    @property
    def weights(self):
        """The weights of the network by path, as ndarrays."""
        return {path: np.array(each.numpy()) for path, each in self.network.weights.items()}

    @property
    def optimizer_state(self):
        """The variables of the optimizer by path but the learning rate, as ndarrays."""
        return {path: np.array(each.numpy()) for path, each in self._state_variables().items()}

    @property
    def transferred_layers(self):
        """What each layer took over, from the output downwards; empty without fine-tuning."""
        return list(self._tuner.layers) if self._tuner else []

    @property
    def can_start_anew(self):
        """Whether it knows the weights that it started from."""
        return self._start is not None

    def start_anew(self, learning_rate):
        """Go back to the state before the first step; the compiled step stays."""
        self.settings = self.settings._replace(learning_rate=learning_rate)
        for variable, value in self._start:
            variable.assign(value)

    def start_from(self, weights):
        """Start from other weights by path; what a pretrained network has copied stays."""
        for path, value in weights.items():
            self.network.weights[path].assign(value)
        if weights and self._tuner:
            self._tuner.copy()

    def start_epoch(self, epoch):
        """Let those layers move that are to move in this epoch, counted from the first fit."""
        if self._tuner:
            self._tuner.start_epoch(epoch)

    def load(self, weights, optimizer_state=None):
        """Start from the given weights and, if it is of the same optimizer, from its state."""
        self.network.assign(weights)
        variables = self._state_variables()
        if optimizer_state is not None and optimizer_state.keys() == variables.keys():
            for path, value in optimizer_state.items():
                variables[path].assign(value)

    def _state_variables(self):
        rate, variables = self._optimizer.learning_rate, _all_variables(self._optimizer)
        # Keras 3.5 gives all accumulators of Adagrad one path.
        return {f"{n}/{_name(each)}": each for n, each in enumerate(variables) if each is not rate}

    def train(
        self,
        batches,
        *,
        epochs,
        learning_rate=None,
        validation_loss=None,
        patience=None,
        progress=None,
        keeps_finished=False,
        checkpoint=None,
    ):
        """Train, and return the losses of each epoch as {"loss": [...], "val_loss": [...]}.

        Parameters
        ----------
        batches : callable
            Given an epoch from 0, yields its batches (inputs, targets of each term).
        epochs : int
            Largest number of epochs.
        learning_rate : callable, default=None
            Returns the rate of the next epoch, given the losses of those before: of held-out data,
            or of training where there is none.
        validation_loss : callable, default=None
            Returns what the present network makes of held-out data, better if it is smaller. The
            best weights are kept.
        patience : int, default=None
            Stop after so many epochs without a better validation loss.
        progress : callable, default=None
            Called after each batch with the epoch and the batch's loss.
        keeps_finished : bool
            Whether a KeyboardInterrupt ends the training with the epochs that are finished and a
            warning, if there are any.
        checkpoint : Checkpoint, default=None
            Where the state after each epoch is kept until the training ends, and where that of an
            earlier run is found.
        """
        engine()
        best = _BestWeights(self.network.model, patience)
        history = self._resumed(checkpoint, best)
        is_resumed = bool(history["loss"])
        finished = self.network.model.get_weights() if is_resumed and keeps_finished else None
        for epoch in range(len(history["loss"]), epochs):
            if learning_rate is not None:
                losses = history["loss" if validation_loss is None else "val_loss"]
                self._optimizer.learning_rate.assign(learning_rate(losses))
            try:
                loss = self._trained_epoch(epoch, batches(epoch), progress)
                held_out_loss = None if validation_loss is None else validation_loss()
            except KeyboardInterrupt:
                if finished is None:
                    raise
                self.network.model.set_weights(finished)
                warnings.warn(_of_interrupt(epoch, epochs), UserWarning, stacklevel=2)
                best.restore()
                return history
            history["loss"].append(loss)
            if keeps_finished:
                finished = self.network.model.get_weights()
            if held_out_loss is not None:
                history["val_loss"].append(held_out_loss)
                if best.is_exhausted_by(held_out_loss):
                    break
            if checkpoint and epoch + 1 < epochs:
                checkpoint.save(self._state_after(history, best))
        best.restore()
        if checkpoint:
            checkpoint.remove()
        return history

    def _resumed(self, checkpoint, best):
        """Return the losses so far: those of a checkpoint, whose state is taken over, or none."""
        state = checkpoint and checkpoint.resume()
        if not state:
            return {"loss": [], "val_loss": []}
        self.load(state["weights"], state["optimizer_state"])
        best.state = state["best"]
        return state["history"]

    def _state_after(self, history, best):
        """Return what `_resumed` takes over."""
        return {
            "weights": self.weights,
            "optimizer_state": self.optimizer_state,
            "best": best.state,
            "history": history,
        }

    def mean_loss(self, batches):
        """Return the mean loss over the rows of batches (inputs, targets of each term)."""
        return self._mean_loss("evaluate", batches)

    def forward(self, part, batch):
        """Return the ndarray that a part of the network in its present state makes of rows."""
        return forward(self.network.part(part), batch)

    def _trained_epoch(self, epoch, batches, progress):
        loss = self._mean_loss("step", batches, progress and functools.partial(progress, epoch))
        if not np.isfinite(loss):
            raise ValueError(
                f"The training loss became {loss} in epoch {epoch + 1}: the network diverged at "
                f"learning_rate={self.settings.learning_rate}. Choose a smaller learning_rate, "
                "or scale the columns of X."
            )
        return loss

    def _mean_loss(self, function, batches, progress=None):
        """Return the mean over the rows of the loss that the function returns for each batch."""
        import tensorflow as tf

        total, n_rows = 0.0, 0
        for batch in batches:
            inputs, targets = tensors = tf.nest.map_structure(as_tensor, list(batch))
            loss = float(self._function(function, tensors)(inputs, targets))
            total += loss * inputs[0].shape[0]
            n_rows += inputs[0].shape[0]
            if progress:
                progress(loss)
        return total / n_rows

    def _function(self, name, tensors):
        """Return the step or the evaluation, compiled for tensors of any number of rows."""
        import tensorflow as tf

        kinds = [isinstance(tensor, tf.SparseTensor) for tensor in tf.nest.flatten(tensors)]
        key = name, *map(type, tensors[1].values()), *kinds
        if key not in self._functions:
            # Through `partial`, TensorFlow tells the functions of trainers apart. It takes them
            # for one that is traced too often otherwise, and warns.
            function = functools.partial(getattr(self, f"_{name}"))
            if not self.settings.run_eagerly:
                signature = tf.nest.map_structure(_any_rows, tensors)
                shapes = [tensor.shape for tensor in self.network.model.inputs]
                signature[0] = list(map(_of_shape, signature[0], shapes))
                function = tf.function(function, input_signature=signature, autograph=False)
                _forget_gradients(function.get_concrete_function().graph)
            self._functions[key] = function
        return self._functions[key]

    def _step(self, inputs, targets):
        """Update the weights once and return the loss before it."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = self._objective(inputs, targets, training=True)
            if self._tuner:
                loss += self._tuner.penalty()
        gradients = tape.gradient(loss, self._variables)
        is_sampled = any(isinstance(each, SampledTargets) for each in targets.values())
        if not (is_sampled and self.settings.optimizer == "adam"):
            gradients = [tf.convert_to_tensor(each) for each in gradients]
        if self._tuner:
            self._tuner.apply(self._optimizer, gradients, self._variables)
        else:
            self._optimizer.apply(gradients, self._variables)
        return loss

    def _evaluate(self, inputs, targets):
        return self._objective(inputs, targets, training=False)


def _forget_gradients(graph):
    """Take the gradients of ours in a traced graph out of the registry of TensorFlow.

    The trace has used them already, and the registry would keep the graph for ever.
    """
    from tensorflow.python.framework import ops

    registry = getattr(getattr(ops, "gradient_registry", None), "_registry", {})
    for operation in graph.get_operations():
        if "_gradient_op_type" in operation.node_def.attr:
            name = operation.get_attr("_gradient_op_type").decode()
            if name.startswith("CustomGradient-"):
                registry.pop(name, None)


def _all_variables(optimizer):
    """Return the variables of an optimizer, with the one that Nadam of Keras does not count."""
    uncounted = getattr(optimizer, "_u_product", None)
    return [*optimizer.variables, *([] if uncounted is None else [uncounted])]


def _name(variable):
    # The path of a variable that no optimizer counts has a number that differs from fit to fit.
    return variable.path if "/" in variable.path else "uncounted"


def _of_interrupt(n_finished, epochs):
    return (
        f"The training was interrupted after {n_finished} of {epochs} epochs. What these have "
        "learned is kept; call fit again to go on."
    )


class _BestWeights:
    """The weights of the smallest validation loss so far."""

    def __init__(self, network, patience):
        self._network = network
        self._patience = patience
        self.state = {"loss": np.inf, "weights": None, "n_worse": 0}

    def is_exhausted_by(self, loss):
        """Return whether this loss is the last worse one that the patience allows."""
        if loss < self.state["loss"]:
            self.state = {"loss": loss, "weights": self._network.get_weights(), "n_worse": 0}
        else:
            self.state["n_worse"] += 1
        return self.state["n_worse"] >= self._patience

    def restore(self):
        if self.state["weights"] is not None:
            self._network.set_weights(self.state["weights"])


def _any_rows(tensor):
    """Return the type of a tensor with the number of its rows left open."""
    import tensorflow as tf

    spec = tf.type_spec_from_value(tensor)
    return _of_shape(spec, [None, *spec.shape[1:]] if spec.shape.rank else spec.shape)


def _of_shape(spec, shape):
    """Return the type of tensors of another shape."""
    return type(spec)(shape, spec.dtype)


def _compiled(model, settings):
    """Let scikeras compile a network from names and numbers, and return its optimizer."""
    from scikeras.wrappers import BaseWrapper

    wrapper = BaseWrapper(
        model,
        loss="mean_squared_error",  # none but ours is computed
        optimizer=fused_adam_class() if settings.optimizer == "adam" else settings.optimizer,
        optimizer__learning_rate=settings.learning_rate,
        optimizer__name=settings.optimizer,
        run_eagerly=settings.run_eagerly,
    )
    wrapper.model_ = model
    wrapper._ensure_compiled_model()
    return model.optimizer
