/** Floors of the whole loop: our ROUTER, a real second process, nothing of Heddle above them. */
import { Dealer } from 'zeromq';
import type { Case, Session, Size } from '../harness.js';
import { native } from '../native.js';
import { Child, SocketFolder } from '../processes.js';
import { median, quantile } from '../stats.js';
import { timeOnce } from '../time.js';

const RECORDS: Record<Size, number> = { smoke: 20_480, full: 2_048_000 };
const TRIPS: Record<Size, number> = { smoke: 100, full: 2_000 };
const WARM_RECORDS = 204_800;
const WARM_TRIPS = 200;
const TRIP_BYTES = 64;

const loop: Case = {
  name: 'floor.loop',
  unit: 'tasks/s',
  async open(size): Promise<Session> {
    const folder = new SocketFolder();
    const address = folder.address('loop');
    const floor = new (native().BenchLoopFloor)(address);
    const worker = new Child('./floor_worker.js', ['loop', address]);
    floor.run(WARM_RECORDS);
    return {
      async round() {
        let answered = 0;
        const seconds = await timeOnce(() => {
          answered = floor.run(RECORDS[size]);
        });
        if (answered < RECORDS[size]) throw new Error(`only ${answered} records were answered`);
        return { value: answered / seconds };
      },
      async close() {
        await worker.stop();
        folder.remove();
      },
    };
  },
};

const rtt: Case = {
  name: 'floor.rtt',
  unit: 'us',
  async open(size): Promise<Session> {
    const folder = new SocketFolder();
    const address = folder.address('rtt');
    const relay = new (native().BenchRelayFloor)(address);
    const worker = new Child('./floor_worker.js', ['echo', address]);
    const socket = new Dealer({ linger: 0, receiveTimeout: 20_000 });
    socket.connect(address);
    await socket.send('hello');
    const trip = async (number: number): Promise<void> => {
      const message = Buffer.alloc(TRIP_BYTES);
      message.writeUInt32LE(number);
      await socket.send(message);
      const [answer] = await socket.receive();
      if (answer === undefined || !message.equals(answer)) throw new Error('another message came');
    };
    // The worker may come up after the first message, which the relay then cannot pass on.
    await untilBothThere(socket);
    for (let i = 0; i < WARM_TRIPS; i++) await trip(i);
    return {
      async round() {
        const times: number[] = [];
        for (let i = 0; i < TRIPS[size]; i++) {
          const start = performance.now();
          await trip(i);
          times.push((performance.now() - start) * 1_000);
        }
        return { value: median(times), beside: { p99: quantile(times, 0.99) } };
      },
      async close() {
        socket.close();
        await worker.stop();
        relay.stop();
        folder.remove();
      },
    };
  },
};

/** Sends until something comes back, then drains what the earlier tries may still bring. */
async function untilBothThere(socket: Dealer): Promise<void> {
  const patience = socket.receiveTimeout;
  socket.receiveTimeout = 100;
  let there = false;
  for (let tries = 0; tries < 200; tries++) {
    if (!there) await socket.send('there?');
    try {
      await socket.receive();
      there = true;
    } catch {
      if (there) break;
    }
  }
  socket.receiveTimeout = patience;
  if (!there) throw new Error("the floor's worker did not come up");
}

/** In the order of the report. */
export const FLOOR_CASES: readonly Case[] = [loop, rtt];
