# SPDX-License-Identifier: BSD-3-Clause
"""Ready search spaces for those who tune."""

from typing import Any, Literal

from scipy.stats import randint, uniform
from sklearn.frozen import FrozenEstimator

from ._extras import asks_to_install
from ._typing import Estimator
from ._validation import StrOptions, validate_params
from ._wrapping import named_parts

__all__ = ["search_space"]


@validate_params({"model": "no_validation", "library": [StrOptions({"optuna", "scipy"})]})
def search_space(
    model: Estimator, *, library: Literal["optuna", "scipy"] = "scipy"
) -> dict[str, Any | list[Any]]:
    """Return the parameters of a model that are worth a search, each with its distribution.

    Use it to tune a model by a randomised search without choosing the ranges by hand.

    Parameters
    ----------
    model : estimator
        A recommender, a feature learner, or a `Pipeline` or ensemble of these. What is inside a
        `FrozenEstimator` is left out.
    library : {"optuna", "scipy"}, default="scipy"
        The library of the distributions: those of scipy are for `RandomizedSearchCV` and
        `HalvingRandomSearchCV`, those of Optuna for its `OptunaSearchCV`.

    Returns
    -------
    space : dict of str to distribution or list
        A distribution, or a list of values, for each parameter, named as in `set_params`: a
        parameter of a part has the name of the part before it, as in "easerecommender__solver".

    See Also
    --------
    ranking_scorer : What such a search maximises.
    sklearn.model_selection.RandomizedSearchCV : Draws from it.

    Notes
    -----
    An estimator says what is worth a search in its attribute `search_distributions`, a dict of
    parameters. An estimator of your own may have one as well. If the best value of a search lies
    at the edge of its range, widen the range and search again.

    Examples
    --------
    >>> from sklearn.model_selection import RandomizedSearchCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktransrec import BM25Transformer, EASERecommender, ranking_scorer, search_space
    >>> from sktransrec.datasets import make_cross_domain
    >>> model = make_pipeline(BM25Transformer(), EASERecommender())
    >>> space = search_space(model)
    >>> sorted(space)
    ['bm25transformer__b', 'bm25transformer__k1', 'easerecommender__regularization']
    >>> search = RandomizedSearchCV(
    ...     model,
    ...     space,
    ...     n_iter=3,
    ...     scoring=ranking_scorer(holdout=0.2, random_state=0),
    ...     cv=2,
    ...     random_state=0,
    ... ).fit(make_cross_domain(random_state=0).X_source)
    >>> bool(1 <= search.best_params_["easerecommender__regularization"] <= 10000)
    True
    """
    if isinstance(model, type) or not hasattr(model, "get_params"):
        raise TypeError(f"model={model!r} is no estimator: pass one, such as EASERecommender().")
    space = dict(_named_distributions(model))
    if library == "scipy":
        return space
    return {name: _of_optuna(values) for name, values in space.items()}


def _named_distributions(model, prefix=""):
    """Yield the names of parameters and their distributions, those of the parts after its own."""
    if isinstance(model, FrozenEstimator):
        return
    for name, values in getattr(model, "search_distributions", {}).items():
        yield prefix + name, values
    for name, part in named_parts(model):
        yield from _named_distributions(part, f"{prefix}{name}__")


def _of_optuna(values):
    """Return values to choose from, or a distribution of scipy, as a distribution of Optuna."""
    with asks_to_install("Distributions of Optuna need it: pip install optuna"):
        from optuna import distributions

    if isinstance(values, list):
        return distributions.CategoricalDistribution(values)
    low, high = values.support()
    if values.dist.name == randint.name:
        return distributions.IntDistribution(int(low), int(high))
    return distributions.FloatDistribution(low, high, log=values.dist.name != uniform.name)
