//! Records sent ahead of their inputs: they wait at their worker until the records that make these have reported.

use super::{Record, World};

/// A record and the inputs (layer serial, row, attempt) it still waits for.
#[derive(Clone, Debug)]
pub struct Parked {
    pub record: Record,
    pub awaits: Vec<(u32, u32, u32)>,
}

impl World {
    /// True if this attempt of a row is on a lane of the worker, or waits there.
    pub fn is_making(&self, proc: u32, serial: u32, index: u32, attempt: u32) -> bool {
        let name = |r: &Record| (r.proc, r.serial, r.index, r.attempt);
        let wanted = (proc, serial, index, attempt);
        self.records.iter().any(|r| name(r) == wanted)
            || self.parked.iter().any(|p| name(&p.record) == wanted)
    }

    /// Of records just sent, those that wait for what nobody makes there are missing an input. The record that makes
    /// it may stand later in the frame, so this is asked at its end.
    pub fn find_missing(&mut self, from: usize) {
        let mut i = from;
        while i < self.parked.len() {
            let Parked { record, awaits } = &self.parked[i];
            let lost = awaits.iter().copied().find(|&(serial, index, attempt)| {
                !self.is_making(record.proc, serial, index, attempt)
            });
            let Some((serial, index, _)) = lost else {
                i += 1;
                continue;
            };
            let mut record = self.parked.remove(i).record;
            record.result = Err((serial, index, record.proc));
            self.records.push(record);
        }
    }

    /// A worker has a value: what waits for it there goes on.
    pub fn hand_over(&mut self, made: &Record, value: u64) {
        let name = (made.serial, made.index, made.attempt);
        let mut i = 0;
        while i < self.parked.len() {
            let parked = &mut self.parked[i];
            if parked.record.proc != made.proc || !parked.awaits.contains(&name) {
                i += 1;
                continue;
            }
            let times = parked.awaits.iter().filter(|&&n| n == name).count() as u64;
            parked.awaits.retain(|&n| n != name);
            let sum = parked.record.result;
            parked.record.result = sum.map(|sum| sum.wrapping_add(value.wrapping_mul(times)));
            if parked.awaits.is_empty() {
                let parked = self.parked.remove(i);
                self.records.push(parked.record);
            } else {
                i += 1;
            }
        }
    }

    /// A record that waits here is asked back.
    pub fn take_back(&mut self, proc: u32, serial: u32, index: u32, attempt: u32) {
        let name = (proc, serial, index, attempt);
        let waits = |p: &Parked| {
            let r = &p.record;
            (r.proc, r.serial, r.index, r.attempt) == name
        };
        if let Some(at) = self.parked.iter().position(waits) {
            let record = self.parked.remove(at).record;
            self.returned.push(record);
        }
    }

    /// What waits at workers for inputs, as text.
    pub fn ahead(&self) -> Vec<String> {
        let parked = self.parked.iter().map(|p| &p.record);
        parked
            .map(|r| {
                format!(
                    "{}.{} attempt {} on {}/{}",
                    r.serial, r.index, r.attempt, r.proc, r.lane
                )
            })
            .collect()
    }
}
