// The one table of error codes: what each means and what to do about it. Codes are stable; texts may improve.

interface CodeEntry {
  readonly meaning: string;
  readonly remedy: string;
}

/** Every code a Heddle error can carry. */
export const ERROR_CODES = {
  // Arguments and functions: raised at the call site, nothing was sent.
  ERR_ARGUMENT: {
    meaning: 'an argument has the wrong type or is out of range',
    remedy: 'correct the argument the message names',
  },
  ERR_ARGUMENT_TOO_LARGE: {
    meaning: 'the arguments of one task are larger than travels with a task',
    remedy: 'scatter the large value once with client.scatter() and pass the future',
  },
  ERR_ARGUMENT_SERIALIZATION: {
    meaning: 'an argument cannot be copied to another process',
    remedy: 'pass plain data; the message names the path of the value that is not',
  },
  ERR_TASK_SERIALIZATION: {
    meaning: 'a function cannot be shipped: it uses something outside itself',
    remedy: 'pass it as an argument, or export the function with task(import.meta.url, name, fn)',
  },
  ERR_TASK_MODULE: {
    meaning: 'the worker cannot import the module of a task, or the module does not export it',
    remedy: 'export the task under the name given to task(), from a module workers can read',
  },
  ERR_CLUSTER_IN_WORKER: {
    meaning: 'a module that starts a cluster was imported by a worker',
    remedy: 'move its tasks into a module of their own and import that from both sides',
  },
  ERR_GRAPH_CYCLE: {
    meaning: 'tasks of a graph wait for each other in a circle',
    remedy: 'remove one of the dependencies on the path the message names',
  },
  ERR_TEMPLATE_PARAMETER: {
    meaning: 'a parameter of a template is missing, unknown, of another shape or too large',
    remedy: 'correct the parameter the message names',
  },
  ERR_GRAPH_INVALID: {
    meaning: 'a graph names rows or layers that do not exist',
    remedy: 'correct the reference the message names',
  },
  ERR_LIMIT_EXCEEDED: {
    meaning: 'a request is larger than a fixed limit of the protocol',
    remedy: 'split the work; the message names the limit and its value',
  },
  ERR_KEY_CONFLICT: {
    meaning: 'a key is in use for work with another definition',
    remedy: 'use another key, or release the futures that hold this one',
  },

  // What became of a task.
  ERR_TASK_FAILED: {
    meaning: 'user code of a task threw',
    remedy: 'read the message and the remote stack; options.retries repeats the task',
  },
  ERR_TASK_EXITED: {
    meaning: 'user code of a task ended its lane: process.exit, an uncaught error or out of memory',
    remedy: 'return or throw instead of exiting; await every promise the task starts',
  },
  ERR_TASK_TIMEOUT: {
    meaning: 'a task ran longer than its timeout option',
    remedy: 'raise the timeout or divide the task',
  },
  ERR_TASK_WAIT: {
    meaning:
      'a task returned while it waited for tasks it had submitted: a body that is not async cannot wait',
    remedy: 'make the body async and await the results',
  },
  ERR_TASK_KILLED_WORKERS: {
    meaning: 'worker processes died whenever they ran this task',
    remedy: 'look for native crashes or exhausted memory in the task',
  },
  ERR_RESULT_SERIALIZATION: {
    meaning: 'the result of a task cannot be copied to another process',
    remedy: 'return plain data; the message names the path of the value that is not',
  },
  ERR_CANCELLED: {
    meaning: 'the task was cancelled',
    remedy: 'submit it again if it is still needed',
  },
  ERR_DEPENDENCY_LOST: {
    meaning: 'a value is gone and cannot be computed again (scattered data dies with its worker)',
    remedy: 'scatter the value again',
  },
  ERR_RELEASED: {
    meaning: 'the future was released, so its value may be gone',
    remedy: 'read results before release() or before the end of its `using` block',
  },

  // Waiting and connections.
  ERR_TIMEOUT: {
    meaning: 'something did not happen within the timeout the caller gave',
    remedy: 'give a longer timeout, or look at client.stats() for what the work waits for',
  },
  ERR_NO_WORKERS: {
    meaning: 'the timeout passed while no worker was connected',
    remedy: 'start one: `heddle worker --connect ADDRESS`',
  },
  ERR_CONNECT_TIMEOUT: {
    meaning: 'no scheduler answered at the address within the timeout',
    remedy: 'check the address and that `heddle scheduler` is running there',
  },
  ERR_SCHEDULER_LOST: {
    meaning: 'the connection to the scheduler is gone, and with it every pending future',
    remedy: 'connect again and submit the work again',
  },
  ERR_CLOSED: {
    meaning: 'the client, cluster or scheduler has been closed',
    remedy: 'use it before close(), or open a new one',
  },
  ERR_PROTOCOL_VERSION: {
    meaning: 'the two sides speak different versions of the protocol',
    remedy: 'install the same version of heddle on both sides',
  },
  ERR_PROTOCOL: {
    meaning: 'a peer sent bytes that are not a valid frame',
    remedy: 'check that the address belongs to Heddle and that both sides have the same version',
  },
  ERR_ADDRESS_INVALID: {
    meaning: 'an address is not of the form tcp://HOST:PORT or ipc://PATH',
    remedy: 'correct the address',
  },
  ERR_ADDRESS_IN_USE: {
    meaning: 'the port or socket path is taken',
    remedy: 'choose another port, or 0 for any free one',
  },
  ERR_ADDRESS_NOT_LOOPBACK: {
    meaning: 'a socket would be open to the network without encryption',
    remedy: 'bind ipc:// or a loopback address such as tcp://127.0.0.1:8786',
  },
  ERR_WORKER_START: {
    meaning: 'worker processes of a local cluster did not come up',
    remedy: 'read the output of the worker that the message quotes',
  },

  // Data frames and files.
  ERR_COLUMN_UNKNOWN: {
    meaning: 'a data frame has no column of that name',
    remedy: 'use one of the nearest names the message suggests',
  },
  ERR_FILE_MISSING: {
    meaning: 'a file or folder does not exist or cannot be read',
    remedy: 'check the path; workers must be able to read it too',
  },
  ERR_PARQUET_CORRUPT: {
    meaning: 'a file is not Parquet, is truncated or damaged',
    remedy: 'write the file again; the message names what is wrong where',
  },
  ERR_DISK_FULL: {
    meaning: 'too little space to write the output, or a file larger than the worker may write',
    remedy: 'free the space or raise the limit that the message names, or choose another folder',
  },
  ERR_TYPE_UNSUPPORTED: {
    meaning: 'a column type is not supported by the operation',
    remedy: 'cast the column, or choose another',
  },
  ERR_SCHEMA_MISMATCH: {
    meaning: 'files of one data frame have different columns',
    remedy: 'choose common columns with the columns option, or read the files apart',
  },
  ERR_RECORD_VERSION: {
    meaning: 'a record was made by another version or build of heddle',
    remedy: 'replay it with the build that recorded it, or record the run again',
  },
  ERR_RECORD_TRUNCATED: {
    meaning: 'a record ends before its trailer: the scheduler was killed or its disk was full',
    remedy: 'record the run again and stop the scheduler with Ctrl-C',
  },
  ERR_RECORD_CORRUPT: {
    meaning: 'a file is no record, or was changed or damaged at the byte the message names',
    remedy: 'copy the file again, or record the run again',
  },
  ERR_RECORD_DIVERGED: {
    meaning: 'the replay of a record came to another end than the run: a fault in Heddle itself',
    remedy: 'report it with the file',
  },
  ERR_IO: {
    meaning: 'the operating system refused to read or write a file',
    remedy: 'read the reason in the message: permissions, a folder in the way, a failing disk',
  },

  // The installation and our own faults.
  ERR_NATIVE_MISSING: {
    meaning: 'the native addon for this platform is not built',
    remedy: 'run `npm run build` in the repository (needs Rust, a C/C++ compiler and make)',
  },
  ERR_ENGINE_POISONED: {
    meaning: 'the engine found its own state inconsistent and stopped; nothing was guessed',
    remedy: 'start the scheduler again, submit the work again and report the message',
  },
  ERR_INTERNAL: {
    meaning: 'a fault in Heddle itself',
    remedy: 'report it with the message and the stack',
  },
} as const satisfies Record<string, CodeEntry>;

/** A stable error code: a key of the table. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** True if `code` is one of the table's. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);
}
