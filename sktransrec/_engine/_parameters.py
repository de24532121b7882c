# SPDX-License-Identifier: BSD-3-Clause
"""The parameters and attributes that estimators around a network share: texts and constraints."""

import inspect
import os
import re
from numbers import Real
from textwrap import indent
from typing import Any, NamedTuple

from .._typing import Class
from .._validation import (
    ABOVE_0,
    AT_LEAST_0,
    AT_LEAST_1,
    AUTO,
    COUNT,
    COUNT_FROM_0,
    N_ITEMS,
    UNKNOWN,
    Interval,
    StrOptions,
)
from ._objectives import OUTPUT_ACTIVATIONS
from ._schedules import SCHEDULES
from ._seeded_layers import ACTIVATIONS

OPTIMIZERS = ("adagrad", "adam", "adamw", "nadam", "rmsprop", "sgd")


class Parameter(NamedTuple):
    """The type of a parameter as docstrings have it, what it does, and what it may be."""

    type: str
    text: str
    constraint: Any


def _choice(options):
    return "{" + ", ".join(f'"{option}"' for option in sorted(options)) + "}"


_SHARE = [Interval(Real, 0, 1, closed="left")]

PARAMETERS = {
    "n_components": Parameter("int", "Number of features, at least 1.", COUNT),
    "hidden_layer_sizes": Parameter(
        "tuple of int",
        "Numbers of units of the layers between X and the features, the first next to X.",
        ["array-like"],
    ),
    "n_layers": Parameter("int", "Number of blocks of attention, at least 1.", COUNT),
    "n_heads": Parameter("int", "Number of heads of a block of attention, at least 1.", COUNT),
    "embedding_size": Parameter("int", "Length of the vectors of token ids.", COUNT),
    "n_tokens": Parameter(
        "int",
        "Number of token ids, padding included. None is the largest of `fit` plus 1.",
        N_ITEMS,
    ),
    "unknown": Parameter(
        '{"error", "ignore"}',
        """What to do with token ids of `n_tokens_` and above in `transform` or a further fit: raise
        an error, or read them as padding. "ignore" suits texts that `TextSequences` cuts: a word of
        its vocabulary may be beyond the cut in all texts of `fit`.""",
        UNKNOWN,
    ),
    "activation": Parameter(
        "str",
        """Activation of the hidden layers: "elu", "gelu", "leaky_relu", "linear", "relu", "selu",
        "sigmoid", "silu", "softplus" or "tanh".""",
        [StrOptions(set(ACTIVATIONS))],
    ),
    "code_activation": Parameter(
        "str",
        """Activation of the features: "elu", "gelu", "leaky_relu", "linear", "relu", "selu",
        "sigmoid", "silu", "softplus" or "tanh". With "relu", many features are zero in all
        rows.""",
        [StrOptions(set(ACTIVATIONS))],
    ),
    "kind": Parameter(
        '{"denoising", "variational"}',
        """With "denoising", the network learns to restore rows from which `input_dropout` has taken
        entries. With "variational", the features are the means of normal distributions, which are
        kept near the standard normal distribution. Training draws from them.""",
        [StrOptions({"denoising", "variational"})],
    ),
    "normalize": Parameter(
        "bool",
        "Whether the network reads each row of a domain scaled to unit Euclidean norm.",
        ["boolean"],
    ),
    "dropout": Parameter(
        "float",
        "Share of the units between layers that training leaves out, from 0 to below 1.",
        _SHARE,
    ),
    "input_dropout": Parameter(
        "float",
        """Share of the entries of a row that the network does not see in training, from 0 to below
        1; the others are divided by 1 minus this share.""",
        _SHARE,
    ),
    "loss": Parameter(
        '{"mse", "binary_crossentropy", "multinomial"}',
        """What is minimised; see Notes. "binary_crossentropy" takes targets from 0 to 1.
        "multinomial" is a softmax over all outputs, and takes targets of 0 or more. Token ids
        without y always use a softmax over the tokens.""",
        [StrOptions(set(OUTPUT_ACTIVATIONS))],
    ),
    "kl_weight": Parameter(
        "float",
        """Weight of the divergence from the standard normal distribution, at least 0. Only used by
        "variational".""",
        AT_LEAST_0,
    ),
    "kl_annealing_epochs": Parameter(
        "int",
        "Number of epochs over which `kl_weight` rises from 0; 0 uses all of it from the start.",
        COUNT_FROM_0,
    ),
    "n_negatives": Parameter(
        "int",
        """Number of tokens or items to draw in each step: the next ones are contrasted with these
        instead of with all. With the optimizer "adam", the cost of the output then does not depend
        on how many there are in all. None takes all.""",
        [*COUNT, None],
    ),
    "negative_exponent": Parameter(
        "float",
        """The tokens or items of `n_negatives` are drawn with probabilities proportional to this
        power of how often they occur, 0 or more: 0 is uniform, 1 by popularity. The scores are
        corrected for it (log-Q correction).""",
        AT_LEAST_0,
    ),
    "regularization": Parameter(
        "float",
        "Weight of the squares of all kernels in what is minimised, at least 0.",
        AT_LEAST_0,
    ),
    "optimizer": Parameter(
        _choice(OPTIMIZERS),
        "The method that updates the weights by their gradients.",
        [StrOptions(set(OPTIMIZERS))],
    ),
    "learning_rate": Parameter("float", "Step length of the optimizer, above 0.", ABOVE_0),
    "learning_rate_schedule": Parameter(
        _choice(SCHEDULES),
        """How the learning rate changes from epoch to epoch. "constant" keeps it. "cosine" lowers
        it towards 0 over all `epochs`, along half a cosine. "adaptive" divides it by 5 each time
        that half of `patience` epochs in a row had no smaller validation loss, or training loss if
        nothing is held out.""",
        [StrOptions(set(SCHEDULES))],
    ),
    "warmup_epochs": Parameter(
        "int",
        "Number of first epochs over which the learning rate rises evenly, 0 or more.",
        COUNT_FROM_0,
    ),
    "epochs": Parameter(
        "int",
        """Number of passes over the rows; with a `validation_fraction`, the largest number. The
        default is 50 for recommenders, and 100 for feature learners, which often have a few hundred
        rows.""",
        COUNT,
    ),
    "batch_size": Parameter(
        "int",
        """Number of rows in a step. The default is 128 for recommenders, whose rows are many and
        mostly zeros, and 32 for feature learners, which would take too few steps otherwise.""",
        COUNT,
    ),
    "validation_fraction": Parameter(
        "float",
        """Share of the rows held out to stop early, from 0 to below 1. If it is above 0, the
        weights with the smallest loss on these rows are kept.""",
        _SHARE,
    ),
    "patience": Parameter(
        "int",
        "Number of epochs without a smaller validation loss after which training stops.",
        COUNT,
    ),
    "pretrained": Parameter(
        "FrozenEstimator",
        """A fitted {name} to start from, as ``FrozenEstimator(model)``; it may also be part of a
        fitted Pipeline, search or recommender. Each layer whose name and shapes are the same is
        copied, whatever its columns mean. None starts from scratch, and the next four parameters
        then have no effect.""",
        "no_validation",
    ),
    "trainable": Parameter(
        '{"all", "head"} or int',
        """Which of the copied layers are trained: all, the output ("head"), or this many layers
        counted from the output. The others are frozen. What was not copied is always trained.""",
        [StrOptions({"all", "head"}), *COUNT],
    ),
    "unfreeze_every": Parameter(
        "int",
        """Number of epochs after which one more of the layers that `trainable` allows is trained,
        from the output downwards; the first epochs train the output only. None trains all from the
        start.""",
        [*COUNT, None],
    ),
    "layer_decay": Parameter(
        'float or "auto"',
        """The learning rate of copied weights is divided by this number, 1 or more, for each layer
        further from the output. "auto" is 2.6, the usual value. None uses one rate for all.""",
        [*AT_LEAST_1, *AUTO, None],
    ),
    "l2_sp": Parameter(
        "float",
        """Weight, 0 or more, of half the squared distance of the copied weights from where they
        started. Use it instead of `regularization`, which pulls to zero.""",
        AT_LEAST_0,
    ),
    "warm_start": Parameter(
        "bool",
        """Whether `fit` goes on from the weights of the last one. If it does, an interrupt (Ctrl-C)
        ends `fit` with a warning and keeps the epochs that are finished, the best of them where
        rows are held out. Otherwise an interrupt leaves the model as it was.""",
        ["boolean"],
    ),
    "checkpoint_folder": Parameter(
        "str or Path",
        """Folder where `fit` saves its state after each epoch. If it is interrupted, a call with
        the same parameters and rows goes on after the last finished epoch, and gives the same
        weights. The file is removed when `fit` ends. None saves nothing.""",
        [str, os.PathLike, None],
    ),
    "run_eagerly": Parameter(
        "bool",
        """Whether to run each training step op by op. This saves the seconds that compiling takes,
        which pays off in very short fits; the result is the same up to rounding. Fits of a small
        network with the same sizes and the same integer `random_state` compile it once.""",
        ["boolean"],
    ),
    "random_state": Parameter(
        "int, RandomState instance or None",
        """Seed of the first weights, of the rows that are held out, of their order, and of all else
        that training draws.""",
        ["random_state"],
    ),
    "verbose": Parameter("int", "A progress bar is shown if this is above 0.", ["verbose"]),
}

