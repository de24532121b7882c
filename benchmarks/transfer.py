"""Transfer between two domains: each method beside popularity and beside the target alone.

    python benchmarks/transfer.py --data sport_cloth

prints, for each of the two directions, MRR, NDCG@10 and the hit rate at 10 of every held-out pair
with standard errors over rows, in per cent: against 999 random unseen items, and against all
unseen items. "clean" leaves out the pairs whose product is cross-listed, that is, stands in the
row's source history under another id. `--tune` searches the parameters on validation rows or pairs
taken from the training data, never on what is to be found, and prints the choice.
"""

import argparse
import inspect
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from _report import environment, format_table, measure
from joblib import Memory
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import TruncatedSVD
from sklearn.frozen import FrozenEstimator
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, ParameterGrid
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.utils import Bunch

import sktransrec as str_
from sktransrec.datasets import load_amazon_pair, make_cross_domain
from sktransrec.interactions import cross_listed_mask, holdout_random
from sktransrec.metrics import held_out_ranks, rank_metrics

N_NEGATIVES = 999
N_FOLDS = 3
N_VALIDATION_ROWS = 4000
METRICS = {"mrr": "MRR", "ndcg": "NDCG@10", "hit_rate": "HR@10"}


@dataclass(frozen=True)
class Task:
    """What is known of two domains, and the target items that some rows turn out to like.

    `source` and `target` hold the people of one domain, `stacked` everyone with the columns of both
    side by side, `X_source` and `Y_target` the people known in both, row by row. The rows of
    `X_new`, `Y_known` and `y` are those to recommend to: warm ones are the training rows, cold
    ones have nothing in `Y_known`.
    """

    source: sp.csr_array
    target: sp.csr_array
    stacked: sp.csr_array
    X_source: sp.csr_array
    Y_target: sp.csr_array
    X_new: sp.csr_array
    Y_known: sp.csr_array
    y: sp.csr_array
    is_cross_listed: sp.csr_array


def warm_task(X_source, Y_target, y, is_cross_listed):
    """Return the task of finding more of what the training rows like."""
    stacked = _beside(X_source, Y_target)
    return Task(
        source=X_source,
        target=Y_target,
        stacked=stacked,
        X_source=X_source,
        Y_target=Y_target,
        X_new=X_source,
        Y_known=Y_target,
        y=y,
        is_cross_listed=is_cross_listed,
    )


def cold_task(source, source_ids, target, target_ids, X_new, new_ids, y):
    """Return the task of recommending to people who are known in the source alone."""
    shared = np.intersect1d(source_ids, target_ids)
    everyone = np.union1d(source_ids, target_ids)
    everywhere = [
        _rows_of(ids, everyone).T @ matrix
        for ids, matrix in ((source_ids, source), (target_ids, target))
    ]
    in_question = ~np.isin(everyone, new_ids)
    return Task(
        source=source,
        target=target,
        stacked=_beside(*everywhere),
        X_source=source[np.searchsorted(source_ids, shared)],
        Y_target=target[np.searchsorted(target_ids, shared)],
        X_new=X_new,
        Y_known=sp.csr_array(y.shape, dtype=np.float32),
        y=y,
        is_cross_listed=cross_listed_mask(
            *(matrix[in_question] for matrix in everywhere), y, X_history=X_new
        ),
    )


def test_task(pair):
    """Return the task with the held-out pairs of the files."""
    if "Y_held_out" in pair:
        is_cross_listed = cross_listed_mask(pair.X_source, pair.Y_target, pair.Y_held_out)
        return warm_task(pair.X_source, pair.Y_target, pair.Y_held_out, is_cross_listed)
    return cold_task(
        pair.source.matrix,
        pair.source.user_ids,
        pair.target.matrix,
        pair.target.user_ids,
        pair.X_cold,
        pair.cold_ids,
        pair.Y_cold,
    )


