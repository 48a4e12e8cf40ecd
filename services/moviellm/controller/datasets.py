"""What the gRPC door asks of all datasets: the registry answers it alone, on a cluster together with the resources."""

from collections.abc import AsyncGenerator
from typing import Protocol

from moviellm.controller.registry import Dataset
from moviellm.controller.stages import ImportedPlot
from moviellm.controller.watchers import Update
from moviellm.dataset import Estimate, MovieDatasetSpec
from moviellm.security.identity import DEFAULT_TENANT


class Datasets(Protocol):
    """The datasets of a deployment; see `Registry` for what each method raises."""

    async def create(
        self,
        identifier: str,
        spec: MovieDatasetSpec,
        *,
        request_id: str = "",
        pictures: tuple[bytes, ...] = (),
        plot: ImportedPlot | None = None,
        estimate: Estimate | None = None,
        owner: str = DEFAULT_TENANT,
    ) -> Dataset:
        """Accept a request."""
        ...

    def get(self, identifier: str) -> Dataset:
        """One dataset."""
        ...

    def page(self, size: int, after: tuple[float, str] | None, *, owner: str = "") -> list[Dataset]:
        """Up to `size` datasets after a sort key; of one owner where it is named."""
        ...

    async def cancel(self, identifier: str) -> Dataset:
        """Stop and keep."""
        ...

    async def retry(self, identifier: str, max_llm_tokens: int | None = None) -> Dataset:
        """Go on."""
        ...

    async def delete(self, identifier: str) -> None:
        """Stop and remove."""
        ...

    def watch(self, identifier: str, revision: int) -> AsyncGenerator[Update[Dataset], None]:
        """The dataset at every change."""
        ...
