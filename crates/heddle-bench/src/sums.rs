//! What a zero-worker answers: for every record of an `Assign` frame the sum of its inputs and of its own number, which
//! is its row datum if that is one, else 1. So a result tells of every row below it.

use core::ops::Range;

use heddle_core::event::{DoneSection, Fence, Outcome};
use heddle_core::id::LayerSerial;
use heddle_wire::{AssignView, Encoder, Frame, OutFrame, read_assign};

/// Codec of one little-endian double.
const F64: u8 = 1;
/// Layers whose row data is looked up by number directly; a run has a few.
const LAYERS_MAX: usize = 4096;

/// Results a worker remembers: more than may be in flight to it while records that read them are sent ahead.
const RECENT_MAX: usize = 8192;

/// The last results, for records that were sent ahead of their inputs.
#[derive(Debug, Default)]
struct Recent {
    results: Vec<(u32, u32, f64)>,
    next: usize,
}

impl Recent {
    fn note(&mut self, serial: u32, index: u32, value: f64) {
        if self.results.len() < RECENT_MAX {
            self.results.push((serial, index, value));
        } else {
            self.results[self.next] = (serial, index, value);
            self.next = (self.next + 1) % RECENT_MAX;
        }
    }

    /// Newest first: what is sent ahead follows its producer closely.
    fn find(&self, serial: u32, index: u32) -> Option<f64> {
        let (older, newer) = (&self.results[self.next..], &self.results[..self.next]);
        let found = |&&(of, at, _): &&(u32, u32, f64)| of == serial && at == index;
        let mut all = newer.iter().rev().chain(older.iter().rev());
        all.find(found).map(|&(_, _, value)| value)
    }

    /// `sum` and the inputs `deps` of a section, of which the inline ones begin at `inline`; `None` if one is missing.
    fn add(
        &self,
        sum: f64,
        view: &AssignView<'_>,
        deps: Range<usize>,
        mut inline: usize,
    ) -> Option<f64> {
        let mut sum = sum;
        for dep in deps {
            sum += if view.dep_procs.get(dep) == 0 {
                inline += 1;
                cell(view.dep_bytes, inline - 1)?
            } else {
                let serial = view.dep_serials.get_or(dep, view.dep_serial);
                self.find(serial, view.dep_indices.get(dep))?
            };
        }
        Some(sum)
    }
}

/// The layers a worker was told of, and the buffer its answers are written to.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    /// By serial modulo the bound: the serial whose rows' own data are numbers.
    numbers: Vec<u32>,
    recent: Recent,
    /// Of the records of the frame being answered.
    results: Vec<Option<f64>>,
    values: Vec<u8>,
}

impl Sums {
    /// Notes what a layer's row data is.
    pub fn define(&mut self, serial: u32, data_codec: u8) {
        let at = serial as usize % LAYERS_MAX;
        if self.numbers.len() <= at {
            self.numbers.resize(at + 1, 0);
        }
        self.numbers[at] = if data_codec == F64 { serial } else { 0 };
    }

    /// The `Done` frame that answers an `Assign` frame.
    ///
    /// # Errors
    /// In words, when the frame is malformed or an input is not a number that came with it.
    pub fn answer(
        &mut self,
        frame: &Frame<'_>,
        from: Fence,
        encoder: &mut Encoder,
    ) -> Result<OutFrame, String> {
        let mut views: Vec<AssignView<'_>> = Vec::new();
        read_assign(frame, |_, view| views.push(*view)).map_err(|error| error.to_string())?;
        self.results.clear();
        let rows = views.iter().map(|view| view.count as usize).sum();
        self.results.resize(rows, None);
        // What a record was sent ahead of may stand in a later section: such a record waits for the next pass.
        let mut left = rows;
        while left > 0 {
            let before = left;
            left = self.pass(&views);
            if left == before {
                return Err(
                    "an input is no number, neither with its record nor made here".to_owned(),
                );
            }
        }
        self.values.clear();
        let values = self
            .results
            .iter()
            .flatten()
            .flat_map(|value| value.to_le_bytes());
        self.values.extend(values);
        let mut rest = &self.values[..];
        let sections: Vec<DoneSection<'_>> = views
            .iter()
            .map(|view| {
                let (values, after) = rest.split_at(8 * view.count as usize);
                rest = after;
                DoneSection {
                    lane: view.lane,
                    lane_epoch: view.lane_epoch,
                    serial: LayerSerial(view.serial),
                    outcome: Outcome::Ok,
                    first: view.first,
                    count: view.count,
                    indices: view.indices,
                    attempts: view.attempts,
                    codec: F64,
                    stride: 8,
                    values,
                    ..DoneSection::default()
                }
            })
            .collect();
        Ok(encoder.done(from, &sections))
    }

    /// Sums the records that have no result yet; gives how many still have none.
    fn pass(&mut self, views: &[AssignView<'_>]) -> usize {
        let (mut at, mut left) = (0, 0);
        for view in views {
            let number = self.numbers.get(view.serial as usize % LAYERS_MAX);
            let own = view.serial != 0 && number == Some(&view.serial);
            let (mut dep, mut inline) = (0, 0);
            for row in 0..view.count as usize {
                let end = dep + view.dep_counts.get(row) as usize;
                if self.results[at].is_none() {
                    let datum = if own { cell(view.data, row) } else { Some(1.0) };
                    let sum = datum.and_then(|sum| self.recent.add(sum, view, dep..end, inline));
                    match sum {
                        Some(sum) => self.recent.note(view.serial, view.index(row), sum),
                        None => left += 1,
                    }
                    self.results[at] = sum;
                }
                inline += (dep..end).filter(|&i| view.dep_procs.get(i) == 0).count();
                (dep, at) = (end, at + 1);
            }
        }
        left
    }
}

/// The number at a place of a column of numbers.
fn cell(bytes: &[u8], at: usize) -> Option<f64> {
    let cell = bytes.get(8 * at..8 * at + 8)?;
    cell.try_into().ok().map(f64::from_le_bytes)
}
