/** How every socket of a worker process is made. Sockets live on the main thread alone. */
import { Context, Dealer, Router } from 'zeromq';
import { limits } from '../wire/index.js';

// Not blocky: the process never waits at its end for undelivered messages.
const context = new Context({ blocky: false });

/** Replies queued for one peer that does not read; more are dropped, and the peer asks again. */
const DATA_FRAMES_MAX = 64;

/**
 * A DEALER that queues only towards a live peer; flow control is the protocol's, so no high-water
 * marks.
 */
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
    maxMessageSize: limits.CONTROL_FRAME_BYTES_MAX,
  });
}

/**
 * The ROUTER that serves values. A peer that asks and does not read loses replies, never memory
 * here.
 */
export function openDataRouter(): Router {
  return new Router({
    context,
    mandatory: true,
    linger: 0,
    sendTimeout: 0,
    sendHighWaterMark: DATA_FRAMES_MAX,
    handshakeInterval: 3_000,
    maxMessageSize: limits.CHUNK_BYTES_MAX + 65_536,
  });
}
