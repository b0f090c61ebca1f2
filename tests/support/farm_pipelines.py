"""A pipeline on a real Slurm, in which launchers, jobs and nodes are hit at random."""

import random
import time
from collections import Counter

from pipelines import STEPS, Pipeline
from sweeps import events

OWN = ", RESOURCES: {{mem: {mem}}}"
YAML = """\
STEPS:
  tokens: {{CMD: "bash step.sh tokens {{dataset}}", PER: dataset{own[0]}}}
  train: {{CMD: "bash step.sh train {{dataset}}{{n}}", AFTER: tokens{own[1]}}}
  eval: {{CMD: "bash step.sh eval {{dataset}}{{n}}", AFTER: train{own[2]}}}
  gather: {{CMD: "bash step.sh gather all {{eval.dirs}}", AFTER: eval, PER: sweep{own[3]}}}
HPARAMS: {{dataset: [a, b], n: [0, 1]}}
ARRAY: {array}
REQUEUE: {{max: 9}}
"""
SETTINGS = "FARM: slurm\nslurm: {TYPE: slurm, RESOURCES: {mem: 50M, time: 10m}}\n"


GOING_ON = ("pending", "configuring", "running", "completing", "requeued", "requeue_hold")
"""The states of jobs of Slurm that may still execute something."""


class FarmPipeline(Pipeline):
    """The pipeline as jobs of a cluster: arrays or not, some steps in the job of that before."""

    def __init__(self, path, environment, cluster, draw: random.Random):
        self.cluster, self.draw, self.log = cluster, draw, []
        own = [OWN.format(mem="40M") if draw.random() < 0.7 else "" for _ in STEPS]
        array = draw.choice(["true", "false"])
        super().__init__(path, environment, YAML.format(own=own, array=array))
        script = (path / "step.sh").read_text()
        # Long enough to be hit in the middle, and no end without a while in which nothing hits.
        self.write(
            "step.sh", script.replace("sleep 0.$((RANDOM % 3))", "sleep $((1 + RANDOM % 3))")
        )
        self.write(".runx", SETTINGS)

    def play(self, *faults: str) -> None:
        """Let one thing after the other happen, each at a random time."""
        for fault in faults:
            time.sleep(self.draw.uniform(0.2, 3))
            self.log.append(fault)
            getattr(self, fault)()

    def jobs(self, *states: str) -> list[str]:
        """Return the ids of the jobs that Slurm has in some states."""
        words = ("squeue", "-h", "-r", "-t", ",".join(states or ("all",)), "-o", "%i")
        return self.cluster.call(*words, check=False).split()

    def hit(self, *words: str) -> None:
        """Call a command of Slurm on one of its jobs."""
        if jobs := self.jobs("running", "pending"):
            self.cluster.call(*words, self.draw.choice(jobs), check=False)

    def launch(self) -> None:
        """Start a launcher, and another at the same time, or kill it in the middle."""
        step = self.draw.choice([None, self.draw.randint(1, 500)])
        launchers = [
            self.start("--resume", environment=self.faulty(step) if step else {})
            for _ in range(self.draw.choice([1, 1, 2]))
        ]
        if self.draw.random() < 0.5:
            time.sleep(self.draw.uniform(0.1, 1))
            launchers[0].kill()
        for process in launchers:
            process.wait(120)

    def cancel(self) -> None:
        """Cancel a job as people do, with the scheduler's own command."""
        self.hit("scancel")

    def kill(self) -> None:
        """Kill the shell of a job, which then writes no end."""
        self.hit("scancel", "--batch", "--signal=KILL")

    def requeue(self) -> None:
        """Have a job begin anew."""
        self.hit("scontrol", "requeue")

    def order(self) -> None:
        """Cancel a step of all runs by an order."""
        step = self.draw.choice(["train", "eval"])
        if self.runs():  # of which none may have steps yet: 2
            self.command("cancel", "sweep", "--step", step, status=(0, 1, 2))

    def restart(self) -> None:
        """End the controller, and start it again with what it has saved."""
        self.cluster.restart()

    def cut(self) -> None:
        """Cut the power of a node, and give it back."""
        number = self.draw.randint(1, 3)
        self.cluster.power_cut(number)
        time.sleep(self.draw.uniform(0, 12))
        self.cluster.start_node(number)

    def drain(self, seconds: float = 120) -> None:
        """Wait until no job is left; one that was requeued doesn't wait its two minutes."""
        deadline = time.monotonic() + seconds
        while self.jobs(*GOING_ON):
            assert time.monotonic() < deadline, (self.log, self.cluster.call("squeue"))
            waiting = self.cluster.call("squeue", "-h", "-r", "-t", "pending", "-o", "%i %r")
            # slurmd refuses a start in the second of the requeue, and Slurm then holds the job.
            time.sleep(2)
            for job, _, reason in (line.partition(" ") for line in waiting.splitlines()):
                if reason == "BeginTime":
                    words = ("update", f"jobid={job}", "StartTime=now")
                    self.cluster.call("scontrol", *words, check=False)
                elif "held" in reason:
                    self.cluster.call("scontrol", "release", job, check=False)

    def finish(self) -> None:
        """Bring the sweep to its end by --resume."""
        output = ""
        for _ in range(10):
            self.drain()
            output = self.runx("--resume", status=None)
            if "starting nothing" in output and not self.jobs(*GOING_ON):
                self.log.append(output)
                return
        raise AssertionError((self.log, output, self.command("status", "sweep", status=(0, 1))))

    def check(self) -> None:
        """Raise unless each step was done once, in its order.

        A step that was killed after its last line, before its end was written, may say so twice.
        """
        self.check_order()
        ends = Counter(tuple(step) for event, *step in self.lines() if event == "end")
        assert ends.keys() == set(STEPS), (self.log, ends, *self.standing())
        ended = [self.codes(step) for step in self.steps()]
        assert all(codes.count(0) == 1 for codes in ended), (self.log, ended)
        cuts = sum(code is None for codes in ended for code in codes)
        assert ends.total() - len(STEPS) <= cuts, (self.log, ends, ended)
        assert len(self.steps()) == len(STEPS)

    def standing(self) -> tuple[str, str]:
        """Return how the sweep and the jobs stand, for people."""
        status = self.command("status", "sweep", status=(0, 1))
        return status, self.cluster.call("squeue", "-t", "all", "-o", "%i %T %r %E")

    @staticmethod
    def codes(step) -> list[int | None]:
        """Return the exit status of each attempt of a step that has begun, None without an end."""
        numbers = [int(file.name.split(".")[0]) for file in step.attempts.glob("*.events.jsonl")]
        told = [{each["event"]: each for each in events(step, number)} for number in numbers]
        return [each.get("ended", {}).get("code") for each in told if "started" in each]
