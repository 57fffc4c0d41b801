"""A real Slurm on this machine: one node, two partitions, a stand-in GPU, no accounting."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from runs import Run

from checkouts import PROJECT
from waiting import LIMIT, wait_until

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
# Slurm clears SLURM_CONF in the jobs it starts: they find their configuration nowhere else.
CONFIGURATION = Path("/etc/slurm")
GOING_ON = "PENDING,CONFIGURING,RUNNING"
NOT_ENDED = f"{GOING_ON},COMPLETING"
OURS = "# Written by coarsegrain's tests.\n"


@dataclass(frozen=True)
class Cluster:
    """What the tests ask of a running Slurm."""

    scratch: Path

    def start(self, checkout, *arguments, changes=(), environment=()):
        """Start the smoke preset in a checkout through the profile, without waiting."""
        files = [PROJECT / "workflow/presets/smoke.yaml", *changes]
        command = [sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm"]
        # the profile's patience is for real clusters
        command += ["--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "10"]
        command += [*arguments, "--configfile", *map(str, files)]
        descriptor, output = tempfile.mkstemp(dir=self.scratch, suffix=".said")
        with os.fdopen(descriptor, "w") as file:  # a pipe that nobody reads would fill up
            process = subprocess.Popen(
                command,
                cwd=checkout.path,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **dict(environment)},
                start_new_session=True,
            )
        return Run(process, Path(output))

    def jobs(self, submitted):
        """Everything Slurm knows of these jobs: a dict for each, by number."""
        return {number: self.job(number) for number in submitted}

    def job(self, number):
        """Everything Slurm knows of a job."""
        shown = _output("scontrol", "--oneliner", "show", "job", str(number))
        return dict(re.findall(r"(\w+)=(\S*)", shown))

    def running(self, states=NOT_ENDED):
        """The jobs in some states: what each was submitted for, by number."""
        lines = _output("squeue", "--noheader", f"--states={states}", "--format=%i %k").splitlines()
        return {int(number): comment for number, comment in (line.split() for line in lines)}

    def number_of(self, comment):
        """The number of the job that waits or runs for this; one that is cancelled does not."""
        going_on = self.running(GOING_ON)
        (number,) = (each for each, told in going_on.items() if told == comment)
        return number

    def command(self, *words):
        """Call a program of Slurm's."""
        return _output(*map(str, words))

    def cancel_all(self):
        """What scancel does to all jobs, and wait until none is left."""
        self.command("scancel", *self.running())
        self.wait_until_empty()

    def wait_until_empty(self):
        """Wait until no job waits or runs."""
        wait_until(lambda: not self.running(), told=self.running)


def submitted(said):
    """The numbers of the Slurm jobs that Snakemake says it has submitted, in order."""
    return list(map(int, re.findall(r"has been submitted with SLURM jobid (\d+)", said)))


@contextlib.contextmanager
def running_slurm(scratch):
    """A Slurm, with its files in a folder, until the end of the block."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a Slurm of our own needs Linux and root")
    check_machine()
    with contextlib.ExitStack() as stack:
        munge = _configure(scratch, stack)
        log = stack.enter_context((scratch / "daemons.log").open("w"))
        for command in (munge, ["slurmctld", "-D"], ["slurmd", "-D"]):
            _start(command, log, stack)
        _wait_until_idle(scratch / "daemons.log")
        cluster = Cluster(scratch)
        try:
            yield cluster
        finally:
            if cluster.running():
                cluster.cancel_all()


def check_machine():
    """Fail with what to do if a Slurm cannot be started here."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.fail(
            f"{', '.join(missing)} not found. Install Slurm for these tests: "
            "apt-get install slurm-wlm munge (.ci/run does)."
        )
    names = {Path(path).read_text().strip() for path in _readable("comm")}
    if running := names & {"slurmctld", "slurmd"}:
        pytest.fail(
            f"{' and '.join(sorted(running))} run on this machine already. "
            "These tests start a Slurm of their own: end that one, or run them elsewhere."
        )
    for name in ("slurm.conf", "gres.conf"):
        path = CONFIGURATION / name
        if path.exists() and not path.read_text().startswith(OURS):
            pytest.fail(f"{path} is there and not ours; these tests would overwrite it. Move it.")


def _readable(name):
    for process in filter(str.isdigit, os.listdir("/proc")):
        path = f"/proc/{process}/{name}"
        if os.path.exists(path):
            yield path


def _configure(scratch, stack):
    """Write the configuration, to be removed in the end; return the command that starts munge."""
    host = socket.gethostname().split(".")[0]
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    control, node = _free_ports(2)
    key, munge_socket = scratch / "munge.key", scratch / "munge.socket"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    for name in ("state", "spool"):
        (scratch / name).mkdir()
    # Its patience is that of the tests: a busy machine may take long to start or to end a job.
    files = {
        "slurm.conf": f"""\
ClusterName=coarsegrain
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={control}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={munge_socket}
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
ReturnToService=2
MinJobAge=86400
KillWait=3600
MessageTimeout=100
TCPTimeout=100
BatchStartTimeout=3600
SlurmdTimeout=0
GresTypes=gpu
StateSaveLocation={scratch}/state
SlurmdSpoolDir={scratch}/spool
SlurmctldPidFile={scratch}/slurmctld.pid
SlurmdPidFile={scratch}/slurmd.pid
SlurmctldLogFile={scratch}/slurmctld.log
SlurmdLogFile={scratch}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} RealMemory={megabytes * 9 // 10} \
Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=2-0 State=UP
PartitionName=accelerated Nodes=ALL MaxTime=2-0 State=UP
""",
        # scheduled like a GPU; nothing can compute on it
        "gres.conf": f"NodeName={host} Name=gpu File=/dev/null\n",
    }
    CONFIGURATION.mkdir(exist_ok=True)
    for name, text in files.items():
        (CONFIGURATION / name).write_text(OURS + text)
        stack.callback((CONFIGURATION / name).unlink, missing_ok=True)
    options = {
        "key-file": key, "socket": munge_socket, "pid-file": scratch / "munge.pid",
        "log-file": scratch / "munge.log", "seed-file": scratch / "munge.seed",
    }  # fmt: skip
    # force: the scratch folder is closed to other users, which munge warns of
    return ["munged", "--foreground", "--force", *(f"--{k}={v}" for k, v in options.items())]


def _free_ports(number):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _start(command, log, stack):
    """Start a daemon that ends with the tests, also if these are killed."""
    daemon = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", *command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )

    def stop():
        daemon.terminate()
        daemon.wait(LIMIT)

    stack.callback(stop)


def _wait_until_idle(log):
    def is_idle():
        return "idle" in _output("sinfo", "--noheader", "--format=%T", check=False).split()

    wait_until(is_idle, told=log.read_text)


def _output(*command, check=True):
    answer = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert answer.returncode == 0 or not check, answer.stderr
    return answer.stdout
