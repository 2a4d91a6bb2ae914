//! Split and merge against the naive way, on random tables of every kind of column.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder, UInt8Builder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt8Type};
use arrow_array::{Array, ArrayRef, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::concat::concat_batches;
use heddle_kernels::sample::{divisions, draw};
use heddle_kernels::shuffle::{merge, split};
use heddle_kernels::table;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn null(&mut self, share: u64) -> bool {
        share > 0 && self.below(share) == 0
    }
}

const KEYS: [&str; 5] = ["int", "float", "text", "flag", "small"];

/// `share`: one value in so many is null; 0 for none.
fn random_table(
    random: &mut Random,
    rows: usize,
    spread: u64,
    share: u64,
    first: i64,
) -> RecordBatch {
    let mut int = Int64Builder::new();
    let mut float = Float64Builder::new();
    let mut text = StringBuilder::new();
    let mut flag = BooleanBuilder::new();
    let mut small = UInt8Builder::new();
    let mut wide = Decimal128Builder::new();
    let mut id = Int64Builder::new();
    for row in 0..rows {
        let value = random.below(spread) as i64 - (spread / 2) as i64;
        int.append_option(
            (!random.null(share)).then_some(value * if spread > 1000 { 1 << 44 } else { 1 }),
        );
        let special = [f64::NAN, -0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY];
        let real = match random.below(6) {
            0 => special[random.below(5) as usize],
            _ => value as f64 / 8.0,
        };
        float.append_option((!random.null(share)).then_some(real));
        let letters = ["", "a", "a\0", "ab", "abcdefgh", "abcdefghi", "żółć", "zz"];
        let word = format!("{}{}", letters[random.below(8) as usize], value % 3);
        text.append_option((!random.null(share)).then_some(word));
        flag.append_option((!random.null(share)).then_some(value % 2 == 0));
        small.append_option((!random.null(share)).then_some(value as u8));
        wide.append_value(i128::from(value) << 70);
        id.append_value(first + row as i64);
    }
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("int", Arc::new(int.finish())),
        ("float", Arc::new(float.finish())),
        ("text", Arc::new(text.finish())),
        ("flag", Arc::new(flag.finish())),
        ("small", Arc::new(small.finish())),
        ("wide", Arc::new(wide.finish())),
        ("id", Arc::new(id.finish())),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(n, a)| Field::new(*n, a.data_type().clone(), true))
        .collect();
    let arrays = columns.into_iter().map(|(_, a)| a).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("a table")
}

/// Order of two rows by the naive reading of the rules: NaN after numbers, nulls last.
fn naive_order(column: &dyn Array, a: usize, b: usize) -> Ordering {
    match (column.is_null(a), column.is_null(b)) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    match column.data_type() {
        DataType::Int64 => {
            let v = column.as_primitive::<Int64Type>();
            v.value(a).cmp(&v.value(b))
        }
        DataType::UInt8 => {
            let v = column.as_primitive::<UInt8Type>();
            v.value(a).cmp(&v.value(b))
        }
        DataType::Boolean => column
            .as_boolean()
            .value(a)
            .cmp(&column.as_boolean().value(b)),
        DataType::Utf8 => column
            .as_string::<i32>()
            .value(a)
            .cmp(column.as_string::<i32>().value(b)),
        _ => {
            let v = column.as_primitive::<Float64Type>();
            let (x, y) = (v.value(a), v.value(b));
            x.partial_cmp(&y)
                .unwrap_or_else(|| x.is_nan().cmp(&y.is_nan()))
        }
    }
}

fn ids(table: &RecordBatch) -> Vec<i64> {
    table
        .column(6)
        .as_primitive::<Int64Type>()
        .values()
        .to_vec()
}

fn shuffle(tables: &[RecordBatch], key: &str, parts: usize, draws: usize) -> Vec<RecordBatch> {
    let samples: Vec<_> = tables
        .iter()
        .zip(7..)
        .map(|(t, seed)| draw(t, key, draws, seed).expect("a sample"))
        .collect();
    let divisions = divisions(&samples, parts).expect("divisions");
    assert_eq!(divisions.num_rows(), parts + 1);
    let bounds = divisions.column(0);
    for at in 1..bounds.len() {
        assert_ne!(
            naive_order(bounds, at - 1, at),
            Ordering::Greater,
            "division {at} decreases"
        );
    }
    let split: Vec<(Vec<u8>, Vec<usize>)> = tables
        .iter()
        .map(|t| {
            let slices = split(t, key, &divisions).expect("slices");
            let mut bytes = vec![0xa5; slices.bytes()]; // Stale memory: all of it must be written.
            slices.write(&mut bytes);
            (bytes, slices.byte_ends().to_vec())
        })
        .collect();
    (0..parts)
        .map(|part| {
            let slices: Vec<&[u8]> = split
                .iter()
                .map(|(bytes, ends)| &bytes[if part == 0 { 0 } else { ends[part - 1] }..ends[part]])
                .collect();
            merge(&slices, &tables[0].schema(), key).expect("a partition")
        })
        .collect()
}

