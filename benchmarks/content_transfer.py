# SPDX-License-Identifier: BSD-3-Clause
"""A new catalogue: recommending by what its items say, without and with a few of its users.

    python benchmarks/content_transfer.py
    python benchmarks/content_transfer.py --targets office --encoder minilm:encode --memory vectors
    python benchmarks/content_transfer.py --published

Models learn from 0, 1, 5, 20 and 100 % of the users of a target, at most 2,000, and look for the
last item of 500 other users among all items that these do not have, by at most ten items before it.
An item that the user has already is hidden: where it is the one to find, it counts as a miss.
Content is the words (TF-IDF) of all texts of an item and those of its title alone and, with
`--encoder`, vectors of a language model of all texts. Histories have a decay of .7; all other
parameters are the defaults.

The stacks add up content evidence, item links and popularity. Equal weights learn nothing, and own
weights are learned from the target's users. At 0 % each of the other catalogues is the source: the
stack that all its users have made is taken to the target as it is. Elsewhere the weights of a
source are the prior: of all other catalogues and shares of their users, the one whose number of
interactions for each item comes closest to that of the target. "Over the baseline" is the
difference, user by user, to the best of popularity and content neighbours by the words of all texts
or of titles, which the test itself chooses.

With `--published`, models learn from `valid.tsv` of Amazon Office Products and are judged on the
rows of `test.tsv`, like the published models, which learned from a training file that is not
public. There content is groups of three to five characters as well, of all texts and of the title.
"""

import copy
from dataclasses import dataclass, field, replace
from importlib import import_module

import numpy as np
import pandas as pd
from _record import Record, argument_parser, record_name
from _report import in_percent, mean_and_error
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, make_pipeline

from sktransrec import (
    ContentKNNRecommender,
    HistoryRecommender,
    HybridRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    PopularityRecommender,
    PretrainedEncoder,
    StackingRecommender,
    content_members,
    recommend,
)
from sktransrec.content._words import JoinedTexts
from sktransrec.datasets import get_data_home, load_citeulike, load_movielens, make_content_domain

NAME = "content_transfer"
PACKAGES = ("sktransrec", "scikit-learn", "numpy", "scipy")
SHARES = (0, 0.01, 0.05, 0.2, 1)
N_TEST_USERS = 500
N_USERS = 2000
MAX_LENGTH = 10
DECAY = 0.7
K = 10
NEIGHBORS = "content neighbours, {}"
BASELINES = ("popularity", NEIGHBORS.format("words"), NEIGHBORS.format("words of titles"))
EQUAL, OWN, OF_SOURCE = (f"content stack, {whose} weights" for whose in ("equal", "own", "source"))
TARGETS = ("office", "arts_office", "food", "electronic", "movielens", "citeulike")
WORDS = TfidfVectorizer(sublinear_tf=True)
CHARACTERS = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=2, sublinear_tf=True)
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
        return cls(ItemFeatures(table_of(texts)), padded(others), padded(known), np.array(wanted))

    def with_share(self, share):
        """Return the catalogue with a share of the users to learn from."""
        return replace(self, histories=self.histories[: round(share * len(self.histories))])

    def texts(self):
        """Return all texts of each item as one."""
        return JoinedTexts().transform(self.features.values)

    def density(self):
        """Return the number of interactions to learn from for each item."""
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
    """Return the title and the other texts of each item."""
    lines = (folder / "items.tsv").read_text("utf-8").splitlines()
    return [tuple(line.split("\t")[1:]) for line in lines]


def table_of(texts):
    """Return a table of the titles and of the other texts of the items, given the texts of each."""
    return pd.DataFrame(
        {
            "title": [each[0] for each in texts],
            "text": [" ".join(each[1:]) for each in texts],
        }
    )


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
    ids, columns = np.unique(np.asarray(data.movies.movie_id), return_index=True)
    titles, genres = (np.asarray(data.movies[name])[columns] for name in ("title", "genres"))
    texts = [(one, two.replace("|", " ")) for one, two in zip(titles, genres, strict=True)]
    places = 1 + np.searchsorted(ids, np.asarray(data.ratings.movie_id)[order][is_liked])
    users = np.asarray(data.ratings.user_id)[order][is_liked]
    return Catalogue.of(texts, [places[users == user] for user in np.unique(users)])


