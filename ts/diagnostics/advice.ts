/** What to change about a run, and why, in figures. */
import type { Advice, ExplanationData } from './explanation.js';
import { formatBytes, formatMicros } from './format.js';

/** Fewer tasks say nothing about tasks. */
const TASKS_MIN = 100;
/** Overhead that is worth a word, as a share of the user code's time. */
const OVERHEAD_SHARE = 0.5;
/** After the advice was taken, overhead would be this share. */
const OVERHEAD_GOAL = 0.1;
/** Waits for inputs that are worth a word, as a share of the user code's time. */
const FETCH_SHARE = 0.25;
const IDLE_SHARE = 0.5;
const STARVED_SHARE = 0.1;
const BUSY_SHARE = 0.8;
/** Ready tasks for each lane from which a queue is long. */
const QUEUE_PER_LANE = 100;
/** A large argument costs something from so many bytes sent. */
const ARGUMENT_BYTES = 1 << 20;
/** Shorter runs say nothing about lanes. */
const ACTIVE_SECONDS_MIN = 0.05;

type Figures = Omit<ExplanationData, 'advice'>;

/** Advice for a run, the most useful first. */
export function advise(run: Figures): Advice[] {
  return [
    ...tasksTooSmall(run),
    ...argumentsTooLarge(run),
    ...transferBound(run),
    ...schedulerBusy(run),
    ...lanesStarved(run),
    ...queueLong(run),
  ];
}

function tasksTooSmall({ tasks, runUs, overheadUs }: Figures): Advice[] {
  if (tasks < TASKS_MIN || overheadUs <= runUs * OVERHEAD_SHARE) return [];
  const factor = Math.ceil(overheadUs / OVERHEAD_GOAL / Math.max(runUs, 0.01));
  const text =
    `${tasks} tasks ran for ${formatMicros(runUs)} each and cost ${formatMicros(overheadUs)} each beside that: they are ` +
    `too small for their count. Give one task the work of about ${Math.min(factor, tasks)}, for example by mapping over chunks of the items.`;
  return [{ about: 'tasks-too-small', text }];
}

function argumentsTooLarge({ large }: Figures): Advice[] {
  return large
    .filter(
      ({ bytes, tasks, perTask }) =>
        bytes * (perTask ? tasks : 1) >= ARGUMENT_BYTES || (!perTask && tasks > 1),
    )
    .map(({ task, path, bytes, tasks, perTask }) => {
      const times = perTask
        ? `with each of ${tasks} tasks`
        : `with a layer of ${tasks} tasks, and is decoded for them`;
      const text = `${path} of ${task === '' ? 'an unnamed function' : task} makes its arguments ${formatBytes(bytes)}, sent ${times}: pass client.scatter(value) instead of the value, so that it is sent once.`;
      return { about: 'argument-too-large', text };
    });
}

function transferBound({ stages, bytes }: Figures): Advice[] {
  const { fetch, run } = stages;
  if (fetch.count === 0 || fetch.sum < run.sum * FETCH_SHARE) return [];
  const text =
    `tasks waited ${formatMicros(fetch.sum / 1000)} in all for inputs held by other workers (${formatBytes(bytes.betweenWorkers)} moved), beside ` +
    `${formatMicros(run.sum / 1000)} of user code: the run is bound by transfer. Reduce values before they move, or combine producer and consumer into one task.`;
  return [{ about: 'transfer-bound', text }];
}

function schedulerBusy({ engineBusy, overheadUs }: Figures): Advice[] {
  if (engineBusy < BUSY_SHARE) return [];
  const text = `the scheduler's thread was busy ${percent(engineBusy)} of the time (${formatMicros(overheadUs)} of overhead per task over all threads): more workers will not help, larger tasks will.`;
  return [{ about: 'scheduler-busy', text }];
}

function lanesStarved({ starved, lanesIdle, lanes, queued, activeSeconds }: Figures): Advice[] {
  if (lanes === 0 || activeSeconds < ACTIVE_SECONDS_MIN) return [];
  if (starved > STARVED_SHARE) {
    const text = `${percent(starved)} of ${lanes} lanes had nothing to do while tasks were ready: look at timeouts, and at tasks that run alone after their worker died.`;
    return [{ about: 'lanes-starved', text }];
  }
  if (lanesIdle < IDLE_SHARE || queued >= 1) return [];
  const text = `the ${lanes} lanes were idle ${percent(lanesIdle)} of the time although work was unfinished, with nothing ready for them: the graph offers too little at once (chains, one task that others wait for), or tasks wait for something that uses no CPU.`;
  return [{ about: 'lanes-starved', text }];
}

function queueLong({ queued, lanes, lanesIdle }: Figures): Advice[] {
  if (lanes === 0 || queued < lanes * QUEUE_PER_LANE || lanesIdle > IDLE_SHARE) return [];
  const text = `${Math.round(queued)} tasks were ready for ${lanes} lanes on average, which were ${percent(1 - lanesIdle)} busy: more lanes or workers would finish sooner, if there are cores for them.`;
  return [{ about: 'queue-long', text }];
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
