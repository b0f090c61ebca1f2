"""Which command further arguments at the end of a CMD would reach."""

from __future__ import annotations

import pytest

from runx.sweeps.shellcommands import ending

ITS_SCRIPTS = """
python x.py
python x.py > log 2>&1
python x.py &> log
time python x.py
python x.py "$@"
A=1 B="a b" python x.py < data
cd src && python x.py
cd src || exit 1; python x.py
source env.sh; export A=1; srun python x.py
. venv/bin/activate && exec python x.py
module load cuda && conda activate x && python x.py
mkdir -p LOGDIR/x && nvidia-smi && python x.py
python -m pip install -e . && python x.py
uv sync && uv run x.py
if [ -d x ]; then cd x; fi; python x.py
[ -d x ] && cd x; python x.py
cat data | python x.py
find . -name '*.txt' | xargs python x.py
run() { python x.py "$@"; }; run
function run { python x.py "$@"; }; run
bash -c 'python x.py "$@"' name
bash train.sh
srun --x bash -l train.sh
a=(1 2); python x.py
export X=$(python y.py); python x.py
eval python x.py
ssh host python x.py
python -c 'print(1)'
echo
true
tee log
! python x.py
nohup timeout 5 python x.py
cd x && conda run -n e python x.py
cd x && source train.sh
eval "$(conda shell.bash hook)" && conda activate x && python x.py
ssh -t host "cd x && python x.py"
exec > log 2>&1; python x.py
2>log python x.py < data
exec python x.py
bash -x train.sh -c conf
bash -o pipefail train.sh -c conf
"""

NOT_ITS_SCRIPTS = """
python x.py@ || true
python x.py@ && echo done
python x.py@ ; echo done
python x.py@ # main
python x.py@ | tee log
python x.py 2>&1@ |& tee log
python x.py@;
python x.py@ &
python x.py@ & wait
python x.py@ && rm -r x
python x.py@ && cd ..
(python x.py@)
(cd x && python x.py@)
( (python x.py@) ) > log
{ python x.py@; }
if true; then python x.py@; fi
for i in 1 2; do python x.py --i $i@; done
while true; do python x.py@ && break; done
case a in a) python x.py@;; esac
bash -c "python x.py@"
sh -ec 'cd x && python x.py@' > log
srun bash -lc "python x.py@"
docker run --rm image sh -c 'python x.py@'
su me -c "python x.py@"
nohup sbatch --wrap="python x.py@"
script -qc "python x.py@" /dev/null
bash -c 'python x.py "$@"@'
python prepare.py && python x.py@
python x.py & python y.py@
find . -exec python x.py {}@ \\;
parallel python x.py ::: a b@
mpirun -n 1 python x.py : -n 1 python y.py@
echo a && printf b@
A=1@
ssh host "python x.py@ | tee log"
eval 'python x.py@ || true'
bash -o pipefail -c "python x.py@"
"""


@pytest.mark.parametrize("cmd", ITS_SCRIPTS.strip().split("\n"))
def test_arguments_at_the_end_reach_the_script(cmd):
    assert ending(cmd) == (True, len(cmd))


@pytest.mark.parametrize("cmd", NOT_ITS_SCRIPTS.strip().split("\n"))
def test_arguments_at_the_end_would_reach_another_command(cmd):
    place = cmd.index("@", cmd.rindex("$@") + 2) if "$@" in cmd else cmd.index("@")
    text = cmd[:place] + cmd[place + 1 :]
    assert ending(text) == (False, place)


def test_lines_are_commands():
    assert ending("# first\nset -e\npython x.py \\\n  --a 1").is_script
    assert not ending("python x.py\necho done").is_script
    assert ending("python - <<EOF\nprint(1)\nEOF") == (False, len("python - <<EOF"))
    assert ending("cat <<EOF > c\na; b\nEOF\npython x.py").is_script
