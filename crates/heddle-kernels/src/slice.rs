//! Slices: what an all-to-all exchange moves, framed without a schema.
//!
//! A slice of a few hundred rows would pay more for Arrow IPC's schema and metadata than for its
//! rows, so the schema travels once, beside the exchange, and integers travel as offsets from the
//! slice's least value in as few bytes as the slice needs. Little-endian:
//!
//! ```text
//! 0  u32 magic "HSL1"   4  u32 rows   8  u32 columns   12 u32 schema fingerprint
//! then per column:      0  i64 base   8  u32 text bytes   12 u8 width   13 u8 has nulls   14 u16 0
//! then per column, each part padded to 8 bytes:
//!      validity bits (if any), `rows` values of `width` bytes, text bytes
//! ```
//! A string column's values are its lengths. Invariant: every part starts 8-aligned.

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer};

use crate::column::{Column, Values, text_too_large};
use crate::error::{Code, Result, damaged, error};

const MAGIC: u32 = u32::from_le_bytes(*b"HSL1");
const HEADER_BYTES: usize = 16;
const COLUMN_BYTES: usize = 16;
/// Bytes per value of a 128-bit column, which is never narrowed.
const WIDE: u8 = 16;

fn padded(bytes: usize) -> usize {
    bytes.next_multiple_of(8)
}

/// How one column of one slice is laid out.
#[derive(Debug, Clone, Copy)]
struct Layout {
    base: i64,
    width: u8,
    text_bytes: u32,
    has_nulls: bool,
}

impl Layout {
    fn of(column: &Column, start: usize, end: usize) -> Self {
        let has_nulls = column
            .nulls
            .as_ref()
            .is_some_and(|n| (start..end).any(|r| n.is_null(r)));
        let (base, width, text_bytes) = match &column.values {
            Values::Words(words) => span(words[start..end].iter().copied()),
            Values::Wide(_) => (0, WIDE, 0),
            Values::Bytes { offsets, .. } => {
                let (base, width, _) = span(lengths(&offsets[start..=end]));
                (base, width, (offsets[end] - offsets[start]) as u32)
            }
        };
        Self {
            base,
            width,
            text_bytes,
            has_nulls,
        }
    }

    fn bytes(&self, rows: usize) -> usize {
        let validity = if self.has_nulls {
            padded(rows.div_ceil(8))
        } else {
            0
        };
        validity + padded(rows * usize::from(self.width)) + padded(self.text_bytes as usize)
    }
}

fn lengths(offsets: &[i32]) -> impl ExactSizeIterator<Item = i64> + '_ {
    offsets.windows(2).map(|w| i64::from(w[1] - w[0]))
}

/// Least value and the bytes that the distance to the greatest one takes.
fn span(values: impl Iterator<Item = i64>) -> (i64, u8, u32) {
    let (least, most) = values.fold((i64::MAX, i64::MIN), |(l, m), v| (l.min(v), m.max(v)));
    if least >= most {
        return (if least == most { least } else { 0 }, 0, 0);
    }
    let width = match most.wrapping_sub(least) as u64 {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    (least, width, 0)
}

/// Consecutive row ranges of grouped columns, planned as slices.
#[derive(Debug)]
pub struct Slices {
    columns: Vec<Column>,
    fingerprint: u32,
    row_ends: Vec<u32>,
    layouts: Vec<Layout>,
    byte_ends: Vec<usize>,
}

impl Slices {
    /// Plans one slice per entry of `row_ends`: the rows from the previous end to this one.
    #[must_use]
    pub fn plan(columns: Vec<Column>, fingerprint: u32, row_ends: Vec<u32>) -> Self {
        let mut layouts = Vec::with_capacity(row_ends.len() * columns.len());
        let mut byte_ends = Vec::with_capacity(row_ends.len());
        let (mut start, mut bytes) = (0, 0);
        for &end in &row_ends {
            let end = end as usize;
            bytes += HEADER_BYTES + COLUMN_BYTES * columns.len();
            for column in &columns {
                let layout = Layout::of(column, start, end);
                bytes += layout.bytes(end - start);
                layouts.push(layout);
            }
            byte_ends.push(bytes);
            start = end;
        }
        Self {
            columns,
            fingerprint,
            row_ends,
            layouts,
            byte_ends,
        }
    }

    /// Where each slice ends in the encoded bytes.
    #[must_use]
    pub fn byte_ends(&self) -> &[usize] {
        &self.byte_ends
    }

    /// Bytes of all slices.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.byte_ends.last().copied().unwrap_or(0)
    }

    /// Writes all slices back to back.
    ///
    /// # Panics
    /// When `out` is not exactly [`Self::bytes`] long.
    pub fn write(&self, out: &mut [u8]) {
        assert_eq!(out.len(), self.bytes(), "slices need their exact length");
        let mut writer = Writer { out, at: 0 };
        let mut start = 0;
        for (slice, &end) in self.row_ends.iter().enumerate() {
            let end = end as usize;
            let layouts = &self.layouts[slice * self.columns.len()..][..self.columns.len()];
            writer.u32(MAGIC);
            writer.u32((end - start) as u32);
            writer.u32(self.columns.len() as u32);
            writer.u32(self.fingerprint);
            for layout in layouts {
                writer.bytes(&layout.base.to_le_bytes());
                writer.u32(layout.text_bytes);
                writer.bytes(&[layout.width, u8::from(layout.has_nulls), 0, 0]);
            }
            for (layout, column) in layouts.iter().zip(&self.columns) {
                writer.column(layout, column, start, end);
            }
            assert_eq!(
                writer.at, self.byte_ends[slice],
                "slice {slice} has its planned length"
            );
            start = end;
        }
    }
}

struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn take(&mut self, bytes: usize) -> &mut [u8] {
        let taken = &mut self.out[self.at..self.at + bytes];
        self.at += bytes;
        taken
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.take(bytes.len()).copy_from_slice(bytes);
    }

    fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    /// The output may be recycled memory: padding is written too.
    fn pad(&mut self) {
        let gap = padded(self.at) - self.at;
        self.take(gap).fill(0);
    }

    fn column(&mut self, layout: &Layout, column: &Column, start: usize, end: usize) {
        if let (true, Some(nulls)) = (layout.has_nulls, &column.nulls) {
            let validity = self.take((end - start).div_ceil(8));
            validity.fill(0);
            for row in (start..end).filter(|&r| nulls.is_valid(r)) {
                validity[(row - start) / 8] |= 1 << ((row - start) % 8);
            }
            self.pad();
        }
        match &column.values {
            Values::Words(words) => self.packed(layout, words[start..end].iter().copied()),
            Values::Wide(wide) => {
                for value in &wide[start..end] {
                    self.bytes(&value.to_le_bytes());
                }
            }
            Values::Bytes { offsets, data } => {
                self.packed(layout, lengths(&offsets[start..=end]));
                self.pad();
                self.bytes(&data[offsets[start] as usize..offsets[end] as usize]);
            }
        }
        self.pad();
    }

    fn packed(&mut self, layout: &Layout, values: impl ExactSizeIterator<Item = i64>) {
        let rows = values.len();
        let out = self.take(rows * usize::from(layout.width));
        let base = layout.base;
        match layout.width {
            0 => {}
            1 => {
                for (cell, value) in out.iter_mut().zip(values) {
                    *cell = value.wrapping_sub(base) as u8;
                }
            }
            2 => pack(out, values, |v| (v.wrapping_sub(base) as u16).to_le_bytes()),
            4 => pack(out, values, |v| (v.wrapping_sub(base) as u32).to_le_bytes()),
            _ => pack(out, values, |v| v.wrapping_sub(base).to_le_bytes()),
        }
    }
}

fn pack<const N: usize>(
    out: &mut [u8],
    values: impl Iterator<Item = i64>,
    cut: impl Fn(i64) -> [u8; N],
) {
    for (cell, value) in out.as_chunks_mut::<N>().0.iter_mut().zip(values) {
        *cell = cut(value);
    }
}

/// Reads `slices` of one table into columns, in the order given; every length is checked.
///
/// `like` tells each column's layout: empty columns of the right kind.
///
/// # Errors
/// `Internal` when a slice is damaged or of another table, `Limit` when strings outgrow 2 GiB.
pub fn read(slices: &[&[u8]], like: &[Column], fingerprint: u32) -> Result<Vec<Column>> {
    let views = slices
        .iter()
        .map(|s| View::parse(s, like, fingerprint))
        .collect::<Result<Vec<_>>>()?;
    let rows: usize = views.iter().map(|v| v.rows).sum();
    if u32::try_from(rows).is_err() {
        return Err(error(
            Code::Limit,
            "a partition holds at most 4,294,967,295 rows.",
        ));
    }
    like.iter()
        .enumerate()
        .map(|(c, kind)| read_column(&views, c, kind, rows))
        .collect()
}

struct Part<'a> {
    base: i64,
    width: u8,
    validity: Option<&'a [u8]>,
    values: &'a [u8],
    text: &'a [u8],
}

struct View<'a> {
    rows: usize,
    parts: Vec<Part<'a>>,
}

