"""What the programs that run lpot-tune and disturb it share: its environment and command line, its processes,
what is in a workspace, and what a run has printed."""
import collections
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time

ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def launcher(ranks, mpiexec="mpirun", options=()):
    """What stands before a program so that it runs on so many ranks; 0: without a launcher."""
    return [mpiexec, "--oversubscribe", *options, "-n", str(ranks)] if ranks > 0 else []


def set_options(settings):
    """KEY=VALUE, ... as options of the program."""
    return [part for setting in settings for part in ("--set", setting)]


# ---- processes ----

# rank: in an MPI job, by the environment; None: of the launcher, or without one.
Process = collections.namedtuple("Process", "pid name parent cpu_seconds rank")


def processes_of(session):
    """All processes of a session, but for zombies: mpirun puts every rank into a process group of its own."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                head, tail = file.read().rsplit(")", 1)
            fields = tail.split()
            if int(fields[3]) != session or fields[0] == "Z":
                continue
            with open(f"/proc/{pid}/environ", "rb") as file:
                rank = re.search(rb"\bOMPI_COMM_WORLD_RANK=(\d+)", file.read())
        except OSError:
            continue
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        found.append(Process(int(pid), head.split("(", 1)[1], int(fields[1]), seconds, int(rank[1]) if rank else None))
    return found


def kill(pids):
    """SIGKILL to those that still are."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def kill_all(session):
    """Ends a session; those that are just being born too."""
    alive = processes_of(session)
    for _ in range(50):
        if not alive:
            return
        kill(process.pid for process in alive)
        time.sleep(0.02)
        alive = processes_of(session)
    sys.exit(f"processes {alive} do not die")


def left_of(session):
    """The processes of a session that has ended, after up to 10 s for those that are just ending: with the
    sanitizers on a busy machine giving back the memory of a killed process takes longer than a second."""
    for _ in range(200):
        found = processes_of(session)
        if not found:
            break
        time.sleep(0.05)
    return found


# ---- workspaces and output ----


def dump_of(workspace, dataset="/trials"):
    """A dataset of the history, as h5dump prints it."""
    return subprocess.run(["h5dump", "-m", "%.17g", "-d", dataset, f"{workspace}/history.h5"], check=True,
                          capture_output=True, text=True).stdout


def rows_of(dump):
    """The fields of each row of a compound dataset."""
    return [tuple(field.strip() for field in body.split(",\n"))
            for body in re.findall(r"\(\d+\): \{\n(.*?)\n\s*\}", dump, re.S)]


def trials_of(workspace):
    """Rows (id, hash, accuracy) of /trials."""
    return [(int(row[0]), row[2], row[4]) for row in rows_of(dump_of(workspace))]


def reported(output):
    """The last trial that a progress line has told of."""
    found = [int(number) for number in re.findall(r"^trial (\d+)/", output, re.M)]
    return max(found, default=0)


def check_readable(workspace):
    path = f"{workspace}/history.h5"
    if os.path.exists(path):
        subprocess.run(["h5dump", "-H", path], check=True, stdout=subprocess.DEVNULL)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def text_of(path):
    """What a file that somebody may still write to holds so far; nothing where there is none yet."""
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def status_of(program, workspace):
    """What lpot-tune status says; None when the journal cannot be read."""
    job = subprocess.run([program, "status", "--json", workspace], env=ENVIRONMENT, capture_output=True,
                         text=True, timeout=60)
    return json.loads(job.stdout) if job.returncode == 0 else None


# ---- what is in a journal ----

COMMIT, SENSE = 6, 12


def records_in(path):
    """(type, payload) of each record of a journal (src/tune/README.md)."""
    head = 28
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at + head <= len(data):
        _, kind, _, length, _, _ = struct.unpack_from("<IHHIQQ", data, at)
        yield kind, data[at + head:at + head + length]
        at += head + length


def sense_of(payload):
    """(valid, error, samples) of a SENSE record."""
    num_ops = struct.unpack_from("<BBqI", payload)[3]
    return struct.unpack_from("<BdQ", payload, 14 + 8 * num_ops)


def sensed_in(path):
    """(valid, error, samples) of each SENSE record of a journal."""
    return [sense_of(payload) for kind, payload in records_in(path) if kind == SENSE]
