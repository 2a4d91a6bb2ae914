// Questions to the scheduler: one promise each, answered within a time; asked again where the connection returned.
import { HeddleError } from '../errors/index.js';
import { encodeQuery, type FrameParts } from '../wire/index.js';

const QUERY_MS = 10_000;

interface Question {
  readonly what: string;
  readonly body: string;
  readonly answer: (body: string | undefined) => void;
}

/** The unanswered questions of one session. */
export class Queries {
  readonly #send: (encode: (epoch: number) => FrameParts) => void;
  readonly #open = new Map<number, Question>();
  #last = 0;

  constructor(send: (encode: (epoch: number) => FrameParts) => void) {
    this.#send = send;
  }

  /**
   * Asks; gives the answer's body, or undefined if the session ended first.
   * @throws HeddleError ERR_TIMEOUT after 10 s
   */
  async ask(what: string, body: string): Promise<string | undefined> {
    const request = ++this.#last;
    let timer: NodeJS.Timeout | undefined;
    return new Promise<string | undefined>((resolve, reject) => {
      timer = setTimeout(() => {
        this.#open.delete(request);
        const text = `the scheduler did not answer '${what}' in ${QUERY_MS} ms`;
        reject(new HeddleError('ERR_TIMEOUT', text));
      }, QUERY_MS);
      this.#open.set(request, { what, body, answer: resolve });
      this.#send((epoch) => encodeQuery(epoch, { request, what, body }));
    }).finally(() => clearTimeout(timer));
  }

  /** Asks what is unanswered again: an answer may have been lost with a transport. */
  askAgain(): void {
    for (const [request, { what, body }] of this.#open) {
      this.#send((epoch) => encodeQuery(epoch, { request, what, body }));
    }
  }

  /** Takes an answer in. */
  answered(request: number, body: string | undefined): void {
    this.#open.get(request)?.answer(body);
    this.#open.delete(request);
  }

  /** The session has ended. */
  end(): void {
    for (const { answer } of this.#open.values()) answer(undefined);
    this.#open.clear();
  }
}
