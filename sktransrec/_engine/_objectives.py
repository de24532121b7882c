# SPDX-License-Identifier: BSD-3-Clause
"""What networks minimise, computed from the nonzero entries of sparse targets alone.

Each loss of a target x given the network's linear output f is A(f) - c <x, f> plus a constant of
x, and its gradient is A'(f) - c x: a dense part that does not know x, and a part at the nonzero
entries of x.
"""

from typing import Any, NamedTuple

from ._layers import float32_model

OUTPUT_ACTIVATIONS = {"mse": "linear", "binary_crossentropy": "sigmoid", "multinomial": "softmax"}


class Objective:
    """The mean over the rows of a batch of all terms of a network, plus a penalty.

    Parameters
    ----------
    network : Network
    regularization : float
        Weight of the sum of squares of all kernels.
    """

    def __init__(self, network, regularization):
        self._terms = network.terms
        self._regularization = regularization
        self._kernels = [weight for weight in network.model.weights if _is_kernel(weight)]
        tensors = {name: term.tensors for name, term in network.terms.items()}
        self._tensors = float32_model(network.model.inputs, tensors)

    def __call__(self, inputs, targets, training):
        """Return the objective of a batch, which has targets for each term, as a scalar tensor."""
        import tensorflow as tf

        tensors = self._tensors(inputs, training=training)
        total = tf.add_n([term(tensors[name], targets[name]) for name, term in self._terms.items()])
        objective = total / tf.cast(tf.shape(inputs[0])[0], tf.float32)
        if training and self._regularization:
            squares = [tf.nn.l2_loss(kernel.value) for kernel in self._kernels]
            objective += 2 * self._regularization * tf.add_n(squares)
        return objective


def _is_kernel(weight):
    return weight.path.endswith(("/kernel", "/recurrent_kernel"))


class HeadLoss:
    """The loss of the outputs of a network, which the targets compute.

    Where the network has an output at each step or pixel of a row, the loss of the row is the sum
    over these, and the targets have a row for each.

    Parameters
    ----------
    layer : keras.layers.Layer
        The layer that gives the outputs. It has a method `scores` or is a dense one.
    hidden : KerasTensor
        What it reads.
    loss : {"mse", "binary_crossentropy", "multinomial"}
    """

    def __init__(self, layer, hidden, loss):
        self.layer = layer
        self.tensors = hidden
        self.loss = loss

    def __call__(self, hidden, targets):
        import tensorflow as tf

        return targets.total_loss(self, tf.reshape(hidden, [-1, hidden.shape[-1]]))

    def linear(self, hidden):
        """Return all outputs, before the activation that belongs to the loss."""
        import tensorflow as tf

        if hasattr(self.layer, "scores"):
            return self.layer.scores(hidden)
        linear = tf.matmul(hidden, self.layer.kernel.value)
        linear = tf.nn.bias_add(linear, self.layer.bias.value)
        return self.layer.activation(linear) if self.loss == "mse" else linear


class EntryTargets(NamedTuple):
    """Targets of all entries of the rows of a batch."""

    values: Any

    def total_loss(self, head, hidden):
        return total_loss(head.linear(hidden), self.values, head.loss)


class StepTargets(NamedTuple):
    """Targets of some steps of the rows of a batch: of those that have one.

    The steps are counted through, row by row; row i of the values belongs to the step steps[i].
    """

    values: Any
    steps: Any

    def total_loss(self, head, hidden):
        import tensorflow as tf

        return total_loss(head.linear(tf.gather(hidden, self.steps)), self.values, head.loss)


class DomainTargets(NamedTuple):
    """Targets in two domains whose outputs stand side by side, and the weight of the first one."""

    source: Any
    target: Any
    source_weight: Any

    def total_loss(self, head, hidden):
        import tensorflow as tf

        n_outputs = [self.source.shape[1], self.target.shape[1]]
        source, target = tf.split(head.linear(hidden), n_outputs, axis=1)
        source_loss = total_loss(source, self.source, head.loss)
        return total_loss(target, self.target, head.loss) + self.source_weight * source_loss


class Divergence:
    """The divergence of codes N(mean, std^2) from N(0, 1), whose target is its weight."""

    def __init__(self, mean, log_std):
        self.tensors = [mean, log_std]

    def __call__(self, tensors, weight):
        return weight * kl_divergence(*tensors)


