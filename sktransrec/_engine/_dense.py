# SPDX-License-Identifier: BSD-3-Clause
"""Builders of dense networks: pure functions from sizes to networks."""

import functools

from ._layers import applied, float32_model, weighted_sum_class
from ._network import Network
from ._objectives import Divergence, DomainConfusion
from ._seeded_layers import SeededLayers


def autoencoder(
    n_features,
    hidden_layer_sizes,
    n_components,
    *,
    activation,
    code_activation,
    output_activation,
    loss,
    variational,
    seed,
):
    """Return an autoencoder whose decoder mirrors its encoder."""
    make = SeededLayers(seed)
    rows = make.input((n_features,), sparse=True)
    inputs, terms = [rows], {}
    hidden = make.stack(rows, hidden_layer_sizes, activation, "encoder")
    if variational:
        code, decoded = _drawn(functools.partial(make.dense, hidden), n_components, inputs, terms)
    else:
        code = decoded = make.dense(hidden, n_components, code_activation, name="code")
    hidden = make.stack(decoded, hidden_layer_sizes[::-1], activation, "decoder")
    output, terms["output"] = make.head(hidden, n_features, loss, output_activation)
    first = ["encoder_1"] if hidden_layer_sizes else ["code", "code_log_std"]
    return Network(
        float32_model(inputs, output, name="autoencoder"),
        ([rows], code),
        terms,
        decoder=([decoded], output),
        item_axes={
            **{"output/kernel": 1, "output/bias": 0},
            **{f"{name}/kernel": 0 for name in first},
        },
    )


def towers(
    n_features, n_outputs, hidden_layer_sizes, n_components, *, activation, loss, variational, seed
):
    """Return an encoder of each domain, the mean of their codes, and an output of one layer.

    `n_features` has the number of features of one domain, whose encoder gives the code itself, or
    of two: the network then has the rows of either as inputs, and how much each counts in the mean.
    """
    make = SeededLayers(seed)
    domains = dict(zip(("source", "target"), n_features, strict=False))
    inputs, hidden, terms = [], {}, {}
    for domain, size in domains.items():
        name = "rows" if domain == "source" else "target_rows"
        inputs.append(make.input((size,), name, sparse=True))
        name = f"{domain}_encoder"
        hidden[domain] = make.stack(inputs[-1], hidden_layer_sizes, activation, name)
    if len(domains) > 1:
        inputs.append(make.input((len(domains),), "shares"))

    def mean_of_codes(size, activation, name):
        if len(domains) == 1:
            return make.dense(hidden["source"], size, activation, name=name)
        codes = [
            make.dense(each, size, activation, name=f"{domain}_{name}")
            for domain, each in hidden.items()
        ]
        return applied(weighted_sum_class(), [inputs[len(domains)], *codes], name=name)

    read = list(inputs)
    if variational:
        code, decoded = _drawn(mean_of_codes, n_components, inputs, terms)
    else:
        code = decoded = mean_of_codes(n_components, activation, name="code")
    # Two domains have a softmax each, which the targets know and no layer does.
    activation = "linear" if len(domains) > 1 else None
    output, terms["output"] = make.head(decoded, n_outputs, loss, activation)
    return Network(float32_model(inputs, output, name="towers"), (read, code), terms)


def adversarial_autoencoder(
    n_features,
    hidden_layer_sizes,
    n_components,
    discriminator_layer_sizes,
    *,
    activation,
    loss,
    seed,
):
    """Return an autoencoder whose decoder knows the domain, and a discriminator does not.

    The domain is -1 or 1, and the discriminator returns the logit of 1.
    """
    from keras import layers

    make = SeededLayers(seed)
    rows = make.input((n_features,), sparse=True)
    own_domain = make.input((1,), "own_domain")
    hidden = make.stack(rows, hidden_layer_sizes, activation, "encoder")
    code = make.dense(hidden, n_components, "linear", name="code")
    decoded = applied(layers.Concatenate, [code, own_domain], name="code_and_domain")
    hidden = make.stack(decoded, hidden_layer_sizes[::-1], activation, "decoder")
    output, output_loss = make.head(hidden, n_features, loss)
    hidden = make.stack(code, discriminator_layer_sizes, activation, "discriminator")
    logit = make.dense(hidden, 1, "linear", name="discriminator")
    model = float32_model([rows, own_domain], [output, logit], name="adversarial_autoencoder")
    return Network(
        model,
        ([rows], code),
        {"output": output_loss, "domain": DomainConfusion(code, logit)},
        decoder=([decoded], output),
    )


def _drawn(layer, n_components, inputs, terms):
    """Return the mean of a code and mean + exp(log_std) * noise, which the decoder gets.

    `layer` makes a layer of a number of units, an activation and a name.
    """
    from keras import Input, layers

    noise = Input((n_components,), dtype="float32", name="noise")
    inputs.append(noise)
    mean = layer(n_components, "linear", name="code")
    log_std = layer(n_components, "linear", name="code_log_std")
    terms["divergence"] = Divergence(mean, log_std)
    std = applied(layers.Activation, log_std, "exponential", name="code_std")
    deviation = applied(layers.Multiply, [std, noise], name="code_deviation")
    return mean, applied(layers.Add, [mean, deviation], name="sampled_code")
