"""What Ray, its workers and the libraries in them read from the environment. Nothing here imports Ray at the top,
because Ray reads much of it when it is imported."""

import os

from moviellm.rendering.ports import free_port

HOST = "MOVIELLM_RENDERING_PROXY_HOST"
"""Tells the proxy's process on which interface to listen."""

TLS_FILES = (
    "MOVIELLM_RENDERING_TLS_CERT_FILE",
    "MOVIELLM_RENDERING_TLS_KEY_FILE",
    "MOVIELLM_RENDERING_TLS_CLIENT_CA_FILE",
)
"""Tell it which certificate to serve with, and whose callers must have: the settings of these names."""

HOOK_VARIABLE = "__RAY_WORKER_PROCESS_SETUP_HOOK_ENV_VAR"
"""Ray's own variable: the function that every worker calls when it starts. As a `runtime_env` of the driver it would
make Ray throw away the workers that it has started in advance."""

HOOK = "moviellm.rendering.ray_adaptation.adapt"
"""That function."""


def prepare(host: str) -> None:
    """Before the first import of Ray: a Ray of our own keeps to this machine, tells nobody and disturbs no other."""
    os.environ |= {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # everything but Serve's proxy listens on 127.0.0.1
        "DASHBOARD_METRIC_PORT": str(free_port()),
        "RAY_DEDUP_LOGS": "0",
        "RAY_gcs_rpc_server_reconnect_timeout_s": "10",  # a head of our own that has died does not come back
        HOOK_VARIABLE: HOOK,
        HOST: host,
    }
    os.environ.setdefault("RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S", "30")  # 5 are too few for a busy machine
    quieten()


def quieten() -> None:
    """For any Ray: no token from somebody's home folder, no advice from libraries in the log."""
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "1")
