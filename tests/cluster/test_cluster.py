#!/usr/bin/env python3
"""Tuning jobs on several hosts, under Slurm and without it: they end, they stop, they are lost, and
what a job came to in the end is what one process alone comes to.

usage: test_cluster.py PROGRAM [TEST...]        needs root; scripts/test-cluster calls it

PROGRAM is lpot-tune, in a folder of a build that has simulated_tune too. The cluster is slurm_up's. Every trial of every job is compared with a run of one
rank (id, recipe, accuracy), and so is the recipe that is handed out."""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path.insert(0, f"{HERE}/../support")
from tune_runs import dump_of, kill, read, reported, rows_of, set_options, status_of, text_of, trials_of  # noqa: E402

SBATCH = f"{ROOT}/scripts/lpot-tune.sbatch"
LPOT_RUN = f"{ROOT}/scripts/lpot-run"
CONFIGURATION = f"{ROOT}/configs/example/example.yaml"
MODEL = f"{ROOT}/configs/example/shapes.onnx"
# No recipe meets it: exit code 5. The walk of basic, which is long and the same each time.
NOT_MET = ["--set", "tuning.accuracy_criterion.relative=-0.5", "--set", "tuning.strategy.name=basic"]
SHORT = NOT_MET + ["--set", "tuning.exit_policy.max_trials=16"]
# To be interrupted, by few ranks: it lasts some seconds on a machine of many cores too.
LONG_TRIALS = 48
LONG = NOT_MET + ["--set", f"tuning.exit_policy.max_trials={LONG_TRIALS}"]
# Long enough for a worker to be given up and for TCP to find a link again: half a minute.
BACK = NOT_MET + set_options(["tuning.strategy.name=random", "tuning.racing=false",
                              "tuning.exit_policy.max_trials=200"])
BACK_SIMULATION = "block=0.05,compile=0.05"
RANK_FIELD = 13  # of a row of /trials
DYNAMIC = SHORT + ["--set", "quantization.approach=post_training_dynamic_quant"]
ENDING_SECONDS = 15  # for a job that cannot reach all its hosts, when all is written
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY")


class Failure(Exception):
    pass


class Skipped(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Failure(text)


def wait_until(seconds, condition, text):
    """The first true value of condition(), asked again and again for so many seconds."""
    end = time.time() + seconds
    while time.time() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.2)
    raise Failure(f"not within {seconds} s: {text}")


def environment_of(folder):
    """What FOLDER/env of slurm_up exports."""
    text = subprocess.run(["env", "-i", "sh", "-c", f". '{folder}/env'; env"], check=True,
                          capture_output=True, text=True).stdout
    return dict(line.split("=", 1) for line in text.splitlines())


