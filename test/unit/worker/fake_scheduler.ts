// A scheduler's side of the protocol for one worker process, played by a test: real sockets, a real
// process.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Context, Router } from 'zeromq';
import { encodeFunctionBody, hashBody } from '#heddle/graph/function_body.js';
import {
  type AssignSection,
  Codec,
  type Done,
  type DoneSection,
  type Draft,
  decodeDone,
  decodeHello,
  decodeLanes,
  encodeAssign,
  encodeDefineFunction,
  encodeDefineLayer,
  encodeFree,
  encodeHeartbeat,
  encodePeers,
  encodeRetract,
  encodeWelcome,
  type Frame,
  type Hello,
  Kind,
  type Lanes,
  limits,
  Outcome,
  type RetractSection,
  splitFrame,
  ValueColumn,
  WHOLE_VALUE,
} from '#heddle/wire/index.js';

const MAIN = fileURLToPath(import.meta.resolve('#heddle/worker/main.js'));
export const EPOCH = 0x5eed;
export const PROC = 1;
const WAIT_MS = 20_000;

/** What a worker said of one record. */
export interface Told {
  readonly serial: number;
  readonly index: number;
  readonly attempt: number;
  readonly outcome: Outcome;
  readonly stored: boolean;
  readonly size: number;
  readonly value: unknown;
  readonly section: DoneSection;
}

export type AnyFrame = { readonly done?: Told[]; readonly lanes?: Lanes; readonly frame: Frame };

