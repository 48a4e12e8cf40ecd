"""Where `moviellm evaluate` finds its judge: a question service, started for the run or running somewhere."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from moviellm import errors, rpc
from moviellm.cli.processes import Child, ending
from moviellm.cli.settings import ServiceProcess
from moviellm.evaluation.verdict import Comparison, Judgement, Verdict, Winner
from moviellm.security.secured_channel import PLAIN, Peer
from moviellm.v1 import question_service_pb2 as pb
from moviellm.v1 import question_service_pb2_grpc as pb_grpc

if TYPE_CHECKING:
    from moviellm.v1.question_service_pb2_grpc import QuestionServiceAsyncStub

LEXICAL = "lexical"
MODEL = "model"
_PREFIX = "MOVIELLM_QA_"
_WINNERS = {pb.WINNER_CANDIDATE: Winner.CANDIDATE, pb.WINNER_BASELINE: Winner.BASELINE, pb.WINNER_TIE: Winner.TIE}

_REQUESTS_A_CASE = 12
_WAITS_A_CASE = 600.0
"""Two orders with some attempts each, and the waits between: what the deadline of one case has to leave room for."""


@dataclass(frozen=True)
class JudgeChoice:
    """Who judges: "lexical", "model" with an endpoint, or the address of a question service, reached as `peer` says.

    `replies` is a folder where a judge of our own keeps single replies, so that a case of which a kill left one order
    judged is paid for once, too.
    """

    judge: str
    base_url: str = ""
    model: str = ""
    key_file: Path | None = None
    timeout_seconds: float = 120.0
    concurrency: int = 8
    replies: Path | None = None
    peer: Peer = PLAIN

    @property
    def name(self) -> str:
        """What its judgements are kept under."""
        return {LEXICAL: LEXICAL, MODEL: f"model {self.model}"}.get(self.judge, f"service {self.judge}")

    @property
    def deadline_seconds(self) -> float:
        """How long one case may take, all attempts included."""
        return _REQUESTS_A_CASE * self.timeout_seconds + _WAITS_A_CASE

    def environment(self) -> dict[str, str]:
        """The settings of a question service that judges so; what is not chosen stays as the environment has it."""
        own = {
            "LISTEN": "127.0.0.1:0",
            "METRICS_LISTEN": "127.0.0.1:0",
            "LOG_FORMAT": "json",
            "LOG_LEVEL": "info",
            "DRAIN_SECONDS": "0",
            "ASKER": "facts" if self.judge == LEXICAL else "openai",
            "LLM_BASE_URL": self.base_url,
            "LLM_MODEL": self.model,
            "LLM_API_KEY_FILE": str(self.key_file.absolute()) if self.key_file else "",
            "LLM_TIMEOUT_SECONDS": str(self.timeout_seconds),
            "LLM_MAX_CONCURRENCY": str(self.concurrency),
        }
        store = {"MOVIELLM_STORE_URL": f"file://{self.replies.absolute()}"} if self.replies else {}
        return {_PREFIX + name: value for name, value in own.items() if value} | store


class ServiceJudge:
    """The judge of a question service."""

    def __init__(self, stub: "QuestionServiceAsyncStub", *, name: str, deadline_seconds: float) -> None:
        self._stub = stub
        self._deadline_seconds = deadline_seconds
        self.name = name

    async def judge(self, comparison: Comparison) -> Verdict:
        """Have both orders judged."""
        request = pb.JudgeRequest(
            question=comparison.question,
            reference=comparison.reference,
            candidate=comparison.candidate,
            baseline=comparison.baseline,
        )
        response = await rpc.call("question", self._stub.Judge(request, timeout=self._deadline_seconds))
        return Verdict(
            candidate_first=_judgement(response.candidate_first),
            baseline_first=_judgement(response.baseline_first),
            model=response.work.model,
            prompt_tokens=response.work.prompt_tokens,
            completion_tokens=response.work.completion_tokens,
        )


def _judgement(message: pb.Judgement) -> Judgement:
    if message.winner not in _WINNERS:
        raise errors.Broken("the question service's judgement names no winner")
    return Judgement(message.candidate_score, message.baseline_score, _WINNERS[message.winner])


@asynccontextmanager
async def judge_of(choice: JudgeChoice, environ: Mapping[str, str]) -> AsyncIterator[ServiceJudge]:
    """The judge, for as long as the block runs; a service of its own is started where none is named.

    Raises Unsatisfied with the service's own words when it does not start.
    """
    if choice.judge not in (LEXICAL, MODEL):
        async with _connected(choice, choice.judge) as judge:
            yield judge
        return
    async with _own_service(choice, environ) as address, _connected(choice, address) as judge:
        yield judge


@asynccontextmanager
async def _connected(choice: JudgeChoice, address: str) -> AsyncIterator[ServiceJudge]:
    peer = choice.peer if address == choice.judge else PLAIN
    async with rpc.channel(address, peer) as channel:
        stub = pb_grpc.QuestionServiceStub(channel)
        yield ServiceJudge(stub, name=choice.name, deadline_seconds=choice.deadline_seconds)


@asynccontextmanager
async def _own_service(choice: JudgeChoice, environ: Mapping[str, str]) -> AsyncIterator[str]:
    """The address of a question service that lives as long as the block."""
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def listen(service: ServiceProcess, line: str) -> None:
        with suppress(ValueError, AttributeError):
            event = json.loads(line)
            if event.get("event") == "listening" and not port.done():
                port.set_result(int(event["port"]))

    service = ServiceProcess("qa", "moviellm.qa", "", environment=choice.environment())
    with tempfile.TemporaryDirectory(prefix="moviellm-") as folder:
        log = Path(folder) / "qa.log"
        child = Child(service, log=log, echo=listen, environ=environ, remains_seconds=0.5)
        await child.start()
        end = asyncio.create_task(child.wait())
        try:
            await asyncio.wait({port, end}, return_when=asyncio.FIRST_COMPLETED)
            if not port.done():
                raise _not_started(child, end.result())
            yield f"127.0.0.1:{port.result()}"
        finally:
            child.terminate()
            await asyncio.wait({end}, timeout=5)
            child.kill_all()
            await asyncio.gather(end, return_exceptions=True)


def _not_started(child: Child, code: int) -> errors.Unsatisfied:
    said = next((line for line in reversed(child.tail) if line.strip()), "it said nothing")
    return errors.Unsatisfied(f"the judge ended with {ending(code)}: {said}", reason="JUDGE_NOT_STARTED")
