"""Install real agent SDKs, each in an environment of its own, and have each play `story.py` with a fake model.

`python tests/producers/run.py [--keep] [name…]` leaves what each SDK exports in build/producers/<name>/out. An environment
is made once for a requirements.txt; a script runs again each time. Only installing needs the network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from keep import keep

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build" / "producers"
QUIET = {
    "PYTHONPATH": str(HERE),
    "PYTHONHASHSEED": "0",
    "OPENAI_API_KEY": "none",
    "LANGSMITH_TRACING": "false",
}


PATIENT = {"UV_HTTP_TIMEOUT": "120", "UV_HTTP_RETRIES": "5"}
"""A registry may be slow; whoever runs this may set otherwise."""
_TRIES, _INSTALL_S = 3, 600


def uv() -> str:
    """The `uv` beside this Python, else the one on the path."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise SystemExit("uv is missing: run `make test` once, or install it (`pip install uv`)")
    return found


def environment(name: str) -> Path:
    """The Python that has this producer's requirements; made anew when they change."""
    wanted = HERE / name / "requirements.txt"
    home = BUILD / name / ".venv"
    mark = home / "requirements.txt"
    python = home / "bin" / "python"
    if not (mark.exists() and mark.read_bytes() == wanted.read_bytes()):
        subprocess.run([uv(), "venv", "--quiet", "--clear", "--python", sys.executable, str(home)], check=True)
        install = [uv(), "pip", "install", "--quiet", "--python", str(python), "-r", str(wanted)]
        for left in reversed(range(_TRIES)):
            done = subprocess.run(install, env=PATIENT | os.environ, timeout=_INSTALL_S)
            if not done.returncode:
                break
            if not left:
                raise SystemExit(f"{name}: its SDK could not be installed ({_TRIES} tries); is the registry reachable?")
            time.sleep(5)
        shutil.copyfile(wanted, mark)
    return python


def play(name: str) -> None:
    """Run one script into an empty folder; a broken one leaves none."""
    started = time.monotonic()
    python = environment(name)
    ready = time.monotonic()
    out = BUILD / name / "out"
    shutil.rmtree(out, ignore_errors=True)
    (BUILD / name / "truth.json").unlink(missing_ok=True)
    out.mkdir(parents=True)
    done = subprocess.run(
        [str(python), str(HERE / name / "script.py"), str(out)],
        env=os.environ | QUIET,
        cwd=BUILD / name,
        capture_output=True,
        text=True,
        timeout=120,
    )
    (BUILD / name / "said.txt").write_text(done.stdout + done.stderr)
    if done.returncode:
        shutil.rmtree(out)
        raise SystemExit(f"{name}: its script failed\n{done.stderr[-3000:]}")
    print(f"{name:16} environment {ready - started:4.1f} s, script {time.monotonic() - ready:4.1f} s")


if __name__ == "__main__":
    asked = [name for name in sys.argv[1:] if name != "--keep"]
    names = asked or sorted(path.parent.name for path in HERE.glob("*/script.py"))
    for name in names:
        play(name)
    if "--keep" in sys.argv:
        keep(names, BUILD)
