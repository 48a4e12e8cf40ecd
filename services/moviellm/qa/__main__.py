"""`python -m moviellm.qa` starts the question service."""

import asyncio
import os

import structlog

from moviellm import rpc
from moviellm.artifacts import ArtifactStore
from moviellm.llm.cache import StoreReplies
from moviellm.node_pool import located
from moviellm.qa.asking import Asker
from moviellm.qa.by_model.prompting import Templates
from moviellm.qa.facts.fact_asker import FactAsker, Limits
from moviellm.qa.judge.judging import Judge
from moviellm.qa.judge.lexical_judge import LexicalJudge
from moviellm.qa.servicer import NAME, QuestionServicer
from moviellm.qa.settings import QaSettings
from moviellm.settings import StoreSettings
from moviellm.telemetry import configure_logging, export_spans, serve_metrics
from moviellm.v1 import question_service_pb2_grpc as pb_grpc

log = structlog.get_logger()

_CHECK_EVERY = 15.0
"""Seconds between looks at a language model's endpoint that answers."""


def main() -> None:
    """Read the settings, build the adapters, serve until SIGTERM."""
    settings = QaSettings.load()
    configure_logging("qa", level=settings.log_level, style=settings.log_format)
    export_spans("qa", settings.otlp_endpoint)
    settings = located(settings, os.environ)
    serve_metrics(settings.metrics_listen, service="qa", node_pool=settings.node_pool)
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
        security=rpc.security_of(settings),
    )
    await server.run()


def _adapters(settings: QaSettings) -> tuple[Asker, Judge]:
    if settings.asker == "facts":
        return FactAsker(limits=_limits(settings), choice_share=settings.multiple_choice_share), LexicalJudge()
    return _openai_adapters(settings)


def _openai_adapters(settings: QaSettings) -> tuple[Asker, Judge]:
    # Here, because the client's import doubles the service's start, which the embedded asker should not pay.
    from moviellm.llm.openai_chat import OpenAIChat
    from moviellm.qa.by_model.openai_asker import OpenAIAsker
    from moviellm.qa.judge.openai_judge import OpenAIJudge

    chat = OpenAIChat.configured(settings, cache=_kept_replies(settings))
    templates = Templates(settings.prompts_folder)
    asker = OpenAIAsker(
        chat=chat, templates=templates, limits=_limits(settings), choice_share=settings.multiple_choice_share
    )
    return asker, OpenAIJudge(chat=chat, templates=templates)


def _kept_replies(settings: QaSettings) -> StoreReplies | None:
    """Where replies are kept; nowhere if that is not wanted, or the store's folder cannot be made."""
    if not settings.llm_cache:
        return None
    try:
        return StoreReplies(ArtifactStore.open(StoreSettings.load()))
    except OSError as error:
        log.warning("replies are not kept; set MOVIELLM_STORE_URL to keep them", why=str(error))
        return None


def _limits(settings: QaSettings) -> Limits:
    return Limits(
        movie=settings.questions_per_movie,
        chapter=settings.questions_per_chapter,
        scene=settings.questions_per_scene,
        order=settings.questions_of_order,
    )


if __name__ == "__main__":
    main()