def validation_tasks(pair):
    """Yield tasks of the test's kind made of training interactions only.

    Warm rows lose one target item each, and people in both domains, a fold at a time, all of them.
    """
    if "Y_held_out" in pair:
        Y_kept, y = holdout_random(pair.Y_target, 1, random_state=0)
        y = _some_rows(_with_known_items(y, Y_kept))
        # Fingerprints as full as they are in the test: each row's own pair is not counted.
        is_cross_listed = cross_listed_mask(pair.X_source, pair.Y_target, y)
        yield warm_task(pair.X_source, Y_kept, y, is_cross_listed)
        return
    folds = KFold(N_FOLDS, shuffle=True, random_state=0)
    for _, hidden in folds.split(pair.user_ids):
        hidden_ids = pair.user_ids[hidden]
        is_kept = ~np.isin(pair.target.user_ids, hidden_ids)
        target = pair.target.matrix[is_kept]
        yield cold_task(
            pair.source.matrix,
            pair.source.user_ids,
            target,
            pair.target.user_ids[is_kept],
            pair.X_source[hidden],
            hidden_ids,
            _with_known_items(pair.Y_target[hidden], target),
        )


def _fitted(model, X):
    return clone(model).fit(X)


def fit_target(model, task, fit):
    return fit(model, task.target)


def fit_stacked(model, task, fit):
    return fit(model, task.stacked)


def fit_across(pipeline, task, fit):
    """Fit a pipeline from source rows to target rows.

    What learns from one domain alone, the encoder and the bridge's factor model, learns from all
    people of that domain first.
    """
    encoder = FrozenEstimator(fit(pipeline[0], task.source))
    head = with_known_factors(pipeline[-1], task, fit)
    return make_pipeline(encoder, *pipeline[1:-1], head).fit(task.X_source, task.Y_target)


def with_known_factors(head, task, fit):
    """Return bridges, also those within other models, to factors of all people of the target."""
    if isinstance(head, str_.BridgeRecommender):
        return head.set_params(recommender=FrozenEstimator(fit(head.recommender, task.target)))
    if isinstance(head, Pipeline):
        return make_pipeline(*head[:-1], with_known_factors(head[-1], task, fit))
    if isinstance(head, str_.VotingRecommender):
        parts = [(name, with_known_factors(part, task, fit)) for name, part in head.estimators]
        return head.set_params(estimators=parts)
    return head


def fit_personalized(model, task, fit):
    """Fit personal bridges between factor models that learn from all people of their domain."""
    model = model.set_params(
        transformer=FrozenEstimator(fit(model.transformer, task.source)),
        recommender=FrozenEstimator(fit(model.recommender, task.target)),
    )
    return model.fit(task.X_source, task.Y_target)


@dataclass(frozen=True)
class Method:
    """A model, unfitted, how it learns from a task, and the parameters to choose from."""

    model: Callable
    fit: Callable
    grid: dict = field(default_factory=dict)

    def fitted(self, task, parameters, fit=_fitted):
        return self.fit(self.model(task).set_params(**parameters), task, fit)

    def ranks(self, model, task, n_negatives):
        """Return the row, the item and the rank of each pair to be found."""
        rows, y, candidates = task.X_new, task.y, None
        excluded = task.Y_known
        if self.fit is fit_target:
            rows, excluded = task.Y_known, None
        if self.fit is fit_stacked:
            n_source = task.X_new.shape[1]
            candidates = np.arange(n_source, n_source + y.shape[1])
            rows, excluded = _beside(task.X_new, task.Y_known), None
            y = _beside(sp.csr_array(task.X_new.shape, dtype=y.dtype), y)
        rows, items, ranks = held_out_ranks(
            model,
            rows,
            y,
            n_negatives=n_negatives,
            candidates=candidates,
            exclude_interactions=excluded,
            random_state=0,
        )
        return rows, items if candidates is None else items - candidates[0], ranks


def weighted_als(task):
    """Return ALS on both domains with a weight for the source's interactions."""
    n_source = task.X_source.shape[1]
    domains = ColumnTransformer(
        [
            ("source", "passthrough", slice(0, n_source)),
            ("target", "passthrough", slice(n_source, None)),
        ]
    )
    return make_pipeline(domains, als())


def als(**parameters):
    return str_.ALSRecommender(256, max_iter=10, random_state=0, **parameters)


def collective(task):
    return str_.CollectiveMFRecommender(task.X_source.shape[1], 256, max_iter=10, random_state=0)


def autoencoder():
    return str_.Autoencoder(
        64,
        hidden_layer_sizes=(256,),
        kind="variational",
        loss="multinomial",
        epochs=15,
        batch_size=256,
        random_state=0,
    )


