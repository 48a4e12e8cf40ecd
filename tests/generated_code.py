"""Generate services/moviellm/v1 from proto/, or with --check say whether the committed stubs have drifted."""

import filecmp
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parent.parent
PROTO = ROOT / "proto"
STUBS = ROOT / "services" / "moviellm" / "v1"


def generate(output: Path) -> None:
    """Write the stubs of every .proto file below `output`."""
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    well_known = Path(protoc.__file__).parent / "_proto"
    arguments = [
        "protoc",
        f"-I{PROTO}",
        f"-I{well_known}",
        f"--python_out={output}",
        f"--grpc_python_out={output}",
        f"--mypy_out=quiet:{output}",
        f"--mypy_grpc_out=quiet:{output}",
        f"--plugin=protoc-gen-mypy={Path(sys.executable).parent / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={Path(sys.executable).parent / 'protoc-gen-mypy_grpc'}",
        *sources,
    ]
    if protoc.main(arguments) != 0:
        sys.exit("protoc failed")
    (output / "moviellm" / "v1" / "__init__.py").write_text('"""Generated from proto/moviellm/v1 by `make proto`."""\n')


def drifted(fresh: Path) -> list[str]:
    """Names of the stubs that differ between `fresh` and the committed directory."""
    names = {path.name for path in fresh.iterdir()} | {path.name for path in STUBS.glob("*.py*")}
    _, different, missing = filecmp.cmpfiles(fresh, STUBS, sorted(names), shallow=False)
    return different + missing


def main() -> None:
    """Generate, or check."""
    with tempfile.TemporaryDirectory() as folder:
        if "--check" not in sys.argv:
            STUBS.mkdir(parents=True, exist_ok=True)
            generate(ROOT / "services")
            return
        generate(Path(folder))
        if stale := drifted(Path(folder) / "moviellm" / "v1"):
            sys.exit(f"generated code has drifted from proto/: {', '.join(stale)}; run `make proto`")


if __name__ == "__main__":
    main()
