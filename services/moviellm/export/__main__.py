"""Start the export service: python -m moviellm.export."""

import asyncio
import os
import sys
from functools import partial

from moviellm import rpc
from moviellm.artifacts import ArtifactStore
from moviellm.errors import Unsatisfied
from moviellm.export.darkroom import Darkroom
from moviellm.export.dataset_folder import Limits, Press
from moviellm.export.features import FeatureEncoder
from moviellm.export.pillow_fingerprint import fingerprint
from moviellm.export.pillow_plots import draw_plot
from moviellm.export.pillow_sheet import draw_sheet
from moviellm.export.pyarrow_table import PyarrowTable
from moviellm.export.pyav_video import PyavVideo
from moviellm.export.scratch import sweep_scratch
from moviellm.export.servicer import ExportServicer
from moviellm.export.settings import ExportSettings
from moviellm.node_pool import located
from moviellm.settings import StoreSettings
from moviellm.telemetry import configure_logging, export_spans, serve_metrics


def main() -> None:
    """Read the settings, build the parts, serve until told to stop."""
    settings = ExportSettings.load()
    store_settings = StoreSettings.load()
    configure_logging("export", level=settings.log_level, style=settings.log_format)
    export_spans("export", settings.otlp_endpoint)
    settings = located(settings, os.environ)
    sweep_scratch()
    asyncio.run(serve(settings, store_settings))


async def serve(settings: ExportSettings, store_settings: StoreSettings) -> None:
    """Serve until SIGTERM or SIGINT; healthy while the store answers."""
    store = ArtifactStore.open(store_settings)
    servicer = ExportServicer(
        store,
        open_video=partial(PyavVideo, least_height=settings.video_height, least_rate=settings.video_rate),
        darkroom=Darkroom(draw_sheet=draw_sheet, draw_plot=draw_plot, fingerprint=fingerprint),
        limits=Limits(
            shard_megabytes=settings.shard_megabytes,
            license=settings.license,
            model_licenses=settings.model_licenses,
            sample_frames=settings.sample_frames,
            validation_share=settings.validation_share,
            test_share=settings.test_share,
        ),
        press=Press(open_table=PyarrowTable, encoder=feature_encoder(settings.feature_encoder)),
        max_concurrent=settings.max_concurrent,
        node_pool=settings.node_pool,
    )

    async def check() -> None:
        await store.exists("requests")

    serve_metrics(settings.metrics_listen, service="export", node_pool=settings.node_pool)
    await rpc.Server(
        [servicer.registration()],
        listen=settings.listen,
        check=check,
        drain_seconds=settings.drain_seconds,
        security=rpc.security_of(settings),
    ).run()


def feature_encoder(folder: str) -> FeatureEncoder | None:
    """The encoder that is configured; its libraries are loaded for it alone. A wrong one ends the process, code 2."""
    if not folder:
        return None
    from moviellm.export.transformers_features import TransformersEncoder

    try:
        return TransformersEncoder(folder)
    except Unsatisfied as error:
        print(f"MOVIELLM_EXPORT_FEATURE_ENCODER: {error.message}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
