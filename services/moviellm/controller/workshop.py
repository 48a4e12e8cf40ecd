"""Puts together what one dataset's run needs out of what all runs share."""

from collections.abc import Callable

from moviellm.artifacts import ArtifactStore
from moviellm.controller.lanes import Lanes
from moviellm.controller.look_work import LookOptions, LookWork
from moviellm.controller.maker import Maker
from moviellm.controller.metrics import Metrics
from moviellm.controller.own_plot import OwnPlot
from moviellm.controller.picture_work import PictureWork
from moviellm.controller.pipeline import Plan, make_dataset
from moviellm.controller.policy import RetryPolicy
from moviellm.controller.progress import Progress
from moviellm.controller.stages import Stages
from moviellm.controller.survey import Survey
from moviellm.dataset import MovieDatasetSpec


class Workshop:
    """The store, the services, the lanes and the policies that all datasets share.

    `may_work` raises a Temporary error while nothing may be begun.
    """

    def __init__(
        self,
        *,
        store: ArtifactStore,
        stages: Stages,
        lanes: Lanes,
        policy: RetryPolicy,
        metrics: Metrics,
        look_options: LookOptions,
        negative_prompt: str,
        movies_in_flight: int,
        may_work: Callable[[], None] = lambda: None,
    ) -> None:
        self._may_work = may_work
        self._store = store
        self._stages = stages
        self._lanes = lanes
        self._policy = policy
        self._metrics = metrics
        self._look_options = look_options
        self._negative_prompt = negative_prompt
        self._movies_in_flight = movies_in_flight

    async def make(self, dataset: str, spec: MovieDatasetSpec, progress: Progress, found: Survey) -> None:
        """Make all that is missing of a dataset. Raises Failed when something could not be made."""
        maker = Maker(
            dataset=dataset,
            store=self._store,
            lanes=self._lanes,
            policy=self._policy,
            progress=progress,
            metrics=self._metrics,
            present=found.units,
            may_work=self._may_work,
        )
        looks = LookWork(dataset, spec, stages=self._stages, maker=maker, options=self._look_options)
        pictures = PictureWork(
            spec,
            stages=self._stages,
            maker=maker,
            negative_prompt=self._negative_prompt,
            present=set(found.frames),
        )
        plan = Plan(dataset, spec, self._movies_in_flight, found.exported)
        own_plot = OwnPlot(self._store, dataset, spec.plot)
        with self._metrics.running(progress):
            await make_dataset(
                plan, stages=self._stages, maker=maker, looks=looks, pictures=pictures, own_plot=own_plot
            )
