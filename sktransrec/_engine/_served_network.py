# SPDX-License-Identifier: BSD-3-Clause
"""A fitted network that needs no TensorFlow to run."""

import json
from typing import Any, NamedTuple

import numpy as np

# These register the functions of our own layers.
from . import _attention, _items, _layers, _next_item  # noqa: F401
from ._numpy_layers import LAYERS

_RECURRENT = ("GRU", "LSTM", "SimpleRecurrent")
# Layers whose steps are padding where the steps of their first input are.
_KEEP_PADDING = (*_RECURRENT, "SeededDropout", "ReversedSteps", "SideBySide")


class ServedLayer(NamedTuple):
    """A layer and the names of those that it reads."""

    name: str
    kind: str
    function: Any
    config: dict
    weights: dict
    inputs: list


class ServedNetwork:
    """Parts of a network in numpy, which agree with those of Keras but for rounding.

    What a row gets does not depend on the rows beside it, to the last bit.

    Parameters
    ----------
    config : str
        The `config` of a `Network`.
    weights : dict of str to ndarray
        The weights by path.
    """

    def __init__(self, config, weights):
        config = json.loads(config)
        self._layers = {each["name"]: each for each in config["model"]["layers"]}
        self._ends = config["parts"]
        self._weights = {name: {} for name in self._layers}
        for path, array in weights.items():
            self._weights[path.partition("/")[0]][path.rpartition("/")[2]] = array
        self._parts = {name: self._layers_between(*ends) for name, ends in self._ends.items()}

    def part(self, name):
        """Return the inputs of a part by name, its layers in order, and the name of its output."""
        inputs, output = self._ends[name]
        return inputs, self._parts[name], output

    def run(self, part, rows):
        """Return the ndarray that a part, "encoder" or "decoder", makes of array or CSR rows.

        A part with several inputs takes a list of them.
        """
        inputs, layers, output = self.part(part)
        rows = rows if isinstance(rows, list) else [rows]
        values = dict(zip(inputs, map(_numbers, rows), strict=True))
        with np.errstate(over="ignore"):  # of exponentials whose reciprocal is taken
            for layer in layers:
                read = [values[name] for name in layer.inputs]
                values[layer.name] = layer.function(layer.config, layer.weights, *read)
        return values[output]

    def _layers_between(self, inputs, output):
        """Return the layers that lead from the inputs of a part to its output."""
        needed, layers = {output}, []
        # Layers come after those that they read.
        for name in reversed(self._layers):
            if name in needed and name not in inputs:
                layers.append(self._layer(name))
                needed.update(layers[-1].inputs)
        return layers[::-1]

    def _layer(self, name):
        kind = self._layers[name]["class_name"]
        inputs = self._inputs(name)
        if kind in _RECURRENT and (padded := self._padded(inputs[0])):
            inputs.append(padded)
        config, weights = self._layers[name]["config"], self._weights[name]
        return ServedLayer(name, kind, LAYERS[kind], config, weights, inputs)

    def _inputs(self, name):
        nodes = self._layers[name]["inbound_nodes"]
        return _read(nodes[0]["args"]) if nodes else []

    def _padded(self, name):
        """Return the layer whose zeros say which steps of a layer are padding, or None."""
        layer = self._layers[name]
        if layer["class_name"] in _KEEP_PADDING:
            return self._padded(self._inputs(name)[0])
        is_origin = layer["class_name"] == "Masking" or layer["config"].get("mask_zero")
        return self._inputs(name)[0] if is_origin else None


def _read(arguments):
    """Return the names of the layers whose outputs stand among the arguments of a layer."""
    if isinstance(arguments, list):
        return [name for each in arguments for name in _read(each)]
    return [arguments["config"]["keras_history"][0]] if isinstance(arguments, dict) else []


def _numbers(rows):
    """Return rows as integers or float32."""
    return rows if rows.dtype.kind in "iu" else rows.astype(np.float32, copy=False)
