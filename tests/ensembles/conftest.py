# SPDX-License-Identifier: BSD-3-Clause
import pytest

from sktransrec.datasets import make_cross_domain


@pytest.fixture(scope="package")
def domains():
    return make_cross_domain(200, 40, 30, n_cold_users=50, target_density=0.15, random_state=0)


@pytest.fixture(scope="package")
def X(domains):
    return domains.X_source
