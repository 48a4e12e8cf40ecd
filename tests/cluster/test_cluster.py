"""What holds on the cluster in memory holds on a real one: the same expectations, run by `make e2e`."""

import os

import pytest
from kubernetes_expectations import *  # noqa: F403

if os.environ.get("MOVIELLM_CLUSTER_TESTS") != "1":
    pytest.skip(
        "these change the cluster of the current context: run `make e2e` (MOVIELLM_CLUSTER_TESTS=1)",
        allow_module_level=True,
    )
