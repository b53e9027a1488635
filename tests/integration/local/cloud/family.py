"""A process that starts one of its own, writes both ids into the file that it is given, and waits."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    below = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(sys.argv[1]).write_text(f"{os.getpid()} {below.pid}")
    time.sleep(60)
