# SPDX-License-Identifier: BSD-3-Clause
"""What a builder returns: a network, and which parts of it are for what."""

import json

from ._layers import float32_model, in_float32, register_layers


class Network:
    """A functional Keras model, with what the engine must know of it.

    Parameters
    ----------
    model : keras.Model
        All layers, those of the heads included.
    encoder : (list of KerasTensor, KerasTensor)
        The inputs that a code depends on, and the code, which `transform` returns.
    terms : dict of str to callable
        Training minimises their sum. Each has `tensors`, takes the values of these and the targets
        that a batch has under its name, and returns a sum over rows. None if it is not trained.
    decoder : (list of KerasTensor, KerasTensor), default=None
        What decoding starts from, and its output.
    item_axes : dict of str to int, default=None
        The axis, by path, of those weights that have a row or column for each column of X.
    """

    def __init__(self, model, encoder, terms=None, *, decoder=None, item_axes=None):
        self.model = model
        self.terms = terms
        self.item_axes = item_axes or {}
        self._tensors = {"encoder": encoder, "decoder": decoder}
        self._parts = {}

    def part(self, name):
        """Return the live "encoder" or "decoder", which takes a list of tensors."""
        if name not in self._parts:
            self._parts[name] = float32_model(*self._tensors[name])
        return self._parts[name]

    @property
    def weights(self):
        """The variables of all layers by path."""
        return {weight.path: weight for weight in self.model.weights}

    def assign(self, arrays):
        """Set the weights from arrays by path, which must be the network's own."""
        shapes = {path: tuple(weight.shape) for path, weight in self.weights.items()}
        given = {path: array.shape for path, array in arrays.items()}
        if shapes != given:
            raise ValueError(
                f"The network's layers changed since it was fitted, from {given} to {shapes}. Go "
                "on with the same sizes, or fit anew with warm_start=False."
            )
        for path, weight in self.weights.items():
            weight.assign(arrays[path])

    @property
    def config(self):
        """The network but its weights and its objective, as JSON."""
        parts = {
            name: [[layer_name(each) for each in part[0]], layer_name(part[1])]
            for name, part in self._tensors.items()
            if part
        }
        return json.dumps({"model": self.model.get_config(), "parts": parts})

    @classmethod
    def from_config(cls, config):
        """Return the network of a JSON config, whose weights are still to be assigned."""
        import keras

        register_layers()
        config = json.loads(config)
        model = in_float32(keras.Model.from_config(config["model"]))
        parts = {
            name: (
                [model.get_layer(each).output for each in inputs],
                model.get_layer(output).output,
            )
            for name, (inputs, output) in config["parts"].items()
        }
        return cls(model, **parts)


def layer_name(tensor):
    """Return the name of the layer that a symbolic tensor comes from."""
    return tensor._keras_history.operation.name
