//! Where time goes: log-linear histograms of the scheduler's stages, fed once per frame or turn, never per task.
//!
//! A bucket is a sixteenth of an octave, so a figure read back is within 6 % of what was recorded. Plain arrays: to
//! record is one shift and three additions.

use std::time::Instant;

use heddle_core::column::U32s;
use heddle_core::{Engine, Event, State};

use crate::json::Object;

/// Sub-buckets of an octave.
const SUB: u64 = 16;
const SUB_BITS: u32 = SUB.trailing_zeros();
/// Values from here on, 18 minutes in ns, share the last bucket.
const BITS_MAX: u32 = 40;
/// Buckets of a histogram; `ts/diagnostics` has the same number and the same borders.
pub(crate) const BUCKETS: usize = ((BITS_MAX - SUB_BITS + 1) as usize) * SUB as usize;
/// Names of the stages that workers tell of in heartbeats, in the order of their numbers there.
const WORKER_STAGES: [&str; 6] = ["queue", "wire", "fetch", "run", "report", "doneRecords"];
/// Lanes are looked at this often at most, while rows wait for one.
const SAMPLE_NS: u64 = 10_000_000;

/// The bucket of a value.
fn bucket(value: u64) -> usize {
    if value < SUB {
        return value as usize;
    }
    let bits = (u64::BITS - value.leading_zeros()).min(BITS_MAX);
    let value = value.min((1 << BITS_MAX) - 1);
    let octave = bits - SUB_BITS;
    octave as usize * SUB as usize + (value >> (octave - 1)) as usize - SUB as usize
}

/// The least value of a bucket.
fn lower(bucket: usize) -> u64 {
    let (octave, sub) = (bucket as u64 / SUB, bucket as u64 % SUB);
    if octave == 0 {
        return sub;
    }
    (SUB + sub) << (octave - 1)
}

/// How often values of each size were seen.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: [u64; BUCKETS],
    count: u64,
    sum: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: [0; BUCKETS],
            count: 0,
            sum: 0,
            max: 0,
        }
    }
}

impl Histogram {
    /// Adds one value.
    pub fn record(&mut self, value: u64) {
        self.counts[bucket(value)] += 1;
        self.count += 1;
        self.sum += value;
        self.max = self.max.max(value);
    }

    /// Adds what another process has counted in one bucket; the sum is as exact as the bucket.
    fn merge(&mut self, bucket: usize, count: u32) {
        let (count, low) = (u64::from(count), lower(bucket));
        let middle = low + (lower(bucket + 1) - low) / 2;
        self.counts[bucket] += count;
        self.count += count;
        self.sum += middle * count;
        if count > 0 {
            self.max = self.max.max(middle);
        }
    }

    fn write(&self, o: &mut Object<'_>) {
        let filled = self.counts.iter().enumerate().filter(|(_, n)| **n > 0);
        o.number("count", self.count)
            .number("sum", self.sum)
            .number("max", self.max)
            .array("buckets", filled, |o, (bucket, count)| {
                o.number("from", lower(bucket)).number("count", *count);
            });
    }
}

/// What a worker has counted so far, as its last heartbeat told it.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkerStages(Vec<(u32, u32)>);

impl WorkerStages {
    /// Takes the columns of a heartbeat in. A cell of a stage this version does not know is passed over.
    pub fn learn(&mut self, cells: U32s<'_>, counts: U32s<'_>) {
        self.0.clear();
        let known = (WORKER_STAGES.len() * BUCKETS) as u32;
        self.0.extend(
            cells
                .iter()
                .zip(counts.iter())
                .filter(|(cell, _)| *cell < known),
        );
    }
}

/// What is recorded of the scheduler's own stages.
#[derive(Debug)]
pub(crate) struct Stages {
    on: bool,
    /// Verifying and decoding a frame, ns.
    ingest: Histogram,
    /// The engine on one event, ns.
    apply: Histogram,
    /// Encoding what came of a turn, ns.
    encode: Histogram,
    /// Handing a turn's frames to the sockets, ns.
    send: Histogram,
    /// Records for one worker in one turn.
    assign_records: Histogram,
    /// Records in one Done frame.
    done_records: Histogram,
    /// Ready rows no lane had credit for, at the end of a turn.
    queued_rows: Histogram,
    /// Wall time during which work was unfinished; rows queued times the time they were, in row-ns.
    active_ns: u64,
    queued_row_ns: u128,
    /// Samples of idle lanes, and of all lanes, taken while rows were queued.
    idle_lanes: u64,
    sampled_lanes: u64,
    observed: Instant,
    sampled: Instant,
    active: bool,
    queued: u64,
}

/// A stage of a turn.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stage {
    Ingest,
    Apply,
    Encode,
    Send,
}

impl Stages {
    /// Nothing recorded yet; `on: false` records nothing ever.
    pub fn new(on: bool) -> Self {
        let now = Instant::now();
        Self {
            on,
            ingest: Histogram::default(),
            apply: Histogram::default(),
            encode: Histogram::default(),
            send: Histogram::default(),
            assign_records: Histogram::default(),
            done_records: Histogram::default(),
            queued_rows: Histogram::default(),
            active_ns: 0,
            queued_row_ns: 0,
            idle_lanes: 0,
            sampled_lanes: 0,
            observed: now,
            sampled: now,
            active: false,
            queued: 0,
        }
    }

