"""What a requester is told when something goes wrong: what, where, why, and what to do next."""

from collections.abc import Mapping

from moviellm import tracing
from moviellm.dataset import Trouble
from moviellm.errors import InvalidInput, MovieLLMError, Temporary

CONTROLLER = "controller"

REMEDIES: Mapping[str, str] = {
    "LLM_UNAUTHORIZED": "correct the language model's key file, then retry the dataset",
    "LLM_MODEL_UNKNOWN": "correct the language model's name in the service's settings, then retry the dataset",
    "LLM_CREDIT_SPENT": "pay at the language model's endpoint, then retry the dataset",
    "LLM_BUDGET_USED_UP": "retry the dataset with a higher max_llm_tokens",
    "LLM_PROMPT_TOO_LONG": "use a language model with a longer context, then retry the dataset",
    "LLM_REQUEST_REFUSED": "do what the endpoint's words say, then retry the dataset",
    "LLM_UNREACHABLE": "start or mend the language model's endpoint, then retry the dataset if it has failed",
    "LLM_RATE_LIMITED": "it is tried again; lower the service's requests and tokens a minute if it stays",
    "LLM_INVALID_REPLY": "it is tried again; use a language model that keeps to JSON better if it stays",
    "SCRIPT_RULE_UNMET": "retry the dataset; use another language model, or none, if it stays",
    "SERVICE_UNREACHABLE": "start the service, or correct its address in the controller's settings",
    "CALL_LOST": "it is tried again; look why the service's process or replica ended if it stays",
    "MODEL_LOADING": "nothing: it goes on when the model is loaded",
    "RENDER_QUEUE_FULL": "nothing: it is tried again; add replicas of the rendering service if it stays",
    "STORE_UNAVAILABLE": "mend the artifact store: its address, its keys, its space",
    "DISK_FULL": "make room on the disk of the service",
    "NOT_A_NUMBER": "use another model or data type for the service, then retry the dataset",
    "NO_SCORER": "configure a scorer for rendering, or ask for no min_score",
    "PICTURE_DAMAGED": "remove the damaged picture from the store, then retry the dataset",
    "INTERNAL": "look in the service's log for the trace; please report it, then retry the dataset",
}
"""What to do, by the reason of an error."""


def remedy_for(error: MovieLLMError) -> str:
    """What a requester or operator does next."""
    if error.reason in REMEDIES:
        return REMEDIES[error.reason]
    if isinstance(error, InvalidInput):
        return f"ask again with another {error.field}"
    if isinstance(error, Temporary):
        return "nothing: it is tried again; look in the service's log for the trace if it stays"
    return "mend what the message names, then retry the dataset"


def trouble_of(error: MovieLLMError, *, service: str, unit: str = "", attempts: int = 1) -> Trouble:
    """The error as a dataset's status shows it, under the trace one is in."""
    trace = tracing.current()
    return Trouble(
        service, error.reason, error.message, unit, attempts, remedy_for(error), trace.trace_id if trace else ""
    )
