"""The engine: one compiled training step, and the only place that runs Keras and scikeras.

Import it through `_state.engine`, which brings TensorFlow in.
"""

import functools
import json

import numpy as np
import scipy.sparse as sp

from ._fine_tuning import FineTuner
from ._items import SampledTargets
from ._layers import register_layers
from ._objectives import Objective
from ._state import FittedNetwork

OPTIMIZERS = ("adagrad", "adam", "adamw", "nadam", "rmsprop", "sgd")

# Keras's names of the losses: what the network is compiled with, for whoever goes on with Keras.
_KERAS_LOSSES = {
    "mse": "mean_squared_error",
    "binary_crossentropy": "binary_crossentropy",
    "multinomial": "categorical_crossentropy",
}


def import_tensorflow():
    """Import all that the engine uses."""
    import keras
    import scikeras.wrappers
    import tensorflow

    # The first look for accelerators logs what it does not find.
    tensorflow.config.list_physical_devices()
    return tensorflow, keras, scikeras


def check_backend():
    """Raise unless Keras runs on TensorFlow."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ImportError(
            f"Keras runs on {keras.backend.backend()!r} here, and the feature learners need "
            'TensorFlow: set the environment variable KERAS_BACKEND="tensorflow" before Keras '
            "is imported."
        )


class NetworkTrainer:
    """A live network, its optimizer and its compiled step.

    Parameters
    ----------
    build : callable
        A builder of `_networks`.
    sizes : dict
        The builder's arguments.
    loss, regularization : see `Objective`
    optimizer : str
        One of `OPTIMIZERS`.
    learning_rate : float
    run_eagerly : bool
        Whether to run the step op by op instead of compiling it into a graph.
    fine_tuning : FineTuning, default=None
        What to start from, and which layers move how fast.
    """

    def __init__(
        self,
        build,
        sizes,
        *,
        loss,
        regularization,
        optimizer,
        learning_rate,
        run_eagerly,
        fine_tuning=None,
    ):
        self.settings = {
            "build": build,
            "sizes": sizes,
            "loss": loss,
            "regularization": regularization,
            "optimizer": optimizer,
            "learning_rate": learning_rate,
            "run_eagerly": run_eagerly,
            "fine_tuning": fine_tuning,
        }
        self._run_eagerly = run_eagerly
        self._learning_rate = learning_rate
        self._wrapper = _wrapper_class()(
            build,
            loss=_KERAS_LOSSES[loss],
            optimizer=_fused_adam_class() if optimizer == "adam" else optimizer,
            optimizer__learning_rate=learning_rate,
            optimizer__name=optimizer,
            run_eagerly=run_eagerly,
            warm_start=True,
            **{f"model__{name}": size for name, size in sizes.items()},
        ).initialize(None)
        self._wrapper._ensure_compiled_model()
        self.network = self._wrapper.model_
        self._optimizer = self.network.optimizer
        self._tuner = fine_tuning and FineTuner(self.network, fine_tuning)
        self._variables = self.network.trainable_variables
        if self._tuner:
            self._variables = self._tuner.variables
        self._optimizer.build(self._variables)
        self._objective = Objective(self.network, loss, regularization)
        self._compiled = {}
        self._parts = {}

    @property
    def config(self):
        """The network's layers as JSON, without its optimizer."""
        return json.dumps(self.network.get_config())

    @property
    def weights(self):
        """The weights of the network by path, as ndarrays."""
        return {weight.path: np.array(weight.numpy()) for weight in self.network.weights}

    @property
    def optimizer_state(self):
        """The variables of the optimizer by path but the learning rate, as ndarrays."""
        return {variable.path: np.array(variable.numpy()) for variable in self._state_variables()}

    @property
    def transferred_layers(self):
        """What each layer took over, from the output downwards; empty if nothing was to be."""
        return list(self._tuner.layers) if self._tuner else []

    def start_epoch(self, epoch):
        """Let those layers move that are to move in this epoch, counted from the first fit."""
        if self._tuner:
            self._tuner.start_epoch(epoch)

    def load(self, weights, optimizer_state=None):
        """Start from the given weights and, if it is of the same optimizer, from its state."""
        assign_weights(self.network, weights)
        variables = {variable.path: variable for variable in self._state_variables()}
        if optimizer_state is not None and optimizer_state.keys() == variables.keys():
            for path, value in optimizer_state.items():
                variables[path].assign(value)

    def _state_variables(self):
        rate = self._optimizer.learning_rate
        return [variable for variable in self._optimizer.variables if variable is not rate]

    def train(
        self,
        batches,
        *,
        epochs,
        learning_rate=None,
        validation_loss=None,
        patience=None,
        progress=None,
    ):
        """Train, and return the losses of each epoch as {"loss": [...], "val_loss": [...]}.

        Parameters
        ----------
        batches : callable
            Given an epoch from 0, yields its batches (inputs, targets, KL weight or reversal).
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
        """

        def run(n_epochs):
            history = {"loss": [], "val_loss": []}
            best = _BestWeights(self.network, patience)
            for epoch in range(n_epochs):
                if learning_rate is not None:
                    losses = history["loss" if validation_loss is None else "val_loss"]
                    self._optimizer.learning_rate.assign(learning_rate(losses))
                history["loss"].append(self._trained_epoch(epoch, batches(epoch), progress))
                if validation_loss is not None:
                    loss = validation_loss()
                    history["val_loss"].append(loss)
                    if best.is_exhausted_by(loss):
                        break
            best.restore()
            return history

        return self._wrapper.fit(run, None, epochs=epochs).history_

    def mean_loss(self, batches):
        """Return the mean loss over the rows of batches (inputs, targets, KL weight)."""
        return self._mean_loss("evaluate", batches)

    def forward(self, part, batch):
        """Return the ndarray that a part of the network in its present state makes of rows."""
        if part not in self._parts:
            self._parts[part] = PARTS[part](self.network)
        return forward(self._parts[part], batch)

    def _trained_epoch(self, epoch, batches, progress):
        loss = self._mean_loss("step", batches, progress and functools.partial(progress, epoch))
        if not np.isfinite(loss):
            raise ValueError(
                f"The training loss became {loss} in epoch {epoch + 1}: the network diverged at "
                f"learning_rate={self._learning_rate}. Choose a smaller learning_rate, or scale "
                "the columns of X."
            )
        return loss

    def _mean_loss(self, function, batches, progress=None):
        """Return the mean over the rows of the loss that the function returns for each batch."""
        import tensorflow as tf

        total, n_rows = 0.0, 0
        for inputs, targets, kl_weight in batches:
            inputs, targets = tf.nest.map_structure(as_tensor, (inputs, targets))
            tensors = [inputs, targets, np.float32(kl_weight)]
            loss = float(self._function(function, tensors)(*tensors))
            total += loss * inputs[0].shape[0]
            n_rows += inputs[0].shape[0]
            if progress:
                progress(loss)
        return total / n_rows

    def _function(self, name, tensors):
        """Return the step or the evaluation, compiled for tensors of any number of rows."""
        import tensorflow as tf

        kinds = [isinstance(tensor, tf.SparseTensor) for tensor in tf.nest.flatten(tensors[:2])]
        key = name, type(tensors[1]), tuple(kinds)
        if key not in self._compiled:
            # Through `partial`, TensorFlow tells the functions of trainers apart. It takes them
            # for one that is traced too often otherwise, and warns.
            function = functools.partial(getattr(self, f"_{name}"))
            if not self._run_eagerly:
                signature = tf.nest.map_structure(_any_rows, tensors)
                shapes = [tensor.shape for tensor in self.network.inputs]
                signature[0] = list(map(_of_shape, signature[0], shapes))
                function = tf.function(function, input_signature=signature)
            self._compiled[key] = function
        return self._compiled[key]

    def _step(self, inputs, targets, kl_weight):
        """Update the weights once and return the loss before it."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = self._objective(inputs, targets, kl_weight, training=True)
            if self._tuner:
                loss += self._tuner.penalty()
        gradients = tape.gradient(loss, self._variables)
        if not (isinstance(targets, SampledTargets) and self.settings["optimizer"] == "adam"):
            gradients = [tf.convert_to_tensor(each) for each in gradients]
        if self._tuner:
            self._tuner.apply(self._optimizer, gradients, self._variables)
        else:
            self._optimizer.apply(gradients, self._variables)
        return loss

    def _evaluate(self, inputs, targets, kl_weight):
        return self._objective(inputs, targets, kl_weight, training=False)


class _BestWeights:
    """The weights of the smallest validation loss so far."""

    def __init__(self, network, patience):
        self._network = network
        self._patience = patience
        self._loss = np.inf
        self._weights = None
        self._n_worse = 0

    def is_exhausted_by(self, loss):
        """Return whether this loss is the last worse one that the patience allows."""
        if loss < self._loss:
            self._loss, self._weights = loss, self._network.get_weights()
            self._n_worse = 0
        else:
            self._n_worse += 1
        return self._n_worse >= self._patience

    def restore(self):
        if self._weights is not None:
            self._network.set_weights(self._weights)


def as_tensor(rows):
    """Return an array or a CSR matrix as a tensor of the same kind, of int32 or float32."""
    import tensorflow as tf

    if not sp.issparse(rows):
        return tf.constant(rows, dtype=tf.int32 if rows.dtype.kind in "iu" else tf.float32)
    indices = np.empty((rows.nnz, 2), dtype=np.int64)
    indices[:, 0] = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    indices[:, 1] = rows.indices
    return tf.SparseTensor(indices, rows.data, rows.shape)


def _any_rows(tensor):
    """Return the type of a tensor with the number of its rows left open."""
    import tensorflow as tf

    spec = tf.type_spec_from_value(tensor)
    return _of_shape(spec, [None, *spec.shape[1:]] if spec.shape.rank else spec.shape)


def _of_shape(spec, shape):
    """Return the type of tensors of another shape."""
    return type(spec)(shape, spec.dtype)


def fitted_network(build, sizes, weights):
    """Return the fitted state of a new network with given weights."""
    network = build(**sizes, seed=0)
    assign_weights(network, weights)
    return FittedNetwork(json.dumps(network.get_config()), weights)


def rebuilt_network(config, weights):
    """Return the network of a JSON config, with its weights."""
    import keras

    register_layers()
    network = keras.Model.from_config(json.loads(config))
    assign_weights(network, weights)
    return network


def assign_weights(network, weights):
    """Set the weights of a network from arrays by path, which must be the network's own."""
    shapes = {weight.path: tuple(weight.shape) for weight in network.weights}
    given = {path: weight.shape for path, weight in weights.items()}
    if shapes != given:
        raise ValueError(
            f"The network's layers changed since it was fitted, from {given} to {shapes}. Go on "
            "with the same sizes, or fit anew with warm_start=False."
        )
    for weight in network.weights:
        weight.assign(weights[weight.path])


