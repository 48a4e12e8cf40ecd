"""Start the scripting service: `python -m moviellm.scripting`."""

import asyncio
import os
import sys

import structlog

from moviellm import rpc
from moviellm.artifacts import ArtifactStore
from moviellm.errors import Broken
from moviellm.llm.cache import StoreReplies
from moviellm.node_pool import located
from moviellm.scripting.by_model.rehearsal import NoCost, Rehearsal
from moviellm.scripting.checker.tokens import BpeCounter, estimated
from moviellm.scripting.servicer import ScriptingServicer, registration
from moviellm.scripting.settings import ScriptingSettings
from moviellm.scripting.writer import Estimator, Writer
from moviellm.settings import StoreSettings
from moviellm.telemetry import configure_logging, export_spans, serve_metrics

log = structlog.get_logger()


def build(settings: ScriptingSettings) -> tuple[Writer, Estimator]:
    """The writer that the settings name, and who estimates its cost."""
    if settings.writer == "openai":
        from moviellm.llm.openai_chat import OpenAIChat
        from moviellm.scripting.by_model.experience import Experience
        from moviellm.scripting.by_model.openai_writer import OpenAIWriter

        chat = OpenAIChat.configured(settings, cache=_kept_replies(settings))
        experience = Experience()
        return OpenAIWriter(chat=chat, experience=experience), Rehearsal(counts=chat, experience=experience)
    from moviellm.scripting.storyteller.storyteller import Storyteller

    return Storyteller(), NoCost()


def _kept_replies(settings: ScriptingSettings) -> StoreReplies | None:
    """Where replies are kept; nowhere if that is not wanted, or the store's folder cannot be made."""
    if not settings.llm_cache:
        return None
    try:
        return StoreReplies(ArtifactStore.open(StoreSettings.load()))
    except OSError as error:
        log.warning("replies are not kept; set MOVIELLM_STORE_URL to keep them", why=str(error))
        return None


async def serve(settings: ScriptingSettings) -> None:
    """Build the parts and serve until a signal."""
    writer, estimator = build(settings)
    count = BpeCounter.load(settings.tokenizer) if settings.tokenizer else estimated
    servicer = ScriptingServicer(writer=writer, estimator=estimator, count=count, node_pool=settings.node_pool)
    server = rpc.Server(
        [registration(servicer)],
        listen=settings.listen,
        check=writer.check,
        drain_seconds=settings.drain_seconds,
        security=rpc.security_of(settings),
    )
    await server.run()


def main() -> None:
    """Read the settings and serve; one sentence and exit code 2 for a tokenizer that cannot be read."""
    settings = ScriptingSettings.load()
    configure_logging("scripting", level=settings.log_level, style=settings.log_format)
    export_spans("scripting", settings.otlp_endpoint)
    settings = located(settings, os.environ)
    serve_metrics(settings.metrics_listen, service="scripting", node_pool=settings.node_pool)
    try:
        asyncio.run(serve(settings))
    except Broken as error:
        print(f"MOVIELLM_SCRIPTING_TOKENIZER: {error.message}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
