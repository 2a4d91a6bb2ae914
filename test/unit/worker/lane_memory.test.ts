// The claim protocol between two threads: every record is either run or taken back, never both,
// never neither.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ahead, LaneMemory, LaneState, SLOTS, Word } from '#heddle/worker/lane_memory.js';

test('slots compare across the wrap', () => {
  assert.equal(ahead(5, 3), 2);
  assert.equal(ahead(3, 5), -2);
  assert.equal(ahead(2, 0x7fff_ffff), 3);
  assert.equal(ahead(0x8000_0001, 0x7fff_fffe), 3);
});

test('without a lane, every record can be taken; one that runs cannot', () => {
  const memory = LaneMemory.allocate();
  assert.ok(memory.tryTake(0));
  assert.ok(memory.tryTake(7));
  assert.equal(memory.tryStart(0), false, 'taken');
  assert.ok(memory.tryStart(1));
  assert.ok(memory.isRunning(1));
  assert.equal(memory.tryTake(1), false, 'running');
  assert.equal(memory.finishedSince(0), 1);
  memory.publish(2);
  assert.equal(memory.finishedSince(0), 2);
  assert.ok(memory.tryTake(2), 'at it, not running it');
  assert.equal(memory.tryStart(2), false);
});

test('the protocol holds where slot numbers wrap', () => {
  const memory = LaneMemory.allocate();
  const last = 0xffff_ffff;
  memory.publish(last);
  assert.ok(memory.tryTake(0), 'slot 0 follows the last');
  assert.ok(memory.tryStart(last));
  assert.equal(memory.tryStart(0), false);
  assert.equal(memory.finishedSince(last), 1);
});

test('two threads race for every record', { timeout: 60_000 }, async () => {
  const memory = LaneMemory.allocate();
  const url = import.meta.resolve('#heddle/worker/lane_memory.js');
  // The lane marks what it runs in the size column; main takes every third record, just ahead of
  // the lane.
  const lane = new Worker(
    `const { workerData } = require('node:worker_threads');
     import(${JSON.stringify(url)}).then(({ LaneMemory }) => {
       const memory = new LaneMemory(workerData);
       for (let slot = 0; slot < ${SLOTS}; slot++) {
         if (memory.tryStart(slot)) { memory.sizes[slot] = 1; for (let i = 0; i < slot % 50; i++); }
       }
       memory.publish(${SLOTS});
     });`,
    { eval: true, workerData: memory.shared },
  );
  const taken = new Uint8Array(SLOTS);
  let early = 0;
  let lost = 0;
  for (let slot = 0; slot < SLOTS; slot += 3) {
    // Wait until the lane is close, so that many claims collide.
    while (slot - memory.finishedSince(0) > 4);
    if (memory.tryTake(slot)) {
      taken[slot] = 1;
      early++;
    } else {
      lost++;
    }
  }
  while (memory.finishedSince(0) < SLOTS);
  await lane.terminate();
  for (let slot = 0; slot < SLOTS; slot++) {
    assert.equal((memory.sizes[slot] as number) + (taken[slot] as number), 1, `slot ${slot}`);
  }
  assert.equal(early + lost, Math.ceil(SLOTS / 3));
});

test('waking a lane says whether it waits in its event loop', () => {
  const memory = LaneMemory.allocate();
  assert.equal(memory.wakeLane(), false);
  Atomics.store(memory.control, Word.STATE, LaneState.EventLoop);
  assert.equal(memory.wakeLane(), true);
});
