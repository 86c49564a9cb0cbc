"""A house of small programs, run by the real supervisor: `python -m tests.running.house FOLDER NAME...`"""

import sys
from pathlib import Path

from forum.running.supervisor import Child, Supervisor
from forum.running.trouble import Trouble

PROGRAMS = {
    # Says who it is and waits; leaves in peace when asked.
    "quiet": "import os,sys,time,signal\n"
    "signal.signal(15, lambda *_: (print('bye', sys.argv[1], flush=True), sys.exit(0)))\n"
    "print('up', sys.argv[1], os.getpid(), flush=True)\ntime.sleep(300)",
    # Does not listen.
    "stubborn": "import os,sys,time,signal\nsignal.signal(15, signal.SIG_IGN)\n"
    "print('up', sys.argv[1], os.getpid(), flush=True)\ntime.sleep(300)",
    # Leaves at once, in perfect order.
    "leaving": "import os,sys\nprint('up', sys.argv[1], os.getpid(), flush=True)",
    # Cannot be set like this.
    "refusing": "import sys\nsys.exit(2)",
    # Starts a child of its own that would stay behind.
    "parent": "import os,sys,time,subprocess\np = subprocess.Popen(['sleep', '299'])\n"
    "print('up', sys.argv[1], p.pid, flush=True)\ntime.sleep(300)",
}


def main(folder: str, *names: str) -> None:
    house = Supervisor(Path(folder), lambda text: print(text, flush=True))
    house.listen()
    house.end_left_over()
    house.children = [
        Child(name, [sys.executable, "-c", PROGRAMS[name], name], grace=1.0) for name in names
    ]
    code = 0
    try:
        house.run()
    except Trouble as trouble:
        print(trouble, flush=True)
        code = 2
    finally:
        house.end()
    print("all ended", flush=True)
    sys.exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
