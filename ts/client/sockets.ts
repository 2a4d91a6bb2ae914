// How every socket of a client is made: one ZeroMQ context, bounded lingering, no queue without a peer.
import { Context, Dealer } from 'zeromq';
import { HeddleError } from '../errors/index.js';

// Not blocky: a process never waits at its end for undelivered messages.
const context = new Context({ blocky: false });

/** Milliseconds a closing socket may take to deliver its goodbye. */
export const CLOSE_LINGER_MS = 1_000;

/** A DEALER that queues only towards a live peer; flow control is the protocol's, so no high-water marks. */
export function openDealer(): Dealer {
  return new Dealer({
    context,
    immediate: true,
    linger: 0,
    sendHighWaterMark: 0,
    receiveHighWaterMark: 0,
    reconnectInterval: 100,
    reconnectMaxInterval: 5_000,
    handshakeInterval: 3_000,
  });
}

/** @throws HeddleError ERR_ADDRESS_INVALID unless `address` is tcp://HOST:PORT or ipc://PATH */
export function checkAddress(address: string): void {
  if (typeof address === 'string' && /^(?:tcp:\/\/[^/\s]+:\d{1,5}|ipc:\/\/\S.*)$/.test(address)) {
    return;
  }
  throw new HeddleError(
    'ERR_ADDRESS_INVALID',
    `'${String(address)}' is not an address: expected tcp://HOST:PORT or ipc://PATH`,
  );
}