def bridge(regressor):
    """Return a bridge between factors of ALS, as much regularised as the ridge bridge chose."""
    source, target = als(confidence=400.0, regularization=0.03), als(regularization=0.02)
    return make_pipeline(source, str_.BridgeRecommender(target, regressor))


def votes():
    """Return the mean of a kernel bridge and of ridge regression on the items themselves."""
    bridge = str_.BridgeRecommender(
        als(regularization=0.02), KernelRidge(3.0, kernel="rbf", gamma=1.0)
    )
    heads = [
        ("bridge", make_pipeline(Normalizer(), bridge)),
        ("items", str_.RidgeRecommender(100.0)),
    ]
    source = als(confidence=400.0, regularization=0.03)
    return make_pipeline(source, str_.VotingRecommender(heads))


def mlp():
    """Return a network with one hidden layer, its inputs and outputs to scale."""
    network = MLPRegressor(
        hidden_layer_sizes=(128,), activation="tanh", max_iter=60, tol=0.0, random_state=0
    )
    return TransformedTargetRegressor(
        make_pipeline(StandardScaler(), network), transformer=StandardScaler()
    )


ALS_GRID = {"regularization": [0.02, 0.03, 0.04, 0.05], "confidence": [100.0, "balanced"]}
POPULARITY = Method(lambda task: str_.PopularityRecommender(), fit_target)
WARM = {
    "popularity": POPULARITY,
    "graph filter, target alone": Method(
        lambda task: str_.GraphFilterRecommender(random_state=0),
        fit_target,
        {"n_components": [64, 256], "item_exponent": [0.1, 0.3]},
    ),
    "ALS, target alone": Method(lambda task: als(), fit_target, ALS_GRID),
    "item kNN on both": Method(
        lambda task: str_.ItemKNNRecommender(),
        fit_stacked,
        {"weighting": ["cosine", "tfidf", "bm25"], "shrinkage": [3, 10]},
    ),
    "graph filter on both": Method(
        lambda task: str_.GraphFilterRecommender(random_state=0),
        fit_stacked,
        {"n_components": [64, 256], "item_exponent": [0.1, 0.3]},
    ),
    "ALS on both": Method(lambda task: als(), fit_stacked, ALS_GRID),
    "ALS on both, source weighted": Method(
        weighted_als,
        fit_stacked,
        {
            "columntransformer__transformer_weights": [
                {"source": weight} for weight in (0.1, 0.3, 0.6)
            ],
            "alsrecommender__regularization": [0.02, 0.03, 0.04],
            "alsrecommender__confidence": [100.0, "balanced"],
        },
    ),
    "collective factorisation": Method(
        collective,
        fit_stacked,
        {"source_weight": [0.1, 0.3, 1.0], "confidence": [100.0, "balanced"]},
    ),
}
COLD = {
    "popularity": POPULARITY,
    "SVD, ridge to the items": Method(
        lambda task: make_pipeline(TruncatedSVD(64, random_state=0), str_.RidgeRecommender()),
        fit_across,
        {"ridgerecommender__regularization": [1.0, 10.0, 100.0]},
    ),
    "autoencoder, ridge to the items": Method(
        lambda task: make_pipeline(autoencoder(), str_.RidgeRecommender()),
        fit_across,
        {"ridgerecommender__regularization": [100.0, 1000.0, 10000.0]},
    ),
    "ALS, ridge to the items": Method(
        lambda task: make_pipeline(als(confidence=400.0), str_.RidgeRecommender()),
        fit_across,
        {"ridgerecommender__regularization": [1.0, 10.0, 100.0, 1000.0]},
    ),
    "ALS on both": Method(
        lambda task: als(confidence=100.0), fit_stacked, {"regularization": [0.02, 0.03]}
    ),
    "collective factorisation": Method(
        collective, fit_stacked, {"confidence": [100.0, "balanced"]}
    ),
    "ALS, ridge to ALS factors": Method(
        lambda task: make_pipeline(als(confidence=400.0), str_.BridgeRecommender(als(), Ridge())),
        fit_across,
        {
            "alsrecommender__regularization": [0.03, 0.05],
            "bridgerecommender__recommender__regularization": [0.02, 0.03],
            "bridgerecommender__regressor__alpha": [1.0, 3.0, 10.0],
        },
    ),
    "ALS, kernel ridge to ALS factors": Method(
        lambda task: make_pipeline(
            als(confidence=400.0),
            Normalizer(),
            str_.BridgeRecommender(als(), KernelRidge(kernel="rbf", gamma=1.0)),
        ),
        fit_across,
        {
            "alsrecommender__regularization": [0.03, 0.05],
            "bridgerecommender__recommender__regularization": [0.02, 0.03],
            "bridgerecommender__regressor__alpha": [0.3, 1.0, 3.0],
        },
    ),
    "ALS, mean of kernel ridge to ALS factors and ridge to the items": Method(
        lambda task: votes(),
        fit_across,
        {
            "votingrecommender__weights": [[2, 1], [1, 1], [1, 2]],
            "votingrecommender__items__regularization": [30.0, 100.0],
        },
    ),
    "ALS, rotation to ALS factors": Method(
        lambda task: bridge(str_.ProcrustesRegressor()),
        fit_across,
        {"bridgerecommender__activity_exponent": [0.0, 0.5]},
    ),
    "ALS, MLP to ALS factors": Method(
        lambda task: bridge(mlp()),
        fit_across,
        {"bridgerecommender__regressor__regressor__mlpregressor__alpha": [1.0, 10.0, 100.0]},
    ),
    "ALS, personal bridge to ALS factors": Method(
        lambda task: str_.PersonalizedBridgeRecommender(
            als(confidence=400.0, regularization=0.03),
            als(regularization=0.02),
            make_pipeline(Normalizer(), KernelRidge(3.0, kernel="rbf", gamma=1.0)),
            max_iter=20,
            random_state=0,
        ),
        fit_personalized,
        {"regularization": [0.02, 0.1], "confidence": [10.0, 30.0]},
    ),
}

