"""Dask distributed in the comparison: two worker processes of one thread, as Heddle's."""

import json
import statistics
import sys
import time

PRIME = 1_000_003
WIDTH = 4


def add(own, *reads):
    return (own + sum(reads)) % PRIME


def add_list(own, reads):
    return (own + sum(reads)) % PRIME


def tree(tasks):
    leaves = (tasks + 1) // 2
    graph = {("t", 0, i): (add, 1) for i in range(leaves)}
    level = 0
    while leaves > 1:
        leaves //= 2
        for i in range(leaves):
            below = ("t", level, 2 * i), ("t", level, 2 * i + 1)
            graph["t", level + 1, i] = (add, 1, *below)
        level += 1
    return graph, [("t", level, 0)]


def chain(tasks):
    graph = {("c", 0): (add, 1)}
    for i in range(1, tasks):
        graph["c", i] = (add, 1, ("c", i - 1))
    return graph, [("c", tasks - 1)]


def merge(tasks):
    graph = {("m", i): (add, 1) for i in range(tasks - 1)}
    graph["merged"] = (add_list, 1, list(graph))
    return graph, ["merged"]


def stencil(tasks):
    steps = tasks // WIDTH
    graph = {}
    for step in range(steps):
        for i in range(WIDTH):
            near = range(max(0, i - 1), min(WIDTH, i + 2)) if step else ()
            graph["s", step, i] = (add, 1, *[("s", step - 1, j) for j in near])
    return graph, [("s", steps - 1, i) for i in range(WIDTH)]


GRAPHS = {"tree": tree, "chain": chain, "merge": merge, "stencil": stencil}


def run(client, shape, tasks):
    start = time.perf_counter()
    if shape == "map":
        answer = sum(client.gather(client.map(add, range(tasks), pure=False)))
    elif shape == "submit":
        futures = [client.submit(add, i, pure=False) for i in range(tasks)]
        answer = sum(client.gather(futures))
    elif shape == "rtt":
        answer, times = 0, []
        for i in range(tasks):
            begin = time.perf_counter()
            answer += client.submit(add, i, pure=False).result()
            times.append(time.perf_counter() - begin)
        return {"seconds": statistics.median(times), "answer": answer}
    else:
        graph, keys = GRAPHS[shape](tasks)
        answer = sum(client.get(graph, keys, optimize_graph=False))
    return {"seconds": time.perf_counter() - start, "answer": answer % PRIME}


def main():
    import dask
    from distributed import Client, LocalCluster

    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, Client(cluster) as client:
        python = sys.version.split()[0]
        version = f"dask {dask.__version__}, Python {python}"
        print(json.dumps({"ready": True, "version": version}), flush=True)
        for line in sys.stdin:
            order = json.loads(line)
            print(json.dumps(run(client, order["shape"], order["tasks"])), flush=True)


if __name__ == "__main__":
    main()
