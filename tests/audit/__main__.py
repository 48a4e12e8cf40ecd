"""`make audit`: pins, licences and known weaknesses of everything that is installed. Exit code 1 for findings only.

Advisories come from the index's own database; where it cannot be asked, that is said and is no finding.
"""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from licences import forbidden, licence_of
from pins import CONSTRAINTS, LOCK, ROOT, problems

TOOL_SECONDS = 600


def main(tool: str) -> int:
    """Everything, one after the other; `tool` is pip-audit."""
    findings = problems(LOCK.read_text(), CONSTRAINTS.read_text())
    print(f"pins: {'; '.join(findings) or 'requirements.lock and constraints.txt agree, all with hashes'}")
    licences = {distribution.name: licence_of(distribution) for distribution in metadata.distributions()}
    unwanted = [f"{name} ({licence})" for name, licence in sorted(licences.items()) if forbidden(licence)]
    unknown = sorted(name for name, licence in licences.items() if not licence)
    print(f"licences: {len(licences)} looked at; not allowed: {', '.join(unwanted) or 'none'}")
    print(f"licences that are not told: {', '.join(unknown) or 'none'}")
    return 1 if [*findings, *unwanted, *weaknesses(tool)] else 0


def weaknesses(tool: str) -> list[str]:
    """Known weaknesses of what is locked; prints what was found and what could not be looked up."""
    options = ["--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    command = [tool, "-r", str(LOCK), *options]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=TOOL_SECONDS, cwd=ROOT)
        packages = json.loads(ended.stdout)["dependencies"]
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
        print(f"advisories: not looked up, because their database does not answer ({type(error).__name__})")
        return []
    asked = [package for package in packages if "skip_reason" not in package]
    found = [
        f"{package['name']} {package['version']}: {weakness['id']}, mended in {weakness['fix_versions'] or 'none'}"
        for package in asked
        for weakness in package.get("vulns", [])
    ]
    if not asked:
        print(f"advisories: not looked up, because their database knows none of the {len(packages)} packages")
        return []
    print(f"advisories: {len(asked)} of {len(packages)} packages could be looked up; weaknesses: {len(found)}")
    for line in found:
        print(f"  {line}")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
