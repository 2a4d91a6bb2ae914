/**
 * The worker of the floors: a main thread and its socket, nothing else. `echo` sends every message back;
 * `loop` reads each Assign frame, calls a no-op per record and answers with one Done frame.
 */
import process from 'node:process';
import { Dealer } from 'zeromq';
import {
  Codec,
  decodeAssign,
  encodeDone,
  type Frame,
  type FrameParts,
  Outcome,
  splitFrame,
} from '#heddle/wire/index.js';

const [mode, address] = process.argv.slice(2);
if (address === undefined || (mode !== 'echo' && mode !== 'loop')) {
  throw new Error('usage: floor_worker.js echo|loop ADDRESS');
}

// The parent's end is this process's end.
process.stdin.resume().once('end', () => process.exit(0));

/** The no-op of the end-to-end cases. */
const same = (x: number): number => x;

function answer(frame: Frame): FrameParts {
  const { proc, incarnation, sections } = decodeAssign(frame);
  const payload: Uint8Array[] = [];
  const done = sections.map((section) => {
    const { lane, laneEpoch, serial, first, count, part, dataOffset } = section;
    const bytes = frame.payload[part] as Uint8Array;
    // A received part owns its memory and starts at 0; row data starts at a multiple of 8.
    const items = new Float64Array(bytes.buffer, bytes.byteOffset + dataOffset, count);
    const results = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      try {
        results[i] = same(items[i] as number);
      } catch {
        results[i] = Number.NaN;
      }
    }
    payload.push(new Uint8Array(results.buffer));
    return {
      lane,
      laneEpoch,
      serial,
      outcome: Outcome.Ok,
      first,
      count,
      codec: Codec.F64,
      stride: 8,
      part: payload.length - 1,
      offset: 0,
    };
  });
  return encodeDone(frame.epoch, { proc, incarnation, sections: done }, payload);
}

const socket = new Dealer({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
socket.connect(address);
// Says that it is here: a ROUTER knows a peer by its first message.
await socket.send('hello');
for await (const parts of socket) {
  await socket.send(mode === 'echo' ? parts : answer(splitFrame(parts)));
}
