"""Health as grpc.health.v1 has it, with the reason beside it."""

from typing import Any

from grpc_health.v1 import health

WHY = "moviellm-why-bin"
"""Trailing metadata of health's answer: in UTF-8, why the service cannot do its work."""


class TellingHealth(health.aio.HealthServicer):  # type: ignore[misc]
    """Says why, to those who look: `moviellm doctor` does."""

    why = "it is starting"

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The state, and the reason in the trailing metadata."""
        if self.why:
            context.set_trailing_metadata(((WHY, self.why.encode()),))
        return await super().Check(request, context)
