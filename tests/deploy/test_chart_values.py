"""values.yaml and its schema: every key is described, known and checked, and wrong ones are refused by name."""

import re
import subprocess
import sys

import pytest
import yaml
from helm_chart import CHART, ROOT, SERVICES, refusal, render
from values_schema import schema

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())


def test_the_schema_follows_the_settings_classes():
    check = [sys.executable, str(ROOT / "tests" / "deploy" / "values_schema.py"), "--check"]
    result = subprocess.run(check, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def undescribed(lines: list[str]) -> list[str]:
    """Keys of block style that have no comment above them, unless they only hold keys that have."""
    found, above = [], False
    for number, line in enumerate(lines):
        key = re.match(r"^( *)(- )?([A-Za-z]+):(.*)$", line)
        if key:
            holds_more = not key[4].strip() and number + 1 < len(lines) and lines[number + 1].strip()
            if not above and not holds_more:
                found.append(line.strip())
        above = line.strip().startswith("#")
    return found


def test_every_value_is_described_above_it():
    lines = (CHART / "values.yaml").read_text().splitlines()
    kubernetes_own = ("requests:", "limits:", "podSelector:", "namespaceSelector:", "ipBlock:")
    assert [key for key in undescribed(lines) if not key.removeprefix("- ").startswith(kubernetes_own)] == []
    assert undescribed(["# what it is", "a: 1", "b: 2", "c:", "  d: 3"]) == ["b: 2", "d: 3"]


def test_values_and_schema_know_the_same_keys():
    """What the schema allows has a default in values.yaml; a service's pod settings have theirs below `defaults`."""

    def missing(values, node, path):
        for key, below in node.get("properties", {}).items():
            here = f"{path}.{key}" if path else key
            inherited = path in ("controller", "scripting", "qa", "inversion", "export", "rendering")
            if key not in values:
                if not (inherited and key in VALUES["defaults"]) and key not in ("global",):
                    yield here
            elif key not in ("settings",) and isinstance(values[key], dict):
                yield from missing(values[key], below, here)

    skipped = {"requests", "limits", "nodeAffinity", "podAffinity", "podAntiAffinity"}
    assert [one for one in missing(VALUES, schema(), "") if one.rpartition(".")[2] not in skipped] == []


WRONG = {
    "a service's key": ({"scripting.replcas": 2}, "/scripting", "replcas"),
    "a setting": ({"qa.settings": {"QUESTIONS_PER_SCEN": 3}}, "/qa/settings", "QUESTIONS_PER_SCEN"),
    "a setting of another service": ({"qa.settings": {"WRITER": "openai"}}, "/qa/settings", "WRITER"),
    "a setting's type": (
        {"qa.settings": {"QUESTIONS_PER_SCENE": "many"}},
        "/qa/settings/QUESTIONS_PER_SCENE",
        "integer",
    ),
    "a setting's choice": ({"scripting.settings": {"WRITER": "monkey"}}, "/scripting/settings/WRITER", "storyteller"),
    "a secret in the values": ({"scripting.settings": {"LLM_API_KEY": "sk"}}, "/scripting/settings", "LLM_API_KEY"),
    "what the chart decides": ({"export.settings": {"LISTEN": "x:1"}}, "/export/settings", "LISTEN"),
    "a top key": ({"scriptin": {}}, "at ''", "scriptin"),
    "a number": ({"qa.replicas": "two"}, "/qa/replicas", "integer"),
    "a negative number": ({"qa.replicas": -1}, "/qa/replicas", "minimum"),
    "a digest": ({"qa.image.digest": "sha256:short"}, "/qa/image/digest", "pattern"),
    "a store": ({"store.type": "ftp"}, "/store/type", "pvc"),
    "a bucket's lack": ({"store.type": "s3"}, "store.s3.bucket", "needed"),
    "another bucket's lack": ({"store.type": "gcs"}, "store.gcs.bucket", "needed"),
    "a model's lack": ({"llm.enabled": True}, "llm.model", "needed"),
    "a url": ({"llm.baseUrl": "vllm:8000"}, "/llm/baseUrl", "pattern"),
    "a quantity": ({"qa.resources": {"limits": {"memory": "2 GB"}}}, "/qa/resources/limits/memory", "pattern"),
    "a toleration": ({"qa.tolerations": [{"keys": "a"}]}, "/qa/tolerations/0", "keys"),
    "a mode": ({"rendering.mode": "ray"}, "/rendering/mode", "rayservice"),
    "a pool without room": ({"rendering.rayService.nodePools": [{"name": "a"}]}, "/nodePools/0", "maxReplicas"),
    "a pool's name": (
        {"rendering.rayService.nodePools": [{"name": "A b", "minReplicas": 0, "maxReplicas": 1, "resources": {}}]},
        "/nodePools/0/name",
        "pattern",
    ),
    "a peer": ({"networkPolicy.clients": [{"pods": {}}]}, "/networkPolicy/clients/0", "pods"),
    "a price": ({"llm.prices": {"gpt": 3}}, "/llm/prices/gpt", "array"),
    "a monitor's mode": ({"monitoring.monitors.mode": True}, "/monitoring/monitors/mode", "string"),
    "keda's question": ({"qa.autoscaling.type": "keda"}, "monitoring.prometheusUrl", "needed"),
    "a scaled controller": ({"controller.autoscaling.type": "hpa"}, "controller.autoscaling.type", "none"),
    "redis": (
        {"rendering.mode": "rayservice", "rendering.rayService.gcsFaultTolerance.enabled": True},
        "redisAddress",
        "needed",
    ),
}


@pytest.mark.parametrize(("values", "field", "word"), WRONG.values(), ids=WRONG)
def test_wrong_values_are_refused_with_the_field_named(values, field, word):
    said = refusal(values)
    assert field in said
    assert word in said


def test_profiles_give_only_what_differs():
    for profile in ("kind", "gpu"):
        values = yaml.safe_load((CHART / f"values-{profile}.yaml").read_text())
        assert values.keys() <= VALUES.keys()
        assert render(profile=profile)


def documented() -> list[str]:
    """The YAML of docs/operating.md: values that people copy."""
    page = (ROOT / "docs" / "operating.md").read_text().partition("## Kubernetes")[2].partition("\n## ")[0]
    return re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(documented())))
def test_values_in_the_documentation_are_taken(number):
    assert render(profile="gpu", values=yaml.safe_load(documented()[number]))


def test_values_named_in_the_documentation_exist():
    page = (ROOT / "docs" / "operating.md").read_text().partition("## Kubernetes")[2].partition("\n## ")[0]
    roots = {name: VALUES["defaults"] | value if name in SERVICES else value for name, value in VALUES.items()}
    roots["<service>"] = VALUES["defaults"] | VALUES["qa"]
    named = re.findall(r"`((?:<service>|[a-z][A-Za-z]+)(?:\.[A-Za-z]+)+)[`:]", page)
    assert len(named) > 20
    for path in named:
        found = roots
        for key in path.split("."):
            assert key in found, path
            found = found[key]
            if key == "settings":
                break
