//! Samples of a key column, and the quantile divisions made from them.
//!
//! Least and greatest key are exact (the whole column is looked at); what lies between is sampled.

use std::cmp::Ordering;

use arrow_array::{RecordBatch, new_null_array};
use arrow_schema::{Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;

use crate::column::Column;
use crate::error::{Code, Result, error};
use crate::key::{Keys, Text};
use crate::schema::column_index;
use crate::sort;
use crate::table::table;

/// Keys drawn from one partition.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Rows that have a key.
    pub rows: u64,
    /// Rows whose key is null.
    pub nulls: u64,
    /// One column: least key, the drawn keys, greatest key; empty when no row has a key.
    pub keys: RecordBatch,
}

/// One step of splitmix64: a good scramble of any seed.
fn scramble(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn key_column(partition: &RecordBatch, name: &str) -> Result<(SchemaRef, Column, Keys)> {
    let schema = partition.schema();
    let at = column_index(&schema, name)?;
    let field = schema.field(at);
    let column = Column::from_array(field, partition.column(at))?;
    let keys = Keys::new(field, &column)?;
    let key_field = Field::new(field.name(), field.data_type().clone(), true);
    Ok((SchemaRef::new(Schema::new(vec![key_field])), column, keys))
}

fn compare(keys: &Keys, a: u32, b: u32) -> Ordering {
    match keys {
        Keys::Words(words) => words[a as usize].cmp(&words[b as usize]),
        Keys::Bytes { offsets, data } => {
            Text::at(offsets, data, a as usize).cmp(&Text::at(offsets, data, b as usize))
        }
    }
}

/// Draws up to `count` keys of column `name`: one from each of `count` equal stretches of the rows
/// that have a key, where `seed` decides.
///
/// # Errors
/// `ColumnUnknown`, `TypeUnsupported`.
pub fn draw(partition: &RecordBatch, name: &str, count: usize, seed: u64) -> Result<Sample> {
    let (schema, column, keys) = key_column(partition, name)?;
    let present: Vec<u32> = (0..keys.len() as u32)
        .filter(|&r| column.is_valid(r as usize))
        .collect();
    let mut rows = Vec::with_capacity(count + 2);
    let least = present
        .iter()
        .copied()
        .min_by(|&a, &b| compare(&keys, a, b));
    let most = present
        .iter()
        .copied()
        .max_by(|&a, &b| compare(&keys, a, b));
    rows.extend(least);
    let count = count.min(present.len());
    let mut state = seed;
    for stretch in 0..count {
        let (from, to) = (
            stretch * present.len() / count,
            (stretch + 1) * present.len() / count,
        );
        let pick = scramble(&mut state) as usize % (to - from);
        rows.push(present[from + pick]);
    }
    rows.extend(most);
    let drawn = column.gather(&rows)?.into_array(schema.field(0))?;
    Ok(Sample {
        rows: present.len() as u64,
        nulls: (keys.len() - present.len()) as u64,
        keys: table(schema, vec![drawn], rows.len())?,
    })
}

/// `partitions + 1` non-decreasing keys that cut the sampled rows into equal parts: partition `j`
/// holds the keys from division `j` (included) to division `j + 1` (excluded; the last one
/// included). A key frequent enough to fill several parts repeats as a division and leaves
/// partitions empty, because equal keys stay together. All null when no row has a key.
///
/// # Errors
/// `Argument` without samples or partitions, `Internal` when samples disagree about the type.
pub fn divisions(samples: &[Sample], partitions: usize) -> Result<RecordBatch> {
    let Some(first) = samples.first().filter(|_| partitions > 0) else {
        return Err(error(
            Code::Argument,
            "divisions need at least one sample and one partition.",
        ));
    };
    let schema = first.keys.schema();
    let merged = concat_batches(&schema, samples.iter().map(|s| &s.keys))?;
    if merged.num_rows() == 0 {
        let nulls = new_null_array(schema.field(0).data_type(), partitions + 1);
        return table(schema, vec![nulls], partitions + 1);
    }
    let column = Column::from_array(schema.field(0), merged.column(0))?;
    let keys = Keys::new(schema.field(0), &column)?;
    let order =
        sort::order(&keys, &column).unwrap_or_else(|| (0..merged.num_rows() as u32).collect());
    let weights = weights(samples);
    let picked = pick(&order, &weights, partitions);
    let divisions = column.gather(&picked)?.into_array(schema.field(0))?;
    table(schema, vec![divisions], partitions + 1)
}

/// Rows each drawn key stands for. The ends of a sample (least, greatest) stand for none: they
/// were not drawn.
fn weights(samples: &[Sample]) -> Vec<f64> {
    let mut weights = Vec::new();
    for sample in samples {
        let keys = sample.keys.num_rows();
        let drawn = keys.saturating_sub(2).max(1);
        for at in 0..keys {
            let end = at == 0 || at + 1 == keys;
            weights.push(if end {
                0.0
            } else {
                sample.rows as f64 / drawn as f64
            });
        }
    }
    weights
}

fn pick(order: &[u32], weights: &[f64], partitions: usize) -> Vec<u32> {
    let total: f64 = weights.iter().sum();
    let last = order[order.len() - 1];
    let mut picked = vec![order[0]];
    let mut at = 0;
    let mut passed = 0.0;
    for part in 1..partitions {
        let target = total * part as f64 / partitions as f64;
        while at < order.len() && passed + weights[order[at] as usize] <= target {
            passed += weights[order[at] as usize];
            at += 1;
        }
        picked.push(order.get(at).copied().unwrap_or(last));
    }
    picked.push(last);
    picked
}
