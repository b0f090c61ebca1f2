"""Job and shell scripts: imported, they give the words that bash gives by itself."""

import pytest
import yaml

import runx
from tests.support.importing import commands, imported, noted

SCRIPTS = {
    "lines of a grid": """#!/bin/bash
python train.py --lr 0.1 --bs 16
python train.py --lr 0.1 --bs 32
python train.py --lr 0.2 --bs 16
python train.py --lr 0.2 --bs 32
""",
    "lines that are no grid": """
python train.py --lr 0.1 --out 'a b'
python train.py --lr 0.2 --out c
""",
    "options of their own": """#!/bin/bash
python train.py --model a --lr 0.1
python train.py --model b --dropout 0.5 --amp
python train.py --model c --sizes 1 2 3
""",
    "equals signs": """#!/bin/sh
python train.py --lr=0.1 --bs=1
python train.py --lr=0.2
""",
    "short options and places": """#!/bin/bash
python -u train.py data/a -b 16 fit
python -u train.py data/b -b 32 fit
""",
    "lines of different programs": """#!/bin/bash
python pre.py --x 1
python train.py --lr 0.1 --steps 10 now
""",
    "what a terminal obeys": """#!/bin/bash
for x in 1 2; do python train.py --x $x --mark '\033[1m'; done
cp '\033[1m' out
""",
    "what a terminal obeys, in several lines": """#!/bin/bash
MARK='\033[1m'
for x in 1 2; do
python pre.py "$MARK" $x
python train.py --x $x
done
""",
    "one line": "#!/bin/bash\npython -m pkg.train --lr 0.1 --flag\n",
    "a loop": """#!/bin/bash
for lr in 1e-3 1e-4; do
  python train.py --lr $lr --name run_$lr
done
""",
    "loops in a line": "for s in 1 2; do for b in a 'b c'; do python x.py $s \"$b\"; done; done\n",
    "counting": """#!/bin/bash
for ((i=0; i<3; i++)); do
for j in {1..2}; do
for k in $(seq 5 5 10); do
for l in $(seq 2)
do
    python train.py --i $i --j=${j} --k "$k" --l "$l"
done; done; done; done
""",
    "arrays and variables": """#!/bin/bash
LRS=(0.1 0.2)
declare -a NAMES=("a b" c)
BASE=out/x
SIZES="1 2"
for lr in "${LRS[@]}"
do
  for name in "${NAMES[@]}"; do for size in $SIZES; do
    python train.py --lr $lr --name "$name" --out "$BASE/$lr" --size $size
  done; done
done
""",
    "what is computed in a loop": """#!/bin/bash
for lr in 1 2; do
  tag=lr${lr}_x
  steps=$((lr * 10))
  echo "starting $tag"
  python train.py --lr $lr --tag "$tag" --steps $steps
  python test.py --tag $tag
done
wait
""",
    "several loops": """#!/bin/bash
for lr in 1 2; do python train.py --lr $lr --a; done
for bs in 3 4; do python train.py --bs $bs; done
""",
    "in the background": """#!/bin/bash
for lr in 1 2; do
  CUDA_VISIBLE_DEVICES=$lr nohup python train.py --lr $lr > log_$lr.txt 2>&1 &
done
wait
""",
    "a condition": """#!/bin/bash
for lr in 1 2; do
  if [ $lr = 1 ]; then python train.py --lr $lr --one; else python train.py --lr $lr; fi
done
""",
    "continued lines": """#!/bin/bash
# a comment
python train.py \\
    --lr 0.1 \\
    --text "a # b" # another
python train.py \\
    --lr 0.2 \\
    --text "c"
""",
    "torchrun": """#!/bin/bash
for s in 0 1; do
  torchrun --nproc_per_node=2 train.py --seed $s
done
""",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_gives_the_words_that_bash_gives(tmp_path, name):
    text = SCRIPTS[name]
    expected = noted(tmp_path, [text])
    assert expected
    imported(tmp_path, "run.sh", text)
    assert noted(tmp_path, commands(tmp_path)) == expected


def test_a_backslash_before_the_end_of_quotes_is_one_of_their_letters(tmp_path):
    text = r"""
python train.py --dir 'C:\' --x 1 # the first
python train.py --dir 'D:\' --x 2; python train.py --dir "a#\"b" --x 3
"""
    assert "# the first" not in imported(tmp_path, "run.sh", text).experiment
    assert len(commands(tmp_path)) == 3


ARRAYS = {
    "the number itself": "seed=$SLURM_ARRAY_TASK_ID\npython train.py --seed $seed --x ${seed}_y\n",
    "inline": "python train.py --seed ${SLURM_ARRAY_TASK_ID}\n",
    "an array": "L=(0.1 0.2 0.3 0.4)\nLR=${L[$SLURM_ARRAY_TASK_ID]}\npython train.py --lr $LR\n",
    "two arrays": "A=(a b c d)\nB=(1 2 3 4)\na=${A[$SLURM_ARRAY_TASK_ID]}\n"
    "b=${B[${SLURM_ARRAY_TASK_ID}]}\npython train.py --a $a --b $b\n",
    "an array in its place": "A=(a b c d)\npython train.py --a ${A[$SLURM_ARRAY_TASK_ID]}\n",
    "under another name": "A=(a b c d)\nn=${SLURM_ARRAY_TASK_ID}\nx=${A[${n}]}\n"
    "python train.py --x b_${x}.m\n",
    "arithmetic": "A=(a b)\nB=(1 2)\n"
    "i=$((SLURM_ARRAY_TASK_ID / 2))\nj=$((SLURM_ARRAY_TASK_ID % 2))\n"
    "python train.py --a ${A[$i]} --b ${B[$j]}\n",
    "with a loop": "for x in p q; do python train.py --seed $SLURM_ARRAY_TASK_ID --x $x; done\n",
    "a condition": "if [ $SLURM_ARRAY_TASK_ID = 1 ]; then python a.py; else python b.py; fi\n",
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_is_a_hyperparameter(tmp_path, name):
    text = f"#!/bin/bash\n#SBATCH --array=1-3%2\n{ARRAYS[name]}"
    expected = [w for n in "123" for w in noted(tmp_path, [text], SLURM_ARRAY_TASK_ID=n)]
    found = imported(tmp_path, "job.sbatch", text)
    assert yaml.safe_load(found.runx_file)["slurm"]["MAX_PARALLEL"] == 2
    (tmp_path / ".runx").unlink()
    assert noted(tmp_path, commands(tmp_path)) == sorted(expected)


HEADERS = {
    "slurm": (
        ("#SBATCH --gres=gpu:a100:2\n#SBATCH -c 4\n#SBATCH --time=90\n#SBATCH --mem 16000\n"
        "#SBATCH -N1 -p gpu\n#SBATCH -A me\n#SBATCH --exclusive\n#SBATCH -o x.log\n"),
        {"gpus": "a100:2", "cpus": 4, "time": "90m", "mem": "16000M", "nodes": 1,
         "partition": "gpu", "account": "me"},
        ["#SBATCH --exclusive"],
    ),
    "pbs": (
        ("#PBS -N x\n#PBS -l select=1:ncpus=4:ngpus=1:mem=8gb\n#PBS -l walltime=2:00:00\n"
        "#PBS -q q\n#PBS -W group_list=x\n"),
        {"nodes": 1, "cpus": 4, "gpus": 1, "mem": "8g", "time": "2:00:00", "partition": "q"},
        ["#PBS -W group_list=x"],
    ),
    "sge": (
        "#$ -N x\n#$ -cwd\n#$ -l h_rt=3600\n#$ -l gpu=1\n#$ -pe smp 4\n#$ -l tmem=4G\n",
        {"time": "3600s", "gpus": 1, "cpus": 4},
        ["#$ -l tmem=4G"],
    ),
    "lsf": (
        ("#BSUB -q gpu\n#BSUB -W 4:00\n#BSUB -n 8\n#BSUB -gpu num=2:mode=shared\n"
         "#BSUB -R rusage[mem=4]\n"),
        {"partition": "gpu", "time": "4:00:00", "cpus": 8, "gpus": 2},
        ["#BSUB -R rusage[mem=4]"],
    ),
    "oar": ("#OAR -l /nodes=1/gpu=1,walltime=6:0:0\n#OAR -t besteffort\n#OAR -n x\n", {},
            ["#OAR -l /nodes=1/gpu=1,walltime=6:0:0", "#OAR -t besteffort"]),
}  # fmt: skip


@pytest.mark.parametrize("farm", HEADERS)
def test_what_a_job_asks_for_is_for_runx(tmp_path, farm):
    head, resources, directives = HEADERS[farm]
    text = f"#!/bin/bash\n{head}module load cuda\ncd $HOME\npython train.py --lr 0.1\n"
    found = imported(tmp_path, "job.sh", text)
    section = yaml.safe_load(found.runx_file)
    assert section["FARM"] == farm
    assert section[farm].get("RESOURCES", {}) == resources
    assert section[farm]["DIRECTIVES"] == directives
    assert section[farm]["SETUP"].strip() == "module load cuda"
    assert any(line.startswith("cd $HOME") for line in found.lost)
    assert commands(tmp_path)[0].strip().endswith("python train.py --lr 0.1")


def test_settings_of_a_scheduler_are_planned(tmp_path):
    head, *_ = HEADERS["slurm"]
    imported(tmp_path, "job.sh", f"#!/bin/bash\n{head}python train.py --lr 0.1\n")
    experiment = runx.load(tmp_path / "sweep.yml", runx_file=tmp_path / ".runx")
    assert experiment.settings.farm.type == "slurm"
    assert {each.name for each in experiment.settings.resources} >= {"gpus", "mem", "time"}


HYDRA = """#!/bin/bash
#OAR -l gpu=1
python main.py optimizer.lr=10.,1.,0.1 seed=1,2
python main.py model.num_units=100,200 seed=1,2
"""


def test_lines_of_mlxp_are_entries_that_sweep(tmp_path):
    imported(tmp_path, "script.sh", HYDRA)
    (tmp_path / ".runx").unlink()
    words = noted(tmp_path, commands(tmp_path))
    assert len(words) == 10
    assert ["python", "main.py", "optimizer.lr=10.0", "seed=1"] in words
    assert ["python", "main.py", "model.num_units=200", "seed=2"] in words


def test_a_multirun_of_hydra_is_a_grid(tmp_path):
    imported(tmp_path, "run.sh", "#!/bin/bash\npython train.py -m lr=0.1,0.2 model=a +x='[1,2]'\n")
    assert noted(tmp_path, commands(tmp_path)) == [
        ["python", "train.py", f"lr={lr}", "model=a", "+x=[1,2]"] for lr in (0.1, 0.2)
    ]
