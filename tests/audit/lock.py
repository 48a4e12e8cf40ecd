"""`make lock`: every dependency of every extra by version and hash, for all platforms at once."""

import subprocess
import sys
import tempfile
from pathlib import Path

from pins import CONSTRAINTS, LOCK, ROOT

HEAD = """# Everything the project installs, by version and hash, for Linux on x86-64 and ARM, Python 3.11 to 3.13.
# Made by `make lock`. pip install --require-hashes -r requirements.lock takes torch with its CUDA libraries.
"""


def main(uv: str) -> None:
    """Write the lock."""
    with tempfile.TemporaryDirectory() as folder:
        constraints, out = Path(folder) / "constraints.txt", Path(folder) / "lock.txt"
        constraints.write_text("".join(f"{line}\n" for line in CONSTRAINTS.read_text().splitlines() if line[:1] != "#"))
        options = ["--all-extras", "--universal", "--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
        options += ["--python-version", "3.11", "--no-emit-index-url"]
        command = [uv, "pip", "compile", "pyproject.toml", *options, "-c", str(constraints), "-o", str(out)]
        subprocess.run(command, cwd=ROOT, check=True)
        LOCK.write_text(HEAD + out.read_text())


if __name__ == "__main__":
    main(sys.argv[1])
