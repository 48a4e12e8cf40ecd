"""gRPC at both ends: serving with health, reflection and draining, calling with our errors instead of statuses."""

from moviellm.rpc.calling import call, channel, is_serving, stream
from moviellm.rpc.health import WHY
from moviellm.rpc.serving import Check, Registration, Security, Server, security_of
from moviellm.rpc.statuses import CALL_LOST, DOMAIN, MAX_MESSAGE_BYTES, STATUS_DETAILS_KEY, error_of, method, status_of

__all__ = [
    "CALL_LOST",
    "DOMAIN",
    "MAX_MESSAGE_BYTES",
    "STATUS_DETAILS_KEY",
    "WHY",
    "Check",
    "Registration",
    "Security",
    "Server",
    "call",
    "channel",
    "error_of",
    "is_serving",
    "method",
    "security_of",
    "status_of",
    "stream",
]