ATTRIBUTES = {
    "network_ : keras.Model": """
        A copy of the network, built when it is first asked for and not saved with the estimator.
        It needs TensorFlow, and what you change in it changes no output of the estimator.""",
    "loss_curve_ : list of float": """
        Mean training loss of each epoch.""",
    "validation_loss_curve_ : list of float or None": """
        Loss of the held-out rows after each epoch; None if there are none.""",
    "n_iter_ : int": """
        Number of epochs run, those before a `warm_start` or a `partial_fit` included.""",
    "transferred_layers_ : list of TransferredLayer": """
        What each layer took over from `pretrained`, from the output downwards, as (name, copied,
        n_columns, frozen); see :class:`~sktransrec.feature_learning.TransferredLayer`. Empty
        without `pretrained`.""",
    "n_features_in_ : int": """
        Length of the second axis of X seen in `fit`.""",
    "feature_names_in_ : ndarray of shape (n_features_in_,)": """
        Column names seen in `fit`, if X had any.""",
}


def shares_parameters(cls: Class) -> Class:
    """Decorate an estimator around a network: add the texts and constraints that it leaves out.

    Its docstring then describes all parameters of `__init__` in their order, with the defaults
    that they have there, and all attributes of a network.
    """
    signature = inspect.signature(cls)
    defaults = {name: parameter.default for name, parameter in signature.parameters.items()}
    own: dict[str, Any] = {}
    for each in reversed(cls.__mro__):
        own |= vars(each).get("_parameter_constraints", {})
    cls._parameter_constraints = {
        name: own[name] if name in own else PARAMETERS[name].constraint for name in defaults
    }
    if cls.__doc__:  # none under python -OO
        cls.__doc__ = _completed(cls, defaults)
    return cls


