//! Sections of a worker's frame, before anything of them is believed.

use crate::event::{DoneSection, Malformed, Outcome};
use crate::limits::{INLINE_BYTES_MAX, RECORDS_PER_SECTION_MAX};

/// Longest error value a worker may report.
const ERROR_BYTES_MAX: usize = 1 << 20;

/// Columns as long as they say and values that add up.
pub(crate) fn validate(s: &DoneSection<'_>) -> Result<(), Malformed> {
    let n = s.count as usize;
    if n > RECORDS_PER_SECTION_MAX {
        return Err(Malformed::Limit);
    }
    let columns = [
        s.indices.len(),
        s.attempts.len(),
        s.codecs.len(),
        s.sizes.len(),
        s.homes.len(),
        s.durations_us.len(),
    ];
    if columns.iter().any(|&len| len != 0 && len != n) {
        return Err(Malformed::Columns);
    }
    match s.outcome {
        Outcome::MissingInput => {
            let named = [
                s.missing_serials.len(),
                s.missing_indices.len(),
                s.missing_procs.len(),
            ];
            return if named.iter().all(|&len| len == n) {
                Ok(())
            } else {
                Err(Malformed::Columns)
            };
        }
        Outcome::Retracted | Outcome::Seceded => return Ok(()),
        Outcome::Ok | Outcome::Failed => {}
    }
    let most = if s.outcome == Outcome::Ok {
        INLINE_BYTES_MAX
    } else {
        ERROR_BYTES_MAX
    };
    if s.homes.is_empty() && s.sizes.is_empty() {
        let fits = s.stride as usize <= most && s.stride as usize * n == s.values.len();
        return if fits {
            Ok(())
        } else {
            Err(Malformed::Columns)
        };
    }
    let mut total = 0;
    for i in 0..n {
        if s.homes.get(i) != 1 {
            let size = s.sizes.get_or(i, s.stride) as usize;
            if size > most {
                return Err(Malformed::Limit);
            }
            total += size;
        }
    }
    if total == s.values.len() {
        Ok(())
    } else {
        Err(Malformed::Columns)
    }
}

/// Lowest and highest row of a section.
pub(crate) fn bounds(s: &DoneSection<'_>) -> Option<(u32, u32)> {
    if s.count == 0 {
        return None;
    }
    if s.indices.is_empty() {
        return Some((s.first, s.first.saturating_add(s.count - 1)));
    }
    let mut ends = (u32::MAX, 0);
    for index in s.indices.iter() {
        ends = (ends.0.min(index), ends.1.max(index));
    }
    Some(ends)
}
