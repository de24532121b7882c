"""A new catalogue: recommending by what its items say, without and with a few of its users.

    python benchmarks/content_transfer.py
    python benchmarks/content_transfer.py --targets office --published

Models learn from 0, 1, 5, 20 and 100 % of the users of a target and look for the last item of 500
other users among all items that these do not have, by at most ten items before it. An item that the
user has already is hidden: where it is the one to find, it counts as a miss. Content is words
(TF-IDF), groups of three to five characters, and, with `--encoder`, vectors of a language model.
Histories have a decay of .7; all other parameters are the defaults.

The stacks add up content evidence, item links and popularity. Equal weights learn nothing, own
weights are learned from the target's users, and source weights start from those of a stack on
another catalogue, learned from as many interactions for each item as the target has, up to all. At
0 % the source's stack is taken to the target as it is. The gate uses the hybrid only if it is shown
to help, and the stack with own weights otherwise. "Over the baseline" is the
difference, user by user, to the better of popularity and content neighbours by words, which the
test itself chooses.

With `--published`, models learn from `valid.tsv` of Amazon Office Products and are judged on the
rows of `test.tsv`, like the published models, which learned from a training file that is not
public.
"""

import copy
from dataclasses import dataclass, replace
from importlib import import_module

import numpy as np
from _record import Record, argument_parser, record_name
from _report import in_percent, mean_and_error
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator

from sktransrec import (
    ContentKNNRecommender,
    HistoryRecommender,
    HybridRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    PopularityRecommender,
    PretrainedEncoder,
    StackingRecommender,
    TransferGate,
    content_members,
    recommend,
)
from sktransrec.datasets import get_data_home, load_citeulike, load_movielens, make_content_domain

NAME = "content_transfer"
PACKAGES = ("sktransrec", "scikit-learn", "numpy", "scipy")
SHARES = (0, 0.01, 0.05, 0.2, 1)
N_TEST_USERS = 500
N_USERS = 4000
MAX_LENGTH = 10
# A gate needs rows for its folds and buckets; with fewer it would use the fallback anyway.
MIN_ROWS_OF_GATE = 60
DECAY = 0.7
K = 10
BASELINES = ("popularity", "content neighbours, words")
EQUAL, OWN, OF_SOURCE = (f"content stack, {whose} weights" for whose in ("equal", "own", "source"))
GATE = "gate: hybrid, or stack with own weights"
# NDCG@10 and HR@10 on the same test rows, from the table of MiniOneRec.
PUBLISHED = {
    "SASRec": (0.0858, 0.1120),
    "TIGER": (0.1002, 0.1408),
    "HSTU": (0.1126, 0.1400),
    "S-DPO": (0.1255, 0.1587),
    "MiniOneRec": (0.1242, 0.1634),
}


