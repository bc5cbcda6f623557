#!/usr/bin/python3
"""Memory of training by rows, per rank over its share of the records: bench_rows on 4 ranks.

20 features, 4 targets, min_leaf 5, bag of rows, calibrated residuals, as the program trains them. Rows are
made where they are needed. Memory is the most of all ranks: what the program counts, and what is resident
above a program that has only started MPI. First a part of the rows is trained by rows and, on one rank, by
trees: both models must have the same content hash. Nothing is timed, so other work may run.

    row_distributed.py [--quick] [--bench PATH/bench_rows] [--rows N] [--trees T] [--ranks R] [--check N]

The last line is `row_distributed ratio=R target=2.5`, R the larger of the two ratios. Fixed buffers of about
12 MiB are a part of it that shows with --quick, where a rank has a share of 31 MiB.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

FEATURES, TARGETS, MIN_LEAF = 20, 4, 5


def train(args, folder, scheme, rows, ranks):
    """What bench_rows says of a training."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1",
                       OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    shape = [str(v) for v in (rows, FEATURES, TARGETS, args.trees, MIN_LEAF)]
    run = subprocess.run(["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none", args.bench, scheme,
                          *shape, os.path.join(folder, "model.hdf5")], env=environment, check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(run.stdout)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1e6 rows, 4 trees")
    parser.add_argument("--bench", default=f"{here}/../build/release/bench/bench_rows")
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--trees", type=int, default=0)
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--check", type=int, default=0, help="rows of the comparison with training by trees")
    parser.add_argument("--folder", help="where the model goes, which is large (default: the system's)")
    args = parser.parse_args()
    if not os.path.exists(args.bench):
        sys.exit(f"'{args.bench}' does not exist: build the target bench_rows")
    args.rows = args.rows or (1000000 if args.quick else 20000000)
    args.trees = args.trees or (4 if args.quick else 16)
    args.check = args.check or (100000 if args.quick else 1000000)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        part = train(args, folder, "rows", args.check, args.ranks)
        whole = train(args, folder, "trees", args.check, 1)
        if part["hash"] != whole["hash"]:
            sys.exit(f"{args.check} rows: {part['hash']} by rows, {whole['hash']} by trees")
        print(f"{args.check} rows, {args.trees} trees: {part['hash']} by rows and by trees", flush=True)
        run = train(args, folder, "rows", args.rows, args.ranks)
    print(f"{args.rows} rows, {args.trees} trees, {args.ranks} ranks: share of the records {run['share_mib']} MiB, "
          f"counted {run['counted_mib']} MiB ({run['counted_ratio']:.2f}), resident {run['resident_mib']} MiB "
          f"({run['resident_ratio']:.2f}), {run['messages']} messages, {run['sent_mib']} MiB sent by a rank")
    print(f"row_distributed ratio={max(run['counted_ratio'], run['resident_ratio']):.2f} target=2.5")


if __name__ == "__main__":
    main()
