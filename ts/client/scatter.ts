// scatter: a value of the client becomes the result of a row, without a task. Small ones travel with the layer;
// large ones are put to one worker's data socket, chunk by chunk.
import { HeddleError } from '../errors/index.js';
import { type Draft, encodeValue, type Layer, LayerKind, limits } from '../wire/index.js';
import { WANTED } from './row_batch.js';
import type { Rows, Waiter } from './rows.js';
import type { Session } from './session.js';

const LAYER_NAME = 'scatter';
/** How often the list of workers is asked for while there is none, in ms: from the first to the last. */
const POLL_MS_FIRST = 50;
const POLL_MS_LAST = 1_000;
/** Workers tried with one value. */
const PUTS_MAX = 4;

/** The rows of scattered values, one each. */
export function scatterValues(session: Session, values: readonly unknown[]): Rows {
  session.checkOpen();
  const encoded = values.map((value, i) => encodeValue(value, `argument ${i + 1}`));
  session.submitter.flush();
  const rows = session.openRows(values.length);
  rows.append(values.length);
  rows.closed = true;
  const codec = encoded[0]?.codec;
  const small = encoded.every(
    ({ bytes, codec: own }) => bytes.length <= limits.INLINE_BYTES_MAX && own === codec,
  );
  const layer: Draft<Layer> = {
    layer: rows.number,
    kind: LayerKind.Data,
    tasks: values.length,
    name: LAYER_NAME,
    flags: WANTED,
  };
  const graph = [{ rows, first: 0, count: values.length }];
  if (small && codec !== undefined) {
    const dataSizes = Uint32Array.from(encoded, ({ bytes }) => bytes.length);
    const payload = Buffer.concat(encoded.map(({ bytes }) => bytes));
    session.sendGraph(graph, [{ ...layer, dataCodec: codec, dataSizes, dataPart: 0 }], [payload]);
    return rows;
  }
  session.sendGraph(graph, [layer], []);
  // The caller may change what he gave while it is under way.
  const copies = encoded.map(({ codec: own, bytes }) => ({ codec: own, bytes: bytes.slice() }));
  rows.whenAccepted(() => {
    for (const [index, { codec: own, bytes }] of copies.entries()) {
      put(session, rows, index, own, bytes).catch((error: unknown) => fail(rows, index, error));
    }
  });
  return rows;
}

function fail(rows: Rows, index: number, error: unknown): void {
  if (rows.session.error !== undefined) return;
  const woken: Waiter[] = [];
  const reason = error instanceof Error ? error.message : String(error);
  const failure = new HeddleError(
    'ERR_DEPENDENCY_LOST',
    `the value could not be scattered: ${reason}`,
    {
      cause: error,
    },
  );
  rows.session.cancel(rows, index, 1, failure.message);
  rows.refuse(index, 1, failure, woken);
  for (const waiter of woken) waiter.wake();
}

async function put(
  session: Session,
  rows: Rows,
  index: number,
  codec: number,
  bytes: Uint8Array,
): Promise<void> {
  let failure: unknown;
  for (let tries = 0; tries < PUTS_MAX; tries++) {
    const address = await workerAddress(session, index + tries);
    try {
      await session.stored.peer(address).put(rows.serial, index, codec, bytes);
      return;
    } catch (error) {
      failure = error;
      session.checkOpen();
    }
  }
  throw failure;
}

/** The data address of some worker; waits until there is one. */
async function workerAddress(session: Session, turn: number): Promise<string> {
  for (let pause = POLL_MS_FIRST; ; pause = Math.min(2 * pause, POLL_MS_LAST)) {
    const addresses = dataAddresses(await session.query('info'));
    const address = addresses[turn % Math.max(1, addresses.length)];
    if (address !== undefined) return address;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function dataAddresses(info: unknown): string[] {
  const procs: unknown = (info as { procs?: unknown } | null)?.procs;
  if (!Array.isArray(procs)) return [];
  return procs
    .map((proc: unknown) => (proc as { dataAddress?: unknown } | null)?.dataAddress)
    .filter((address): address is string => typeof address === 'string' && address !== '');
}