class DomainLabels(NamedTuple):
    """The domains of the rows of a batch, and how much their codes are to hide these.

    Domains are weights: above zero for the source, below it for the target, zero for neither.
    """

    domains: Any
    reversal: Any


class DomainConfusion:
    """How badly a discriminator tells the domain of a code, which the code is to make worse.

    The gradient for the code is reversed and multiplied by `reversal`; the discriminator's own is
    not.
    """

    def __init__(self, code, logit):
        self.tensors = code
        self._discriminator = float32_model([code], logit)

    def __call__(self, code, labels):
        import tensorflow as tf

        logits = self._discriminator([_with_reversed_gradient(code, labels.reversal)])
        is_source = tf.cast(labels.domains > 0, tf.float32)
        losses = tf.nn.sigmoid_cross_entropy_with_logits(is_source, logits[:, 0])
        return tf.reduce_sum(tf.abs(labels.domains) * losses)


def _with_reversed_gradient(code, scale):
    """Return the code, whose gradient gets the factor -scale on its way back."""
    import tensorflow as tf

    @tf.custom_gradient
    def reversal(code):
        return tf.identity(code), lambda upstream: -scale * upstream

    return reversal(code)


def total_loss(linear, targets, loss):
    """Return the sum of the losses of all entries of dense or sparse targets."""
    import tensorflow as tf

    @tf.custom_gradient
    def entries_loss(f):
        potential, slope, scale, constant = _PARTS[loss](f, targets)
        value = potential - scale * _inner_product(targets, f) + constant

        def gradient(upstream):
            return _minus(slope(upstream), targets, scale * upstream)

        return value, gradient

    return entries_loss(linear)


def _squared_error(f, targets):
    """Return the parts of sum (x - f)^2."""
    import tensorflow as tf

    def slope(upstream):
        return (2 * upstream) * f

    return tf.reduce_sum(tf.square(f)), slope, 2.0, _inner_product(targets, targets)


def _binary_crossentropy(f, targets):
    """Return the parts of -sum (x log p + (1 - x) log(1 - p)) with p = sigmoid(f)."""
    import tensorflow as tf

    def slope(upstream):
        return upstream * tf.sigmoid(f)

    return tf.reduce_sum(tf.nn.softplus(f)), slope, 1.0, 0.0


def _multinomial(f, targets):
    """Return the parts of -sum x log p with p = softmax(f)."""
    import tensorflow as tf

    reduce_sum = tf.sparse.reduce_sum if isinstance(targets, tf.SparseTensor) else tf.reduce_sum
    totals = tf.ensure_shape(reduce_sum(targets, 1), [None])
    p = tf.nn.softmax(f)
    # The largest p is at least 1 / n_columns, so that this logarithm is safe; it takes the place
    # of a second pass of exponentials.
    log_normalizer = tf.reduce_max(f, 1) - tf.math.log(tf.reduce_max(p, 1))

    def slope(upstream):
        return p * (upstream * totals)[:, None]

    return tf.reduce_sum(totals * log_normalizer), slope, 1.0, 0.0


_PARTS = {
    "mse": _squared_error,
    "binary_crossentropy": _binary_crossentropy,
    "multinomial": _multinomial,
}


def _inner_product(targets, values):
    """Return the sum of the products of targets and values, both dense or sparse."""
    import tensorflow as tf

    if not isinstance(targets, tf.SparseTensor):
        return tf.reduce_sum(targets * values)
    if isinstance(values, tf.SparseTensor):
        return tf.reduce_sum(targets.values * values.values)
    return tf.reduce_sum(targets.values * tf.gather_nd(values, targets.indices))


def _minus(dense, targets, scale):
    """Return dense - scale * targets."""
    import tensorflow as tf

    if isinstance(targets, tf.SparseTensor):
        return tf.tensor_scatter_nd_sub(dense, targets.indices, scale * targets.values)
    return dense - scale * targets


def kl_divergence(mean, log_std):
    """Return the divergence of N(mean, std^2) from N(0, 1), summed over entries."""
    import tensorflow as tf

    @tf.custom_gradient
    def divergence(mean, log_std):
        # expm1, since compiling turns exp(x) - 1 into it and eager training would round otherwise.
        excess_variance = tf.math.expm1(2 * log_std)

        def gradient(upstream):
            return upstream * mean, upstream * excess_variance

        return 0.5 * tf.reduce_sum(tf.square(mean) + excess_variance - 2 * log_std), gradient

    return divergence(mean, log_std)
