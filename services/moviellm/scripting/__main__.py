"""Start the scripting service: `python -m moviellm.scripting`."""

import asyncio

from moviellm import rpc
from moviellm.scripting.servicer import ScriptingServicer, registration
from moviellm.scripting.settings import ScriptingSettings
from moviellm.scripting.writer import Writer
from moviellm.telemetry import configure_logging, serve_metrics


def build_writer(settings: ScriptingSettings) -> Writer:
    """The writer that the settings name."""
    if settings.writer == "openai":
        from moviellm.llm.openai_chat import OpenAIChat
        from moviellm.scripting.openai_writer import OpenAIWriter

        chat = OpenAIChat(
            base_url=settings.llm_base_url,
            model=settings.llm_model,
            api_key=settings.api_key(),
            timeout_seconds=settings.llm_timeout_seconds,
            max_concurrency=settings.llm_max_concurrency,
        )
        return OpenAIWriter(chat=chat)
    from moviellm.scripting.storyteller import Storyteller

    return Storyteller()


async def serve(settings: ScriptingSettings) -> None:
    """Build the parts and serve until a signal."""
    writer = build_writer(settings)
    servicer = ScriptingServicer(writer=writer, node_pool=settings.node_pool)
    server = rpc.Server(
        [registration(servicer)],
        listen=settings.listen,
        check=writer.check,
        drain_seconds=settings.drain_seconds,
    )
    await server.run()


def main() -> None:
    """Read the settings and serve."""
    settings = ScriptingSettings.load()
    configure_logging("scripting", level=settings.log_level, style=settings.log_format)
    serve_metrics(settings.metrics_listen)
    asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
