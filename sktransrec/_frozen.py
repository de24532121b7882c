# SPDX-License-Identifier: BSD-3-Clause
"""A fitted estimator that is not fitted again, and that has a short name in print."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from ._typing import Estimator
from ._validation import check_is_fitted, visual_block
from ._wrapping import own_shell


class Frozen(FrozenEstimator):
    """The frozen estimator of scikit-learn with a name, which stands for it in print."""

    def __init__(self, estimator, name):
        super().__init__(estimator)
        self.name = name

    def __sklearn_clone__(self):
        return own_shell(self)

    def __repr__(self, N_CHAR_MAX=700):
        return f"Frozen({self.name!r})"

    def get_params(self, deep=True):
        """Return the name alone: the parameters of a frozen estimator cannot be set."""
        return {"name": self.name}

    def _sk_visual_block_(self):
        return visual_block([self.estimator], [f"frozen: {self.name}"], [str(self.estimator)])


def frozen(estimator: Estimator, name: str | None = None) -> Estimator:
    """Freeze a fitted estimator, with a short name for prints, searches and diagrams.

    Use it like scikit-learn's `FrozenEstimator`, for example as `pretrained`. That one prints
    all parameters of what it holds, which fills the lines of a search with `verbose` and the
    tables of its results. Its clones share one object too, which fails in searches in threads.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator. It is not copied, and `fit` and `clone` leave it as it is.
    name : str, default=None
        What to print. None takes the names of the classes.

    Returns
    -------
    frozen : FrozenEstimator
        What holds the estimator.

    See Also
    --------
    sklearn.frozen.FrozenEstimator : The same without a name.

    Examples
    --------
    >>> from sktransrec import EASERecommender, frozen
    >>> model = EASERecommender().fit([[1, 1, 0], [0, 1, 1]])
    >>> frozen(model), frozen(model, "films")
    (Frozen('EASERecommender'), Frozen('films'))
    """
    check_is_fitted(estimator)
    return Frozen(estimator, _class_names(estimator) if name is None else str(name))


def _class_names(estimator):
    """Return the name of the class, or the names of the steps of a pipeline."""
    if isinstance(estimator, Pipeline):
        return " > ".join(_class_names(step) for step in estimator if hasattr(step, "fit"))
    return type(estimator).__name__
