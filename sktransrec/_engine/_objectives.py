"""What networks minimise, computed from the nonzero entries of sparse targets alone.

Each loss of a target x given the network's linear output f is A(f) - c <x, f> plus a constant of
x, and its gradient is A'(f) - c x: a dense part that does not know x, and a part at the nonzero
entries of x.
"""

from typing import Any, NamedTuple

from ._items import SampledTargets
from ._layers import float32_model

OUTPUT_ACTIVATIONS = {
    "mse": "linear",
    "binary_crossentropy": "sigmoid",
    "multinomial": "softmax",
}


class StepTargets(NamedTuple):
    """Targets of some steps of the rows of a batch: of those that have one.

    The steps are counted through, row by row; row i of the values belongs to the step steps[i].
    """

    values: Any
    steps: Any


class DomainTargets(NamedTuple):
    """Targets in two domains whose outputs stand side by side, and the weight of the first one."""

    source: Any
    target: Any
    source_weight: Any


class AdversarialTargets(NamedTuple):
    """Targets of the rows of a batch, and the domain of each, which its code is not to tell.

    Domains are weights: above zero for the source, below it for the target, zero for neither.
    """

    values: Any
    domains: Any


class Objective:
    """The mean loss of the rows of a batch, plus what is penalised.

    Where the network has an output at each step or pixel of a row, the loss of the row is the sum
    over these, and the targets have a row for each.

    Parameters
    ----------
    network : keras.Model
        A network of `_networks`.
    loss : {"mse", "binary_crossentropy", "multinomial"}
    regularization : float
        Weight of the sum of squares of all kernels.
    """

    def __init__(self, network, loss, regularization):
        self._loss = loss
        self._regularization = regularization
        self._kernels = [weight for weight in network.weights if _is_kernel(weight)]
        self._output, hidden = _output_and_its_input(network)
        tensors = {"hidden": hidden}
        if "code_log_std" in [layer.name for layer in network.layers]:
            tensors["mean"] = network.get_layer("code").output
            tensors["log_std"] = network.get_layer("code_log_std").output
        self._discriminator = [
            layer for layer in network.layers if layer.name.startswith("discriminator")
        ]
        if self._discriminator:
            tensors["code"] = network.get_layer("code").output
        self._tensors = float32_model(network.inputs, tensors)

    def __call__(self, inputs, targets, kl_weight, training):
        """Return the objective of a batch as a scalar tensor."""
        import tensorflow as tf

        tensors = self._tensors(inputs, training=training)
        hidden = tf.reshape(tensors["hidden"], [-1, tensors["hidden"].shape[-1]])
        if isinstance(targets, StepTargets | SampledTargets):
            hidden = tf.gather(hidden, targets.steps)
        if isinstance(targets, SampledTargets):
            total = _sampled_multinomial(hidden, self._output, targets)
        elif isinstance(targets, DomainTargets):
            total = _loss_of_domains(self._linear(hidden), targets, self._loss)
        else:
            has_more = isinstance(targets, StepTargets | AdversarialTargets)
            values = targets.values if has_more else targets
            total = total_loss(self._linear(hidden), values, self._loss)
        if "mean" in tensors:
            total += kl_weight * _kl_divergence(tensors["mean"], tensors["log_std"])
        if isinstance(targets, AdversarialTargets):
            total += self._domain_loss(tensors["code"], targets.domains, kl_weight)
        objective = total / tf.cast(tf.shape(inputs[0])[0], tf.float32)
        if training and self._regularization:
            squares = [tf.nn.l2_loss(kernel.value) for kernel in self._kernels]
            objective += 2 * self._regularization * tf.add_n(squares)
        return objective

    def _linear(self, hidden):
        """Return all outputs, before the activation that belongs to the loss."""
        import tensorflow as tf

        if hasattr(self._output, "scores"):
            return self._output.scores(hidden)
        linear = tf.matmul(hidden, self._output.kernel.value)
        linear = tf.nn.bias_add(linear, self._output.bias.value)
        return self._output.activation(linear) if self._loss == "mse" else linear

    def _domain_loss(self, code, domains, reversal):
        """Return how badly the domains are told apart, which the code is to make worse.

        The gradient for the code is reversed and multiplied by `reversal`; the discriminator's own
        is not.
        """
        import tensorflow as tf

        hidden = _with_reversed_gradient(code, reversal)
        for layer in self._discriminator:
            hidden = layer(hidden)
        is_source = tf.cast(domains > 0, tf.float32)
        losses = tf.nn.sigmoid_cross_entropy_with_logits(is_source, hidden[:, 0])
        return tf.reduce_sum(tf.abs(domains) * losses)


def _with_reversed_gradient(code, scale):
    """Return the code, whose gradient gets the factor -scale on its way back."""
    import tensorflow as tf

    @tf.custom_gradient
    def reversal(code):
        return tf.identity(code), lambda upstream: -scale * upstream

    return reversal(code)


def _output_and_its_input(network):
    """Return the layer that scores the outputs, and what it scores them by."""
    if "items" in [layer.name for layer in network.layers]:
        return network.get_layer("items"), network.get_layer("codes").output
    output = network.get_layer("output")
    return output, output.input


def _is_kernel(weight):
    return weight.path.endswith(("/kernel", "/recurrent_kernel"))


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


def _loss_of_domains(linear, targets, loss):
    """Return the loss of the target's outputs, plus the weighted loss of the source's."""
    import tensorflow as tf

    n_outputs = [targets.source.shape[1], targets.target.shape[1]]
    source, target = tf.split(linear, n_outputs, axis=1)
    source_loss = total_loss(source, targets.source, loss)
    return total_loss(target, targets.target, loss) + targets.source_weight * source_loss


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


def _sampled_multinomial(hidden, output, targets):
    """Return -sum log p of the target items, p being a softmax over each and the sampled ones.

    The logarithm of how often the sample holds an item on average is taken off its score (log-Q
    correction). Where the sample holds the target itself, that draw contrasts as all others do:
    only so are the scores that minimise the mean loss those of the softmax over all items.
    """
    import tensorflow as tf

    own = tf.reduce_sum(hidden * output.vectors_of(targets.columns), axis=1)
    own += tf.gather(output.bias.value, targets.columns) - targets.log_counts
    bias = tf.gather(output.bias.value, targets.sampled) - targets.sampled_log_counts
    others = tf.matmul(hidden, output.vectors_of(targets.sampled), transpose_b=True) + bias
    linear = tf.concat([own[:, None], others], axis=1)
    labels = tf.zeros_like(targets.columns)
    return tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, linear))


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


def _kl_divergence(mean, log_std):
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
