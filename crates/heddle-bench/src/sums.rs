//! What a zero-worker answers: for every record of an `Assign` frame the sum of the numbers it was given.

use heddle_core::event::{DoneSection, Fence, Outcome};
use heddle_core::id::LayerSerial;
use heddle_wire::{AssignView, Encoder, Frame, OutFrame, read_assign};

/// Codec of one little-endian double.
const F64: u8 = 1;
/// Layers whose row data is looked up by number directly; a run has a few.
const LAYERS_MAX: usize = 4096;

/// The layers a worker was told of, and the buffer its answers are written to.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    /// By serial modulo the bound: the serial whose rows' own data are numbers.
    numbers: Vec<u32>,
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
            strange |= !sums(view, own, values);
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
            return Err("an input is not a number that came with its record".to_owned());
        }
        let mut start = 0;
        for (section, &end) in sections.iter_mut().zip(&*ends) {
            section.values = &values[start..end];
            start = end;
        }
        Ok(encoder.done(from, &sections))
    }
}

/// Appends the sums of a section's records; false if an input is not an inline number.
fn sums(view: &AssignView<'_>, own: bool, values: &mut Vec<u8>) -> bool {
    let rows = view.count as usize;
    let deps = view.dep_indices.len();
    if view.dep_bytes.len() != 8 * deps || (own && view.data.len() != 8 * rows) {
        return false;
    }
    let number = |bytes: &[u8], at: usize| {
        let cell = bytes
            .get(8 * at..8 * at + 8)
            .and_then(|cell| cell.try_into().ok());
        cell.map_or(0.0, f64::from_le_bytes)
    };
    values.reserve(8 * rows);
    let mut dep = 0;
    for row in 0..rows {
        let mut sum = if own { number(view.data, row) } else { 0.0 };
        for _ in 0..view.dep_counts.get(row) {
            sum += number(view.dep_bytes, dep);
            dep += 1;
        }
        values.extend_from_slice(&sum.to_le_bytes());
    }
    true
}
