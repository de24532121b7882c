"""The fitted state of a network, which needs no TensorFlow until the network runs."""

import contextlib
import os
import sys

# The process in which TensorFlow was started; a fork takes it over as it is.
_process_of_tensorflow = None


def engine():
    """Return the module that trains and runs networks, with TensorFlow imported."""
    global _process_of_tensorflow
    from . import _keras

    if _process_of_tensorflow not in (None, os.getpid()):
        raise RuntimeError(
            f"TensorFlow was started in process {_process_of_tensorflow}, of which this one "
            f"({os.getpid()}) is a fork: a network would wait for ever for threads that a fork "
            "leaves behind. Run it in a process that starts anew, as joblib's default backend "
            '"loky" and multiprocessing.get_context("spawn") make them, or fork before the first '
            "network is trained or run."
        )
    silence = contextlib.nullcontext if "tensorflow" in sys.modules else _silent_stderr
    try:
        with silence():
            _keras.import_tensorflow()
    except ImportError as error:
        raise ImportError(
            "Training or running a network needs TensorFlow, Keras and scikeras: "
            "pip install tensorflow scikeras. A fitted model can be loaded and looked at "
            "without them."
        ) from error
    _keras.check_backend()
    _process_of_tensorflow = os.getpid()
    return _keras


@contextlib.contextmanager
def _silent_stderr():
    """Send what C++ writes to the standard error of the process nowhere.

    TensorFlow logs a few lines while it is imported, before any level of logging applies.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # the process has no standard error
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def fitted_network(build, sizes, weights):
    """Return the fitted state of a new network with given weights."""
    engine()
    network = build(**sizes, seed=0)
    network.assign(weights)
    return FittedNetwork(network.config, weights, network.item_axes)


class FittedNetwork:
    """A network as JSON and numpy arrays, rebuilt as a live one when it is first run.

    Parameters
    ----------
    config : str
        The `config` of a `Network`.
    weights : dict of str to ndarray
        The weights by the path of each, such as "code/kernel".
    item_axes : dict of str to int
        Those of the `Network`.
    optimizer_state : dict of str to ndarray, default=None
        The variables of the optimizer, where training may go on from here.
    trainer : NetworkTrainer, default=None
        The live trainer in that very state; it is not pickled.
    """

    def __init__(self, config, weights, item_axes, optimizer_state=None, trainer=None):
        self.config = config
        self.weights = weights
        self.item_axes = item_axes
        self.optimizer_state = optimizer_state
        self._trainer = trainer
        self._network = None

    def __getstate__(self):
        return {**vars(self), "_trainer": None, "_network": None}

    def take_trainer(self):
        """Return the live trainer or None; it leaves this state, since training changes it."""
        trainer, self._trainer = self._trainer, None
        return trainer

    @property
    def network(self):
        """The live `Network`."""
        keras_engine = engine()
        if self._network is None:
            self._network = keras_engine.rebuilt_network(self.config, self.weights)
        return self._network

    def run(self, part, batch):
        """Return the ndarray that a part of the network, "encoder" or "decoder", makes of rows."""
        return engine().forward(self.network.part(part), batch)
