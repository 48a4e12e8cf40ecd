"""What `make up` gives to the cluster: the chart with its values, a volume, a pod for the command."""

from pathlib import Path

import yaml
from helm_chart import arguments, complaints, helm, of_kind, pods

LOCAL = Path(__file__).parents[2] / "deploy" / "local"
POOL = "moviellm.dev/node-pool"


def objects(name):
    return list(yaml.safe_load_all((LOCAL / name).read_text()))


def rendered():
    done = helm(*arguments("kind", {"image.tag": "t"}, release="moviellm"), "--values", str(LOCAL / "values.yaml"))
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def test_kubernetes_takes_them():
    versions = ("1.31", "1.36")
    assert complaints(objects("store.yaml") + objects("client.yaml"), versions) == []


def test_every_pod_finds_its_pool_its_store_and_its_image():
    chart = rendered()
    labels = {node["labels"][POOL] for node in objects("kind.yaml")[0]["nodes"] if "labels" in node}
    services = {name: pod for name, pod in pods(chart) if name.startswith("Deployment/")}
    assert {pod["spec"]["nodeSelector"][POOL] for pod in services.values()} == labels
    [claim] = of_kind(objects("store.yaml"), "PersistentVolumeClaim")
    assert not of_kind(chart, "PersistentVolumeClaim")
    for pod in services.values():
        assert {
            v["persistentVolumeClaim"]["claimName"] for v in pod["spec"]["volumes"] if "persistentVolumeClaim" in v
        } == {claim}
        [container] = pod["spec"]["containers"]
        assert container["image"].endswith(":t")
        assert container["imagePullPolicy"] == "Never", "the images are in no registry"


def test_the_volume_lies_where_the_nodes_see_it():
    [volume] = of_kind(objects("store.yaml"), "PersistentVolume").values()
    mounts = [
        mount["containerPath"] for node in objects("kind.yaml")[0]["nodes"] for mount in node.get("extraMounts", [])
    ]
    assert set(mounts) == {volume["spec"]["hostPath"]["path"]}


def test_the_command_reaches_the_controller():
    [client] = objects("client.yaml")
    [container] = client["spec"]["containers"]
    host, _, port = container["env"][0]["value"].partition(":")
    service = of_kind(rendered(), "Service")[host]
    assert int(port) in [one["port"] for one in service["spec"]["ports"]]
    assert client["metadata"]["labels"]["moviellm.dev/client"] == "true", "the network policy lets such pods in"
