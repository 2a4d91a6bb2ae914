// Trees by arithmetic, as the scheduler lays them out: level by level, the root last.

/** Rows of a tree of `fanIn` over `inputs` rows: every level has one per `fanIn` of the level below, the last one row. */
export function treeRows(inputs: number, fanIn: number): number {
  let rows = 0;
  for (let below = inputs; below > 0; ) {
    below = Math.ceil(below / fanIn);
    rows += below;
    if (below === 1) break;
  }
  return rows;
}
