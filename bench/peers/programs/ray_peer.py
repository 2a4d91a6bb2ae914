"""Ray in the comparison: two CPUs, so two worker processes, as Heddle's."""

import json
import statistics
import sys
import time

PRIME = 1_000_003
WIDTH = 4


def tree(add, tasks):
    level = [add.remote(1) for _ in range((tasks + 1) // 2)]
    while len(level) > 1:
        level = [add.remote(1, level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level


def chain(add, tasks):
    last = add.remote(1)
    for _ in range(1, tasks):
        last = add.remote(1, last)
    return [last]


def merge(add, tasks):
    return [add.remote(1, *[add.remote(1) for _ in range(tasks - 1)])]


def stencil(add, tasks):
    row = [add.remote(1) for _ in range(WIDTH)]
    for _ in range(1, tasks // WIDTH):
        row = [add.remote(1, *row[max(0, i - 1) : i + 2]) for i in range(WIDTH)]
    return row


GRAPHS = {"tree": tree, "chain": chain, "merge": merge, "stencil": stencil}


def run(ray, add, shape, tasks):
    start = time.perf_counter()
    if shape in ("map", "submit"):
        answer = sum(ray.get([add.remote(i) for i in range(tasks)]))
    elif shape == "rtt":
        answer, times = 0, []
        for i in range(tasks):
            begin = time.perf_counter()
            answer += ray.get(add.remote(i))
            times.append(time.perf_counter() - begin)
        return {"seconds": statistics.median(times), "answer": answer}
    else:
        answer = sum(ray.get(GRAPHS[shape](add, tasks)))
    return {"seconds": time.perf_counter() - start, "answer": answer % PRIME}


def main():
    import ray

    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=256 * 1024 * 1024,
        _temp_dir=sys.argv[1],
    )

    @ray.remote
    def add(own, *reads):
        return (own + sum(reads)) % PRIME

    python = sys.version.split()[0]
    version = f"ray {ray.__version__}, Python {python}"
    print(json.dumps({"ready": True, "version": version}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(run(ray, add, order["shape"], order["tasks"])), flush=True)
    ray.shutdown()


if __name__ == "__main__":
    main()
