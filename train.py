import sys
from runx.logx import logx
logx.initialize(logdir=sys.argv[-1])
logx.metric("val", {"acc": 0.5}, 1)
