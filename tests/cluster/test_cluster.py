"""What holds on the cluster in memory holds on a real one: the same expectations, run by `make e2e`."""

from kubernetes_expectations import *  # noqa: F403
