# SPDX-License-Identifier: BSD-3-Clause
"""Generated data, of related domains or of items with content, and loaders of public data sets."""

from ._amazon import load_amazon_cds, load_amazon_pair
from ._base import get_data_home
from ._citeulike import load_citeulike
from ._clusters import make_cluster_domains
from ._content import make_content_domain
from ._generated import make_cross_domain
from ._movielens import load_movielens
from ._sequences import load_sequences

__all__ = [
    "get_data_home",
    "load_amazon_cds",
    "load_amazon_pair",
    "load_citeulike",
    "load_movielens",
    "load_sequences",
    "make_cluster_domains",
    "make_content_domain",
    "make_cross_domain",
]
