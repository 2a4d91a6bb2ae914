//! Stable order of rows by key, nulls last.

use crate::column::Column;
use crate::key::{Keys, Text};

/// Rows in ascending key order, equal keys in row order, nulls last in row order; `None` when the
/// rows already lie so.
#[must_use]
pub fn order(keys: &Keys, column: &Column) -> Option<Vec<u32>> {
    let rows = keys.len();
    if column.nulls.is_none() {
        return match keys {
            Keys::Words(words) => order_words(words),
            Keys::Bytes { offsets, data } => {
                let texts: Vec<_> = (0..rows).map(|r| Text::at(offsets, data, r)).collect();
                order_texts(&texts)
            }
        };
    }
    let (present, absent): (Vec<u32>, Vec<u32>) =
        (0..rows as u32).partition(|&r| column.is_valid(r as usize));
    let sorted = match keys {
        Keys::Words(words) => order_words(
            &present
                .iter()
                .map(|&r| words[r as usize])
                .collect::<Vec<_>>(),
        ),
        Keys::Bytes { offsets, data } => {
            let texts: Vec<_> = present
                .iter()
                .map(|&r| Text::at(offsets, data, r as usize))
                .collect();
            order_texts(&texts)
        }
    };
    let mut rows = match sorted {
        Some(sorted) => sorted.into_iter().map(|i| present[i as usize]).collect(),
        None => present,
    };
    rows.extend(absent);
    Some(rows)
}

fn order_texts(texts: &[Text<'_>]) -> Option<Vec<u32>> {
    if texts.is_sorted() {
        return None;
    }
    let mut pairs: Vec<(Text<'_>, u32)> = texts.iter().copied().zip(0..).collect();
    pairs.sort_unstable();
    Some(pairs.into_iter().map(|(_, row)| row).collect())
}

fn order_words(words: &[u64]) -> Option<Vec<u32>> {
    if words.is_sorted() {
        return None;
    }
    let least = words.iter().copied().min().unwrap_or(0);
    let range = words.iter().copied().max().unwrap_or(0) - least;
    if range <= words.len() as u64 * 2 {
        return Some(order_by_counting(words, least, range as usize));
    }
    let row_bits = usize::BITS - words.len().leading_zeros();
    let key_bits = u64::BITS - range.leading_zeros();
    if key_bits + row_bits <= u64::BITS {
        // Key and row in one word: the sort moves 8 bytes, compares once and is stable by row.
        let mask = (1_u64 << row_bits) - 1;
        let mut packed: Vec<u64> = words
            .iter()
            .zip(0_u64..)
            .map(|(w, row)| (w - least) << row_bits | row)
            .collect();
        packed.sort_unstable();
        return Some(packed.into_iter().map(|p| (p & mask) as u32).collect());
    }
    let mut pairs: Vec<(u64, u32)> = words.iter().copied().zip(0..).collect();
    pairs.sort_unstable();
    Some(pairs.into_iter().map(|(_, row)| row).collect())
}

fn order_by_counting(words: &[u64], least: u64, range: usize) -> Vec<u32> {
    let codes = words.iter().map(|w| (w - least) as u32);
    let (order, _) = group(codes, words.len(), range + 1);
    order
}

/// Stable counting sort: the `rows` rows grouped by code, and where each of the `groups` groups
/// ends in that order.
#[must_use]
pub fn group(
    codes: impl Iterator<Item = u32> + Clone,
    rows: usize,
    groups: usize,
) -> (Vec<u32>, Vec<u32>) {
    let mut next = vec![0_u32; groups];
    for code in codes.clone() {
        next[code as usize] += 1;
    }
    let mut start = 0;
    for slot in &mut next {
        start += std::mem::replace(slot, start);
    }
    let mut order = vec![0_u32; rows];
    for (row, code) in codes.enumerate() {
        let slot = &mut next[code as usize];
        order[*slot as usize] = row as u32;
        *slot += 1;
    }
    // Each start has moved on to its group's end.
    (order, next)
}
