"""`python -m moviellm.qa` starts the question service."""

import asyncio

from moviellm import rpc
from moviellm.qa.asking import Asker
from moviellm.qa.fact_asker import FactAsker
from moviellm.qa.judging import Judge
from moviellm.qa.lexical_judge import LexicalJudge
from moviellm.qa.servicer import NAME, QuestionServicer
from moviellm.qa.settings import QaSettings
from moviellm.telemetry import configure_logging, serve_metrics
from moviellm.v1 import question_service_pb2_grpc as pb_grpc

_CHECK_EVERY = 15.0
"""Seconds between looks at a language model's endpoint that answers."""


def main() -> None:
    """Read the settings, build the adapters, serve until SIGTERM."""
    settings = QaSettings.load()
    configure_logging("qa", level=settings.log_level, style=settings.log_format)
    serve_metrics(settings.metrics_listen)
    asyncio.run(_serve(settings))


async def _serve(settings: QaSettings) -> None:
    asker, judge = _adapters(settings)
    servicer = QuestionServicer(asker=asker, judge=judge, node_pool=settings.node_pool)
    server = rpc.Server(
        [rpc.Registration(NAME, lambda server: pb_grpc.add_QuestionServiceServicer_to_server(servicer, server))],
        listen=settings.listen,
        check=asker.check,
        check_every=_CHECK_EVERY,
        drain_seconds=settings.drain_seconds,
    )
    await server.run()


def _adapters(settings: QaSettings) -> tuple[Asker, Judge]:
    if settings.asker == "facts":
        return FactAsker(), LexicalJudge()
    return _openai_adapters(settings)


def _openai_adapters(settings: QaSettings) -> tuple[Asker, Judge]:
    # Here, because the client's import doubles the service's start, which the embedded asker should not pay.
    from moviellm.llm.openai_chat import OpenAIChat
    from moviellm.qa.openai_asker import OpenAIAsker
    from moviellm.qa.openai_judge import OpenAIJudge

    chat = OpenAIChat(
        base_url=settings.llm_base_url,
        model=settings.llm_model,
        api_key=settings.api_key(),
        timeout_seconds=settings.llm_timeout_seconds,
        max_concurrency=settings.llm_max_concurrency,
    )
    return OpenAIAsker(chat=chat), OpenAIJudge(chat=chat)


if __name__ == "__main__":
    main()
