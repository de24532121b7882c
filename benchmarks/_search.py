# SPDX-License-Identifier: BSD-3-Clause
"""Searches of parameters: a grid is widened until the best value of none is at its edge."""

from numbers import Real

from sklearn.model_selection import GridSearchCV, ParameterGrid

N_WIDENINGS = 6


class WideningSearchCV(GridSearchCV):
    """A search by cross-validation whose grid is widened; the best value is never at an edge.

    Parameters
    ----------
    estimator, param_grid, scoring, cv
        As in `GridSearchCV`.
    bounds : dict, optional
        As in `searched`.
    """

    def __init__(self, estimator, param_grid, *, scoring, cv, bounds=None):
        super().__init__(estimator, param_grid, scoring=scoring, cv=cv)
        self.bounds = bounds

    def _run_search(self, evaluate_candidates):
        bounds = self.bounds or {}

        def best_of(candidates):
            results = evaluate_candidates(candidates)
            return results["params"][results["rank_test_score"].argmin()]

        chosen, grid = widened_until_inside(self.param_grid, best_of, bounds)
        search = {"chosen": chosen, "grid": grid, "natural_bounds": bounds}
        check_search("cross-validation", type(self.estimator).__name__, search)


def searched(evaluate, grid, *, by=None, lowest=False, bounds=None, choose=None):
    """Return what a grid came to.

    Parameters
    ----------
    evaluate : callable
        From parameters to their figures by name.
    grid : dict
        Values of each parameter; numbers are widened where the best one is the first or the last.
    by : str, optional
        The figure to choose by, the first unless given.
    lowest : bool, default=False
        Whether low figures are good.
    bounds : dict, optional
        For each parameter that has any, its natural bounds and why they are: best values may stay
        there.
    choose : callable, optional
        From the results to the chosen parameters, where that is not the best figure.

    Returns
    -------
    dict
        The grid as it was searched, results, natural bounds, and the choice.
    """
    bounds = bounds or {}
    choose = choose or (lambda results: best(results, by, lowest=lowest))
    results = []

    def best_of(candidates):
        results.extend({"parameters": each, "figures": evaluate(each)} for each in candidates)
        return choose(results)

    chosen, grid = widened_until_inside(grid, best_of, bounds)
    return {"grid": grid, "natural_bounds": bounds, "results": results, "chosen": chosen}


def widened_until_inside(grid, best_of, bounds):
    """Return the best parameters, and the grid as it was searched.

    `best_of` evaluates new candidates and returns the best of all so far. The best values are
    inside the grid, unless it was widened `N_WIDENINGS` times.
    """
    grid = {name: list(values) for name, values in grid.items()}
    evaluated = []
    for n_left in reversed(range(1 + N_WIDENINGS)):
        candidates = [each for each in ParameterGrid(grid) if each not in evaluated]
        evaluated += candidates
        chosen = best_of(candidates)
        edges = at_the_edge(chosen, grid, bounds) if n_left else []
        if not edges:
            break
        grid |= {name: widened(grid[name], chosen[name]) for name in edges}
    return chosen, grid


def best(results, by=None, *, lowest=False):
    """Return the parameters of the best figure; the first of equal ones."""

    def figure(point):
        figures = point["figures"]
        value = figures[by or next(iter(figures))]
        value = getattr(value, "value", value)
        return -value if lowest else value

    return max(results, key=figure)["parameters"]


def at_the_edge(chosen, grid, bounds):
    """Return the parameters whose chosen value is the first or the last, and no natural bound."""
    return [
        name
        for name, values in grid.items()
        if is_ordered(values)
        and chosen[name] in (min(values), max(values))
        and chosen[name] not in map(float, bounds.get(name, ()))
    ]


def is_ordered(values):
    numbers = [isinstance(value, Real) and not isinstance(value, bool) for value in values]
    return len(values) > 1 and all(numbers)


def widened(values, edge):
    """Return ordered values with one more beyond an edge, at the ratio of the last two."""
    values = sorted(values)
    if edge == values[0]:
        inner, outer = values[1], values[0]
    else:
        inner, outer = values[-2:]
    further = outer**2 / inner if inner * outer > 0 else 2 * outer - inner
    further = float(f"{further:.2g}")
    if all(isinstance(value, int) for value in values):
        further = round(further) or min(values[0], 1)
    return sorted({*values, further})


def check_search(record, title, search):
    """Raise an error if a search chose a value at the edge of its grid."""
    edges = at_the_edge(search["chosen"], search["grid"], search["natural_bounds"])
    if edges:
        named = ", ".join(f"{name}={search['chosen'][name]}" for name in edges)
        raise ValueError(
            f"{record}, {title}: the best values {named} are at the edge of the grid. Widen the "
            "grid, or say in `bounds` why it ends there."
        )