# The parameters are the choices of
#     python benchmarks/transfer.py --data NAME --tune
# from the grids above, by NDCG@10 of the clean validation pairs, for each target (source). Of the
# grid of "ALS on both, source weighted" a part was searched: weights 0.1 and 0.3 with less
# regularization for sport and phone, 0.3 and 0.6 with more of it and balanced confidence for cloth.
TUNED = {
    "sport (cloth)": {
        "graph filter, target alone": {"n_components": 64, "item_exponent": 0.1},
        "ALS, target alone": {"regularization": 0.05, "confidence": "balanced"},
        "item kNN on both": {"weighting": "tfidf", "shrinkage": 10},
        "graph filter on both": {"n_components": 256, "item_exponent": 0.1},
        "ALS on both": {"regularization": 0.04, "confidence": "balanced"},
        "ALS on both, source weighted": {
            "columntransformer__transformer_weights": {"source": 0.6},
            "alsrecommender__regularization": 0.04,
            "alsrecommender__confidence": "balanced",
        },
        "collective factorisation": {"source_weight": 1.0, "confidence": "balanced"},
    },
    "cloth (sport)": {
        "graph filter, target alone": {"n_components": 64, "item_exponent": 0.1},
        "ALS, target alone": {"regularization": 0.02, "confidence": 100.0},
        "item kNN on both": {"weighting": "bm25", "shrinkage": 10},
        "graph filter on both": {"n_components": 64, "item_exponent": 0.1},
        "ALS on both": {"regularization": 0.04, "confidence": "balanced"},
        "ALS on both, source weighted": {
            "columntransformer__transformer_weights": {"source": 0.6},
            "alsrecommender__regularization": 0.04,
            "alsrecommender__confidence": "balanced",
        },
        "collective factorisation": {"source_weight": 1.0, "confidence": "balanced"},
    },
    "game (video)": {
        "SVD, ridge to the items": {"ridgerecommender__regularization": 100.0},
        "autoencoder, ridge to the items": {"ridgerecommender__regularization": 1000.0},
        "ALS, ridge to the items": {"ridgerecommender__regularization": 100.0},
        "ALS on both": {"regularization": 0.03},
        "ALS, ridge to ALS factors": {
            "alsrecommender__regularization": 0.05,
            "bridgerecommender__recommender__regularization": 0.02,
            "bridgerecommender__regressor__alpha": 3.0,
        },
        "ALS, kernel ridge to ALS factors": {
            "alsrecommender__regularization": 0.05,
            "bridgerecommender__recommender__regularization": 0.02,
            "bridgerecommender__regressor__alpha": 1.0,
        },
        "collective factorisation": {"confidence": "balanced"},
    },
    "video (game)": {
        "SVD, ridge to the items": {"ridgerecommender__regularization": 100.0},
        "autoencoder, ridge to the items": {"ridgerecommender__regularization": 1000.0},
        "ALS, ridge to the items": {"ridgerecommender__regularization": 100.0},
        "ALS on both": {"regularization": 0.03},
        "ALS, ridge to ALS factors": {
            "alsrecommender__regularization": 0.03,
            "bridgerecommender__recommender__regularization": 0.02,
            "bridgerecommender__regressor__alpha": 3.0,
        },
        "ALS, kernel ridge to ALS factors": {
            "alsrecommender__regularization": 0.03,
            "bridgerecommender__recommender__regularization": 0.02,
            "bridgerecommender__regressor__alpha": 3.0,
        },
        "collective factorisation": {"confidence": "balanced"},
    },
    "phone (sport)": {
        "graph filter, target alone": {"n_components": 64, "item_exponent": 0.1},
        "item kNN on both": {"weighting": "tfidf", "shrinkage": 10},
        "ALS, target alone": {"regularization": 0.04, "confidence": 100.0},
        "graph filter on both": {"n_components": 256, "item_exponent": 0.1},
        "ALS on both": {"regularization": 0.03, "confidence": 100.0},
        "ALS on both, source weighted": {
            "columntransformer__transformer_weights": {"source": 0.3},
            "alsrecommender__regularization": 0.02,
            "alsrecommender__confidence": 100.0,
        },
        "collective factorisation": {"source_weight": 0.1, "confidence": 100.0},
    },
    "sport (phone)": {
        "graph filter, target alone": {"n_components": 64, "item_exponent": 0.1},
        "item kNN on both": {"weighting": "tfidf", "shrinkage": 10},
        "ALS, target alone": {"regularization": 0.03, "confidence": 100.0},
        "graph filter on both": {"n_components": 64, "item_exponent": 0.1},
        "ALS on both": {"regularization": 0.03, "confidence": 100.0},
        "ALS on both, source weighted": {
            "columntransformer__transformer_weights": {"source": 0.3},
            "alsrecommender__regularization": 0.02,
            "alsrecommender__confidence": 100.0,
        },
        "collective factorisation": {"source_weight": 0.3, "confidence": "balanced"},
    },
}