fn check(tables: &[RecordBatch], key: &str, parts: usize, draws: usize, story: &str) {
    let schema = tables[0].schema();
    let before = concat_batches(&schema, tables).expect("whole input");
    let partitions = shuffle(tables, key, parts, draws);
    let after = concat_batches(&schema, &partitions).expect("whole output");
    let column = before.column_by_name(key).expect("the key");
    let mut expected: Vec<usize> = (0..before.num_rows()).collect();
    expected.sort_by(|a, b| naive_order(column, *a, *b)); // Stable.
    let expected: Vec<i64> = expected.into_iter().map(|r| r as i64).collect();
    assert_eq!(ids(&after), expected, "order of rows: {story}");
    let order = UInt64Array::from_iter_values(expected.iter().map(|r| *r as u64));
    let gathered = arrow_select::take::take_record_batch(&before, &order).expect("rows");
    for (at, field) in schema.fields().iter().enumerate() {
        let (got, want) = (after.column(at).to_data(), gathered.column(at).to_data());
        // NaN is not equal to itself: compare floats by their text.
        if field.data_type() == &DataType::Float64 {
            assert_eq!(
                format!("{:?}", after.column(at)),
                format!("{:?}", gathered.column(at))
            );
        } else {
            assert_eq!(got, want, "column {}: {story}", field.name());
        }
    }
    let mut last: Option<usize> = None;
    let after_key = after.column_by_name(key).expect("the key");
    let mut row = 0;
    for (number, partition) in partitions.iter().enumerate() {
        for _ in 0..partition.num_rows() {
            if row > 0 && naive_order(after_key, row - 1, row).is_eq() {
                assert_eq!(
                    last,
                    Some(number),
                    "equal keys straddle partitions: {story}"
                );
            }
            last = Some(number);
            row += 1;
        }
    }
}

#[test]
fn shuffles_equal_the_naive_sort() {
    let mut random = Random(0x1234_5678_9abc_def1);
    for round in 0..60 {
        let inputs = 1 + random.below(4) as usize;
        let spread = [1, 2, 17, 5000][round % 4];
        let share = [0, 0, 3, 1][random.below(4) as usize];
        let mut first = 0;
        let tables: Vec<_> = (0..inputs)
            .map(|_| {
                let rows = [0, 1, 9, 300][random.below(4) as usize];
                let table = random_table(&mut random, rows, spread, share, first);
                first += rows as i64;
                table
            })
            .collect();
        let parts = [1, 2, 7, 64][random.below(4) as usize];
        let draws = [1, 10, 1000][random.below(3) as usize];
        for key in KEYS {
            let story = format!("round {round}, key {key}, {parts} parts, {draws} draws");
            check(&tables, key, parts, draws, &story);
        }
    }
}

#[test]
fn full_samples_cut_evenly() {
    let mut random = Random(99);
    let table = random_table(&mut random, 4000, 1 << 18, 0, 0);
    for partition in shuffle(&[table], "int", 8, 4000) {
        assert_eq!(partition.num_rows(), 500);
    }
}

#[test]
fn partitions_survive_their_bytes() {
    let mut random = Random(5);
    for rows in [0, 1, 1000] {
        let before = random_table(&mut random, rows, 50, 4, 0);
        let bytes: Vec<u8> = table::encode(&before)
            .expect("bytes")
            .iter()
            .flat_map(|b| b.to_vec())
            .collect();
        assert_eq!(table::rows(&bytes).expect("rows"), rows as u64);
        let after = table::decode(&bytes).expect("a table");
        assert_eq!(format!("{before:?}"), format!("{after:?}"));
        // Damage is an error, never a panic or a wrong row count that goes unnoticed.
        for cut in [0, 3, 8, bytes.len() / 2, bytes.len() - 9] {
            assert!(table::rows(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
}

#[test]
fn damaged_slices_are_refused() {
    let mut random = Random(77);
    let input = random_table(&mut random, 200, 50, 4, 0);
    let sample = draw(&input, "int", 100, 1).expect("a sample");
    let slices =
        split(&input, "int", &divisions(&[sample], 1).expect("divisions")).expect("slices");
    let mut bytes = vec![0; slices.bytes()];
    slices.write(&mut bytes);
    let schema = input.schema();
    assert!(merge(&[&bytes], &schema, "int").is_ok());
    for cut in (0..bytes.len()).step_by(7) {
        assert!(
            merge(&[&bytes[..cut]], &schema, "int").is_err(),
            "cut at {cut}"
        );
    }
    for _ in 0..3000 {
        let mut wrong = bytes.clone();
        let at = random.below(wrong.len() as u64) as usize;
        wrong[at] ^= 1 << random.below(8);
        // A flipped value bit is another value; anything structural must be an error. Neither panics.
        let _ = merge(&[&wrong], &schema, "int");
    }
}