def encoder(network):
    """Return the part of a network from the rows to their code."""
    import keras

    inputs = [each for each in network.inputs if each.name not in ("noise", "own_domain")]
    return keras.Model(inputs, network.get_layer("code").output)


def decoder(network):
    """Return the part of a network from a code to the output, where that is a chain of layers."""
    names = [layer.name for layer in network.layers]
    code = next(each for each in ("code_and_domain", "sampled_code", "code") if each in names)
    chain = [
        layer
        for layer in network.layers[names.index(code) + 1 :]
        if not layer.name.startswith("discriminator")
    ]

    def decode(inputs):
        return functools.reduce(lambda hidden, layer: layer(hidden), chain, *inputs)

    return decode


PARTS = {"decoder": decoder, "encoder": encoder}


def forward(part, rows):
    """Return what a part of a network makes of array or CSR rows, or a list of them, as ndarray."""
    inputs = rows if isinstance(rows, list) else [rows]
    return part([as_tensor(each) for each in inputs]).numpy()


@functools.cache
def _wrapper_class():
    """Return the scikeras wrapper that takes any data and trains by our loop.

    scikeras builds and compiles the network, from names and numbers, and keeps the history. Its
    data hooks would densify CSR, and its `random_state` switches op determinism on process-wide.
    """
    from scikeras.wrappers import BaseWrapper

    class AsGiven:
        def fit(self, data):
            return self

        def transform(self, data):
            return data

    class NetworkWrapper(BaseWrapper):
        feature_encoder = target_encoder = AsGiven()

        def _validate_data(self, X=None, y=None, reset=False, y_numeric=False):
            return X, y

        def _fit_keras_model(self, X, y, sample_weight, warm_start, epochs, initial_epoch):
            self.history_ = X(epochs)

    return NetworkWrapper


