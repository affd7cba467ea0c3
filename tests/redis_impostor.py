"""What answers on Redis's port without being a Redis that can be used: a socket that says the same to everybody."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Says(socketserver.BaseRequestHandler):
    said: bytes = b""

    def handle(self) -> None:
        try:
            while self.request.recv(65536):
                if self.said:
                    self.request.sendall(self.said)
        except OSError:
            pass


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False


@contextmanager
def impostor(said: bytes, port: int = 0) -> Iterator[str]:
    """The address of one that answers `said` to whatever it hears; nothing at all where that is empty."""
    handler = type("Says", (_Says,), {"said": said})
    with _Server(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        finally:
            server.shutdown()
            thread.join(5)
