# SPDX-License-Identifier: BSD-3-Clause
"""Look into pipelines, searches and frozen estimators: what a model learns from and reads."""

import copy

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import Binarizer
from sklearn.utils import get_tags

from ._columns import column_names, first_displaced
from ._validation import check_is_fitted, check_sparse


def is_supervised(model):
    """Return whether a model, fitted or not, learns the map from X to y."""
    return get_tags(innermost(model)).target_tags.required


def entry_tags(model):
    """Return the tags of the first step of a model, which reads X."""
    return get_tags(innermost(model, step=0))


def take_input_tags(tags, parts):
    """Set tags so that they allow each kind of X that the first steps of all parts can read."""
    entries = [entry_tags(part).input_tags for part in parts]
    for kind in ("sparse", "string", "one_d_array", "two_d_array", "allow_nan"):
        setattr(tags.input_tags, kind, all(getattr(entry, kind) for entry in entries))
    tags.input_tags.positive_only = any(entry.positive_only for entry in entries)


def fitted_part(part, X, y):
    """Return a clone of a part fitted on X and y; its errors say whose they are in a note.

    A part that was fitted before does not warn of names, where X has none.
    """
    try:
        fitted = _clone_apart(part).fit(X, y)
        inner = fitted.estimator if isinstance(fitted, FrozenEstimator) else None
        is_named = "feature_names_in_" in getattr(inner, "__dict__", ())
        if is_named and column_names(X) is None:
            return FrozenEstimator(without_names(inner))
        return fitted
    except Exception as error:
        error.add_note(f"This is an error of the part {part!r}, which was fitted on X.")
        raise


def own_shell(held):
    """Return another frozen estimator around the same fitted one.

    During a fit, scikit-learn writes to the frozen estimator: threads must not share it.
    """
    shell = type(held).__new__(type(held))
    vars(shell).update(vars(held))
    vars(shell).pop("_parent_callback_ctx", None)
    return shell


def _clone_apart(model):
    """Return a clone that shares no frozen estimator with others, but what these hold."""
    model = clone(model)
    if isinstance(model, FrozenEstimator):
        return own_shell(model)
    held = {
        name: value
        for name, value in model.get_params().items()
        if isinstance(value, FrozenEstimator)
    }
    outer = [name for name in held if not any(name.startswith(f"{each}__") for each in held)]
    return model.set_params(**{name: own_shell(held[name]) for name in outer}) if outer else model


def transformed(model, X):
    """Return the output of a fitted transformer as a matrix, even if `set_output` is used."""
    return as_matrix(model.transform(X))


def without_names(model):
    """Return a fitted model that reads rows without names of columns, and does not warn of it."""
    model = copy.copy(model)
    vars(model).pop("feature_names_in_", None)
    return model


def as_matrix(X):
    """Return a table as an array, and a sparse matrix as it is."""
    # Sums over another layout of the same numbers differ in the last digits.
    return X if sp.issparse(X) else np.asarray(X, order="C")


def reads_histories(model):
    """Return whether a model reads rows of item ids in order and recommends what comes next."""
    return not is_supervised(model) and entry_tags(model).input_tags.categorical


def ignores_unknown(model):
    """Return whether a model that reads histories leaves out unknown items."""
    return getattr(innermost(model, step=0), "unknown", None) == "ignore"


def expected_n_items(model):
    """Return how many items in histories the parameters of a model say, None if they do not."""
    reader = innermost(model, step=0)
    features = getattr(innermost(getattr(reader, "recommender", reader)), "item_features", None)
    n_items = getattr(reader, "n_items", None)
    return features.n_items if n_items is None and features is not None else n_items


def expecting_items(model, n_items):
    """Return a clone that expects `n_items` items in histories, where its parts do not say."""
    model = clone(model)
    if n_items is not None:
        parameters = model.get_params()
        names = [name for name in parameters if name.rpartition("__")[2] == "n_items"]
        model.set_params(**{name: n_items for name in names if parameters[name] is None})
    return model


def with_chosen_values(model, fitted):
    """Return a clone of a model that does not choose anew what its fitted clone has chosen.

    The chosen value replaces "auto", the best model replaces a search, and the model in use takes
    the place of None in the parameters that a model names in `default_parts`. A parameter stays
    "auto" if its choice differs by item, or if the model names it in `chosen_with_others`, because
    "auto" sets more than its value.
    """
    model = clone(model)
    if isinstance(model, FrozenEstimator) or not isinstance(fitted, type(model)):
        return model
    best = getattr(fitted, "best_estimator_", None)
    if best is not None:
        return with_chosen_values(best, best)
    with_others = getattr(model, "chosen_with_others", ())
    chosen = {
        name: getattr(fitted, f"{name}_", value)
        for name, value in model.get_params(deep=False).items()
        if isinstance(value, str) and value == "auto" and name not in with_others
    }
    values = {name: value for name, value in chosen.items() if np.ndim(value) == 0}
    parts = {
        name: with_chosen_values(part, _fitted_clone(fitted, name))
        for name, part in named_parts(model)
    }
    for name in getattr(model, "default_parts", ()):
        part = getattr(fitted, f"{name}_")
        if getattr(model, name) is None and part is not None:
            parts[name] = with_chosen_values(part, part)
    return model.set_params(**values, **parts)


