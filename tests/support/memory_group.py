"""A control group of processes with a bound on their memory, for tests: version 1, or version 2 where it is delegated."""
import os
import re
import time


class NoGroup(Exception):
    """Why there can be none."""


def mounts(kind):
    with open("/proc/mounts") as file:
        return [(fields[1], fields[3].split(",")) for fields in map(str.split, file) if fields[2] == kind]


def own_path(pattern):
    with open("/proc/self/cgroup") as file:
        found = re.search(pattern, file.read(), re.M)
    return found[1] if found else "/"


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


class MemoryGroup:
    """with MemoryGroup(BYTES) as group: what group.enter(COMMAND) starts has so much memory, with all its children."""

    def __init__(self, limit_bytes):
        self.limit, self.folder, self.events, self.reasons = str(limit_bytes), None, None, []

    def make(self, parent, limit_file, swap_file, swap_limit, events_file):
        folder = f"{parent}/lpot-test-{os.getpid()}"
        try:
            os.mkdir(folder)
        except OSError as error:
            self.reasons.append(str(error))
            return False
        try:
            write(f"{folder}/{limit_file}", self.limit)
            if os.path.exists(f"{folder}/{swap_file}"):
                write(f"{folder}/{swap_file}", swap_limit)
        except OSError as error:
            self.reasons.append(str(error))
            os.rmdir(folder)
            return False
        self.folder, self.events = folder, f"{folder}/{events_file}"
        return True

    def __enter__(self):
        for top, options in mounts("cgroup"):
            own = top + own_path(r"^\d+:(?:\S*,)?memory(?:,\S*)?:(/.*)$").rstrip("/")
            if "memory" in options and any(
                    self.make(parent, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", self.limit,
                              "memory.oom_control") for parent in (own, top)):
                return self
        for top, _ in mounts("cgroup2"):
            own = top + own_path(r"^0::(/.*)$").rstrip("/")
            if any(self.make(parent, "memory.max", "memory.swap.max", "0", "memory.events")
                   for parent in (own, os.path.dirname(own), top)):
                return self
        raise NoGroup("; ".join(self.reasons) or "no control groups are mounted")

    def __exit__(self, *_):
        for _ in range(50):  # What has just ended may still be in it.
            try:
                os.rmdir(self.folder)
                return
            except OSError:
                time.sleep(0.1)
        raise OSError(f"{self.folder} is still in use")

    def enter(self, command):
        return ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', self.folder, *command]

    def kills(self):
        """How many of its processes the kernel has ended for want of memory."""
        with open(self.events) as file:
            found = re.search(r"^oom_kill (\d+)$", file.read(), re.M)
        return int(found[1]) if found else None