def load_pairs(data):
    """Return the pairs of domains: one a direction, or a cold and a warm one that are generated."""
    if data == "generated":
        pair = make_cross_domain(1000, 400, 300, n_cold_users=200, random_state=0)
        Y_kept, Y_held_out = holdout_random(pair.Y_target, 1, random_state=1)
        warm = Bunch(
            source=pair.source,
            target=pair.target,
            X_source=pair.X_source,
            Y_target=Y_kept,
            Y_held_out=_with_known_items(Y_held_out, Y_kept),
        )
        return [pair, warm]
    names = data.split("_")
    return [load_amazon_pair(*reversed(names)), load_amazon_pair(*names)]


def tables(pair, methods, *, markdown):
    """Return the results of the methods against random unseen items, and against all."""
    task = test_task(pair)
    sampled_rows, full_rows = [], []
    for name, method in methods.items():
        parameters = TUNED.get(_title(pair), {}).get(name, {})
        model, cost = measure(method.fitted, task, parameters)
        for rows, n_negatives in ((sampled_rows, N_NEGATIVES), (full_rows, None)):
            pairs = method.ranks(model, task, n_negatives)
            rows.append([name, *_cells(*pairs), *_cells(*_clean(task, *pairs)), cost.cpu_seconds])
        print(name, parameters, cost, file=sys.stderr)
    header = [f"all: {metric}" for metric in METRICS.values()]
    header += [f"clean: {metric}" for metric in METRICS.values()] + ["fit CPU s"]
    return "\n\n".join(
        format_table([f"{_title(pair)}, {what}", *header], rows, markdown=markdown)
        for what, rows in (
            (f"{N_NEGATIVES} random unseen items", sampled_rows),
            ("all unseen items", full_rows),
        )
    )


