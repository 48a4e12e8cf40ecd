"""What the Dockerfiles, docker-compose.yaml and the chart say about images, held against each other."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CPU, GPU = ((ROOT / "docker" / f"{kind}.Dockerfile").read_text() for kind in ("cpu", "gpu"))
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
VALUES = yaml.safe_load((ROOT / "deploy/helm/moviellm/values.yaml").read_text())
GPU_VALUES = yaml.safe_load((ROOT / "deploy/helm/moviellm/values-gpu.yaml").read_text())
CHART = yaml.safe_load((ROOT / "deploy/helm/moviellm/Chart.yaml").read_text())
SERVICES = ("controller", "scripting", "qa", "export", "inversion", "rendering")


def module(path, monkeypatch):
    monkeypatch.syspath_prepend(str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def dependencies(monkeypatch):
    return module(ROOT / "docker" / "dependencies.py", monkeypatch)


@pytest.fixture
def images(monkeypatch):
    return module(ROOT / "deploy" / "local" / "images.py", monkeypatch)


def stages(recipe):
    build, _, final = recipe.rpartition("FROM ${BASE}\n")
    return build.partition("ARG BASE=")[2], final


@pytest.mark.parametrize("recipe", [CPU, GPU], ids=["cpu", "gpu"])
def test_recipes_keep_to_the_house_rules(recipe):
    build, final = stages(recipe)
    assert "# syntax=" not in recipe
    assert re.findall(r"^FROM (\S+)", recipe, re.MULTILINE) == ["${BASE}", "${BASE}", "${BASE}", "core", "${BASE}"]
    assert "docker/prove.py" in build
    assert "pip" not in final
    assert final.strip().splitlines()[-2:] == [
        "USER 65532:65532",
        'CMD ["sh", "-c", "exec python -m moviellm.$SERVICE"]',
    ]
    assert f"ARG VERSION={PROJECT['version']}\n" in final


def test_the_recipes_build_alike():
    (cpu, _), (gpu, _) = stages(CPU), stages(GPU)
    assert gpu.replace("ARG WANTS_CUDA=1\n", "") == cpu


def test_the_gpu_recipe_has_what_probes_of_kuberay_call():
    assert re.search(r"apt-get install .*\bbash\b.*\bwget\b", GPU)


def test_everything_that_is_copied_passes_dockerignore():
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", CPU, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source
            assert any(Path(source).match(pattern) for pattern in allowed), source


def test_images_have_the_names_that_chart_and_compose_use(images):
    known = {images.name_of(one, "t", gpu=False)[:-2] for one in images.SERVICES}
    with_cuda = {images.name_of(one, "t", gpu=True)[:-2] for one in images.PAINTERS}
    assert {VALUES[one]["image"]["repository"] for one in SERVICES} <= known
    assert VALUES["tests"]["image"]["repository"] in known
    assert {GPU_VALUES[one]["image"]["repository"] for one in images.PAINTERS} == with_cuda
    assert {one["image"].partition(":")[0] for one in COMPOSE["services"].values()} == known


def test_compose_and_chart_take_the_same_tag(images):
    assert images.version() == CHART["appVersion"] == PROJECT["version"]
    for service in COMPOSE["services"].values():
        assert service["image"].endswith(f":${{MOVIELLM_TAG:-{PROJECT['version']}}}")


@pytest.mark.parametrize("name", [*SERVICES, "cli"])
def test_compose_gives_no_more_than_is_needed(name):
    service = COMPOSE["services"][name]
    assert service["user"] == "65532:65532"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["build"]["args"]["SERVICE"] == name
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_compose_watches_every_service_and_keeps_what_it_makes(name):
    service = COMPOSE["services"][name]
    assert service["healthcheck"]["test"] == ["CMD", "healthy"]
    assert service["volumes"] == ["store:/var/lib/moviellm"]
    assert service["environment"][f"MOVIELLM_{name.upper()}_LISTEN"].startswith("0.0.0.0:")


def test_compose_names_settings_that_exist():
    known = (ROOT / "docs" / "settings.md").read_text()
    for name in SERVICES:
        for variable in COMPOSE["services"][name]["environment"]:
            assert f"`{variable}`" in known, variable


def test_the_controller_finds_every_service_of_compose():
    settings = COMPOSE["services"]["controller"]["environment"]
    for name in SERVICES[1:]:
        port = COMPOSE["services"][name]["environment"][f"MOVIELLM_{name.upper()}_LISTEN"].rpartition(":")[2]
        assert settings[f"MOVIELLM_CONTROLLER_{name.upper()}"] == f"{name}:{port}"


@pytest.mark.parametrize("name", ["controller", "scripting", "qa", "export", "cli"])
def test_services_without_pictures_to_paint_come_without_torch(dependencies, name):
    wanted = list(dependencies.requirements(PROJECT, dependencies.extras_of(name, "", {name})))
    assert PROJECT["dependencies"][0] in wanted
    assert not any(re.match(r"(torch|ray|diffusers|transformers)\b", one) for one in wanted)


def test_extras_within_extras_are_resolved_and_can_be_added(dependencies):
    known = set(PROJECT["optional-dependencies"])
    for extras in (
        dependencies.extras_of("rendering", "", known),
        dependencies.extras_of("export", "pipelines", known),
    ):
        assert any(one.startswith("torch==") for one in dependencies.requirements(PROJECT, extras))


def test_a_service_that_does_not_exist_is_named(dependencies):
    with pytest.raises(SystemExit, match="no 'painting'; SERVICE and EXTRAS take cli"):
        dependencies.extras_of("painting", "", {"cli"})


WITHOUT_CLASSES = """
import asyncio, sys
sys.path.insert(0, {docker!r})
import finish_folders, prove

class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.rpartition(".")[0].replace(".", "/") in finish_folders.KUBERNETES:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Gone())
asyncio.run(prove.call_kubernetes())
print("works")
"""


def test_the_controller_calls_kubernetes_without_its_generated_classes(tmp_path):
    """What the images leave out of the client is never loaded, whichever version is pinned."""
    source = (ROOT / "docker" / "finish.py").read_text()
    folders = re.search(r"^KUBERNETES = \(.*?^\)", source, re.MULTILINE | re.DOTALL).group()
    (tmp_path / "finish_folders.py").write_text(folders)
    (tmp_path / "prove.py").write_text((ROOT / "docker" / "prove.py").read_text())
    code = WITHOUT_CLASSES.format(docker=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=100)
    assert done.stdout == "works\n", done.stderr
