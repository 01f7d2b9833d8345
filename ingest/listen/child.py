"""The receiver as a child process, and the token that it asks for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType

import msgspec

from ingest.errors import Trouble
from ingest.listen.app import Limits
from ingest.listen.serve import TOKEN, Told, bound

LEAST_TOKEN_CHARACTERS = 16


def token_of(file: Path | None) -> str | None:
    """The bearer token, from the file or from the environment; None where neither is given."""
    if file is None:
        token = os.environ.get(TOKEN, "").strip() or None
    else:
        try:
            token = file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Trouble(f"{file}: the token cannot be read ({error}); mend --token-file") from error
    if token is not None and (len(token) < LEAST_TOKEN_CHARACTERS or not token.isascii() or not token.isprintable()):
        raise Trouble(
            f"the bearer token must have {LEAST_TOKEN_CHARACTERS} or more printable ASCII characters; "
            "make one with `openssl rand -hex 32`"
        )
    return token


class Child:
    """The receiver while it runs; it ends with this process, however this one ends."""

    def __init__(self, folder: Path, address: str, port: int, token: str | None, limits: Limits | None = None) -> None:
        self._folder, self._token, self._limits = folder, token, limits or Limits()
        self._socket = bound(address, port)
        self.port = int(self._socket.getsockname()[1])
        self.url = f"http://{f'[{address}]' if ':' in address else address}:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Child:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(timeout=30)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it runs; where it does not, it is started again on the same socket."""
        if self._process is not None and self._process.poll() is None:
            return True
        self._start()
        return False

    def _start(self) -> None:
        told = Told(str(self._folder), self._socket.fileno(), self._limits)
        environment = {name: value for name, value in os.environ.items() if name != TOKEN}
        if self._token is not None:
            environment[TOKEN] = self._token
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ingest.listen.serve", msgspec.json.encode(told).decode()],
            stdin=subprocess.PIPE,
            pass_fds=[self._socket.fileno()],
            env=environment,
            start_new_session=True,
        )