class Cluster:
    """A Slurm of 4 nodes with 16 processors each, and jobs of lpot-tune on it."""

    def __init__(self, folder, program):
        self.folder, self.program, self.random = folder, program, random.Random(1978)
        self.simulated = f"{os.path.dirname(program)}/../tests/simulated_tune"
        self.nodes = f"{folder}/cluster"
        self.references = {}
        self.environment = dict(os.environ)

    def up(self):
        result = subprocess.run([f"{HERE}/slurm_up", self.nodes, "4", "16"], text=True, timeout=120,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if result.returncode == 77:
            raise Skipped(result.stderr.strip())
        expect(result.returncode == 0, f"slurm_up: {result.stderr}")
        self.environment.update(environment_of(self.nodes))

    def down(self):
        subprocess.run([f"{HERE}/slurm_down", self.nodes], timeout=60)

    def slurm(self, *command):
        result = subprocess.run(command, env=self.environment, cwd=self.folder, timeout=60, text=True,
                                capture_output=True)
        expect(result.returncode == 0, f"{' '.join(command)}: {result.stderr}")
        return result.stdout

    def submit(self, name, arguments, sbatch=(), variables=None, per_node=16):
        """A job whose workspace is NAME and whose log is NAME.log; its number."""
        variables = {"LPOT_TUNE": self.program, "LPOT_WORKSPACE": f"{self.folder}/{name}", **(variables or {})}
        command = ["sbatch", "--parsable", "--nodes=4", f"--ntasks-per-node={per_node}", "--time=10",
                   f"--output={self.folder}/{name}.log"]
        command += [*sbatch, SBATCH, *arguments]
        result = subprocess.run(command, env={**self.environment, **variables}, cwd=self.folder, text=True,
                                capture_output=True, timeout=60)
        expect(result.returncode == 0, f"sbatch: {result.stderr}")
        return result.stdout.strip()

    def job(self, number):
        """The fields of "scontrol show job" that are a word each."""
        return dict(re.findall(r"(\S+?)=(\S+)", self.slurm("scontrol", "show", "job", number)))

    def wait_end(self, number, seconds=120):
        def ended():
            job = self.job(number)
            return job if job["JobState"] in ENDED else None
        return wait_until(seconds, ended, f"job {number} ends")

    def log(self, name):
        return text_of(f"{self.folder}/{name}.log")

    def wait_trials(self, name, least, most, seconds=90):
        """Waits until a number of trials, drawn from the range, has been reported in the job's log."""
        number = self.random.randint(least, most)
        wait_until(seconds, lambda: reported(self.log(name)) >= number, f"{name}: trial {number}")
        return number

    def reference(self, options):
        """The workspace of one rank that ran with these options."""
        key = " ".join(options)
        if key not in self.references:
            workspace = f"{self.folder}/reference_{len(self.references)}"
            result = subprocess.run([self.program, "--quiet", "--workspace", workspace, *options, CONFIGURATION,
                                     MODEL], timeout=120, capture_output=True, text=True)
            expect(result.returncode == 5, f"one rank: exit code {result.returncode}: {result.stderr}")
            self.references[key] = workspace
        return self.references[key]

    def check_result(self, name, options, starts=None):
        """The result in the workspace NAME is that of one rank, and so many starts made it."""
        workspace, reference = f"{self.folder}/{name}", self.reference(options)
        rows, wanted = trials_of(workspace), trials_of(reference)
        expect(rows == wanted, f"trials differ:\n{rows}\nexpected\n{wanted}")
        for file in ("best_recipe.yaml", "best_model.onnx"):
            expect(read(f"{workspace}/{file}") == read(f"{reference}/{file}"), f"{file} differs")
        if starts is not None:
            expect(starts_of(workspace) == starts, f"{starts_of(workspace)} starts, expected {starts}")
        return len(rows)

    def processes(self, node, name=None):
        """The processes on a node, but for the one that keeps it alive; those of a program only."""
        keeper = int(text_of(f"{self.nodes}/pid/{node}"))
        network, found = os.readlink(f"/proc/{keeper}/ns/net"), []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and os.readlink(f"/proc/{entry}/ns/net") == network and int(entry) != keeper:
                    if name in (None, text_of(f"/proc/{entry}/comm").strip()):
                        found.append(int(entry))
            except OSError:
                continue
        return found



def starts_of(workspace):
    """How often the run was started, by the sessions in /ranks of the history."""
    return len({row[0] for row in rows_of(dump_of(workspace, "/ranks"))})


def mpirun_in_slurm(cluster):
    number = cluster.submit("mpirun", [CONFIGURATION, MODEL, *SHORT])
    job = cluster.wait_end(number)
    expect(job["ExitCode"] == "5:0", f"exit code {job['ExitCode']}, expected 5:0")
    trials = cluster.check_result("mpirun", SHORT, 1)
    return f"{trials} trials by 64 ranks on {job['NodeList']}"


def need_pmix(cluster):
    plugins = subprocess.run(["srun", "--mpi=list"], env=cluster.environment, capture_output=True, text=True)
    if "pmix" not in plugins.stdout + plugins.stderr:
        raise Skipped("srun has no PMIx plugin")


def bench_in_slurm(cluster):
    """Ranks of one node have cores of their own, though nobody says --ntasks-per-node."""
    need_pmix(cluster)
    if len(os.sched_getaffinity(0)) < 2:
        raise Skipped("only one core may be used")
    out = cluster.slurm("srun", "--mpi=pmix", "--nodes=2", "--ntasks=3", f"{os.path.dirname(cluster.program)}/lpot-bench",
                        "--json", *set_options(["evaluation.performance.iteration=5",
                                                "evaluation.performance.configs.cores_per_instance=1"]),
                        CONFIGURATION, MODEL)
    rows = [json.loads(line) for line in out.splitlines()]
    cores = sorted((row["host"], row["cores"]) for row in rows if row["instance"] is not None)
    expect(len(cores) == 3, f"{len(cores)} instances, expected 3: {out}")
    expect(len(set(cores)) == 3, f"instances share cores: {cores}")
    return f"instances on {', '.join(':'.join(place) for place in cores)}"


def srun_in_slurm(cluster):
    need_pmix(cluster)
    number = cluster.submit("srun", [CONFIGURATION, MODEL, *SHORT], variables={"LPOT_LAUNCHER": "srun"})
    job = cluster.wait_end(number)
    expect(job["ExitCode"] == "5:0", f"exit code {job['ExitCode']}, expected 5:0")
    trials = cluster.check_result("srun", SHORT, 1)
    return f"{trials} trials by 64 ranks on {job['NodeList']}"


def stop_and_requeue(cluster, name, launcher, per_node):
    """USR1 to the batch script, as Slurm sends it before a time limit."""
    number = cluster.submit(name, [CONFIGURATION, MODEL, *LONG], per_node=per_node,
                            variables={"LPOT_LAUNCHER": launcher})
    cluster.wait_trials(name, 2, 12)
    cluster.slurm("scancel", "--signal=USR1", "--batch", number)
    wait_until(60, lambda: "exit code 6" in cluster.log(name), f"{name}: exit code 6")
    trials = reported(cluster.log(name))
    expect(trials < LONG_TRIALS, "the run ended before the signal came")
    job = cluster.wait_end(number)
    expect(job["Restarts"] == "1", f"{job['Restarts']} restarts, expected 1")
    expect(job["ExitCode"] == "5:0", f"exit code {job['ExitCode']}, expected 5:0")
    expect(f"job {number}, restart 1" in cluster.log(name), "SLURM_RESTART_COUNT is not 1")
    cluster.check_result(name, LONG, 2)
    lines = [line for line in text_of(f"{cluster.nodes}/log/slurmctld").splitlines()
             if re.search(f"equeu.*JobId={number}$", line)]
    expect(lines, "slurmctld has no line about it")
    return f"stopped at trial {trials} of {LONG_TRIALS}; slurmctld: {lines[0]}"


def stop_and_requeue_mpirun(cluster):
    return stop_and_requeue(cluster, "requeue", "mpirun", 2)


def stop_and_requeue_srun(cluster):
    return stop_and_requeue(cluster, "requeue_srun", "srun", 1)


def cancel_and_submit_again(cluster):
    number = cluster.submit("cancel", [CONFIGURATION, MODEL, *LONG], per_node=1)
    cluster.wait_trials("cancel", 1, 16)
    cluster.slurm("scancel", number)
    job = cluster.wait_end(number)
    expect(job["JobState"] == "CANCELLED", f"the job is {job['JobState']}")
    trials = reported(cluster.log("cancel"))
    expect(trials < LONG_TRIALS, "the run ended before it was cancelled")
    number = cluster.submit("cancel", [CONFIGURATION, MODEL, *LONG], per_node=1)
    job = cluster.wait_end(number)
    expect(job["ExitCode"] == "5:0", f"exit code {job['ExitCode']}, expected 5:0")
    cluster.check_result("cancel", LONG, 2)
    return f"cancelled at trial {trials} of {LONG_TRIALS}"


def node_lost(cluster):
    """All processes of a node end at once, slurmd too; then the node comes back."""
    number = cluster.submit("node_lost", [CONFIGURATION, MODEL, *LONG], per_node=1)
    cluster.wait_trials("node_lost", 2, 12)
    kill(cluster.processes("node4"))
    trials = reported(cluster.log("node_lost"))
    expect(trials < LONG_TRIALS, "the run ended before the node was lost")
    wait_until(60, lambda: cluster.job(number)["JobState"] != "RUNNING", f"job {number} notices the loss")
    subprocess.run([f"{cluster.nodes}/slurmd_up", "node4"], check=True, timeout=60)
    job = cluster.wait_end(number)
    expect(job["ExitCode"] == "5:0", f"exit code {job['ExitCode']}, expected 5:0")
    cluster.check_result("node_lost", LONG)
    return f"lost at trial {trials} of {LONG_TRIALS}; queued again {job['Restarts']} times"


def job_array(cluster):
    shutil.copy(MODEL, f"{cluster.folder}/other.onnx")
    with open(f"{cluster.folder}/list", "w") as file:
        print(CONFIGURATION, MODEL, *SHORT, file=file)
        print(CONFIGURATION, f"{cluster.folder}/other.onnx", *DYNAMIC, file=file)
    number = cluster.submit("array", ["--list", f"{cluster.folder}/list"], per_node=1,
                            sbatch=["--array=1-2", f"--output={cluster.folder}/array_%a.log"])
    for task, options in ((1, SHORT), (2, DYNAMIC)):
        job = cluster.wait_end(f"{number}_{task}")
        expect(job["ExitCode"] == "5:0", f"task {task}: exit code {job['ExitCode']}, expected 5:0")
        cluster.check_result(f"array/{task}", options, 1)
    return f"job {number}, tasks 1 and 2"


def start_on_hosts(cluster, name, program, options, launcher=(), before=()):
    """A program by mpirun alone, without Slurm, on the same four hosts; a rank on each."""
    command = [*before, f"{cluster.nodes}/mpirun", "-n", "4", "--map-by", "node", *launcher, program,
               "--progress=line", "--workspace", f"{cluster.folder}/{name}", *options, CONFIGURATION, MODEL]
    with open(f"{cluster.folder}/{name}.log", "a") as log:
        return subprocess.Popen(command, cwd=cluster.folder, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=subprocess.STDOUT)


def rank_killed(cluster):
    """lpot-run starts mpirun again when the ranks of one host have been killed."""
    job = start_on_hosts(cluster, "killed", cluster.program, LONG, before=[LPOT_RUN, "--tries", "3", "--"])
    try:
        cluster.wait_trials("killed", 2, 12)
        victims = cluster.processes("node3", "lpot-tune")
        expect(victims, "no lpot-tune runs on node3")
        kill(victims)
        code = job.wait(120)
    finally:
        end_on_hosts(cluster, job)
    expect(code == 5, f"exit code {code}, expected 5")
    lines = re.findall("^lpot-run: (.*)$", cluster.log("killed"), re.M)
    expect(len(lines) == 1 and "running it again" in lines[0], f"lpot-run said {lines}")
    cluster.check_result("killed", LONG, 2)
    return lines[0]


def link_cut(cluster):
    """A host off the network: its worker's lease runs out, and the others come to the same result. Open
    MPI 4 cannot end such a job: the program does, and nothing is left on the hosts that can be reached."""
    options = LONG + ["--resume", "--set", "tuning.lease_seconds=2"]
    job = start_on_hosts(cluster, "cut", cluster.program, options)
    try:
        cluster.wait_trials("cut", 2, 12)
        subprocess.run([f"{cluster.nodes}/cut", "node4"], check=True)
        trials = reported(cluster.log("cut"))
        wait_until(60, lambda: "Verdict:" in cluster.log("cut"), "the others come to a result")
        written = time.time()
        code = job.wait(ENDING_SECONDS)
        took = time.time() - written
        nodes = ("node1", "node2", "node3")
        wait_until(10, lambda: not any(cluster.processes(node, "lpot-tune") for node in nodes), "all ranks end")
    finally:
        end_on_hosts(cluster, job)
        subprocess.run([f"{cluster.nodes}/join", "node4"], check=True)
    # mpirun itself may crash when it is ended.
    expect(code == 1 or code < 0, f"exit code {code}, expected 1 of a launcher that was ended")
    ending = f"mpirun ended with {code} in {took:.1f} s"
    cluster.check_result("cut", LONG, 1)
    time.sleep(5)  # until the host can be reached again
    job = start_on_hosts(cluster, "cut", cluster.program, options)
    try:
        code = job.wait(60)
    finally:
        end_on_hosts(cluster, job)
    expect(code == 5, f"exit code {code}, expected 5")
    return f"cut at trial {trials} of {LONG_TRIALS}; the others finished, {ending}"


def link_back(cluster):
    """A host that comes back after its worker was given up: its late answer does no harm, and it works again. The
    evaluators sleep, so that the run lasts as long on a fast machine as on a slow one."""
    whole = subprocess.run([cluster.simulated, "--quiet", "-w", f"{cluster.folder}/whole", *BACK, CONFIGURATION, MODEL],
                           env={**cluster.environment, "LPOT_SIMULATION": "block=0,compile=0"}, timeout=60)
    expect(whole.returncode == 5, f"one rank: exit code {whole.returncode}")
    job = start_on_hosts(cluster, "back", cluster.simulated, BACK + ["--set", "tuning.lease_seconds=2"],
                         ("-x", f"LPOT_SIMULATION={BACK_SIMULATION}"))
    try:
        cluster.wait_trials("back", 2, 12)
        subprocess.run([f"{cluster.nodes}/cut", "node4"], check=True)
        wait_until(30, lambda: "rank 3 on node4 is lost" in cluster.log("back"), "the loss is noticed")
        subprocess.run([f"{cluster.nodes}/join", "node4"], check=True)
        wait_until(60, lambda: "rank 3 on node4 is back" in cluster.log("back"), "the worker is back")
        back = reported(cluster.log("back"))
        code = job.wait(90)
    finally:
        end_on_hosts(cluster, job)
    expect(code == 5, f"exit code {code}, expected 5 of a job whose ranks are all there at its end")
    rows = rows_of(dump_of(f"{cluster.folder}/back"))
    expect([row[2:5] for row in rows] == [row[2:5] for row in rows_of(dump_of(f"{cluster.folder}/whole"))],
           "the trials are not those of an undisturbed run")
    for file in ("best_recipe.yaml", "best_model.onnx"):
        expect(read(f"{cluster.folder}/back/{file}") == read(f"{cluster.folder}/whole/{file}"), f"{file} differs")
    expect(status_of(cluster.program, f"{cluster.folder}/back")["lost_workers"] == 0, "a worker counts as lost")
    later = sum(int(row[0]) > back + 3 and row[RANK_FIELD] == "3" for row in rows)
    expect(later > 0, f"the worker did nothing after its return at trial {back}")
    return f"back at trial {back} of {len(rows)}; it evaluated {later} of those that followed"


def end_on_hosts(cluster, job):
    """Whatever is left of a job without Slurm."""
    for program in ("lpot-run", "mpirun", "orted", "lpot-tune", "simulated_tune"):
        for node in ("node1", "node2", "node3", "node4"):
            kill(cluster.processes(node, program))
    if job.poll() is None:
        job.kill()
        job.wait(10)


TESTS = [mpirun_in_slurm, srun_in_slurm, bench_in_slurm, stop_and_requeue_mpirun, stop_and_requeue_srun,
         cancel_and_submit_again, job_array, rank_killed, node_lost, link_cut, link_back]


def run_test(cluster, test):
    """"passed", "failed" or "SKIPPED"; says so."""
    began, name = time.time(), test.__name__
    try:
        remark, result = test(cluster), "passed"
    except Skipped as reason:
        print(f"SKIPPED {name}: {reason}", flush=True)
        return "SKIPPED"
    except (Failure, subprocess.SubprocessError, OSError) as reason:
        remark, result = reason, "failed"
    print(f"{result} {name} ({time.time() - began:.0f} s): {remark}", flush=True)
    if result == "failed":
        for entry in sorted(os.listdir(cluster.folder)):
            if entry.endswith(".log") and os.path.getmtime(f"{cluster.folder}/{entry}") >= began - 1:
                print(f"--- {entry}", *text_of(f"{cluster.folder}/{entry}").splitlines()[-40:], sep="\n", flush=True)
        subprocess.run(["scancel", "--quiet", "--user=root"], env=cluster.environment, timeout=60)
        time.sleep(8)  # Slurm's KillWait, and a little more.
    return result


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    known = {test.__name__: test for test in TESTS}
    wanted = sys.argv[2:] or list(known)
    for name in wanted:
        if name not in known:
            sys.exit(f"no test {name}; there are {', '.join(known)}")
    began = time.time()
    results = []
    folder = tempfile.mkdtemp(prefix="lpot-cluster-")
    cluster = Cluster(folder, os.path.abspath(sys.argv[1]))
    try:
        cluster.up()
        results = [run_test(cluster, known[name]) for name in wanted]
    except Skipped as reason:
        print(f"SKIPPED cluster: {reason}")
        results = ["SKIPPED"] * len(wanted)
    except Failure as reason:
        print(f"failed: {reason}")
        results = ["failed"] * len(wanted)
    finally:
        cluster.down()
        shutil.rmtree(folder, ignore_errors=True)
    counts = ", ".join(f"{results.count(name)} {name}" for name in ("passed", "failed", "SKIPPED"))
    print(f"cluster: {counts}; {time.time() - began:.0f} seconds")
    sys.exit(1 if "failed" in results else 0)


if __name__ == "__main__":
    main()