def tune(pair, methods):
    """Print the validation results of each method's grid, best first."""
    tasks = list(validation_tasks(pair))
    header = ["clean: NDCG@10", "all: NDCG@10"]
    with tempfile.TemporaryDirectory() as folder:
        # What learns from one domain is the same for many settings of what follows it.
        fit = Memory(folder, verbose=0).cache(_fitted)
        for name, method in methods.items():
            if method.grid:
                results = [
                    [str(parameters), *_validation_cells(method, tasks, parameters, fit)]
                    for parameters in ParameterGrid(method.grid)
                ]
                results.sort(key=lambda row: float(row[1].split()[0]), reverse=True)
                title = f"{_title(pair)}, {name}, validation"
                print(format_table([title, *header], results), end="\n\n", flush=True)


def _validation_cells(method, tasks, parameters, fit):
    """Return NDCG@10 of the clean pairs and of all pairs of the validation tasks."""
    clean_pairs, all_pairs = [], []
    for number, task in enumerate(tasks):
        pairs = method.ranks(method.fitted(task, parameters, fit), task, N_NEGATIVES)
        for collected, (rows, items, ranks) in (
            (clean_pairs, _clean(task, *pairs)),
            (all_pairs, pairs),
        ):
            collected.append((rows + number * task.y.shape[0], items, ranks))
    cells = [
        _cells(*map(np.concatenate, zip(*pairs, strict=True)))[1]
        for pairs in (clean_pairs, all_pairs)
    ]
    print(parameters, *cells, file=sys.stderr)
    return cells


def _cells(rows, items, ranks):
    """Return "mean ± standard error" of each metric, in per cent."""
    metrics = rank_metrics(ranks, rows=rows)
    return [f"{100 * mean:.2f} ± {100 * error:.2f}" for mean, error in map(metrics.get, METRICS)]


def _clean(task, rows, items, ranks):
    """Return the pairs that are not cross-listed."""
    is_clean = ~task.is_cross_listed.astype(bool)[rows, items]
    return rows[is_clean], items[is_clean], ranks[is_clean]


def _title(pair):
    return f"{pair.target.name} ({pair.source.name})"


def _beside(left, right):
    return sp.csr_array(sp.hstack([left, right], format="csr"))


def _rows_of(ids, sorted_ids):
    """Return the matrix that takes rows of `sorted_ids` to those of `ids`."""
    columns = np.searchsorted(sorted_ids, ids)
    ones = np.ones(len(ids), dtype=np.float32)
    return sp.csr_array((ones, columns, np.arange(len(ids) + 1)), shape=(len(ids), len(sorted_ids)))


def _with_known_items(y, Y_known):
    """Return y without the items that nobody has in `Y_known`, as no test pair has any such."""
    is_known = (Y_known.sum(axis=0) > 0).astype(np.float32)
    y = sp.csr_array(y.multiply(is_known))
    y.eliminate_zeros()
    return y


def _some_rows(y):
    """Return y with at most `N_VALIDATION_ROWS` random rows that are not empty."""
    order = np.random.RandomState(0).permutation(np.flatnonzero(np.diff(y.indptr)))
    is_chosen = np.zeros((y.shape[0], 1), dtype=np.float32)
    is_chosen[order[:N_VALIDATION_ROWS]] = 1
    y = sp.csr_array(y.multiply(is_chosen))
    y.eliminate_zeros()
    return y


def main():
    parser = argparse.ArgumentParser(
        description=inspect.getdoc(sys.modules[__name__]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data",
        choices=["game_video", "sport_cloth", "sport_phone", "generated"],
        default="sport_cloth",
    )
    parser.add_argument("--target", help="one direction only: the domain to recommend in")
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="these rows only")
    parser.add_argument("--tune", action="store_true", help="search the parameters instead")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()

    print(environment("sktransrec", "scikit-learn", "numpy", "scipy", "implicit"))
    print("Held-out pairs in per cent ± standard error over rows; ties averaged.\n")
    for pair in load_pairs(arguments.data):
        if arguments.target not in (None, pair.target.name):
            continue
        methods = WARM if "Y_held_out" in pair else COLD
        methods = {
            name: method
            for name, method in methods.items()
            if arguments.methods is None or name in arguments.methods
        }
        if arguments.tune:
            tune(pair, methods)
        else:
            print(tables(pair, methods, markdown=arguments.markdown), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
