// Values that stand for the results of other tasks. Anywhere in an argument, they become inputs of the task.

/** Rows of one layer that a reference stands for. */
export interface ReferencedRows {
  /** Number of the layer, for the connection that made it. */
  readonly layer: number;
  readonly first: number;
  readonly count: number;
  /** The part of each row's value that is meant; undefined: the whole value. */
  readonly part: number | undefined;
  /** True: an array of the rows' values; false: the value of the one row. */
  readonly array: boolean;
}

/** Whose task an argument is for. */
export interface ReferenceOwner {
  /** The connection the task goes to: only its futures can be inputs. */
  readonly connection: object;
  /** The row of a lazy node, within the graph being submitted. */
  place(node: Reference): ReferencedRows | undefined;
}

/** Base of futures, future arrays, their parts and lazy nodes. */
export abstract class Reference {
  /**
   * The rows meant, for a task of `owner`.
   * @throws HeddleError ERR_ARGUMENT if they belong to another connection, ERR_RELEASED if they were released
   * @internal
   */
  abstract resolveFor(owner: ReferenceOwner): ReferencedRows;
}
