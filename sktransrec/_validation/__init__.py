# SPDX-License-Identifier: BSD-3-Clause
"""Input checks: each raises one error that names the argument, the value and the cure."""

from ._arrays import (
    are_integers,
    as_array,
    check_array,
    check_documents,
    check_interactions,
    check_matrix,
    check_numbering,
    check_rows,
    check_rows_or_content,
    check_sample_domain,
    check_table,
    is_content,
    is_table,
    reading,
    validate_data,
)
from ._fit import check_is_fitted, restores_on_error
from ._histories import check_histories, check_known_histories, check_padded, item_ids_of_rows
from ._items import check_candidates, check_columns, check_exclusions, check_item_ids
from ._parameters import N_JOBS, Interval, check_count, positive_integers
from ._raw_logs import check_no_log
from ._sklearn import (
    HasMethods,
    StrOptions,
    _BaseComposition,
    _check_sample_weight,
    _fit_context,
    _safe_indexing,
    get_chunk_n_rows,
    validate_params,
    visual_block,
)
from ._sparse_faults import check_sparse
from ._targets import check_relevance, check_targets

__all__ = [
    "N_JOBS",
    "HasMethods",
    "Interval",
    "StrOptions",
    "_BaseComposition",
    "_check_sample_weight",
    "_fit_context",
    "_safe_indexing",
    "are_integers",
    "as_array",
    "check_array",
    "check_candidates",
    "check_columns",
    "check_count",
    "check_documents",
    "check_exclusions",
    "check_histories",
    "check_interactions",
    "check_is_fitted",
    "check_item_ids",
    "check_known_histories",
    "check_matrix",
    "check_no_log",
    "check_numbering",
    "check_padded",
    "check_relevance",
    "check_rows",
    "check_rows_or_content",
    "check_sample_domain",
    "check_sparse",
    "check_table",
    "check_targets",
    "get_chunk_n_rows",
    "is_content",
    "is_table",
    "item_ids_of_rows",
    "positive_integers",
    "reading",
    "restores_on_error",
    "validate_data",
    "validate_params",
    "visual_block",
]
