# SPDX-License-Identifier: BSD-3-Clause
"""Fine-tuning: what a network takes over from a trained one, and how that moves from there.

Depth counts layers with weights from the output, which has depth 0; layers side by side have the
same depth. A table of items that is read as well as ranked is the output.
"""

from typing import Any, NamedTuple

import numpy as np

from .._ids import check_type_of_ids
from ._network import layer_name
from ._objectives import HeadLoss


class TransferredLayer(NamedTuple):
    """What a layer took over from the pretrained network.

    Attributes
    ----------
    name : str
        The layer's name in `network_`.
    copied : {"whole", "by name", "no"}
        Whether all of its weights were copied, those of the columns that have a name in both, or
        none.
    n_columns : int or None
        The number of these columns; None where it does not go by name.
    frozen : bool
        Whether what was copied stays as it is.
    """

    name: str
    copied: str
    n_columns: int | None
    frozen: bool


class MatchedColumns(NamedTuple):
    """The places of the columns that two learners share, there and here, and all of their names."""

    theirs: np.ndarray
    ours: np.ndarray
    their_names: np.ndarray
    our_names: np.ndarray


class TrainedNetwork:
    """The weights of a trained network, and which of its columns stand where in another.

    Parameters
    ----------
    weights : dict of str to ndarray
        The weights by path.
    item_axes : dict of str to int
        The axis of those weights that have a row or column for each column of X.
    columns : MatchedColumns or None
        The columns of X there and here that are the same; None where all are, in their order.
    """

    def __init__(self, weights, item_axes, columns):
        self.weights = weights
        self.item_axes = item_axes
        self.columns = columns

    def copy_of(self, variable, item_axis):
        """Return what there is to copy into a variable of another network, or None."""
        values = self.weights.get(variable.path)
        if values is None or self.item_axes.get(variable.path) != item_axis:
            return None
        places = None
        if item_axis is not None and self.columns is not None:
            places = self.columns.ours
            values = values.take(self.columns.theirs, axis=item_axis)
        copy = Copy(variable, values, item_axis, places)
        return copy if values.size and copy.shape == values.shape else None


class Copy(NamedTuple):
    """Values for a variable: for all of it, or for some places along an axis."""

    variable: Any
    values: np.ndarray
    axis: int | None
    places: np.ndarray | None

    @property
    def shape(self):
        """The shape that values for the places must have."""
        shape = list(self.variable.shape)
        if self.places is not None:
            shape[self.axis] = len(self.places)
        return tuple(shape)

    @property
    def is_whole(self):
        return self.places is None

    def assign(self):
        """Write the values into the variable."""
        value = np.array(self.variable.numpy())
        value[self._index] = self.values
        self.variable.assign(value)

    def present(self):
        """Return what now stands where the values were written, as a tensor."""
        import tensorflow as tf

        variable = self.variable.value
        return variable if self.is_whole else tf.gather(variable, self.places, axis=self.axis)

    def mask(self):
        """Return 1 where the values were written and 0 elsewhere, to be broadcast."""
        if self.is_whole:
            return np.ones((), dtype=np.float32)
        shape = np.ones(len(self.variable.shape), dtype=np.intp)
        shape[self.axis] = self.variable.shape[self.axis]
        mask = np.zeros(shape, dtype=np.float32)
        mask[self._index] = 1
        return mask

    @property
    def _index(self):
        return ... if self.is_whole else (slice(None),) * self.axis + (self.places,)


# Howard and Ruder, ULMFiT, section 3.2.
_LAYER_DECAYS = {"auto": 2.6, None: 1.0}


class FineTuning(NamedTuple):
    """What to copy, and the parameters of `NetworkLearner` on how it moves."""

    source: TrainedNetwork
    trainable: Any
    unfreeze_every: int | None
    layer_decay: float | str | None
    l2_sp: float

    def rate(self, depth):
        """Return the learning rate of what was copied at a depth, as a share of the whole rate."""
        n_trainable = {"all": np.inf, "head": 1}.get(self.trainable, self.trainable)
        decay = _LAYER_DECAYS.get(self.layer_decay, self.layer_decay)
        return decay**-depth if depth < n_trainable else 0.0


