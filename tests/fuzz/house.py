"""All services in one process, with painters and teachers that cost nothing: python house.py FOLDER.

Prints one line, the address of each service by name as JSON, and serves until standard input ends. Everything between
the wire and the models is the real thing.
"""

import asyncio
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from moviellm import rpc
from moviellm.artifacts import ArtifactStore
from moviellm.controller.__main__ import reception_of, stages_of
from moviellm.controller.diagnosis.deployment_servicer import deployment_registration
from moviellm.controller.registry import Registry
from moviellm.controller.servicer import MovieDatasetServicer, registration_of
from moviellm.controller.settings import ControllerSettings
from moviellm.dataset import PictureMeasures, StyleMethod
from moviellm.export.darkroom import Darkroom
from moviellm.export.dataset_folder import Limits, Press
from moviellm.export.pillow_fingerprint import fingerprint
from moviellm.export.pillow_plots import draw_plot
from moviellm.export.pillow_sheet import draw_sheet
from moviellm.export.pyarrow_table import PyarrowTable
from moviellm.export.pyav_video import PyavVideo
from moviellm.export.servicer import ExportServicer
from moviellm.export.settings import ExportSettings
from moviellm.inversion.lessons import FILES, InversionProgress, Learnt
from moviellm.inversion.school import School
from moviellm.inversion.servicer import SERVICE_NAME as INVERSION
from moviellm.inversion.servicer import InversionServicer
from moviellm.qa.facts.fact_asker import FactAsker
from moviellm.qa.judge.lexical_judge import LexicalJudge
from moviellm.qa.servicer import NAME as QA
from moviellm.qa.servicer import QuestionServicer
from moviellm.rendering.choice import Chooser
from moviellm.rendering.critic import Critic
from moviellm.rendering.gallery import Gallery, PictureFormat
from moviellm.rendering.measuring import Measuring
from moviellm.rendering.picture import Painted, Recipe, Renderer, RenderProfile
from moviellm.rendering.pillow_jpeg import comment_of, jpeg, pixels_of
from moviellm.rendering.servicer import RenderingServicer
from moviellm.rendering.studio import Studio
from moviellm.rendering.styles import StyleShelf
from moviellm.scripting.by_model.rehearsal import NoCost
from moviellm.scripting.servicer import ScriptingServicer
from moviellm.scripting.servicer import registration as scripting_registration
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.settings import StoreSettings
from moviellm.telemetry import configure_logging
from moviellm.v1 import (
    inversion_service_pb2_grpc,
    question_service_pb2_grpc,
    rendering_service_pb2,
    rendering_service_pb2_grpc,
)

RENDERING = rendering_service_pb2.DESCRIPTOR.services_by_name["RenderingService"].full_name


def without_ray(servicer):
    """The calls of RenderingService as a gRPC server takes them."""

    def call(name, is_stream):
        handler = getattr(servicer, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())

        async def streaming(self, request, context):
            async for response in handler(request):
                yield response

        async def unary(self, request, context):
            return await handler(request)

        return rpc.method(streaming if is_stream else unary)

    methods = rendering_service_pb2.DESCRIPTOR.services_by_name["RenderingService"].methods
    return type("Rendering", (), {method.name: call(method.name, method.server_streaming) for method in methods})()


class Vectors:
    token = "<gothic>"


class Eye:
    """A scorer that finds everything middling."""

    on_gpu = False

    def score(self, pixels, text):
        return 0.5

    def survey(self):
        return self

    def add(self, pictures, texts):
        pass

    def add_references(self, pictures):
        pass

    def measures(self):
        return PictureMeasures(1, 0.5, 0.5, 0.5, 0.5, 0.5, (0.5,), "eye")


class Lesson:
    """Learns at once."""

    done = False

    def advance(self):
        self.done = True
        return InversionProgress(1, 1, 0.5)

    def checkpoint(self):
        return b"checkpoint"

    def finish(self):
        return Learnt("<look>", dict.fromkeys(FILES.values(), b"vectors"), 1.0, 0.5, 1)


class Teacher:
    model, weights, on_gpu, picture_size = "tiny", "0" * 64, False, 32
    methods = (StyleMethod.TEXTUAL_INVERSION, StyleMethod.LORA)

    def settings(self, task):
        return {}

    def begin(self, task, pictures, fingerprint, checkpoint):
        return Lesson()


