# SPDX-License-Identifier: BSD-3-Clause
"""What the layers of dense networks are in a graph of ONNX."""

_SAME_IN_ONNX = {
    "elu": ("Elu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.2}),
    "relu": ("Relu", {}),
    "selu": ("Selu", {}),
    "sigmoid": ("Sigmoid", {}),
    "softmax": ("Softmax", {"axis": 1}),
    "softplus": ("Softplus", {}),
    "tanh": ("Tanh", {}),
}


def add_part(graph, learner, part, rows):
    """Add a part of a learner's network to a graph, and return the name of its output.

    Parameters
    ----------
    graph : object
        It has ``constant(name, value)``, and ``node(kind, inputs, output, **attributes)``, which
        return the name of what they add.
    learner : NetworkLearner
    part : {"encoder", "decoder"}
    rows : str
        The name of what the part reads.
    """
    if part == "encoder" and learner._reads_unit_rows:
        rows = _unit_rows(graph, rows)
    inputs, layers, output = learner._fitted_network.served.part(part)
    unknown = sorted({layer.kind for layer in layers} - set(_LAYERS))
    if unknown or len(inputs) > 1:
        reason = f"reads {len(inputs)} inputs" if not unknown else f"has layers {unknown}"
        raise TypeError(
            f"The {part} of {type(learner).__name__} {reason}: to_onnx takes dense networks that "
            "read the rows. Export its network_ by Keras, or use save for a file that Python reads."
        )
    names = {inputs[0]: rows}
    for layer in layers:
        names[layer.name] = _LAYERS[layer.kind](graph, layer, names[layer.inputs[0]])
    return names[output]


def _unit_rows(graph, rows):
    """Add the division of rows by their lengths; rows of zeros stay as they are."""
    length = graph.node("ReduceL2", [rows], "lengths", axes=[1], keepdims=1)
    is_empty = graph.node("Equal", [length, graph.constant("no_length", 0)], "has_no_length")
    divisor = graph.node("Where", [is_empty, graph.constant("one", 1), length], "divisors")
    return graph.node("Div", [rows, divisor], "unit_rows")


def _dense(graph, layer, rows):
    kernel = graph.constant(f"{layer.name}/kernel", layer.weights["kernel"])
    bias = graph.constant(f"{layer.name}/bias", layer.weights["bias"])
    linear = graph.node("Gemm", [rows, kernel, bias], f"{layer.name}/linear")
    return _activated(graph, layer, linear)


def _activated(graph, layer, x):
    activation, name = layer.config["activation"], layer.name
    if activation == "linear":
        return x
    if activation == "gelu":
        return _gelu(graph, name, x)
    if activation == "silu":
        return graph.node("Mul", [x, graph.node("Sigmoid", [x], f"{name}/gate")], name)
    kind, attributes = _SAME_IN_ONNX[activation]
    return graph.node(kind, [x], name, **attributes)


def _gelu(graph, name, x):
    """Add x times the normal distribution function."""
    scaled = graph.node("Mul", [x, graph.constant(f"{name}/scale", 0.5**0.5)], f"{name}/scaled")
    erf = graph.node("Erf", [scaled], f"{name}/erf")
    twice = graph.node("Add", [erf, graph.constant(f"{name}/one", 1)], f"{name}/twice")
    half = graph.node("Mul", [x, graph.constant(f"{name}/half", 0.5)], f"{name}/half_of_x")
    return graph.node("Mul", [half, twice], name)


# What adds a layer of a class to a graph and returns the name of the output.
_LAYERS = {
    "Activation": _activated,
    "Dense": _dense,
    "SeededDropout": lambda graph, layer, x: x,
    "SparseDense": _dense,
}