/** One worker process under the thumb of a test. */
export class FakeScheduler implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'heddle-test-'));
  readonly address = `ipc://${this.dir}/s`;
  readonly told: Told[] = [];
  readonly lanes: Lanes[] = [];
  readonly frames: Frame[] = [];
  hello!: Hello;
  child!: ChildProcess;
  exitCode: Promise<number | null> = Promise.resolve(null);
  stderr = '';
  readonly #router = new Router({
    context: new Context({ blocky: false }),
    mandatory: true,
    linger: 0,
    sendHighWaterMark: 0,
    receiveHighWaterMark: 0,
  });
  #peer: Uint8Array | null = null;
  #changed: (() => void)[] = [];
  #beat: NodeJS.Timeout | null = null;

  static async start(lanes = 1, args: readonly string[] = []): Promise<FakeScheduler> {
    const scheduler = new FakeScheduler();
    await scheduler.#router.bind(scheduler.address);
    void scheduler.#receive();
    scheduler.spawn(lanes, args);
    await scheduler.until(() => scheduler.hello !== undefined);
    scheduler.#beat = setInterval(() => void scheduler.send(encodeHeartbeat(EPOCH, {})), 500);
    return scheduler;
  }

  spawn(lanes: number, args: readonly string[]): void {
    const child = spawn(
      process.execPath,
      [MAIN, '--connect', this.address, '--lanes', `${lanes}`, ...args],
      { stdio: ['pipe', 'inherit', 'pipe'] },
    );
    child.stderr?.on('data', (text: Buffer) => {
      this.stderr += text.toString();
    });
    this.child = child;
    this.exitCode = new Promise((resolve) => child.once('exit', resolve));
  }

  /** Sends frames in order. */
  async send(...frames: Uint8Array[][]): Promise<void> {
    for (const parts of frames) {
      if (this.#router.closed || this.#peer === null) return;
      const peer = this.#peer;
      const sent = this.#sending.then(() => this.#router.send([peer, ...parts]));
      this.#sending = sent.catch(() => {});
      await sent.catch(() => {});
    }
  }
  #sending: Promise<void> = Promise.resolve();

  /** Waits until `test` holds; fails after a generous time. */
  async until(test: () => boolean, what = test.toString()): Promise<void> {
    const deadline = performance.now() + WAIT_MS;
    while (!test()) {
      if (performance.now() > deadline)
        throw new Error(`not within ${WAIT_MS} ms: ${what}\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#changed.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Waits until something was said of a record. */
  async outcome(serial: number, index: number, attempt = 1): Promise<Told> {
    const find = (): Told | undefined =>
      this.told.find((t) => t.serial === serial && t.index === index && t.attempt === attempt);
    await this.until(() => find() !== undefined, `outcome of ${serial}:${index}:${attempt}`);
    return find() as Told;
  }

  /** Defines a function from source, with a layer of the same number that runs it. */
  async define(
    serial: number,
    source: string,
    layer: { template?: Uint8Array; dataCodec?: Codec } = {},
  ): Promise<void> {
    await this.defineBody(
      serial,
      encodeFunctionBody({ kind: 'source', name: `f${serial}`, source }),
      layer,
    );
  }

  async defineBody(
    serial: number,
    body: Uint8Array,
    layer: { template?: Uint8Array; dataCodec?: Codec } = {},
  ): Promise<void> {
    await this.send(
      encodeDefineFunction(EPOCH, {
        function: serial,
        hash: hashBody(body),
        name: `f${serial}`,
        body,
      }),
      encodeDefineLayer(EPOCH, {
        serial,
        function: serial,
        name: `f${serial}`,
        template: layer.template,
        dataCodec: layer.dataCodec ?? Codec.F64,
      }),
    );
  }

  /** Assigns one section. */
  async assign(section: Draft<AssignSection>, payload: Uint8Array[] = []): Promise<void> {
    const whole = { lane: 0, laneEpoch: 1, ...section };
    await this.send(
      encodeAssign(EPOCH, { proc: PROC, incarnation: PROC, sections: [whole] }, payload),
    );
  }

  /** Assigns rows `first …` of a layer whose items are these numbers. */
  async assignNumbers(
    serial: number,
    numbers: readonly number[],
    more: Draft<AssignSection> = {},
  ): Promise<void> {
    const bytes = new Uint8Array(Float64Array.from(numbers).buffer);
    const section = { serial, count: numbers.length, part: 0, dataStride: 8, ...more };
    await this.assign(section, [bytes]);
  }

  async retract(section: Draft<RetractSection>): Promise<void> {
    const whole = { lane: 0, laneEpoch: 1, ...section };
    await this.send(encodeRetract(EPOCH, { proc: PROC, incarnation: PROC, sections: [whole] }));
  }

  async free(serial: number, start: number, count: number): Promise<void> {
    const of = (n: number): Uint32Array => Uint32Array.of(n);
    const runs = { serials: of(serial), starts: of(start), counts: of(count), attempts: of(1) };
    await this.send(encodeFree(EPOCH, { proc: PROC, incarnation: PROC, ...runs }));
  }

  async peers(peers: { proc: number; address: string }[], gone: number[] = []): Promise<void> {
    await this.send(encodePeers(EPOCH, { peers, gone: Uint32Array.from(gone) }));
  }

  /** Raw parts to the worker's control socket. */
  async raw(parts: Uint8Array[]): Promise<void> {
    await this.send(parts);
  }

  /** Kills the scheduler side without a goodbye. */
  vanish(): void {
    if (this.#beat !== null) clearInterval(this.#beat);
    if (!this.#router.closed) this.#router.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.vanish();
    this.child.kill('SIGKILL');
    await this.exitCode;
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #receive(): Promise<void> {
    while (!this.#router.closed) {
      let message: Uint8Array[];
      try {
        message = await this.#router.receive();
      } catch {
        return;
      }
      const [peer, ...parts] = message as [Uint8Array, ...Uint8Array[]];
      this.#take(peer, splitFrame(parts));
      for (const changed of this.#changed.splice(0)) changed();
    }
  }

  #take(peer: Uint8Array, frame: Frame): void {
    this.frames.push(frame);
    if (frame.kind === Kind.Hello) {
      this.#peer = peer;
      void this.send(
        encodeWelcome(EPOCH, {
          peer: PROC,
          incarnation: PROC,
          epoch: EPOCH,
          heartbeatMs: limits.HEARTBEAT_MS,
          inlineBytesMax: limits.INLINE_BYTES_MAX,
        }),
      );
      this.hello = decodeHello(frame);
    } else if (frame.kind === Kind.Lanes) {
      this.lanes.push(decodeLanes(frame));
    } else if (frame.kind === Kind.Done) {
      this.#done(decodeDone(frame), frame.payload);
    }
  }

  #done(done: Done, payload: readonly Uint8Array[]): void {
    for (const section of done.sections) {
      const { count, codec, codecs, stride, sizes, homes, offset } = section;
      const column = new ValueColumn(
        { rows: count, codec, codecs, stride, sizes, homes, offset },
        payload[section.part],
      );
      for (let k = 0; k < count; k++) {
        const stored = homes?.[k] === 1;
        this.told.push({
          serial: section.serial,
          index: section.indices?.[k] ?? section.first + k,
          attempt: section.attempts?.[k] ?? 1,
          outcome: section.outcome,
          stored,
          size: column.size(k),
          value: stored || section.outcome > Outcome.Failed ? undefined : column.value(k),
          section,
        });
      }
    }
  }
}

export const whole = WHOLE_VALUE;