def citeulike():
    """Return the papers of some users; their order is not known."""
    data = load_citeulike()
    rng = np.random.RandomState(0)
    rows = rng.permutation(data.interactions.shape[0])[: N_TEST_USERS + N_USERS // 2]
    histories = [1 + rng.permutation(data.interactions[[row]].indices) for row in rows]
    words = np.split(data.vocabulary[data.words.indices], data.words.indptr[1:-1])
    texts = [(" ".join(each) or "no words",) for each in words]
    return Catalogue.of(texts, histories)


def generated(seed=0):
    domain = make_content_domain(n_choices=8, n_new_items=0, text_signal=0.8, random_state=seed)
    events = domain.events
    histories = [1 + events.item[events.user == user] for user in range(400)]
    return Catalogue.of([(text,) for text in domain.texts], histories)


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


def transformers(encoder, memory, *, reads_characters):
    """Return what makes vectors of texts, by name."""
    made = {"words": of_all_texts(WORDS), "words of titles": of_titles(WORDS)}
    if reads_characters:
        made["characters"] = of_all_texts(CHARACTERS)
        made["characters of titles"] = of_titles(CHARACTERS)
    if encoder is not None:
        module, _, name = encoder.partition(":")
        encode = getattr(import_module(module), name)
        made["vectors"] = of_all_texts(PretrainedEncoder(encode, memory=memory))
    return made


def of_all_texts(transformer):
    return make_pipeline(JoinedTexts(), transformer)


def of_titles(transformer):
    return make_column_transformer((transformer, "title"))


def reader(recommender, features, decay=DECAY):
    """Return a recommender that reads histories."""
    return HistoryRecommender(recommender, decay=decay, n_items=features.n_items)


@dataclass
class Models:
    """The models of each catalogue and share of its users; a content stack is fitted once."""

    catalogues: dict
    made_by: dict
    _stacks: dict = field(default_factory=dict)

    def unfitted_stack(self, catalogue, **parameters):
        members = content_members(catalogue.features, self.made_by, decay=DECAY)
        return StackingRecommender(members, holdout=1, random_state=0, **parameters)

    def own_stack(self, name, share=1):
        """Return the stack of a catalogue, by name, with weights of its own."""
        if (name, share) not in self._stacks:
            part = self.catalogues[name].with_share(share)
            self._stacks[name, share] = self.unfitted_stack(part).fit(part.histories)
        return self._stacks[name, share]

    def sources(self, target):
        return [name for name in self.catalogues if name != target]

    def closest_source(self, target, share):
        """Return the other catalogue and the share of it whose density is closest."""
        wanted = self.catalogues[target].density() * share

        def distance(source_and_share):
            name, share = source_and_share
            return abs(np.log(self.catalogues[name].density() * share / wanted))

        candidates = ((name, each) for name in self.sources(target) for each in SHARES if each)
        return min(candidates, key=distance)

    def without_target_users(self, target):
        """Return functions that make the models which need no user of the target, by name."""
        features = self.catalogues[target].features

        def moved(source):
            return self.own_stack(source).with_item_features(features)

        first = self.sources(target)[0]
        return {
            **{
                NEIGHBORS.format(name): lambda name=name: moved(first).named_estimators_[name]
                for name in self.made_by
            },
            EQUAL: lambda: with_equal_weights(moved(first)),
            **{
                f"content stack, weights of {source}": lambda source=source: moved(source)
                for source in self.sources(target)
            },
        }

    def with_target_users(self, target, share):
        """Return functions that make the models fitted to users of the target, by name."""
        part = self.catalogues[target].with_share(share)
        features, X = part.features, part.histories

        def neighbors(transformer):
            knn = ContentKNNRecommender(features, transformer=transformer)
            return reader(knn, features).fit(X)

        def of_source():
            prior = FrozenEstimator(self.own_stack(*self.closest_source(target, share)))
            return self.unfitted_stack(part, prior=prior).fit(X)

        hybrid = HybridRecommender(item_features=features, random_state=0)
        contents = dict(self.made_by)
        if len(contents) > 1:
            contents["both"] = FeatureUnion(list(contents.items()))
        return {
            "popularity": lambda: reader(PopularityRecommender(), features, decay=1).fit(X),
            **{
                NEIGHBORS.format(name): lambda content=content: neighbors(content)
                for name, content in contents.items()
            },
            "item neighbours": lambda: reader(ItemKNNRecommender(), features).fit(X),
            "hybrid": lambda: reader(hybrid, features).fit(X),
            EQUAL: lambda: with_equal_weights(self.own_stack(target, share)),
            OWN: lambda: self.own_stack(target, share),
            OF_SOURCE: of_source,
        }

    def of(self, target, share, wanted=None):
        """Yield the name of each wanted method, None for all, and its model."""
        made = self.with_target_users(target, share) if share else self.without_target_users(target)
        for name, make in made.items():
            if wanted is None or name in wanted:
                yield name, make()


def with_equal_weights(stack):
    """Return a fitted stack that learned no weights."""
    stack = copy.copy(stack)
    stack.weights_ = np.ones_like(stack.weights_)
    stack.popularity_weights_ = np.zeros_like(stack.popularity_weights_)
    return stack


def compared(models, target, shares, wanted):
    """Return NDCG@10 of each test row, by the share of users and the name of the method."""
    found = models.catalogues[target].found
    return {
        share: {name: found(model)[0] for name, model in models.of(target, share, wanted)}
        for share in shares
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


def add_shares(record, models, target, options):
    columns = {"method": "", **dict.fromkeys([f"{share:.0%}" for share in options.shares], ".2f")}
    results = compared(models, target, options.shares, options.methods)
    record.add(f"NDCG@10 in per cent, {target}", columns, lines(results, ndcg))
    signed = {column: spec and "+.2f" for column, spec in columns.items()}
    record.add(f"Over the baseline, {target}", signed, lines(results, over_baseline))


def add_published(record, models, options):
    columns = {"method": "", "NDCG@10": ".2f", "HR@10": ".2f"}
    target = models.catalogues["office"]
    lines = []
    for share in options.shares:
        n_users = len(target.with_share(share).histories)
        learned = f"{n_users} users" if share else "no data of the target"
        for name, model in models.of("office", share, options.methods):
            figures = [in_percent(mean_and_error(each)) for each in target.found(model)]
            lines.append([f"{name}, {learned}", *figures])
    lines += [
        [f"{name}, published", *(100 * figure for figure in figures)]
        for name, figures in PUBLISHED.items()
    ]
    record.add("Amazon Office Products, test rows", columns, lines)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--targets", nargs="+", choices=CATALOGUES, default=list(TARGETS))
    parser.add_argument("--sources", nargs="+", choices=CATALOGUES, default=list(TARGETS))
    parser.add_argument("--shares", nargs="+", type=float, default=SHARES, help="of the users")
    parser.add_argument("--methods", nargs="+", metavar="METHOD", help="only these methods")
    parser.add_argument("--published", action="store_true", help="judge on the test rows of office")
    parser.add_argument("--encoder", metavar="MODULE:FUNCTION", help="makes vectors of texts")
    parser.add_argument("--memory", metavar="FOLDER", help="where the vectors are kept")
    options = parser.parse_args()
    if options.published:
        options.targets = ["office"]
    names = dict.fromkeys([*options.targets, *options.sources])
    catalogues = {name: CATALOGUES[name]() for name in names}
    if options.published:
        catalogues["office"] = office(published=True)
    made_by = transformers(options.encoder, options.memory, reads_characters=options.published)
    models = Models(catalogues, made_by)
    sizes = "; ".join(
        f"{name}: {each.features.n_items} items, {len(each.histories)} users to learn from, "
        f"{len(each.wanted)} test rows"
        for name, each in catalogues.items()
    )
    record = Record(
        _name_of(options),
        __doc__,
        options,
        PACKAGES,
        seeds=[0, 1] if "generated, other" in names else [0],
        parameters={"decay": DECAY, "words": WORDS, "characters": CHARACTERS},
        data=sizes,
    )
    if options.published:
        add_published(record, models, options)
    else:
        for target in options.targets:
            add_shares(record, models, target, options)
    record.save()


def _name_of(options):
    """Return the name of the record: what differs from the whole run."""
    parts = [] if options.targets == list(TARGETS) else list(options.targets)
    parts += ["published"] if options.published else []
    parts += ["with vectors"] if options.encoder is not None and not options.published else []
    if options.shares != SHARES:
        parts += [f"{share:.0%} of the users" for share in options.shares]
    return record_name(NAME, *parts) if parts else NAME


if __name__ == "__main__":
    main()
