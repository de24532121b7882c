# SPDX-License-Identifier: BSD-3-Clause
"""Texts in one or several languages: which tokens a recommender of new items should read.

    python benchmarks/languages.py

Items of a generated shop have texts in one language, in one of three each, or with the words of
three languages in each text. Ridge regression learns from TF-IDF of their tokens which rows have an
item, and ranks all rows for new items. It chooses its regularization by a search on the known
items. NDCG@10 and the difference to the tokens "mixed" are means over three generated shops, item
by item, with standard errors over items. "Most active" shows every item to the rows with the most
items.
"""

import numpy as np
from _record import Record, argument_parser
from _report import mean_and_error
from _search import WideningSearchCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from sktransrec import RidgeRecommender, TextSequences, ranking_scorer, recommend
from sktransrec.datasets import make_content_domain
from sktransrec.metrics import ndcg_at_k

NAME = "languages"
K = 10
SEEDS = (0, 1, 2)
THREE = ["arabic", "chinese", "english"]
SHOPS = {
    "English": {"languages": ["english"]},
    "Chinese": {"languages": ["chinese"]},
    "Hebrew": {"languages": ["hebrew"]},
    "Thai": {"languages": ["thai"]},
    "three languages": {"languages": THREE},
    "three in each text": {"languages": THREE, "language_mixing": 0.3},
}
MIXED = "mixed"
TOKENS = {
    "word": {"analyzer": "word"},
    MIXED: {"analyzer": "mixed"},
    "char, pairs": {"analyzer": "char", "ngram_range": (2, 2)},
    "char, 1 to 3": {"analyzer": "char", "ngram_range": (1, 3)},
}
GRID = {"ridgerecommender__regularization": [0.3, 1.0, 3.0, 10.0, 30.0]}


def shop(languages, seed):
    """Return the texts of known and of new items, and the rows that have them."""
    domain = make_content_domain(
        *(600, 400, 200),
        n_choices=80,
        text_signal=0.7,
        image_size=4,
        random_state=seed,
        **languages,
    )
    known = np.flatnonzero(domain.X.sum(axis=0))
    new = domain.new_items
    return domain.texts[known], domain.X[:, known].T, domain.texts[new], domain.Y[:, new].T


def found(texts, y, new_texts, y_new, tokens):
    """Return NDCG@10 of each new item."""
    analyzer = TextSequences(**tokens).build_analyzer()
    model = make_pipeline(TfidfVectorizer(analyzer=analyzer), RidgeRecommender())
    scorer = ranking_scorer("ndcg", k=K)
    search = WideningSearchCV(model, GRID, scoring=scorer, cv=3).fit(texts, y.tocsr())
    rows, _ = recommend(search.best_estimator_, new_texts, n_recommendations=K)
    return ndcg_at_k(y_new.tocsr(), rows, k=K, per_row=True)


def most_active(y, y_new):
    rows = np.argsort(-y.sum(axis=0), kind="stable")[:K]
    return ndcg_at_k(y_new.tocsr(), np.tile(rows, (y_new.shape[0], 1)), k=K, per_row=True)


def main():
    options = argument_parser(__doc__).parse_args()
    record = Record(
        NAME,
        __doc__,
        options,
        ("sktransrec", "scikit-learn", "numpy"),
        seeds=SEEDS,
        parameters={**TOKENS, "grid": GRID},
    )
    scores = {name: {} for name in ("most active", *TOKENS)}
    for shop_name, languages in SHOPS.items():
        shops = [shop(languages, seed) for seed in SEEDS]
        active = [most_active(y, y_new) for _, y, _, y_new in shops]
        scores["most active"][shop_name] = np.concatenate(active)
        for name, tokens in TOKENS.items():
            each = [found(*parts, tokens) for parts in shops]
            scores[name][shop_name] = np.concatenate(each)
    columns = {"tokens": "", **dict.fromkeys(SHOPS, ".4f")}
    record.add(
        "New items by their texts",
        columns,
        [[name, *map(mean_and_error, cells.values())] for name, cells in scores.items()],
    )
    others = [name for name in TOKENS if name != MIXED]
    record.add(
        "Mixed over other tokens",
        columns,
        [
            [name, *(mean_and_error(scores[MIXED][s] - scores[name][s]) for s in SHOPS)]
            for name in others
        ],
    )
    record.save()


if __name__ == "__main__":
    main()