@dataclass(frozen=True)
class Catalogue:
    """The texts of items, histories to learn from, and test rows with the item id to find."""

    features: ItemFeatures
    histories: np.ndarray
    known: np.ndarray
    wanted: np.ndarray

    @classmethod
    def of(cls, texts, histories):
        """Return the catalogue whose test rows are the last items of some users."""
        order = np.random.RandomState(0).permutation(len(histories))
        histories = [histories[row] for row in order if len(histories[row]) > 1]
        n_test = min(N_TEST_USERS, len(histories) // 3)
        tested, others = histories[:n_test], histories[n_test : n_test + N_USERS]
        known, wanted = [row[:-1] for row in tested], [row[-1] for row in tested]
        return cls(ItemFeatures(texts), padded(others), padded(known), np.array(wanted))

    def with_share(self, share):
        """Return the catalogue with a share of the users to learn from."""
        return replace(self, histories=self.histories[: round(share * len(self.histories))])

    def thinned_like(self, other):
        """Return the catalogue with no more interactions for each item than another one has."""
        share = other.density() / self.density()
        return self.with_share(min(1, max(share, 30 / len(self.histories))))

    def density(self):
        return np.count_nonzero(self.histories) / self.features.n_items

    def found(self, model):
        """Return NDCG@10 and HR@10 of each test row."""
        items, _ = recommend(model, self.known, n_recommendations=K)
        hits = items == self.wanted[:, None] - 1
        return (hits / np.log2(2 + np.arange(K))).sum(axis=1), hits.any(axis=1)


def padded(histories):
    """Return the latest items of each history as a row, padded with 0."""
    rows = np.zeros((len(histories), MAX_LENGTH), dtype=np.int32)
    for row, history in zip(rows, histories, strict=True):
        latest = history[-MAX_LENGTH:]
        row[: len(latest)] = latest
    return rows


def shop(name):
    folder = get_data_home() / "content" / name
    lines = (folder / "histories.txt").read_text("utf-8").splitlines()
    return Catalogue.of(texts_in(folder), [list(map(int, line.split()[1:])) for line in lines])


def texts_in(folder):
    lines = (folder / "items.tsv").read_text("utf-8").splitlines()
    return [" ".join(line.split("\t")[1:]) for line in lines]


def office(published=False):
    folder = get_data_home() / "content" / "office"
    users, known, wanted = steps_of(folder / "valid.tsv")
    last = {user: [*row, item] for user, row, item in zip(users, known, wanted, strict=True)}
    catalogue = Catalogue.of(texts_in(folder), list(last.values()))
    if not published:
        return catalogue
    _, known, wanted = steps_of(folder / "test.tsv")
    return replace(
        catalogue,
        histories=padded(list(last.values())),
        known=padded(known),
        wanted=np.array(wanted),
    )


def steps_of(path):
    """Return the user, the history and the next item of each line."""
    lines = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    users, known, wanted = zip(*lines, strict=True)
    return users, [list(map(int, row.split())) for row in known], list(map(int, wanted))


def movielens():
    data = load_movielens()
    order = np.argsort(np.asarray(data.ratings.timestamp), kind="stable")
    is_liked = np.asarray(data.ratings.rating)[order] >= 4
    ids, columns = np.unique(np.asarray(data.items.movie_id), return_index=True)
    titles, genres = (np.asarray(data.items[name])[columns] for name in ("title", "genres"))
    texts = [f"{one} {two.replace('|', ' ')}" for one, two in zip(titles, genres, strict=True)]
    places = 1 + np.searchsorted(ids, np.asarray(data.ratings.movie_id)[order][is_liked])
    users = np.asarray(data.ratings.user_id)[order][is_liked]
    return Catalogue.of(texts, [places[users == user] for user in np.unique(users)])


def citeulike():
    """Return the papers of a tenth of the users; their order is not known."""
    data = load_citeulike()
    rng = np.random.RandomState(0)
    rows = rng.permutation(data.interactions.shape[0])[: N_USERS // 4]
    histories = [1 + rng.permutation(data.interactions[[row]].indices) for row in rows]
    texts = [" ".join(data.vocabulary[data.words[[paper]].indices]) for paper in range(25_975)]
    return Catalogue.of(texts, histories)


def generated(seed=0):
    domain = make_content_domain(n_choices=8, n_new_items=0, text_signal=0.8, random_state=seed)
    events = domain.events
    histories = [1 + events.item[events.user == user] for user in range(400)]
    return Catalogue.of(domain.texts, histories)


CATALOGUES = {
    "office": office,
    "arts": lambda: shop("arts_office/arts"),
    "arts_office": lambda: shop("arts_office/office"),
    "food": lambda: shop("food"),
    "electronic": lambda: shop("electronic"),
    "movielens": movielens,
    "citeulike": citeulike,
    "generated": generated,
    "generated, other": lambda: generated(1),
}


def transformers(encoder, memory):
    """Return what makes vectors of texts, by name."""
    made = {
        "words": TfidfVectorizer(sublinear_tf=True),
        "characters": TfidfVectorizer(
            analyzer="char_wb", ngram_range=(3, 5), min_df=2, sublinear_tf=True
        ),
    }
    if encoder is not None:
        module, _, name = encoder.partition(":")
        encode = getattr(import_module(module), name)
        made["vectors"] = PretrainedEncoder(encode, memory=memory)
    return made


class Methods:
    """The models to compare on a target, with a source."""

    def __init__(self, source, made_by):
        self.source = source
        self.made_by = made_by
        self._stacks = {}

    def unfitted_stack(self, catalogue, **parameters):
        members = content_members(catalogue.features, self.made_by, decay=DECAY)
        return StackingRecommender(members, holdout=1, random_state=0, **parameters)

    def stack(self, catalogue, **parameters):
        return self.unfitted_stack(catalogue, **parameters).fit(catalogue.histories)

    def source_stack(self, target):
        """Return the stack of the source at about the density of the target."""
        thinned = self.source if not target.density() else self.source.thinned_like(target)
        size = len(thinned.histories)
        if size not in self._stacks:
            self._stacks[size] = self.stack(thinned)
        return self._stacks[size]

    def without_target_users(self, target):
        """Return functions that make the models which need no user of the target, by name."""

        def moved():
            return self.source_stack(target).with_item_features(target.features)

        def equal():
            stack = copy.copy(moved())
            stack.weights_ = np.ones_like(stack.weights_)
            return stack

        made = {
            f"content neighbours, {name}": lambda name=name: moved().named_estimators_[name]
            for name in self.made_by
        }
        return {**made, EQUAL: equal, OF_SOURCE: moved}

    def with_target_users(self, target):
        """Return functions that make the models fitted to users of the target, by name."""
        features, X = target.features, target.histories

        def reader(recommender, decay=DECAY):
            return HistoryRecommender(recommender, decay=decay, n_items=features.n_items)

        def neighbors(name):
            knn = ContentKNNRecommender(features, transformer=self.made_by[name])
            return reader(knn).fit(X)

        def of_source():
            return self.stack(target, prior=FrozenEstimator(self.source_stack(target)))

        def gate():
            if len(X) < MIN_ROWS_OF_GATE:
                return self.stack(target)
            sides = hybrid, self.unfitted_stack(target)
            return TransferGate(*sides, cv=2, holdout=1, random_state=0).fit(X)

        hybrid = reader(HybridRecommender(item_features=features, random_state=0))
        return {
            "popularity": lambda: reader(PopularityRecommender(), decay=1).fit(X),
            **{
                f"content neighbours, {name}": lambda name=name: neighbors(name)
                for name in self.made_by
            },
            "item neighbours": lambda: reader(ItemKNNRecommender()).fit(X),
            "hybrid": lambda: hybrid.fit(X),
            EQUAL: lambda: self.stack(target, regularization=1e6),
            OWN: lambda: self.stack(target),
            OF_SOURCE: of_source,
            GATE: gate,
        }

    def models(self, target, wanted=None):
        """Yield the name of each wanted method, None for all, and its model."""
        has_users = len(target.histories) > 0
        made = self.with_target_users(target) if has_users else self.without_target_users(target)
        for name, make in made.items():
            if wanted is None or name in wanted:
                yield name, make()


def compared(methods, target, shares, wanted):
    """Return NDCG@10 of each test row, by the share of users and the name of the method."""
    return {
        share: {name: target.found(model)[0] for name, model in methods.models(part, wanted)}
        for share, part in ((share, target.with_share(share)) for share in shares)
    }


def lines(results, figure):
    """Yield a line for each method: a figure for each share, None where there is none."""
    names = dict.fromkeys(name for of_share in results.values() for name in of_share)
    for name in names:
        yield [
            name,
            *(
                figure(of_share, name) if name in of_share else None
                for of_share in results.values()
            ),
        ]


def ndcg(of_share, name):
    return in_percent(mean_and_error(of_share[name]))


def over_baseline(of_share, name):
    baselines = [of_share[each] for each in BASELINES if each in of_share]
    best = max(baselines, key=np.mean, default=of_share[name])
    if best is of_share[name]:
        return None
    return in_percent(mean_and_error(of_share[name] - best))


def add_shares(record, name, methods, target, options):
    columns = {"method": "", **dict.fromkeys([f"{share:.0%}" for share in options.shares], ".2f")}
    results = compared(methods, target, options.shares, options.methods)
    record.add(f"NDCG@10 in per cent, {name}", columns, lines(results, ndcg))
    signed = {column: spec and "+.2f" for column, spec in columns.items()}
    record.add(f"Over the baseline, {name}", signed, lines(results, over_baseline))


def add_published(record, methods, target, options):
    columns = {"method": "", "NDCG@10": ".2f", "HR@10": ".2f"}
    rows = []
    for share in options.shares:
        part = target.with_share(share)
        learned = f"{len(part.histories)} users" if share else "no data of the target"
        for name, model in methods.models(part, options.methods):
            figures = [in_percent(mean_and_error(each)) for each in part.found(model)]
            rows.append([f"{name}, {learned}", *figures])
    rows += [
        [f"{name}, published", *(100 * figure for figure in figures)]
        for name, figures in PUBLISHED.items()
    ]
    record.add("Amazon Office Products, test rows", columns, rows)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--targets", nargs="+", choices=CATALOGUES, default=["office", "food"])
    parser.add_argument("--source", choices=CATALOGUES, default="electronic")
    parser.add_argument("--shares", nargs="+", type=float, default=SHARES, help="of the users")
    parser.add_argument("--methods", nargs="+", metavar="METHOD", help="only these rows")
    parser.add_argument("--published", action="store_true", help="judge on the test rows of office")
    parser.add_argument("--encoder", metavar="MODULE:FUNCTION", help="makes vectors of texts")
    parser.add_argument("--memory", metavar="FOLDER", help="where the vectors are kept")
    options = parser.parse_args()
    made_by = transformers(options.encoder, options.memory)
    source = CATALOGUES[options.source]()
    for name in options.targets:
        target = office(published=True) if options.published else CATALOGUES[name]()
        parts = [name, "published"] if options.published else [name]
        if options.shares != SHARES:
            parts += [f"{share:.0%} of the users" for share in options.shares]
        record = Record(
            record_name(NAME, *parts),
            __doc__,
            options,
            PACKAGES,
            data=f"{target.features.n_items} items, {len(target.histories)} users to learn from, "
            f"{len(target.wanted)} test rows; source {options.source}, "
            f"{len(source.histories)} users",
        )
        methods = Methods(source, made_by)
        if options.published:
            add_published(record, methods, target, options)
        else:
            add_shares(record, name, methods, target, options)
        record.save()


if __name__ == "__main__":
    main()