impl<'a> View<'a> {
    fn parse(bytes: &'a [u8], like: &[Column], fingerprint: u32) -> Result<Self> {
        let mut reader = Reader { bytes, at: 0 };
        if reader.u32()? != MAGIC {
            return Err(damaged("not a slice"));
        }
        let rows = reader.u32()? as usize;
        if reader.u32()? as usize != like.len() || reader.u32()? != fingerprint {
            return Err(damaged("a slice of another table"));
        }
        let mut layouts = Vec::with_capacity(like.len());
        for kind in like {
            let base = reader.u32()?;
            let base = (i64::from(reader.u32()?) << 32) | i64::from(base);
            let text_bytes = reader.u32()?;
            let [width, has_nulls, ..] = reader.u32()?.to_le_bytes();
            let legal = match kind.values {
                Values::Wide(_) => width == WIDE,
                _ => matches!(width, 0 | 1 | 2 | 4 | 8),
            };
            if !legal || has_nulls > 1 {
                return Err(damaged("a slice's column layout"));
            }
            layouts.push(Layout {
                base,
                width,
                text_bytes,
                has_nulls: has_nulls == 1,
            });
        }
        let mut parts = Vec::with_capacity(like.len());
        for Layout {
            base,
            width,
            text_bytes,
            has_nulls,
        } in layouts
        {
            let validity = has_nulls
                .then(|| reader.padded(rows.div_ceil(8)))
                .transpose()?;
            let values = reader.padded(rows * usize::from(width))?;
            let text = reader.padded(text_bytes as usize)?;
            parts.push(Part {
                base,
                width,
                validity,
                values,
                text,
            });
        }
        Ok(Self { rows, parts })
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8]> {
        let end = self
            .at
            .checked_add(bytes)
            .ok_or_else(|| damaged("a slice's size"))?;
        let taken = self
            .bytes
            .get(self.at..end)
            .ok_or_else(|| damaged("a slice is cut short"))?;
        self.at = end;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32> {
        let taken = self.take(4)?;
        Ok(u32::from_le_bytes([taken[0], taken[1], taken[2], taken[3]]))
    }

    fn padded(&mut self, bytes: usize) -> Result<&'a [u8]> {
        let taken = self.take(bytes)?;
        self.take(padded(bytes) - bytes)?;
        Ok(taken)
    }
}

fn read_column(views: &[View<'_>], at: usize, kind: &Column, rows: usize) -> Result<Column> {
    let parts = || views.iter().map(|v| (v.rows, &v.parts[at]));
    let nulls = parts().any(|(_, p)| p.validity.is_some()).then(|| {
        let mut valid = Vec::with_capacity(rows);
        for (rows, part) in parts() {
            match part.validity {
                Some(bits) => valid.extend((0..rows).map(|r| bits[r / 8] >> (r % 8) & 1 == 1)),
                None => valid.resize(valid.len() + rows, true),
            }
        }
        NullBuffer::new(BooleanBuffer::from(valid))
    });
    let values = match kind.values {
        Values::Wide(_) => {
            let mut wide = reserved(rows)?;
            for (_, part) in parts() {
                wide.extend(
                    part.values
                        .as_chunks()
                        .0
                        .iter()
                        .map(|c| i128::from_le_bytes(*c)),
                );
            }
            Values::Wide(wide.into())
        }
        Values::Words(_) => {
            let mut words = reserved(rows)?;
            for (rows, part) in parts() {
                unpack(part, rows, &mut words);
            }
            Values::Words(words.into())
        }
        Values::Bytes { .. } => read_text(parts(), rows)?,
    };
    Ok(Column { values, nulls })
}

/// Memory for `rows` values. A constant column claims rows without bytes to show for them, so the
/// claim may be absurd: that must be an error, not an abort.
fn reserved<T>(rows: usize) -> Result<Vec<T>> {
    let mut values = Vec::new();
    values
        .try_reserve_exact(rows)
        .map_err(|_| damaged("a slice claims more rows than fit"))?;
    Ok(values)
}

fn unpack(part: &Part<'_>, rows: usize, words: &mut Vec<i64>) {
    let base = part.base;
    let add = |v: i64| base.wrapping_add(v);
    match part.width {
        0 => words.resize(words.len() + rows, base),
        1 => words.extend(part.values.iter().map(|v| add(i64::from(*v)))),
        2 => words.extend(
            part.values
                .as_chunks()
                .0
                .iter()
                .map(|c| add(i64::from(u16::from_le_bytes(*c)))),
        ),
        4 => words.extend(
            part.values
                .as_chunks()
                .0
                .iter()
                .map(|c| add(i64::from(u32::from_le_bytes(*c)))),
        ),
        _ => words.extend(
            part.values
                .as_chunks()
                .0
                .iter()
                .map(|c| add(i64::from_le_bytes(*c))),
        ),
    }
}

fn read_text<'a>(
    parts: impl Iterator<Item = (usize, &'a Part<'a>)> + Clone,
    rows: usize,
) -> Result<Values> {
    let total: usize = parts.clone().map(|(_, p)| p.text.len()).sum();
    if i32::try_from(total).is_err() {
        return Err(text_too_large());
    }
    let mut offsets = reserved(rows + 1)?;
    let mut data = Vec::with_capacity(total);
    let mut sizes = Vec::new();
    offsets.push(0_i32);
    for (rows, part) in parts {
        sizes.clear();
        unpack(part, rows, &mut sizes);
        let mut end = data.len() as i64;
        data.extend_from_slice(part.text);
        for &size in &sizes {
            // Both bounds keep `end` within `data`, whose length fits 32 bits.
            end += size.clamp(0, i64::from(i32::MAX));
            offsets.push(i32::try_from(end).map_err(|_| damaged("a string's length"))?);
        }
        if end != data.len() as i64 {
            return Err(damaged("string lengths do not add up"));
        }
    }
    Ok(Values::Bytes {
        offsets: OffsetBuffer::new(offsets.into()),
        data: Buffer::from_vec(data),
    })
}