async def paint(job):
    return Painted(np.full((8, 8, 3), job.seed % 256, np.uint8), seconds=0.0)


async def read_style(files):
    return Vectors()


async def make_nothing(dataset, spec, progress, found):
    """Datasets are ready as soon as they are accepted."""


RENDERER = Renderer("tiny", 8, 8, RenderProfile("", 2, 1.0))


class Tally:
    def picture(self, outcome, seconds):
        pass

    def attempt(self, verdict):
        pass


def rendering(store):
    critic = Critic(scorer=Eye)
    format = PictureFormat(write=jpeg, comment=comment_of, pixels=pixels_of)
    studio = Studio(
        store=store,
        gallery=Gallery(store, format=format, node_pool="fuzz", model="tiny"),
        styles=StyleShelf(store, read=read_style, capacity=2),
        chooser=Chooser(paint=paint, critic=critic),
        recipe=lambda options: Recipe(8, 8, 2, 1.0),
        tally=Tally(),
        renderer=RENDERER,
        max_waiting=2000,
    )
    measuring = Measuring(store=store, critic=critic, read_pixels=pixels_of, node_pool="fuzz")
    servicer = without_ray(RenderingServicer(studio=studio, measuring=measuring))
    add = rendering_service_pb2_grpc.add_RenderingServiceServicer_to_server
    return rpc.Registration(RENDERING, lambda server: add(servicer, server))


def inversion(store):
    servicer = InversionServicer(School(store, Teacher, worker=ThreadPoolExecutor(1)), store)
    add = inversion_service_pb2_grpc.add_InversionServiceServicer_to_server
    return rpc.Registration(INVERSION, lambda server: add(servicer, server))


def scripting():
    return scripting_registration(ScriptingServicer(writer=Storyteller(), estimator=NoCost()))


def questions():
    servicer = QuestionServicer(asker=FactAsker(), judge=LexicalJudge())
    add = question_service_pb2_grpc.add_QuestionServiceServicer_to_server
    return rpc.Registration(QA, lambda server: add(servicer, server))


def export(store):
    given = ExportSettings()
    return ExportServicer(
        store,
        open_video=partial(PyavVideo, least_height=given.video_height, least_rate=given.video_rate),
        darkroom=Darkroom(draw_sheet=draw_sheet, draw_plot=draw_plot, fingerprint=fingerprint),
        limits=Limits(
            shard_megabytes=given.shard_megabytes,
            license=given.license,
            model_licenses=given.model_licenses,
            sample_frames=given.sample_frames,
            validation_share=given.validation_share,
            test_share=given.test_share,
        ),
        press=Press(open_table=PyarrowTable, encoder=None),
    ).registration()


def settings_of(addresses):
    return ControllerSettings(
        scripting=addresses["moviellm.v1.ScriptingService"],
        qa=addresses["moviellm.v1.QuestionService"],
        inversion=addresses["moviellm.v1.InversionService"],
        rendering=addresses["moviellm.v1.RenderingService"],
        export=addresses["moviellm.v1.ExportService"],
    )


def controller(store, settings):
    registry = Registry(store=store, make=make_nothing, datasets_in_flight=8)
    reception = reception_of(settings, stages_of(settings))
    return registration_of(MovieDatasetServicer(registry=registry, store=store, reception=reception, prices={}))


async def start(registration, addresses):
    server = rpc.Server([registration], listen="127.0.0.1:0", drain_seconds=0.1)
    await server.start()
    addresses[registration.name] = f"127.0.0.1:{server.port}"
    return server


async def main(folder):
    configure_logging("fuzz", level="error")
    os.environ["MOVIELLM_STORE_URL"] = f"file://{folder}"
    store = ArtifactStore.open(StoreSettings(url=f"file://{folder}"))
    addresses, servers = {}, []
    for registration in (scripting(), questions(), inversion(store), rendering(store), export(store)):
        servers.append(await start(registration, addresses))
    settings = settings_of(addresses)
    for registration in (controller(store, settings), deployment_registration(settings)):
        servers.append(await start(registration, addresses))
    print(json.dumps({"root": store.root, "addresses": addresses}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for server in reversed(servers):
        await server.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
