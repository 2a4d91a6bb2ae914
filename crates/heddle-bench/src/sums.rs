//! What a zero-worker answers: for every record of an `Assign` frame the sum of its inputs and of its own number, which
//! is its row datum if that is one, else 1. So a result tells of every row below it.

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
}

/// The layers a worker was told of, and the buffer its answers are written to.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    /// By serial modulo the bound: the serial whose rows' own data are numbers.
    numbers: Vec<u32>,
    recent: Recent,
    values: Vec<u8>,
    ends: Vec<usize>,
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
        let Self {
            numbers,
            recent,
            values,
            ends,
        } = self;
        values.clear();
        ends.clear();
        let mut sections: Vec<DoneSection<'_>> = Vec::new();
        let mut strange = false;
        read_assign(frame, |_, view| {
            let at = view.serial as usize % LAYERS_MAX;
            let own = view.serial != 0 && numbers.get(at) == Some(&view.serial);
            strange |= !sums(view, own, recent, values);
            ends.push(values.len());
            sections.push(DoneSection {
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
                ..DoneSection::default()
            });
        })
        .map_err(|error| error.to_string())?;
        if strange {
            return Err(
                "an input is no number, neither with its record nor made here lately".to_owned(),
            );
        }
        let mut start = 0;
        for (section, &end) in sections.iter_mut().zip(&*ends) {
            section.values = &values[start..end];
            start = end;
        }
        Ok(encoder.done(from, &sections))
    }
}

/// Appends the sums of a section's records; false if an input is no number that came with it or was made here.
fn sums(view: &AssignView<'_>, own: bool, recent: &mut Recent, values: &mut Vec<u8>) -> bool {
    let rows = view.count as usize;
    if own && view.data.len() != 8 * rows {
        return false;
    }
    let mut data = view.data.chunks_exact(8);
    let mut inline = view.dep_bytes.chunks_exact(8);
    let number = |cell: &[u8]| cell.try_into().ok().map(f64::from_le_bytes);
    values.reserve(8 * rows);
    let mut dep = 0;
    for row in 0..rows {
        let mut sum = match own {
            true => data.next().and_then(number),
            false => Some(1.0),
        };
        for _ in 0..view.dep_counts.get(row) {
            let value = match view.dep_procs.get(dep) {
                0 => inline.next().and_then(number),
                // Its producer was sent here before it: it is one of the last results.
                _ => {
                    let serial = view.dep_serials.get_or(dep, view.dep_serial);
                    recent.find(serial, view.dep_indices.get(dep))
                }
            };
            sum = sum.zip(value).map(|(sum, value)| sum + value);
            dep += 1;
        }
        let Some(sum) = sum else { return false };
        recent.note(view.serial, view.index(row), sum);
        values.extend_from_slice(&sum.to_le_bytes());
    }
    inline.next().is_none()
}