class FineTuner:
    """Copies weights into a network, and keeps its optimizer's steps within `FineTuning`.

    Only what was copied is held back. The rest moves at the full rate from the start.

    Parameters
    ----------
    network : Network
    settings : FineTuning

    Attributes
    ----------
    variables : list of keras.Variable
        Those that are trained at some time.
    layers : list of TransferredLayer
        All layers with weights, from the output downwards.
    """

    def __init__(self, network, settings):
        import tensorflow as tf

        self._settings = settings
        self._item_axes = network.item_axes
        self._depths = layer_depths(network)
        self._copies = self._matched_copies(network.model)
        self.copy()
        self.variables = [each for each in network.model.trainable_variables if self._moves(each)]
        self.layers = [self._transferred(name) for name in self._depths]
        self._n_unfrozen = tf.Variable(1, trainable=False)
        moving = [self._copies[each.path] for each in self.variables if each.path in self._copies]
        self._masks = {
            copy.variable.path: tf.constant(copy.mask())
            for copy in moving
            if settings.unfreeze_every or self._rate(copy.variable) != 1
        }
        self._anchors = [(each, tf.constant(each.values)) for each in moving if settings.l2_sp]

    def copy(self):
        """Write what is copied into the network."""
        for copy in self._copies.values():
            copy.assign()

    def start_epoch(self, epoch):
        """Unfreeze as many layers as there are to move in this epoch, counted from 0."""
        if self._settings.unfreeze_every:
            self._n_unfrozen.assign(1 + epoch // self._settings.unfreeze_every)

    def penalty(self):
        """Return l2_sp / 2 times the squared distance from where the copied weights started."""
        import tensorflow as tf

        distances = [tf.nn.l2_loss(copy.present() - start) for copy, start in self._anchors]
        return self._settings.l2_sp * tf.add_n(distances) if distances else 0.0

    def apply(self, optimizer, gradients, variables):
        """Let the optimizer take a step, and shorten it to each variable's rate.

        Steps are proportional to the learning rate in every optimizer, but not to the gradient.
        """
        import tensorflow as tf

        slow = [each for each in variables if each.path in self._masks]
        before = [tf.identity(each.value) for each in slow]
        optimizer.apply(gradients, variables)
        for variable, start in zip(slow, before, strict=True):
            variable.assign(start + self._share(variable) * (variable.value - start))

    def _share(self, variable):
        """Return the share of a step that each part of a variable goes, to be broadcast."""
        import tensorflow as tf

        rate = self._rate(variable)
        if self._settings.unfreeze_every:
            rate *= tf.cast(self._n_unfrozen > self._depths[_layer_of(variable)], tf.float32)
        return 1 + self._masks[variable.path] * (rate - 1)

    def _rate(self, variable):
        return self._settings.rate(self._depths[_layer_of(variable)])

    def _moves(self, variable):
        copy = self._copies.get(variable.path)
        return copy is None or not copy.is_whole or self._rate(variable) > 0

    def _matched_copies(self, model):
        """Return by path the copies of those layers of which every weight has one."""
        self._check_knows_items(model)
        copies = {
            each.path: self._settings.source.copy_of(each, self._item_axes.get(each.path))
            for each in model.trainable_variables
        }
        copies = {path: copy for path, copy in copies.items() if copy}
        copied = {name for name in self._depths if self._is_copied(model.get_layer(name), copies)}
        if not copied:
            raise ValueError(
                "pretrained has no layer of the same name and shape as a layer here. It has "
                f"{_shapes(self._settings.source.weights)}, and here there are "
                f"{_shapes({each.path: each for each in model.trainable_variables})}: choose "
                "the sizes that it was fitted with, or pretrained=None."
            )
        return {path: copy for path, copy in copies.items() if _layer_of(copy.variable) in copied}

    def _check_knows_items(self, model):
        """Raise if the network learns weights for each item, and pretrained knows no item here."""
        columns, weights = self._settings.source.columns, model.trainable_variables
        has_tables = any(len(each.shape) > 1 and each.path in self._item_axes for each in weights)
        if has_tables and columns is not None and not len(columns.ours):
            here, there = columns.our_names.tolist(), columns.their_names.tolist()
            raise ValueError(
                f"0 of {len(here)} item_ids, or names of columns, are known to pretrained: they "
                f"are such as {here[0]!r}, and those in pretrained such as {there[0]!r}. Write "
                "both in the same way; for other items, pass pretrained=None."
            )

    def _is_copied(self, layer, copies):
        """Return whether all weights have a copy, or a kernel and all that do not know items."""
        weights = layer.trainable_variables
        lacking = {each.path for each in weights if each.path not in copies}
        has_kernel = any(len(each.shape) > 1 and each.path not in lacking for each in weights)
        return not lacking or (has_kernel and lacking <= self._item_axes.keys())

    def _transferred(self, name):
        copies = [each for each in self._copies.values() if _layer_of(each.variable) == name]
        if not copies:
            return TransferredLayer(name, "no", None, False)
        is_frozen = self._settings.rate(self._depths[name]) == 0
        for copy in copies:
            if not copy.is_whole:
                return TransferredLayer(name, "by name", len(copy.places), is_frozen)
        return TransferredLayer(name, "whole", None, is_frozen)


def _layer_of(variable):
    return variable.path.partition("/")[0]


def _shapes(weights):
    return ", ".join(f"{path} {tuple(weight.shape)}" for path, weight in weights.items())


def layer_depths(network):
    """Return the depths of the layers with weights, by name, from the output downwards."""
    has_weights = {_layer_of(each) for each in network.model.trainable_variables}
    heads = [term for term in network.terms.values() if isinstance(term, HeadLoss)]
    depths = {layer_name(head.tensors): 1 for head in heads}
    # Layers come after those whose outputs they take.
    for layer in reversed(network.model.layers):
        below = depths.setdefault(layer.name, 0) + (layer.name in has_weights)
        for origin in _origins(layer):
            depths[origin] = max(depths.get(origin, 0), below)
    depths.update({head.layer.name: 0 for head in heads})
    return dict(sorted(((name, depths[name]) for name in has_weights), key=lambda each: each[::-1]))


def _origins(layer):
    """Return the names of the layers whose outputs a layer takes."""
    import keras

    if isinstance(layer, keras.layers.InputLayer):
        return []
    return list(map(layer_name, keras.tree.flatten(layer.input)))


def matching_columns(theirs, ours):
    """Return the places of the names that are in both; None if all are the same, or unknown."""
    if theirs is None or ours is None or np.array_equal(theirs, ours):
        return None
    check_type_of_ids(ours, theirs, "the ids of the items", "hold")
    place = {name: i for i, name in enumerate(theirs.tolist())}
    pairs = [(place[name], i) for i, name in enumerate(ours.tolist()) if name in place]
    return MatchedColumns(*np.array(pairs, dtype=np.intp).reshape(-1, 2).T, theirs, ours)


def check_same_columns(pretrained, learner):
    """Raise if two learners that match columns by place name as many, and not the same ones."""
    theirs, ours = (getattr(each, "feature_names_in_", ()) for each in (pretrained, learner))
    if len(theirs) != len(ours):
        return
    differ = [place for place, name in enumerate(ours) if name != theirs[place]]
    if differ:
        raise ValueError(
            f"X has the column {ours[differ[0]]!r} where pretrained was fitted with "
            f"{theirs[differ[0]]!r}: pass X with the columns that pretrained knows, in their order."
        )