def _fitted_clone(fitted, name):
    """Return the fitted clone of the step, member or parameter of this name, None if none is."""
    named = getattr(fitted, "named_steps", getattr(fitted, "named_estimators_", {}))
    return named.get(name, getattr(fitted, f"{name}_", None))


def innermost(model, step=-1):
    """Return the model inside all wrappers; in a pipeline, the one at the given step."""
    while True:
        inner = _inner(model, step)
        if inner is None and hasattr(model, "cv"):  # a search that is not fitted
            inner = getattr(model, "estimator", None)
        if inner is None:
            return model
        model = inner


def takes_content(model, method):
    """Return whether the method of a model takes the content of other items.

    It does if the model was given the content of its own.
    """
    model = innermost(model)
    return hasattr(model, method) and getattr(model, "item_features", model) is not None


def recommender_of(model):
    """Return the recommender inside a fitted model."""
    *_, model = _nested(model)
    if not (hasattr(model, "recommend") or _is_recommender(model)):
        check_is_fitted(model)
        raise TypeError(
            f"{type(model).__name__} cannot recommend: pass a recommender, a Pipeline that ends "
            "in one, or a search over one of these that was fitted with refit=True."
        )
    return model


def with_added_items(model, item_features):
    """Return a fitted model, with all of its steps, whose recommender knows later items too.

    A step that reads histories knows the items of `fit` only: it leaves later ones out.
    """
    later = _with_recommender(model, recommender_of(model).with_items(item_features))
    has_reader = reads_histories(later) and has_steps_before(later)
    return _ignoring_unknown(later) if has_reader else later


def moved_to_items(model, item_features):
    """Return the recommender of a fitted model for the items of another catalogue."""
    if has_steps_before(model):
        raise ValueError(
            f"{model!r} has steps that have learned from the columns of the known items, and "
            "another catalogue has other columns: use its last step alone, in a "
            "HistoryRecommender if X holds histories."
        )
    return recommender_of(model).with_item_features(item_features)


def _with_recommender(model, recommender):
    """Return a fitted model, with all of its steps, that ends in another recommender."""
    inner = _inner(model)
    if inner is None:
        return recommender
    inner = _with_recommender(inner, recommender)
    if not isinstance(model, Pipeline):
        return inner
    *before, (name, _) = _active_steps(model)
    return _with_steps(model, [*before, (name, inner)])


def _ignoring_unknown(model):
    """Return a fitted model whose first step leaves unknown items of histories out."""
    if isinstance(model, Pipeline):
        (name, first), *others = _active_steps(model)
        return _with_steps(model, [(name, _ignoring_unknown(first)), *others])
    reader = innermost(model, step=0)
    return copy.copy(reader).set_params(unknown="ignore") if hasattr(reader, "unknown") else model


def _with_steps(pipeline, steps):
    """Return a fitted pipeline with other fitted steps."""
    pipeline = copy.copy(pipeline)
    pipeline.steps = steps
    return pipeline


def has_steps_before(model):
    """Return whether a fitted model has a step before its recommender."""
    return next(_steps_before(model), None) is not None


def recommender_and_rows(model, X):
    """Return the recommender inside a fitted model, and X after the steps before it."""
    for outer in _nested(model):
        if isinstance(outer, Pipeline):
            _check_pipeline_is_fitted(outer)
            *before, _ = _active_steps(outer)
            if before:
                check_sparse(X, name="X")
            for _, step in before:
                X = step.transform(X)
    return recommender_of(model), X


def scores_by(model, X):
    """Return the scores that a fitted model gives to all items for each row."""
    recommender, rows = recommender_and_rows(model, X)
    return scores_of(recommender, rows)


def scores_of(recommender, X):
    """Return the scores of a fitted recommender; raise unless there is one for each item."""
    scores = recommender.decision_function(X)
    shape, n_items = np.shape(scores), recommender.n_items_
    if len(shape) != 2 or shape[1] != n_items:
        raise ValueError(
            f"decision_function of {type(recommender).__name__} returned scores of shape {shape}, "
            f"and n_items_ is {n_items}: it must return an array of shape (n_rows, n_items_)."
        )
    return scores


def _check_pipeline_is_fitted(pipeline):
    """Raise unless a pipeline is fitted, without walking its tags if it is."""
    try:
        check_is_fitted(innermost(pipeline))
    except NotFittedError:
        check_is_fitted(pipeline)


def keeps_columns(model):
    """Return whether all steps before the recommender keep the columns of X as they are."""
    return all(map(_is_one_to_one, _steps_before(model)))


