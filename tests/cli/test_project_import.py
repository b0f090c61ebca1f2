"""``runx import``: the experiment on stdout, all else on stderr."""

JOB = (
    "#!/bin/bash\n#SBATCH -c 4\n#SBATCH -J x\npython train.py --lr 0.1\npython train.py --lr 0.2\n"
)


def test_what_is_printed_is_an_experiment(project):
    project.write("sweep.yaml", "program: train.py\nmethod: grid\nparameters: {a: {value: [1]}}\n")
    done = project.runx("import", "sweep.yaml")
    assert "warning: a: value: [1] is one value" in done.stderr
    project.write("new.yml", done.stdout)
    assert project.runx("new.yml", "-n", "-i").stdout == "python train.py '--a=[1]'\n"


def test_what_is_for_runx_is_printed_when_it_is_asked_for(project):
    project.write("job.sh", JOB)
    done = project.runx("import", "job.sh")
    assert "note: there is more for .runx: runx import job.sh --settings" in done.stderr
    assert "note: not carried over: #SBATCH -J x: jobs are named" in done.stderr
    assert "lr: [0.1, 0.2]" in done.stdout
    project.write(".runx", project.runx("import", "job.sh", "--settings").stdout)
    project.write("new.yml", done.stdout)
    assert "--cpus-per-task=4" in project.runx("new.yml", "-n").stdout


def test_errors_are_a_line(project):
    project.write("other.yaml", "a: 1\n")
    done = project.runx("import", "other.yaml", status=2)
    assert done.stderr.startswith(
        "runx: other.yaml: no file that can be imported; it may be of: W&B"
    )
    assert project.runx("import", "none.yaml", status=2).stderr.startswith(
        "runx: none.yaml: can't be"
    )
    project.write("run.sh", "#!/bin/bash\npython train.py --lr 0.1\n")
    done = project.runx("import", "run.sh", "--settings", status=2)
    assert done.stderr.splitlines()[-1] == (
        "runx: run.sh: there is nothing in it for .runx; leave --settings out"
    )