    /// One frame or turn spent `ns` in a stage.
    pub fn record(&mut self, stage: Stage, ns: u64) {
        if !self.on {
            return;
        }
        match stage {
            Stage::Ingest => self.ingest.record(ns),
            Stage::Apply => self.apply.record(ns),
            Stage::Encode => self.encode.record(ns),
            Stage::Send => self.send.record(ns),
        }
    }

    /// Counts the records of a Done frame.
    pub fn event(&mut self, event: &Event<'_>) {
        if let (true, Event::Done { sections, .. }) = (self.on, event) {
            let records = sections
                .iter()
                .map(|section| u64::from(section.count))
                .sum();
            self.done_records.record(records);
        }
    }

    /// Counts the records that leave for one worker in one turn.
    pub fn assigned(&mut self, records: u64) {
        if self.on && records > 0 {
            self.assign_records.record(records);
        }
    }

    /// Looks at the engine at the end of a turn.
    pub fn observe(&mut self, engine: &Engine) {
        if !self.on {
            return;
        }
        let now = Instant::now();
        let passed = now.duration_since(self.observed).as_nanos() as u64;
        self.observed = now;
        if self.active {
            self.active_ns += passed;
            self.queued_row_ns += u128::from(passed) * u128::from(self.queued);
        }
        let states = engine.stats().states;
        let at = |state: State| states[state as usize];
        self.queued = at(State::Queued);
        self.active = self.queued + at(State::Processing) + at(State::Ahead) > 0;
        if !self.active {
            return;
        }
        self.queued_rows.record(self.queued);
        if self.queued > 0 && now.duration_since(self.sampled).as_nanos() as u64 >= SAMPLE_NS {
            self.sampled = now;
            for proc in engine.procs() {
                let lanes = u64::from(proc.lanes);
                self.sampled_lanes += lanes;
                self.idle_lanes += lanes.saturating_sub(proc.in_flight);
            }
        }
    }

    /// Writes everything, with what workers told.
    pub fn write<'a>(&self, workers: impl Iterator<Item = &'a WorkerStages>, o: &mut Object<'_>) {
        let mut told = vec![Histogram::default(); WORKER_STAGES.len()];
        for &(cell, count) in workers.flat_map(|worker| &worker.0) {
            let (stage, bucket) = (cell as usize / BUCKETS, cell as usize % BUCKETS);
            told[stage].merge(bucket, count);
        }
        o.number("recording", u64::from(self.on))
            .number("activeNs", self.active_ns)
            .double("queuedRowNs", self.queued_row_ns as f64)
            .number("idleLanes", self.idle_lanes)
            .number("sampledLanes", self.sampled_lanes);
        for (name, histogram) in [
            ("ingest", &self.ingest),
            ("apply", &self.apply),
            ("encode", &self.encode),
            ("send", &self.send),
            ("assignRecords", &self.assign_records),
            ("schedulerDoneRecords", &self.done_records),
            ("queuedRows", &self.queued_rows),
        ] {
            o.object(name, |o| histogram.write(o));
        }
        for (name, histogram) in WORKER_STAGES.iter().zip(&told) {
            o.object(name, |o| histogram.write(o));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_tile_the_numbers() {
        for value in (0..100_000).chain((17..BITS_MAX).flat_map(|b| [(1 << b) - 1, 1 << b])) {
            let bucket = bucket(value);
            assert!(
                lower(bucket) <= value && value < lower(bucket + 1),
                "{value}"
            );
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        for bucket in 16..BUCKETS {
            let (low, high) = (lower(bucket), lower(bucket + 1));
            assert!(
                (high - low) * SUB <= low,
                "bucket {bucket} is wider than a sixteenth"
            );
        }
    }

    #[test]
    fn sums_what_workers_tell_and_passes_over_what_it_does_not_know() {
        let column = heddle_core::column::u32_bytes;
        let queue_of_5 = bucket(5) as u32;
        let cells = column(&[queue_of_5, BUCKETS as u32 + 7, u32::MAX]);
        let counts = column(&[3, 1, 9]);
        let mut worker = WorkerStages::default();
        worker.learn(U32s::new(&cells), U32s::new(&counts));
        let mut text = String::new();
        Object::write(&mut text, |o| {
            Stages::new(true).write([&worker, &worker].into_iter(), o);
        });
        assert!(
            text.contains(
                r#""queue":{"count":6,"sum":30,"max":5,"buckets":[{"from":5,"count":6}]}"#
            )
        );
        assert!(text.contains(r#""wire":{"count":2,"sum":14,"max":7"#));
    }

    #[test]
    fn records_nothing_when_it_is_off() {
        let mut stages = Stages::new(false);
        stages.record(Stage::Apply, 5);
        stages.assigned(3);
        assert_eq!((stages.apply.count, stages.assign_records.count), (0, 0));
    }
}