# The entries of the two sections, which start at the margin.
_SECTIONS = re.compile(
    r"(?<=\nParameters\n----------\n)(.*?)(?=\n\nAttributes\n)"
    r"|(?<=\nAttributes\n----------\n)(.*?)(?=\n\nSee Also\n)",
    re.DOTALL,
)


def _completed(estimator_class, defaults):
    """Return the docstring with all parameters and attributes."""

    def section(match):
        own = {entry.split()[0]: entry for entry in re.split(r"\n(?=\w)", match[0])}
        if match[1] is None:
            shared = {head.split()[0]: _entry(head, text) for head, text in ATTRIBUTES.items()}
            return "\n".join((shared | own).values())
        shared = {
            name: _entry_of_parameter(name, default, estimator_class.__name__)
            for name, default in defaults.items()
            if name not in own
        }
        return "\n".join((shared | own)[name] for name in defaults)

    return _SECTIONS.sub(section, inspect.cleandoc(estimator_class.__doc__))


def _entry_of_parameter(name, default, class_name):
    default = f'"{default}"' if isinstance(default, str) else repr(default)
    head = f"{name} : {PARAMETERS[name].type}, default={default}"
    return _entry(head, PARAMETERS[name].text.replace("{name}", class_name))


def _entry(head, text):
    return f"{head}\n{indent(inspect.cleandoc(text), '    ')}"
