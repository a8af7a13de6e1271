"""What the tests that interrupt lpot-tune share: what is in a workspace, and what a run has printed."""
import json
import os
import re
import subprocess

ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def trials_of(workspace):
    """Rows (id, hash, accuracy) of /trials, by h5dump."""
    text = subprocess.run(["h5dump", "-m", "%.17g", "-d", "/trials", f"{workspace}/history.h5"],
                          check=True, capture_output=True, text=True).stdout
    rows = []
    for body in re.findall(r"\(\d+\): \{\n(.*?)\n\s*\}", text, re.S):
        fields = [field.strip() for field in body.split(",\n")]
        rows.append((int(fields[0]), fields[2], fields[4]))
    return rows


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


def status_of(program, workspace):
    """What lpot-tune status says; None when the journal cannot be read."""
    job = subprocess.run([program, "status", "--json", workspace], env=ENVIRONMENT, capture_output=True,
                         text=True, timeout=60)
    return json.loads(job.stdout) if job.returncode == 0 else None
