# SPDX-License-Identifier: BSD-3-Clause
"""New items inside a catalogue: papers or films that nobody has seen yet.

    python benchmarks/cold_start.py --data citeulike
    python benchmarks/cold_start.py --data movielens
    python benchmarks/cold_start.py --data movielens_untagged
    python benchmarks/cold_start.py --catalogue 1000000

A random fifth of the items is cold: all of their interactions are held out. A fifth of each
person's other interactions is held out too, which leaves a few more items without interactions.
Recall@100 and NDCG@20 are computed three times: among the cold items, among the warm items, and
among all items, which is what a recommender has to rank in practice. There are five such splits.
The figures are means over 2,500 people, or over all if there are fewer. Each person's score is
averaged over the splits first, and ± is the standard error over people.

Each split tunes its own parameters on its training part, which is split once more in the same way.
A model of interactions alone is tuned by NDCG@20 among the warm items, all others by NDCG@20 among
all items. Seconds are those of the last fit; hybrids and votes start from their fitted parts.
`--catalogue` measures something else: what 50 new items cost in a catalogue of the given size.
"""

import functools
import sys
import tracemalloc
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser, record_name
from _report import mean_and_error, measure
from _search import check_search, searched
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils import gen_batches

import sktransrec as str_
from sktransrec._numerics._entries import pattern_of
from sktransrec._numerics._top_k import Preference, top_k
from sktransrec.datasets import load_citeulike, load_movielens
from sktransrec.datasets._base import indicator_matrix
from sktransrec.interactions import holdout_random
from sktransrec.metrics import ndcg_at_k, recall_at_k

K_RECALL, K_NDCG = 100, 20
SETS = ("cold", "warm", "all")
N_TUNING_ROWS = 1000
N_TEST_ROWS = 2500
N_NEW_ITEMS = 50
# The seed of a split plus this is that of its validation.
VALIDATION_SEED = 1000
HYBRID_OF_CATALOGUE = str_.HybridRecommender(
    str_.ALSRecommender(64, max_iter=1, random_state=0), content_scale=1.0
)


