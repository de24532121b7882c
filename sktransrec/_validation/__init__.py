# SPDX-License-Identifier: BSD-3-Clause
"""Input checks: each raises one error that names the argument, the value and the cure."""

from ._arrays import (
    SPARSE_FORMATS,
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
    indexable_rows,
    is_content,
    is_table,
    reading,
    shallow_copy,
    validate_data,
    warn_of_ignored_domains,
)
from ._fit import check_is_fitted, restores_on_error, validated_fit, validated_fit_of_parts
from ._histories import (
    check_histories,
    check_known_histories,
    check_padded,
    errors_about_padding,
    item_ids_of_rows,
)
from ._items import (
    check_candidates,
    check_columns,
    check_exclusions,
    check_item_ids,
    check_target_columns,
)
from ._parameters import (
    ABOVE_0,
    AT_LEAST_0,
    AT_LEAST_1,
    AUTO,
    BETWEEN_0_AND_1,
    COLUMNS,
    COUNT,
    COUNT_FROM_0,
    COUNT_FROM_2,
    ESTIMATOR,
    FROM_0_TO_1,
    HOLDOUT,
    N_ITEMS,
    N_JOBS,
    UNKNOWN,
    UP_TO_1,
    Interval,
    check_count,
    positive_integers,
)
from ._raw_logs import check_no_histories, check_no_id_names, check_no_log
from ._sklearn import (
    HasMethods,
    StrOptions,
    _BaseComposition,
    _check_sample_weight,
    _safe_indexing,
    available_if,
    get_chunk_n_rows,
    validate_params,
    visual_block,
)
from ._sparse_faults import check_sparse
from ._targets import check_relevance, check_targets
