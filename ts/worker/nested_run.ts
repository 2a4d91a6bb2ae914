/**
 * Runs that submit tasks of their own. Such a run is known by the asynchronous context its body
 * runs in, for it secedes while it waits for what it submitted: its lane runs other bodies
 * meanwhile, and `ctx` must tell them apart. Bodies that never ask for the client cost none of
 * this.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Client } from '../client/client.js';
import { Scope } from '../client/scope.js';
import type { AnyWait, WaitWatcher } from '../client/wait.js';
import { HeddleError } from '../errors/index.js';
import { ChildSession, type PostChild } from './child_session.js';
import type { CurrentRun } from './context.js';

/** Runs of one lane that may have seceded at a time. */
const SECEDED_MAX = 10_000;

/** What a run is, taken when its body first asks for the client. */
export interface RunIdentity {
  readonly slot: number;
  readonly attempt: number;
  readonly runKey: string;
  readonly priority: number;
  readonly step: number;
  /** Aborts when the run is given up. */
  readonly abort: AbortController;
}

/** A run whose body asked for the client. */
export class NestedRun implements CurrentRun {
  readonly active = true;
  readonly slot: number;
  readonly attempt: number;
  readonly runKey: string;
  step: number;
  readonly client: Client;
  seceded = false;
  readonly #scope = new Scope();
  readonly #waits = new Set<AnyWait>();
  readonly #abort: AbortController;

  constructor(identity: RunIdentity, session: ChildSession) {
    this.slot = identity.slot;
    this.attempt = identity.attempt;
    this.runKey = identity.runKey;
    this.step = identity.step;
    this.#abort = identity.abort;
    this.client = Client.within(session.open(), identity.priority, this.#scope);
    this.#abort.signal.addEventListener('abort', () => this.end(), { once: true });
    if (this.#abort.signal.aborted) this.end();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** True while it waits for what it submitted. */
  get waits(): boolean {
    return this.#waits.size > 0;
  }

  /** Says that the run is to end. */
  giveUp(): void {
    this.#abort.abort();
  }

  /** The run is over: what it submitted is given up. */
  end(): void {
    this.#abandon();
    this.#scope.end();
  }

  /** @throws HeddleError ERR_CANCELLED if the run is over or to end */
  began(wait: AnyWait): void {
    if (this.#scope.ended) throw cancelled();
    this.#waits.add(wait);
  }

  ended(wait: AnyWait): void {
    this.#waits.delete(wait);
  }

  #abandon(): void {
    for (const wait of [...this.#waits]) wait.abandon(cancelled());
  }
}

function cancelled(): HeddleError {
  return new HeddleError(
    'ERR_CANCELLED',
    'the task that waits was cancelled, timed out or has ended: what it submitted ended with it',
  );
}

/** The runs of one lane whose bodies asked for the client. */
export class NestedRuns implements WaitWatcher {
  readonly session: ChildSession;
  readonly #context = new AsyncLocalStorage<NestedRun | undefined>();
  readonly #waits = new Map<AnyWait, NestedRun>();
  readonly #seceded = new Map<number, NestedRun>();
  #used = false;

  constructor(
    post: PostChild,
    epoch: () => number,
    /** Called when a run begins to wait. */
    private readonly waiting: (run: NestedRun) => void,
  ) {
    this.session = new ChildSession(post, epoch, this);
  }

  /** The run of the body that is executing, if that asked for the client. */
  get current(): NestedRun | undefined {
    return this.#used ? this.#context.getStore() : undefined;
  }

  /** Runs that wait beside their lane. */
  get secededCount(): number {
    return this.#seceded.size;
  }

  /** Makes the run of the body that is executing one that may submit. */
  enter(identity: RunIdentity): NestedRun {
    const run = new NestedRun(identity, this.session);
    this.#used = true;
    this.#context.enterWith(run);
    return run;
  }

  /** The body has returned to the lane's loop, which is nobody's run. */
  leave(): void {
    this.#context.enterWith(undefined);
  }

  /** The run's body goes on beside the lane. */
  secede(run: NestedRun): void {
    run.seceded = true;
    this.#seceded.set(run.slot, run);
  }

  /** The run is over. */
  end(run: NestedRun): void {
    this.#seceded.delete(run.slot);
    run.end();
    this.session.flush();
  }

  /** A seceded run is to end. */
  giveUp(slot: number): void {
    this.#seceded.get(slot)?.giveUp();
    this.session.flush();
  }

  began(wait: AnyWait): void {
    const run = this.current;
    if (run === undefined) return;
    if (!run.seceded && this.#seceded.size >= SECEDED_MAX) {
      throw new HeddleError(
        'ERR_LIMIT_EXCEEDED',
        `${SECEDED_MAX} tasks of this lane already wait for tasks they submitted`,
      );
    }
    run.began(wait);
    this.#waits.set(wait, run);
    this.waiting(run);
  }

  ended(wait: AnyWait): void {
    this.#waits.get(wait)?.ended(wait);
    this.#waits.delete(wait);
  }
}