def before_binarizer(model, X):
    """Return X as it comes to the first `Binarizer` among the steps of a fitted model.

    None if there is none, or if a step mixes the columns.
    """
    if not keeps_columns(model):
        return None
    for step in _steps_before(model):
        if isinstance(step, Binarizer):
            return X
        X = step.transform(X)
    return None


def _steps_before(model):
    """Yield the fitted transformers before the recommender of a model, in order."""
    for outer in _nested(model):
        if isinstance(outer, Pipeline):
            for _, step in _active_steps(outer)[:-1]:
                yield from _flat(step)


def _flat(step):
    """Yield a transformer, or those of a pipeline."""
    if isinstance(step, FrozenEstimator):
        yield from _flat(step.estimator)
    elif isinstance(step, Pipeline):
        for each in step:
            yield from _flat(each)
    elif step not in (None, "passthrough"):
        yield step


def check_order_kept(model):
    """Raise if the steps of a fitted in-domain model put the columns of X in another order.

    The numbers of the items that it recommends are those after the steps.
    """
    for outer in _nested(model):
        n_columns = getattr(outer, "n_features_in_", None)
        if not isinstance(outer, Pipeline) or n_columns is None or keeps_columns(outer):
            continue
        names = list(getattr(outer, "feature_names_in_", map("x{}".format, range(n_columns))))
        try:
            after = outer[:-1].get_feature_names_out(names)
        except (AttributeError, NotFittedError, TypeError, ValueError):
            return
        known = set(names)
        after = [name if name in known else name.partition("__")[2] for name in after]
        if first_displaced(after, names) is not None:
            raise ValueError(
                f"The steps before {type(recommender_of(model)).__name__} put the columns of X "
                f"in another order, with {after[0]!r} first, so the number of an item is not "
                "that of its column in X: keep the order of the columns."
            )


def _is_one_to_one(step):
    """Return whether each column that a transformer makes is a column that it reads."""
    is_declared = getattr(step, "feature_names_out", None) == "one-to-one"
    keeps_names = is_declared or isinstance(step, OneToOneFeatureMixin)
    return keeps_names and not getattr(step, "mixes_columns", False)


def named_parts(model):
    """Return the names and the estimators among the parameters, steps and members of a model."""
    if isinstance(model, Pipeline):
        named = model.steps
    else:
        parameters = model.get_params(deep=False)
        named = [*parameters.pop("estimators", []), *parameters.items()]
    return [(name, part) for name, part in named if isinstance(part, BaseEstimator)]


def last_step(model):
    """Return the last step of nested pipelines, and the names of the steps that lead to it."""
    names = []
    while isinstance(model, Pipeline):
        name, model = model.steps[-1]
        names.append(name)
    return model, names


def _is_recommender(model):
    """Return whether an estimator without `recommend` has scores that rank items."""
    return hasattr(model, "decision_function") and get_tags(model).estimator_type == "recommender"


def _nested(model):
    """Yield a fitted model and those inside it, down to the recommender."""
    while model is not None:
        yield model
        model = _inner(model)


def _inner(model, step=-1):
    """Return the model inside a frozen estimator, fitted search or pipeline, None otherwise."""
    if isinstance(model, FrozenEstimator):
        return model.estimator
    if isinstance(model, Pipeline):
        return _active_steps(model)[step][1]
    return getattr(model, "best_estimator_", None)


def _active_steps(pipeline):
    """Return the names and estimators of the steps that do something."""
    return [step for step in pipeline.steps if step[1] not in (None, "passthrough")]


def fitted_learner(pretrained, learner_class, *, attribute="n_iter_"):
    """Return the one fitted learner of a class inside a `FrozenEstimator`.

    It is fitted if it has the attribute.
    """
    name = learner_class.__name__
    if isinstance(pretrained, FrozenEstimator):
        found = [
            each
            for each in held_estimators(pretrained)
            if type(each) is learner_class and hasattr(each, attribute)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise ValueError(
                f"pretrained holds {len(found)} fitted {name}s: pass the one to start from, "
                "pretrained=FrozenEstimator(learner)."
            )
    raise ValueError(
        f"pretrained must be a FrozenEstimator around a fitted {name}, or around a fitted "
        f"Pipeline, search or recommender that holds one; got {pretrained!r}. Write "
        f"pretrained=FrozenEstimator({name}(...).fit(X))."
    )


def held_estimators(estimator):
    """Return the estimator and all inside it, the fitted ones in place of the unfitted ones."""
    held = [estimator]
    if isinstance(estimator, Pipeline):
        values = [[step for _, step in estimator.steps]]
    elif isinstance(estimator, FrozenEstimator):
        values = [estimator.estimator]
    else:
        values = [value for name, value in vars(estimator).items() if name.endswith("_")]
    for value in values:
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, BaseEstimator):
                held += held_estimators(part)
    return held