@dataclass(frozen=True)
class Split:
    """What may be learned from, what is to be found, and the items to rank in each set."""

    X: sp.csr_array
    y: sp.csr_array
    items: dict

    @classmethod
    def of(cls, X, seed):
        """Hold out all interactions of a fifth of the items, and a fifth of each row's others."""
        known = _has_rows(X)
        chosen = np.random.RandomState(seed).permutation(np.flatnonzero(known))
        is_kept = known.copy()
        is_kept[chosen[: len(chosen) // 5]] = False
        kept, y = holdout_random(_only(X, is_kept), 0.2, random_state=seed)
        # An item may lose its last interactions to the rows' fifth: it is cold as well.
        warm = _has_rows(kept)
        return cls(
            kept, y + _only(X, ~is_kept), {"cold": known & ~warm, "warm": warm, "all": known}
        )


def _has_rows(X):
    """Return the mask of the items that some row has."""
    return np.bincount(X.indices, minlength=X.shape[1]) > 0


def _only(X, columns):
    """Return X with nothing in the other columns."""
    X = sp.csr_array(X @ sp.diags_array(columns.astype(np.float32)))
    X.eliminate_zeros()
    return X


class ItemsAsRows:
    """The view of new items as rows: learns who has an item from what it is like."""

    def __init__(self, model, content):
        self.model, self.content = model, content

    def fit(self, X):
        is_warm = _has_rows(X)
        self.model.fit(self.content[is_warm], X.T.tocsr()[is_warm])
        self.scores = self.model.decision_function(self.content)
        return self

    def rankings(self, X, rows, candidates):
        candidates = np.flatnonzero(candidates)
        best = np.empty((len(rows), K_RECALL), dtype=np.intp)
        preference = Preference.by_popularity(X[:, candidates].sum(axis=0))
        for block in gen_batches(len(rows), 500):
            scores = np.ascontiguousarray(self.scores[:, rows[block]].T)
            scores[X[rows[block]].nonzero()] = -np.inf
            best[block] = candidates[top_k(scores[:, candidates], K_RECALL, preference)[0]]
        return best


def rankings(model, X, rows, candidates):
    """Return the best of the candidates that the given rows do not have, best first."""
    if isinstance(model, ItemsAsRows):
        return model.rankings(X, rows, candidates)
    return model.recommend(X[rows], n_recommendations=K_RECALL, candidates=candidates)[0]


def figures(model, split, rows, which):
    """Return Recall@100 and NDCG@20 of each row in a set of items."""
    items = split.items[which]
    best, y = rankings(model, split.X, rows, items), _only(split.y[rows], items)
    metrics = (recall_at_k, K_RECALL), (ndcg_at_k, K_NDCG)
    return [metric(y, best, k=k, per_row=True) for metric, k in metrics]


@dataclass(frozen=True)
class Data:
    """Interactions, what the items say, and an unfitted transformer that weighs its words."""

    X: sp.csr_array
    content: object
    words: object
    texts: np.ndarray
    kernel_sizes: tuple = (1, 2)
    n_components: int = 500
    vectors: dict = field(default_factory=dict)

    @functools.cached_property
    def item_features(self):
        return str_.ItemFeatures(self.content)

    @functools.cached_property
    def item_texts(self):
        return str_.ItemFeatures(self.texts)

    def with_vectors(self, is_warm):
        """Return the data with the words of items reduced as those of the warm items suggest.

        Vectors are all of length one, or "by length" as much longer as there are more words: much
        is said of what is popular.
        """
        vectors = {}
        for reading, norm in (("all alike", "l2"), ("by length", None)):
            words = clone(self.words).set_params(norm=norm)
            reduced = make_pipeline(words, TruncatedSVD(self.n_components, random_state=0))
            reduced = reduced.fit(self.content[is_warm]).transform(self.content)
            lengths = np.linalg.norm(reduced, axis=1, keepdims=True)
            if norm is None:
                lengths = np.sqrt(np.mean(lengths**2))
            reduced /= np.maximum(lengths, np.finfo(np.float32).tiny)
            vectors[reading] = reduced.astype(np.float32)
        return replace(self, vectors=vectors)


def citeulike():
    """Papers with the words of title and abstract; a network gets them by falling weight."""
    papers = load_citeulike()
    words = TfidfTransformer(sublinear_tf=True)
    weights = words.fit_transform(papers.words).tocsr()
    texts = np.array([_words_by_weight(paper) for paper in weights], dtype=object)
    return Data(papers.interactions, papers.words, words, texts, kernel_sizes=(1,))


def _words_by_weight(weights):
    """Return the numbers of a paper's words as a text, those of most weight first."""
    words = weights.indices[np.argsort(-weights.data, kind="stable")]
    return " ".join(f"w{word}" for word in words) or "none"


def movielens(*, has_tags=True):
    """Films with the words of their titles, genres and tags; any rating counts."""
    films = load_movielens()
    encoder = str_.InteractionEncoder(user="user_id", item="movie_id")
    X = encoder.fit_transform(films.ratings)
    words = dict(zip(films.movies.movie_id, films.movies.title, strict=True))
    for film, genres in zip(films.movies.movie_id, films.movies.genres, strict=True):
        words[film] += " " + genres.replace("|", " ").replace("-", "")
    if has_tags:
        for film, tag in zip(films.tags.movie_id, films.tags.tag, strict=True):
            words[film] += " " + tag
    texts = np.array([words[film] for film in encoder.items_], dtype=object)
    return Data(pattern_of(X), texts, TfidfVectorizer(min_df=2, sublinear_tf=True), texts)


def generated():
    """Papers of a few topics that people have favourites among, for a quick look."""
    rng = np.random.RandomState(0)
    topics, likes = rng.randint(8, size=1000), rng.uniform(size=(300, 8)) < 0.2
    chance = (0.005 + 0.1 * likes[:, topics]) * rng.beta(1, 2, size=1000)
    words = [" ".join(f"t{topic}w{i}" for i in rng.randint(30, size=6)) for topic in topics]
    texts = np.array(words, dtype=object)
    X = sp.csr_array((rng.uniform(size=chance.shape) < chance).astype(np.float32))
    return Data(X, texts, TfidfVectorizer(), texts, n_components=50)


DATA = {
    "citeulike": citeulike,
    "movielens": movielens,
    "movielens_untagged": functools.partial(movielens, has_tags=False),
    "generated": generated,
}


# What makes each unfitted model from the data, from the models before it that were fitted on the
# same rows, and from its parameters.


def text_neighbours(data, fitted):
    return str_.ContentKNNRecommender(data.item_features, transformer=data.words)


def ridge_on_words(data, fitted, reading, regularization):
    return ItemsAsRows(str_.RidgeRecommender(regularization), data.vectors[reading])


def network_on_words(data, fitted, epochs, regularization):
    ridge = str_.RidgeRecommender(regularization)
    return ItemsAsRows(make_pipeline(*_network(data, "multinomial", epochs), ridge), data.texts)


def _network(data, loss, epochs):
    return str_.TextSequences(min_df=2, max_length=30), str_.CNNEncoder(
        n_components=64,
        kernel_sizes=data.kernel_sizes,
        code_activation="relu",
        loss=loss,
        unknown="ignore",
        batch_size=64,
        epochs=epochs,
        random_state=0,
    )


def hybrid(data, fitted, reading, regularization):
    return str_.HybridRecommender(
        FrozenEstimator(fitted["ALS"]),
        Ridge(regularization),
        item_features=str_.ItemFeatures(data.vectors[reading]),
    )


def hybrid_not_scaled(data, fitted):
    return clone(fitted["hybrid"]).set_params(content_scale=1.0)


def hybrid_network(data, fitted, epochs):
    return str_.HybridRecommender(
        FrozenEstimator(fitted["ALS"]),
        make_pipeline(*_network(data, "mse", epochs), Ridge()),
        item_features=data.item_texts,
    )


def vote(*names):
    """Return what makes a vote of two models."""

    def made(data, fitted, weight):
        parts = [(name, FrozenEstimator(fitted[name])) for name in names]
        return str_.VotingRecommender(parts, weights=[1, weight])

    return made


@dataclass(frozen=True)
class Model:
    """How to make a model, the parameters to choose from, by what items, and natural bounds."""

    make: object
    grid: dict = field(default_factory=dict)
    chosen_by: str = "all"
    bounds: dict = field(default_factory=dict)


READINGS = {"reading": ["all alike", "by length"]}
MODELS = {
    "popularity": Model(lambda data, fitted: str_.PopularityRecommender()),
    "EASE": Model(
        lambda data, fitted, **parameters: str_.EASERecommender(**parameters),
        {"regularization": [100.0, 200.0, 400.0]},
        chosen_by="warm",
    ),
    "graph filter": Model(
        lambda data, fitted, **parameters: str_.GraphFilterRecommender(
            random_state=0, **parameters
        ),
        {"low_pass_weight": [0.05, 0.1, 0.2]},
        chosen_by="warm",
    ),
    "ALS": Model(
        lambda data, fitted, **parameters: str_.ALSRecommender(random_state=0, **parameters),
        {"n_components": [128], "regularization": [0.005, 0.01, 0.02]},
        chosen_by="warm",
    ),
    "text neighbours": Model(text_neighbours),
    "ridge on words": Model(ridge_on_words, READINGS | {"regularization": [30.0, 100.0, 300.0]}),
    "network on words": Model(network_on_words, {"epochs": [10], "regularization": [30.0]}),
    "hybrid": Model(
        hybrid,
        READINGS | {"regularization": [0.3, 1.0, 3.0]},
        bounds={"regularization": {0.0024: "smaller ones change nothing"}},
    ),
    "hybrid, not scaled": Model(hybrid_not_scaled),
    "hybrid, network": Model(hybrid_network, {"epochs": [10]}),
    "ALS and neighbours": Model(vote("ALS", "text neighbours"), {"weight": [0.1, 0.3, 0.6, 1.0]}),
    "hybrid and neighbours": Model(
        vote("hybrid", "text neighbours"), {"weight": [0.1, 0.3, 0.6, 1.0]}
    ),
}
PARTS = {"ALS", "text neighbours", "hybrid"}  # of votes, whose weights are chosen in validation


def tuned(model, data, split, fitted):
    """Return the search of a model on the split, and the model fitted with the best parameters."""
    rows = _sample(np.flatnonzero(np.diff(split.X.indptr)), N_TUNING_ROWS)
    best_ndcg, best_made = -np.inf, None

    def evaluate(parameters):
        nonlocal best_ndcg, best_made
        made = model.make(data, fitted, **parameters).fit(split.X)
        recall, ndcg = np.nanmean(figures(made, split, rows, model.chosen_by), axis=1)
        if ndcg > best_ndcg:
            best_ndcg, best_made = ndcg, made
        print(f"    {recall:.4f} {ndcg:.4f}  {parameters}", file=sys.stderr)
        return {f"NDCG@{K_NDCG}": ndcg, f"Recall@{K_RECALL}": recall}

    search = searched(evaluate, model.grid, bounds=model.bounds)
    check_search("cold_start", type(best_made).__name__, search)
    return search, best_made


def _sample(rows, size):
    return np.sort(np.random.RandomState(0).permutation(rows)[:size])


def split_figures(data, names, seed):
    """Return the figures of each row in each set of items, the cost of fitting and the search."""
    split = Split.of(data.X, seed)
    validation = Split.of(split.X, seed + VALIDATION_SEED)
    data = data.with_vectors(split.items["warm"])
    rows = _sample(np.arange(data.X.shape[0]), N_TEST_ROWS)
    fitted, fitted_in_validation, results = {}, {}, {}
    for name in names:
        print(f"split {seed}: {name}", file=sys.stderr)
        model, search = MODELS[name], {"chosen": {}}
        if model.grid or name in PARTS:
            search, fitted_in_validation[name] = tuned(
                model, data, validation, fitted_in_validation
            )
        made = model.make(data, fitted, **search["chosen"])
        fitted[name], cost = measure(made.fit, split.X)
        per_row = np.array([figures(fitted[name], split, rows, which) for which in SETS])
        results[name] = per_row, cost.cpu_seconds, search
        print(f"    test {np.nanmean(per_row, axis=2).round(4).tolist()}", file=sys.stderr)
    return results


def mean_over_splits(splits, name):
    """Return figures of shape (sets, metrics, rows), each row averaged over its splits."""
    per_row = np.array([results[name][0] for results in splits])
    n_splits = np.count_nonzero(~np.isnan(per_row), axis=0)
    return np.where(n_splits, np.nansum(per_row, axis=0) / np.maximum(n_splits, 1), np.nan)


METRICS = f"Recall@{K_RECALL}", f"NDCG@{K_NDCG}"


def quality(splits, names):
    """Yield the lines of the table of all models."""
    for name in names:
        cells = [mean_and_error(row) for which in mean_over_splits(splits, name) for row in which]
        yield [name, *cells, np.mean([results[name][1] for results in splits])]


def paired(splits, pairs):
    """Yield the differences of models, row by row."""
    for first, second, which in pairs:
        difference = mean_over_splits(splits, first) - mean_over_splits(splits, second)
        cells = map(mean_and_error, difference[SETS.index(which)])
        yield [f"{first} - {second}, {which}", *cells]


def differences(names):
    """Return the pairs whose differences the claims are about, and the set of items."""
    pairs = [(name, "ALS", "warm") for name in names if name.startswith("hybrid")]
    for model in ("hybrid", "hybrid and neighbours"):
        pairs += [(model, name, "all") for name in names if not name.startswith(model)]
    return [pair for pair in pairs if {pair[0], pair[1]} <= set(names)]


def catalogue_lines(n_items):
    """Return what it costs to add 50 new items to a fitted catalogue of generated items."""
    rng = np.random.RandomState(0)
    n_rows, n_rows_an_item = n_items // 20, 4
    rows = rng.randint(n_rows, size=n_rows_an_item * n_items)
    columns = np.tile(np.arange(n_items), n_rows_an_item)
    X = indicator_matrix(rows, columns, (n_rows, n_items))
    content = rng.standard_normal((n_items + N_NEW_ITEMS, 16)).astype(np.float32)
    new = str_.ItemFeatures(content[n_items:], ids=np.arange(n_items, len(content)))
    model = clone(HYBRID_OF_CATALOGUE)
    model.set_params(item_features=str_.ItemFeatures(content[:n_items]))
    model, fit = measure(model.fit, X)
    later, extension = measure(model.with_items, new)
    tracemalloc.start()
    model.with_items(new)
    allocated = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    _, before = measure(model.recommend, X[:100])
    (best, _), after = measure(later.recommend, X[:100])
    own = [hybrid.recommender_.item_factors_ for hybrid in (model, later)]
    print(
        f"{n_items} items, {n_rows} rows, {X.nnz} interactions; factors of {own[0].nbytes >> 20} "
        f"MiB, shared: {own[0] is own[1]}; with_items holds {allocated / 2**20:.1f} MiB at most; "
        f"{np.count_nonzero(best >= n_items)} of {best.size} recommendations are new items."
    )
    costs = {
        "fit (one sweep of ALS)": fit,
        f"with_items, {N_NEW_ITEMS} new items": extension,
        "recommend to 100 rows, before": before,
        "recommend to 100 rows, after": after,
    }
    return [[what, cost.cpu_seconds, cost.peak_mib] for what, cost in costs.items()]


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--data", choices=DATA, default="citeulike")
    parser.add_argument("--models", nargs="+", choices=MODELS, metavar="NAME")
    parser.add_argument("--splits", type=int, default=5, help="how many splits of the items")
    parser.add_argument("--catalogue", type=int, metavar="N_ITEMS")
    arguments = parser.parse_args()
    packages = ("sktransrec", "scikit-learn", "numpy", "scipy")
    if arguments.catalogue:
        record = Record(
            "cold_start-catalogue",
            __doc__,
            arguments,
            packages,
            seeds=[0],
            parameters={"hybrid": HYBRID_OF_CATALOGUE},
        )
        columns = {"what": "", "CPU s": ".3f", "peak MiB above what was held": ".1f"}
        record.add("New items in a catalogue", columns, catalogue_lines(arguments.catalogue))
        record.save()
        return
    data, seeds = DATA[arguments.data](), range(arguments.splits)
    record = Record(
        record_name("cold_start", arguments.data, *(arguments.models or ())),
        __doc__,
        arguments,
        packages,
        seeds=[*seeds, *(seed + VALIDATION_SEED for seed in seeds)],
        parameters={},
        data=f"{data.X.shape[0]} rows, {data.X.shape[1]} items, {data.X.nnz} interactions",
    )
    names = arguments.models or list(MODELS)
    splits = [split_figures(data, names, seed) for seed in seeds]
    figures = [f"{which}: {metric}" for which in SETS for metric in METRICS]
    columns = {"model": "", **dict.fromkeys(figures, ".4f"), "fit, CPU s": ".2f"}
    record.add(f"New items, {arguments.data}", columns, quality(splits, names))
    columns = {"difference": "", **dict.fromkeys(METRICS, "+.4f")}
    record.add(f"Differences, {arguments.data}", columns, paired(splits, differences(names)))
    record.parameters |= {
        name: [results[name][2] for results in splits] for name in names if MODELS[name].grid
    }
    record.save()


if __name__ == "__main__":
    main()
