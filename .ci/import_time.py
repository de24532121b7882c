# SPDX-License-Identifier: BSD-3-Clause
"""Print what it costs to import sktransrec, beside scikit-learn, and which packages it adds.

    python .ci/import_time.py

Each import is a fresh process, in which warnings are errors.
"""

import statistics
import subprocess
import sys

N_RUNS = 5
OWN = "sktransrec"
OTHERS = ("sklearn", "sklearn.linear_model, sklearn.model_selection, sklearn.pipeline")
PROGRAM = """
import sys, time
import {names}
packages = {{module.partition(".")[0] for module in sys.modules}} - sys.stdlib_module_names
print(time.process_time(), *packages)
"""


def imported(names):
    """Return the CPU seconds of a process that imports modules, and all packages it loads."""
    command = [sys.executable, "-P", "-W", "error", "-c", PROGRAM.format(names=names)]
    seconds, *packages = subprocess.check_output(command, text=True).split()
    return float(seconds), {each for each in packages if not each.startswith("_")}


def main():
    """Print the medians of several runs."""
    runs = [{names: imported(names) for names in (OWN, *OTHERS)} for _ in range(N_RUNS)]
    seconds = {names: statistics.median(run[names][0] for run in runs) for names in runs[0]}
    print(f"{OWN}: {seconds[OWN]:.2f} s of a processor")
    for names in OTHERS:
        added = sorted(runs[-1][OWN][1] - runs[-1][names][1])
        ratio = seconds[OWN] / seconds[names]
        print(f"{ratio:.2f} times {names} ({seconds[names]:.2f} s); it adds {', '.join(added)}")


if __name__ == "__main__":
    main()