@functools.cache
def _fused_adam_class():
    """Return Adam with each variable's update as one op: a third of the memory traffic.

    Where a gradient has few rows, the update touches these alone.
    """
    import keras
    import tensorflow as tf

    class FusedAdam(keras.optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            i = self._get_variable_index(variable)
            step = tf.cast(self.iterations + 1, tf.float32)
            if isinstance(gradient, tf.IndexedSlices):
                self._update_rows(gradient, variable, i, step, learning_rate)
                return
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=self._momentums[i].value.handle,
                v=self._velocities[i].value.handle,
                beta1_power=tf.pow(self.beta_1, step),
                beta2_power=tf.pow(self.beta_2, step),
                lr=learning_rate,
                beta1=self.beta_1,
                beta2=self.beta_2,
                epsilon=self.epsilon,
                grad=gradient,
            )

        def _update_rows(self, gradient, variable, i, step, learning_rate):
            """Update the rows that have a gradient; the moments of the others stay as they are."""
            rows, places = tf.unique(gradient.indices)
            gradient = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
            gradients = ((self._momentums, self.beta_1, gradient),)
            gradients += ((self._velocities, self.beta_2, tf.square(gradient)),)
            moments = []
            for variables, decay, value in gradients:
                moment = variables[i].value
                moments.append(decay * tf.gather(moment, rows) + (1 - decay) * value)
                moment.scatter_update(tf.IndexedSlices(moments[-1], rows))
            rate = learning_rate * tf.sqrt(1 - tf.pow(self.beta_2, step))
            rate /= 1 - tf.pow(self.beta_1, step)
            change = rate * moments[0] / (tf.sqrt(moments[1]) + self.epsilon)
            variable.scatter_sub(tf.IndexedSlices(change, rows))

    return FusedAdam
