# SPDX-License-Identifier: BSD-3-Clause
"""Transfer: recommend in one domain with what is learned in another."""

from . import alignment, bridges, networks, shared_factors
from ._fit_across import fit_across_domains  # noqa: F401
from .alignment import *  # noqa: F403
from .bridges import *  # noqa: F403
from .networks import *  # noqa: F403
from .shared_factors import *  # noqa: F403

__all__ = sorted(
    [
        *alignment.__all__,
        *bridges.__all__,
        *networks.__all__,
        *shared_factors.__all__,
        "fit_across_domains",
    ]
)
