"""Serves a contender exactly as our services are served: `python -m benchmarks.contender_server NAME PORT`."""

import sys

from benchmarks import contenders
from plumbing.serve import serve

if __name__ == "__main__":
    serve(getattr(contenders, sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]))
